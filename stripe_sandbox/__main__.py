"""`python -m stripe_sandbox`: the sandbox as a process of its own."""

import argparse
import os
import signal
import sys

from stripe_sandbox.sandbox import Sandbox, wait_for_end


def main() -> None:
    """Run until interrupted or terminated."""
    parser = argparse.ArgumentParser(
        prog="stripe_sandbox", description="A local stand-in for Stripe. No money moves."
    )
    env = os.environ.get
    parser.add_argument("--host", default=env("SANDBOX_HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=int(env("SANDBOX_PORT", "12111")))
    parser.add_argument("--webhook-url", default=env("SANDBOX_WEBHOOK_URL", ""))
    parser.add_argument("--webhook-secret", default=env("SANDBOX_WEBHOOK_SECRET", ""))
    parser.add_argument("--checkout-origin", default=env("SANDBOX_CHECKOUT_ORIGIN", ""))
    parser.add_argument(
        "--merchant", default=env("SANDBOX_MERCHANT", "Test merchant"), help="the name on the page"
    )
    parser.add_argument(
        "--state", default=env("SANDBOX_STATE"), help="a file that keeps everything over a restart"
    )
    options = parser.parse_args()
    try:
        sandbox = Sandbox(
            host=options.host,
            port=options.port,
            webhook_url=options.webhook_url,
            webhook_secret=options.webhook_secret,
            checkout_origin=options.checkout_origin,
            merchant=options.merchant,
            state_file=options.state,
        ).start()
    except OSError as problem:
        sys.exit(f"stripe_sandbox cannot listen on {options.host}:{options.port}: {problem}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.stdout.write(f"Stripe sandbox on {sandbox.url} (no money moves)\n")
    sys.stdout.flush()
    wait_for_end(sandbox)


if __name__ == "__main__":
    main()
