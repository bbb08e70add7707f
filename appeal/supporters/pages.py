"""What the supporters' templates are given. Reads and words; nothing is changed here."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from flask import render_template, url_for

from appeal import front, reports
from appeal.context import settings
from appeal.core import clock, markdown, money
from appeal.core.errors import DomainError
from appeal.gifts import giving
from appeal.models import Appeal
from appeal.supporters.forms import DonationForm

CREDITS_A_PAGE = 50
NOT_CHARGED = "You have not been charged."


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong with the whole form: what happened, what to do next, and whether money moved."""

    title: str
    text: str
    charged_note: str = NOT_CHARGED
    try_again: bool = False  # the same form may be sent again from where this is said
    other_ways: bool = False  # a cheque or a transfer would do as well


STRIPE_AWAY = Problem(
    "Our payment service did not answer",
    "Your gift is kept as you entered it. Please try again in a moment; you will not give twice.",
    try_again=True,
    other_ways=True,
)
BOOKS_AWAY = Problem(
    "We could not take your gift just now",
    "A part of this site is not answering. Your gift is kept on this page as you entered it. Please try again in a moment.",
    try_again=True,
    other_ways=True,
)
TOO_MANY = Problem(
    "We cannot take this gift just now",
    "There were many unfinished gifts from where you are. Please try again in an hour.",
    other_ways=True,
)
NOT_OPEN = Problem("This appeal is not taking gifts", "Thank you for wanting to give. Nothing was sent.")


class FormRefused(Exception):
    """The form is shown again, with this problem on top and this status."""

    def __init__(self, problem: Problem | None, status: int, *, fresh: bool = False) -> None:
        """`fresh` asks for a new token: the old one is of no use."""
        super().__init__(status)
        self.problem, self.status, self.fresh = problem, status, fresh


def check_again(error: DomainError) -> Problem:
    """Ask for a second look, in the words of what was wrong with the form."""
    return Problem("Please check your gift and send it again", error.message)


def appeal_page(
    shown: front.Front, figure: reports.Figure, form: DonationForm, problem: Problem | None = None
) -> str:
    """Render the appeal page."""
    appeal = shown.facts.appeal
    return render_template(
        "supporters/appeal.html",
        appeal=appeal,
        figure=figure,
        form=form,
        problem=problem,
        takes_gifts=giving.takes_gifts(appeal, clock.now()),
        story=markdown.render(appeal.story_markdown),
        other_ways=markdown.render(appeal.other_ways_markdown),
        terms=markdown.render(appeal.terms_markdown),
        thanks=markdown.render(appeal.thanks_markdown),
        credits=shown.credits,
        more_credits=shown.more_credits,
        qr_url=url_for("embed.qr_svg", slug=appeal.slug, src="print-page"),
        shared=_shared(appeal),
        page_url=f"{settings().public_url}{url_for('supporters.appeal', slug=appeal.slug)}",
    )


def _shared(appeal: Appeal) -> dict[str, str]:
    """Return the addresses by which other sites show the appeal: its picture, its oEmbed answer, its feed."""
    base = settings().public_url
    page = f"{base}{url_for('supporters.appeal', slug=appeal.slug)}"
    return {
        "picture": f"{base}{url_for('embed.picture_to_share', slug=appeal.slug)}",
        "oembed": f"{base}{url_for('embed.oembed', url=page)}",
        "feed": f"{base}{url_for('embed.feed', slug=appeal.slug)}",
        "embed": url_for("embed.put_on_your_site", slug=appeal.slug),
    }


def appeal_list(appeals: list[Appeal]) -> str:
    """Render the list of appeals, those that have ended last, or the page that says there is none."""
    figures = [(one, reports.figure(one.slug)) for one in appeals]
    return render_template(
        "supporters/list.html", appeals=sorted(figures, key=lambda pair: pair[1].state == "ended")
    )


def credits_page(appeal: Appeal, before: int | None) -> str:
    """Render one page of published credit lines."""
    shown, following = reports.published_credits(appeal.id, most=CREDITS_A_PAGE, before=before)
    return render_template(
        "supporters/credits.html",
        appeal=appeal,
        figure=reports.figure(appeal.slug),
        credits=shown,
        next_url=url_for("supporters.credit_lines", slug=appeal.slug, before=following)
        if following
        else None,
    )


def address_of(appeal: Appeal, amount_minor: int, frequency: str, *, src: str = "", page: str = "") -> str:
    """Return the appeal's address with a gift filled in, for someone who turns back at Stripe or begins anew."""
    values = {
        "amount": money.plain(amount_minor, appeal.currency),
        "frequency": frequency,
        "src": src,
        "page": page,
    }
    query = urlencode({key: value for key, value in values.items() if value})
    return f"{settings().public_url}{url_for('supporters.appeal', slug=appeal.slug)}?{query}#give"


def with_query(address: str, query: bytes) -> str:
    """Carry a link's query along, so that attribution and prefilled amounts survive the way from `/`."""
    kept = quote(query, safe="=&%+-._~:/")
    return f"{address}?{kept}" if kept else address


def brand_css(appeal: Appeal) -> str:
    """Write the appeal's colours; each was held to `#rrggbb` when it was entered."""
    light, dark = _colour(appeal.accent, "#8a1c1c"), _colour(appeal.accent_dark, "#f2a59b")
    return (
        f":root{{--accent:{light};--accent-ink:#fff;--accent-dark:{dark};--accent-dark-ink:#111}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{--accent:{dark};--accent-ink:#111}}}}\n"
    )


def _colour(value: str, otherwise: str) -> str:
    plain = value.removeprefix("#")
    return value if len(plain) == 6 and all(sign in "0123456789abcdefABCDEF" for sign in plain) else otherwise
