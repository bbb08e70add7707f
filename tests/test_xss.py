"""What donors write is shown as they wrote it and never as a page's own: pages, letters and receipts, no hit."""

import itertools
from html.parser import HTMLParser

import pytest
from sqlalchemy import select

from appeal.database import writing
from appeal.extensions import db
from appeal.gifts import letters
from appeal.models import Donation
from appeal.reports import appeal_by_slug
from tests.gateways import FakeGateway
from tests.making import SLUG, form, open_appeal, post_form, received, settings_of

_HANDLERS = (
    "onerror",
    "onwheel",
    "onload",
    "onclick",
    "onmouseover",
    "onfocus",
    "ontoggle",
    "onanimationstart",
    "onpointerenter",
)
_TAGS = (
    "img src=x",
    "svg",
    "body",
    "details open",
    "iframe src=x",
    "video src=x",
    "input autofocus",
    "a href=x",
)
_SCRIPTS = (
    "<script>alert(1)</script>", "<SCRIPT SRC=//x.example/x.js></SCRIPT>", "<scr<script>ipt>alert(1)</script>",
    "<script/x>alert(1)</script>", "</script><script>alert(1)</script>", "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>", "</style><script>alert(1)</script>", "<!--<script>alert(1)//-->",
    "--><script>alert(1)</script>", "<script\n>alert(1)</script>", "<script>alert`1`</script>",
    '"><script>alert(1)</script>', "'><script>alert(1)</script>", "`><script>alert(1)</script>",
    '" onmouseover="alert(1)', "' onmouseover='alert(1)", '" autofocus onfocus=alert(1) x="', "x onerror=alert(1)",
    "&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;script&#62;alert(1)&#60;/script&#62;", "%3Cscript%3Ealert(1)%3C/script%3E",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e", "\\x3cscript\\x3ealert(1)", "<script>alert(1)", "<script",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)", "<a href=javascript:alert(1)>x</a>", "<a href='java&#115;cript:alert(1)'>x</a>",
    "<form action=//x.example><input name=card>", "<base href=//x.example/>", "<meta http-equiv=refresh content=0;url=//x>",
    "<link rel=stylesheet href=//x.example/x.css>", "<style>@import'//x.example'</style>", "<div style=background:url(//x)>",
    "<object data=//x.example>", "<embed src=//x.example>", "<math><mi xlink:href=javascript:alert(1)>x", "<isindex action=x>",
    "<svg><script>alert(1)</script></svg>", "<svg/onload=alert(1)>", "<svg><a xlink:href=javascript:alert(1)><text>x",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", "<template><script>alert(1)</script></template>",
    "<x onclick=alert(1)>x</x>", "<custom-element onfocus=alert(1) tabindex=1>", "<b>bold</b>", "<h1>Big</h1>", "<marquee>x",
    "{{7*7}}", "{{config}}", "{% raw %}x", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{{''.__class__.__mro__}}", "{{request}}",
    "[x](javascript:alert(1))", "![x](x onerror=alert(1))", "<https://x.example>", "**bold**", "`code`", "# title",
    "<img src=`x`onerror=alert(1)>", "<img/src=x/onerror=alert(1)>", "<img src onerror=alert(1)//", "<<img src=x onerror=alert(1)>",
    "<img src=x onerror=\nalert(1)>", "<IMG SRC=JaVaScRiPt:alert(1)>", "<img src=x:x onerror=alert(1)>", "<image src=x onerror=alert(1)>",
    "</p><img src=x onerror=alert(1)><p>", "]]><script>alert(1)</script>", "<![CDATA[<script>alert(1)</script>]]>", "<?xml x?><x>",
    "\u003cscript\u003ealert(1)\u003c/script\u003e", "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e", "\u2039script\u203a",
)  # fmt: skip
CORPUS = [*_SCRIPTS, *(f"<{tag} {handler}=alert(1)>" for tag, handler in itertools.product(_TAGS, _HANDLERS))]


class Reader(HTMLParser):
    """Reads a page as a browser does, and keeps what a donor's words could have made of it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.hits: list[str] = []
        self.shape: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.shape.append(tag)
        for name, value in attrs:
            if name.startswith("on") or (value or "").strip().lower().startswith(
                ("javascript:", "vbscript:", "data:text")
            ):
                self.hits.append(f"<{tag} {name}={value}>" if name != "value" else "")
        if tag in {"script", "iframe", "object", "embed", "base", "marquee", "template"}:
            self.hits.append(tag)


def shape_of(page: str) -> list[str]:
    """Return the elements of a page, after holding that no handler and no script is among them."""
    reader = Reader()
    reader.feed(page)
    assert not [hit for hit in reader.hits if hit], reader.hits
    return reader.shape


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Words are escaped on the way out, whichever database kept them."""
    return sqlite_url


def test_there_are_enough_of_them() -> None:
    assert len(CORPUS) >= 150
    assert len(set(CORPUS)) >= 145


def test_nothing_a_donor_wrote_becomes_part_of_the_form_shown_again(app, client) -> None:
    app.extensions["appeal.gateway"] = FakeGateway()
    with app.app_context():
        open_appeal()
    plain = shape_of(
        post_form(client, form(app, name="x", credit_line="x", message="x", email="x", other_amount="x")).text
    )
    for number, words in enumerate(CORPUS):
        typed = dict.fromkeys(
            ("name", "credit_line", "message", "email", "other_amount", "src", "page"), words
        )
        somebody = {"REMOTE_ADDR": f"10.0.{number // 100}.{number % 100}"}
        answer = post_form(client, form(app, **typed), environ_base=somebody)
        assert answer.status_code == 422
        found = shape_of(answer.text)
        assert len(found) - len(plain) in range(-12, 13), words  # messages at fields differ; nothing else may
        assert words not in answer.text or not set(words) & set("<>\"'"), words


def test_nothing_a_donor_wrote_becomes_part_of_a_page_a_letter_or_a_receipt(app, client) -> None:
    with app.app_context():
        appeal = open_appeal()
        shapes = set()
        with writing():
            donation = received(appeal, name="Mary", credit="custom", credit_line="x", message="x")
            donation.credit_review = donation.message_review = "approved"
        name = donation.public_id
    for number, words in enumerate(["x", *CORPUS]):
        with app.app_context():
            with writing() as session:
                kept = session.get_one(type(donation), 1)
                kept.name, kept.credit_line, kept.message = words[:120], words[:60], words
            if number % 4 == 0:  # a letter comes with a receipt, which is dear to draw
                text, html = _letter(app)
                letter = tuple(shape_of(html))
                assert words[:120] in text
        pages = [client.get(address).text for address in _addresses(name)]
        shapes.add((letter, *(tuple(shape_of(page)) for page in pages)))
    assert len(shapes) == 1


def _addresses(name: str) -> list[str]:
    return [f"/appeals/{SLUG}", f"/appeals/{SLUG}/credits", f"/donations/{name}/thank-you"]


def _letter(app) -> tuple[str, str]:
    donation = db.session.scalars(select(Donation)).one()
    letter = letters.letter("receipt", donation, settings_of(app))
    return letter.text, letter.html


def test_a_link_that_prefills_the_form_writes_nothing_into_the_page(app, client) -> None:
    with app.app_context():
        open_appeal()
        assert appeal_by_slug(SLUG)
    plain = shape_of(client.get(f"/appeals/{SLUG}").text)
    for words in CORPUS:
        page = client.get(
            f"/appeals/{SLUG}", query_string=dict.fromkeys(("src", "page", "amount", "frequency"), words)
        )
        assert shape_of(page.text) == plain, words
