"""A real nginx with the recipe that docs/nginx gives to people, on free ports, with the waiting times made short.

The recipe is run as it stands but for names, ports and folders. Behind it stands a second server that hands the
application's answers on with seconds in place of half minutes, so that a test sees in moments what readers see in
minutes.
"""

import getpass
import subprocess
from pathlib import Path

from tests.support.machine import NGINX
from tests.support.run import ROOT
from tests.support.settings import environment_for
from tools.children import LOOPBACK, Child, free_port

FRESH_SECONDS, STALE_SECONDS = 2, 3
SHORT = f"public, max-age=1, s-maxage={FRESH_SECONDS}, stale-while-revalidate={STALE_SECONDS}, stale-if-error=86400"
_MAIN = """
{user}
worker_processes 1;
error_log {directory}/error.log;
pid {directory}/nginx.pid;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    default_type text/html;
    # What is refused keeps its own few seconds; an origin that is gone says nothing.
    map $upstream_status $life {{
        ~^4 $upstream_http_cache_control;
        ~^[23] "{short}";
    }}
    {recipes}
    server {{
        listen {loopback}:{shortener};
        location / {{
            proxy_pass http://{loopback}:{origin};
            proxy_set_header Host $host;
            proxy_hide_header Cache-Control;
            add_header Cache-Control $life always;
        }}
    }}
}}
"""


class Edge:
    """nginx before an origin: the appeal's own cache, and a newspaper that includes the fragment."""

    def __init__(self, directory: Path, origin_port: int) -> None:
        self.port, self.newspaper_port, shortener = free_port(), free_port(), free_port()
        (directory / "newspaper").mkdir()
        recipes = self._recipe("appeal.conf", directory).replace("127.0.0.1:8000", f"{LOOPBACK}:{shortener}")
        recipes = recipes.replace("listen 80;", f"listen {LOOPBACK}:{self.port};")
        include = self._recipe("host-include.conf", directory).replace(
            "give.example.org:443", f"{LOOPBACK}:{self.port}"
        )
        include = include.replace("listen 80;", f"listen {LOOPBACK}:{self.newspaper_port};")
        include = include.replace("https://appeal_source", "http://appeal_source").replace(
            "95-years", "lantern"
        )
        include = include.replace(
            "proxy_set_header Host give.example.org", f"proxy_set_header Host {LOOPBACK}"
        )
        text = _MAIN.format(
            user=f"user {getpass.getuser()};" if getpass.getuser() == "root" else "",
            directory=directory,
            recipes=recipes + include,
            loopback=LOOPBACK,
            shortener=shortener,
            origin=origin_port,
            short=SHORT,
        )
        file = directory / "nginx.conf"
        file.write_text(text)
        command = [NGINX.need(), "-p", str(directory), "-c", str(file), "-g", "daemon off;"]
        self.child = Child(
            "nginx", command, cwd=directory, environment=environment_for({}), log=directory / "nginx.log"
        )
        self._check = [*command[:-1], "daemon off;", "-t"]

    @staticmethod
    def _recipe(name: str, directory: Path) -> str:
        text = (ROOT / "docs" / "nginx" / name).read_text()
        text = text.replace("/var/cache/nginx", str(directory / "cache"))
        (directory / "cache").mkdir(exist_ok=True)
        return text.replace("/var/www/newspaper", str(directory / "newspaper"))

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def check(self) -> str:
        """Return what nginx says about the recipe."""
        return subprocess.run(self._check, check=False, capture_output=True, text=True).stderr
