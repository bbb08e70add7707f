"""The thank-you page: how a gift stands, told by the books and, where they do not know yet, by Stripe's own word.

Nothing is said that is not known: a page opened while the payment waits says that nothing was paid, and a page that
could not ask says so. Reads and words; nothing is changed here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

from flask import render_template, url_for

from appeal import reports
from appeal.books import adjustments, ledger
from appeal.context import settings
from appeal.core import clock, markdown, texts, thanks_pass
from appeal.gifts import giving, monthly
from appeal.gifts.checkout import Back
from appeal.models import Appeal, Donation
from appeal.supporters import pages

# unpaid: its payment page waits still; unknown: nobody could say just now whether it was paid
Standing = Literal["received", "on_its_way", "unpaid", "not_completed", "unknown"]
IN_THE_BOOKS: dict[str, Standing] = {
    "received": "received",
    "on_its_way": "on_its_way",
    "failed": "not_completed",
    "expired": "not_completed",
}
BY_STRIPE: dict[str, Standing] = {
    "paid": "on_its_way",
    "on_its_way": "on_its_way",
    "open": "unpaid",
    "failed": "not_completed",
    "expired": "not_completed",
}
# A page that does not know yet looks again by itself, and then leaves it to the person.
LOOK_AGAIN_SECONDS, LOOKS = 5, 3


def standing(back: Back) -> Standing:
    """Say how a gift stands. What the books know comes first: the event may have come while Stripe was asked."""
    known = IN_THE_BOOKS.get(back.donation.status)
    if known:
        return known
    if back.donation.checkout_session_id is None:
        return "not_completed"  # no payment page was ever handed out, so nobody can have paid on one
    return BY_STRIPE[back.told] if back.told else "unknown"


def refresh(back: Back, looks: int) -> str:
    """Return the Refresh header of a page that does not know yet, after some looks of its own; empty for none."""
    if standing(back) != "unknown" or not 0 <= looks < LOOKS:
        return ""
    again = url_for("supporters.thank_you", public_id=back.donation.public_id, look=looks + 1)
    return f"{LOOK_AGAIN_SECONDS}; url={again}"


def page(back: Back) -> str:
    """Render the thanks as the gift stands."""
    donation, state = back.donation, standing(back)
    appeal = donation.appeal
    takes_gifts = giving.takes_gifts(appeal, clock.now())
    in_the_books = adjustments.standing(ledger.entries_of(donation)) if state == "received" else None
    return render_template(
        "supporters/thank_you.html",
        donation=donation,
        appeal=appeal,
        figure=reports.figure(appeal.slug),
        state=state,
        in_the_books=in_the_books,
        masked_email=texts.masked_email(donation.donor.email) if donation.donor.email else "",
        credit_shown=reports.credit_line(donation),
        receipt_url=url_for("supporters.receipt", public_id=donation.public_id)
        if state == "received"
        else None,
        own_words=markdown.render(appeal.thanks_markdown) if state == "received" else "",
        next_due_at=_next_due_at(donation),
        pay_url=back.page_url if takes_gifts else "",
        change_url=_change_url(donation) if takes_gifts else "",
        back_url=_back_url(donation),
        share_links=_share_links(appeal),
        appeal_url=url_for("supporters.appeal", slug=appeal.slug),
    )


def _next_due_at(donation: Donation) -> datetime | None:
    """Return when a monthly gift is charged next, where it runs."""
    gift = monthly.of_donation(donation) if donation.frequency == "monthly" else None
    return gift.next_due_at if gift and gift.status == "active" and not gift.ends_at_period_end else None


def _change_url(donation: Donation) -> str:
    return pages.address_of(
        donation.appeal, donation.amount_minor, donation.frequency, src=donation.src, page=donation.page
    )


def _back_url(donation: Donation) -> str | None:
    """Return the article the donor came from, if it is on one of the appeal's own hosts.

    After a received gift the link carries the "thank you" pass, by which the article's site may relax its meter.
    """
    appeal, page = donation.appeal, donation.page
    if page.startswith("/") and not page.startswith(("//", "/\\")) and appeal.publisher_url:
        page = appeal.publisher_url.rstrip("/") + page
    parts = urlsplit(page)
    own = {*appeal.return_hosts, urlsplit(appeal.publisher_url).hostname}
    if parts.scheme not in {"https", "http"} or parts.hostname not in own or "\\" in page:
        return None
    if donation.status != "received":
        return page
    note = urlencode({thanks_pass.PARAMETER: thanks_pass.issue(settings().signing_keys, appeal.slug)})
    return urlunsplit(parts._replace(query=f"{parts.query}&{note}" if parts.query else note))


def _share_links(appeal: Appeal) -> list[tuple[str, str]]:
    """Return ways to pass the appeal on; each link says where it was shared."""

    def link(code: str) -> str:
        return f"{settings().public_url}{url_for('supporters.appeal', slug=appeal.slug)}?src=share-{code}"

    text = f"{appeal.title}: {link('mail')}"
    mail = urlencode({"subject": appeal.title, "body": text}).replace("+", "%20")
    return [
        ("By e-mail", f"mailto:?{mail}"),
        ("WhatsApp", "https://wa.me/?" + urlencode({"text": f"{appeal.title}: {link('whatsapp')}"})),
        (
            "Bluesky",
            "https://bsky.app/intent/compose?" + urlencode({"text": f"{appeal.title}: {link('bluesky')}"}),
        ),
        ("Facebook", "https://www.facebook.com/sharer/sharer.php?" + urlencode({"u": link("facebook")})),
    ]
