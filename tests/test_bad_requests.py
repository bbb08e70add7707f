"""Whatever is sent to whichever door by somebody who is not signed in, the answer is no 5xx and comes soon.

tests/test_bad_input.py says what the answers to the commonest mistakes are. Here everything that a request consists
of goes wrong at once, drawn at random for every address of the application: path, query in raw bytes, headers,
cookies (our own, bent), bodies of every kind and of no kind, lengths that lie. Requests are handed to the
application as a server hands them over, below the test client, which would refuse to send most of them.
"""

import io
import random
import re
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.routing import Rule

from appeal import create_app
from appeal.extensions import db
from tests.gateways import FakeGateway
from tests.making import SLUG, form, open_appeal, received
from tests.support.run import Run
from tests.support.settings import test_settings

SEED = 20_261_128
SLOWEST_SECONDS = 2
# About 2 ms of work each: what fits into a test run. The long form asks 20,000.
PER_ADDRESS = 150
# oEmbed's answer to another format is the one 5xx that means what it says.
FINE_5XX = {("/oembed", 501)}
OWN = f"http://127.0.0.1:8000/appeals/{SLUG}".encode()
ODD = [
    b"", b" ", b"\0", b"a\0b", b"\x1b[0m", b"\r\nSet-Cookie: a=b", b"\t", b"\\", b"/", b"//", b".", b"..", b"../../etc/passwd",
    b"%", b"%zz", b"\xff\xfe", b"\xed\xa0\x80", "\u202e".encode(), "\u2028".encode(), "é".encode(), "💷".encode(),
    b"0", b"-1", b"+5", b"1.5", b"1e9", b"NaN", b"0x10", b"1_000", b"\xd9\xa1\xd9\xa2", b"\xef\xbc\x91", "²".encode(),
    b"9" * 400, b"9223372036854775808", b"-9223372036854775809", b"[]", b"{}", b"null", b"' OR 1=1 --", b'"',
    b"<script>alert(1)</script>", b"{{7*7}}", b"%s%n", b"=cmd()", b"a" * 5000, b"de", b"ar", b"xx", b"end", b"paywall", b"dark",
    OWN, OWN + b"?src=%00&page=%ff", b"http://[::1", b"http://[/appeals/" + SLUG.encode(), b"http://127.0.0.1:abc/appeals/x",
    b"http://x:99999/", b"//elsewhere.example", b"somebody@example.org", SLUG.encode(), b"other", b"monthly", b"25",
]  # fmt: skip
NAMES = [
    b"amount", b"other_amount", b"frequency", b"name", b"email", b"credit", b"credit_line", b"message", b"cover_fee", b"updates",
    b"src", b"page", b"website", b"csrf_token", b"before", b"lang", b"theme", b"placement", b"scale", b"url", b"format",
    b"maxwidth", b"maxheight", b"views_left", b"view_limit", b"token", b"next", b"forgotten", b"wall", b"password", b"code",
    b"host", b"version", b"blocked", b"q", b"x\0y", b"",
]  # fmt: skip
HEADERS = {
    "HTTP_HOST": [b"elsewhere.example", b"", b"\xff", b"127.0.0.1:abc", b"[::1", b"a b", b"127.0.0.1@elsewhere.example"],
    "HTTP_ACCEPT_LANGUAGE": [b"*", b"de;q=x", b",,,;;;", b"x" * 3000, b"de;q=-1", b"\xff", b"en;q=1e999"],
    "HTTP_ACCEPT_ENCODING": [b"gzip", b"gzip;q=x", b"*;q=0", b"identity;q=0", b"\xff"],
    "HTTP_ACCEPT": [b"x", b"*/*;q=a", b"application/json"],
    "HTTP_RANGE": [b"bytes=0-", b"bytes=-1", b"bytes=5-2", b"bytes=0-0,2-3", b"bytes=" + b"9" * 400 + b"-", b"x", b"bytes=a-b"],
    "HTTP_IF_RANGE": [b"x", b'"x"', b"Thu, 99 Jan 99999 00:00:00 GMT"],
    "HTTP_IF_NONE_MATCH": [b"*", b'"', b'W/"x"', b'"a","b"', b"x" * 3000, b"\xff", b'""', b","],
    "HTTP_IF_MATCH": [b"*", b'"x"', b"\xff"],
    "HTTP_IF_MODIFIED_SINCE": [
        b"x", b"0", b"\xff", b"Thu, 01 Jan 1970 00:00:00 GMT", b"Thu, 99 Jan 99999 00:00:00 GMT",
        b"Mon, 01 Jan 0001 00:00:00 GMT", b"Fri, 31 Dec 9999 23:59:59 -9999", b"Sat, 28 Nov 2026 03:38:29 +99999999999",
    ],
    "HTTP_ORIGIN": [b"null", b"http://[", b"http://x:abc", b"\xff", b"x" * 3000],
    "HTTP_REFERER": [b"http://[", b"\xff"],
    "HTTP_SEC_FETCH_SITE": [b"cross-site", b"\xff"],
    "HTTP_AUTHORIZATION": [b"Basic \xff", b"Basic x", b"Basic Og==", b"Bearer \xff", b"Digest x=", b"x"],
    "HTTP_X_FORWARDED_FOR": [b"x", b"1.2.3.4, 5.6.7.8", b"\xff"],
    "HTTP_USER_AGENT": [b"", b"\xff", b"x" * 5000],
    "HTTP_STRIPE_SIGNATURE": [
        b"t=1,v1=2", b"t=,v1=", b"t=x", b"=", b",,,", b"t=1,v1=\xff", b"t=" + b"9" * 400 + b",v1=a", b"v1=a", b"t=-1,v1=a",
        b"t=\xd9\xa1,v1=a",
    ],
    "HTTP_X_CSRFTOKEN": [b"x", b"\xff"],
    "HTTP_CONTENT_ENCODING": [b"gzip", b"x"],
    "HTTP_EXPECT": [b"100-continue"],
}  # fmt: skip
COOKIES = [
    b"x", b"", b"..", b".eJw", b"eyJhIjoxfQ.aaaa.bbbb", b"\xff", b'"\\377"', b"a" * 4000, b"." * 200, b"." + b"A" * 50 + b".aa.bb"
]  # fmt: skip
FORM, PARTS = b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x"
KINDS = [
    FORM, PARTS, b"multipart/form-data", b"multipart/form-data; boundary=", b"multipart/form-data; boundary=\xff",
    b"multipart/mixed; boundary=x", b"application/json", b"text/plain", b"", b"\xff", b";;;",
    FORM + b"; charset=utf-16", FORM + b"; charset=nonsense", PARTS + b"; charset=x",
]  # fmt: skip
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO"]
PART_HEADERS = [
    b"", b'; filename="a"', b"; filename*=UTF-8''%ff", b"\r\nContent-Type: \xff", b"\r\nContent-Type: text/plain; charset=x",
    b"\r\nContent-Transfer-Encoding: base64", b"\r\nX: \xff",
]  # fmt: skip
LIES = ["-1", "x", "", "99999999999999999999", "1"]


class Drawer:
    """Draws requests: `app` lends its tokens and cookies, `chance` decides."""

    def __init__(self, app: Flask, public_id: str, seed: object) -> None:
        """Visit the two doors that give cookies, so that there are good ones to bend and tokens that are good."""
        self.app, self.chance = app, random.Random(str(seed))
        self.values = {
            "slug": SLUG,
            "public_id": public_id,
            "token": "abc",
            "name": "appeal.js",
            "action": "pause",
        }
        self.cookies, self.tokens = {}, {}
        for path, name in (("/staff/login", b"appeal_staff"), ("/giving", b"appeal_donor")):
            answer = app.test_client().get(path)
            self.cookies[name] = answer.headers["Set-Cookie"].partition("=")[2].partition(";")[0].encode()
            found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.get_data(as_text=True))
            assert found
            self.tokens[path.split("/")[1]] = found[1].encode()

    def request(self, rule: Rule, method: str) -> dict[str, Any]:
        """Draw one request to an address, as a WSGI environment."""
        chance = self.chance
        path = re.sub(r"<(?:\w+:)?(\w+)>", self._segment, rule.rule)
        method = chance.choice(METHODS) if chance.random() < 0.06 else method
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": _latin(self._pairs(chance.randrange(4))) if chance.random() < 0.7 else "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "127.0.0.1:8000",
            # Come from anywhere, or the limits would answer instead of the door.
            "REMOTE_ADDR": ".".join(["10", *(str(chance.randrange(256)) for _ in range(3))]),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name in chance.sample(list(HEADERS), chance.randrange(4)):
            if name != "HTTP_HOST" or chance.random() < 0.2:
                environ[name] = _latin(chance.choice(HEADERS[name]))
        self._add_cookies_and_body(environ, path.split("/")[1])
        return environ

    def _segment(self, found: re.Match[str]) -> str:
        if self.chance.random() < 0.25:
            return _latin(self.chance.choice(ODD))
        return self.values.get(found[1], "1")

    def _pairs(self, count: int, *more: bytes) -> bytes:
        return b"&".join([*more, *(self._pair() for _ in range(count))])

    def _pair(self) -> bytes:
        value = self.chance.choice(ODD) if self.chance.random() < 0.8 else self.chance.randbytes(12)
        raw = self.chance.random() < 0.15
        return quote(self.chance.choice(NAMES)).encode() + b"=" + (value if raw else quote(value).encode())

    def _add_cookies_and_body(self, environ: dict[str, Any], door: str) -> None:
        """Come with good cookies and a good token now and then, so that the door looks at the rest."""
        chance = self.chance
        trusted = chance.random() < 0.4
        cookies = [
            name + b"=" + (good if trusted else self._bent(good)) for name, good in self.cookies.items()
        ]
        if trusted or chance.random() < 0.5:
            environ["HTTP_COOKIE"] = _latin(b"; ".join(cookies) + chance.choice([b"", b";", b";; =", b"; a"]))
        body = b""
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"} or chance.random() < 0.05:
            kind, body = self._body(self._token(door) if trusted else b"")
            environ["CONTENT_TYPE"] = _latin(kind)
            length = chance.random()
            if length < 0.85:
                environ["CONTENT_LENGTH"] = str(len(body))
            elif length < 0.93:
                environ |= {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
            else:
                environ["CONTENT_LENGTH"] = chance.choice([*LIES, str(len(body) + 7)])
        environ["wsgi.input"] = io.BytesIO(body)

    def _token(self, door: str) -> bytes:
        own = self.tokens.get(door) or form(self.app)["csrf_token"].encode()
        return b"csrf_token=" + quote(own).encode()

    def _bent(self, good: bytes) -> bytes:
        if self.chance.random() < 0.5:
            return self.chance.choice(COOKIES)
        bent = bytearray(good)
        bent[self.chance.randrange(len(bent))] ^= 1 << self.chance.randrange(7)
        return bytes(bent)

    def _body(self, token: bytes) -> tuple[bytes, bytes]:
        chance = self.chance
        what = chance.random()
        if token or what < 0.5:
            kind = FORM if token or chance.random() < 0.8 else chance.choice(KINDS)
            return kind, self._pairs(chance.randrange(8), *([token] if token else []))
        if what < 0.75:
            return chance.choice([PARTS, PARTS, PARTS, chance.choice(KINDS)]), self._parts()
        if what < 0.9:
            return chance.choice(KINDS), chance.choice(
                [*ODD, b"{", b'{"id":"\\ud800"}', b"[1]", b"1", b'"x"']
            )
        return chance.choice(KINDS), chance.randbytes(chance.randrange(300))

    def _parts(self) -> bytes:
        chance = self.chance
        parts = [
            b'--x\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
            % (chance.choice(NAMES), chance.choice(PART_HEADERS), chance.choice(ODD))
            for _ in range(chance.randrange(5))
        ]
        return b"".join(parts) + chance.choice([b"--x--\r\n", b"", b"--x", b"--x--junk"])


def _latin(text: bytes) -> str:
    return text.decode("latin-1")


def _ask(app: Flask, environ: dict[str, Any]) -> tuple[int, float]:
    """Return status and seconds of work; what the application raises, it raises here too.

    Work, not waiting: on a busy machine the clock on the wall says how busy it is.
    """
    told: list[str] = []
    began = time.thread_time()
    parts = app.wsgi_app(environ, lambda status, _headers, _error=None: told.append(status))
    try:
        b"".join(parts)
    finally:
        getattr(parts, "close", lambda: None)()
    return int(told[-1][:3]), time.thread_time() - began


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def doors(
    request: pytest.FixtureRequest, run: Run, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Flask, str]]:
    """Give an application that every test of this module asks, and the id of a gift."""
    directory = tmp_path_factory.mktemp("doors")
    with run.database(request.param) as url:
        app = create_app(test_settings(url, directory))
        app.extensions["appeal.gateway"] = FakeGateway()
        with app.app_context():
            public_id = received(open_appeal()).public_id
        yield app, public_id
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def _addresses(app: Flask) -> list[tuple[str, Rule]]:
    return [
        (method, rule)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


@pytest.mark.soak
# Werkzeug leaves the file of a part open where the next part is malformed; it goes with the request.
@pytest.mark.filterwarnings("ignore:.*SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning")
def test_no_request_to_any_door_is_answered_5xx_or_late(doors: tuple[Flask, str], scaled: Any) -> None:
    app, public_id = doors
    print(f"seed {SEED}")
    for method, rule in _addresses(app):
        drawer = Drawer(app, public_id, f"{SEED} {method} {rule.rule}")
        # Behind the guard of the staff a stranger comes no further, whatever the address.
        guarded = rule.rule.startswith("/staff/") and rule.endpoint != "staff.session.login"
        for _ in range(scaled(20, 200) if guarded else scaled(PER_ADDRESS, 20_000)):
            environ = drawer.request(rule, method)
            status, seconds = _ask(app, environ)
            asked = {name: value for name, value in environ.items() if not name.startswith("wsgi")}
            assert status < 500 or (rule.rule, status) in FINE_5XX, (SEED, status, asked)
            assert seconds < SLOWEST_SECONDS, (SEED, seconds, asked)


@pytest.mark.parametrize("query", ["a=\xff", "a=\r\nSet-Cookie: b=c", "\0"])
def test_a_query_that_is_no_text_is_refused(doors: tuple[Flask, str], query: str) -> None:
    app, public_id = doors
    environ = Drawer(app, public_id, SEED).request(next(app.url_map.iter_rules("supporters.home")), "GET")
    environ |= {"REQUEST_METHOD": "GET", "QUERY_STRING": query, "HTTP_HOST": "127.0.0.1:8000"}
    assert _ask(app, environ)[0] == 400
