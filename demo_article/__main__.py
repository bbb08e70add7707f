"""Start the newspaper: `python -m demo_article --port 8001 --appeal-url http://127.0.0.1:8000 --slug 95-years`."""

import argparse
import contextlib

from demo_article.server import serve


def main() -> None:
    """Read the command line and serve until interrupted."""
    parser = argparse.ArgumentParser(prog="demo_article", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8001, help="port to listen on")
    parser.add_argument("--appeal-url", default="http://127.0.0.1:8000", help="origin the banners come from")
    parser.add_argument("--slug", default="95-years", help="the appeal to show")
    options = parser.parse_args()
    server = serve(options.host, options.port, options.appeal_url, options.slug)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
    server.server_close()


if __name__ == "__main__":
    main()
