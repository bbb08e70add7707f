"""The test cards and debits, and what each of them does.

Numbers as Stripe's list of test cards has them. The page offers the common ones; the rest work when typed.
"""

from dataclasses import asdict, dataclass
from typing import Any

from stripe_sandbox.errors import ApiError


@dataclass(frozen=True)
class Means:
    """One way to pay, and how it behaves."""

    key: str
    title: str
    effect: str
    type: str = "card"
    brand: str = "visa"
    offered: bool = True
    # Decline code given at the first payment; or, with `later`, only when charged again without the donor.
    decline: str | None = None
    later: bool = False
    challenge: bool = False
    # `fraudulent` (funds withdrawn), `inquiry` (nothing moves) or `warning` (an early fraud warning only).
    dispute: str | None = None
    # `pending` (succeeds later) or `fails` (succeeds, then fails later).
    refund: str | None = None
    # For debits: whether the money arrives in the end.
    settles: bool = True

    @property
    def last4(self) -> str:
        """Return the last four digits."""
        return self.key[-4:] if self.type == "card" else "2345"

    def behaviour(self) -> dict[str, Any]:
        """Return what has to be remembered about a payment method of this kind."""
        return {
            name: asdict(self)[name]
            for name in ("decline", "later", "challenge", "dispute", "refund", "settles")
        }


GOOD_CARD = "4242424242424242"
_MEANS = (
    Means(GOOD_CARD, "4242 … 4242", "Pays at once"),
    Means("4000000000000002", "4000 … 0002", "Is declined", decline="generic_decline"),
    Means("4000000000009995", "4000 … 9995", "Has insufficient funds", decline="insufficient_funds"),
    Means("4000002500003155", "4000 … 3155", "Asks for 3-D Secure first", challenge=True),
    Means("4000000000000259", "4000 … 0259", "Pays, and is disputed as fraud", dispute="fraudulent"),
    Means("4000000000007726", "4000 … 7726", "Pays; a refund stays pending for a day", refund="pending"),
    Means("4000000000005126", "4000 … 5126", "Pays; a refund fails after a day", refund="fails"),
    Means(
        "4000000000000341",
        "4000 … 0341",
        "Pays once, fails at renewals",
        decline="generic_decline",
        later=True,
    ),
    Means("4000000000001976", "4000 … 1976", "Pays, and the bank inquires", dispute="inquiry", offered=False),
    Means(
        "4000000000005423",
        "4000 … 5423",
        "Pays, with an early fraud warning",
        dispute="warning",
        offered=False,
    ),
    Means("4000000000000069", "4000 … 0069", "Has expired", decline="expired_card", offered=False),
    Means("4000000000000127", "4000 … 0127", "Has a wrong CVC", decline="incorrect_cvc", offered=False),
    Means(
        "4000000000000119",
        "4000 … 0119",
        "Meets a processing error",
        decline="processing_error",
        offered=False,
    ),
    Means("4000000000009987", "4000 … 9987", "Is reported lost", decline="lost_card", offered=False),
    Means("5555555555554444", "5555 … 4444", "Pays at once (Mastercard)", brand="mastercard", offered=False),
    Means("378282246310005", "3782 … 0005", "Pays at once (American Express)", brand="amex", offered=False),
    Means("bacs_debit", "Bacs Direct Debit", "Pays three days later", type="bacs_debit", brand=""),
    Means("bacs_debit_fails", "Bacs Direct Debit", "Fails three days later", "bacs_debit", "", settles=False),
    Means("sepa_debit", "SEPA Direct Debit", "Pays three days later", type="sepa_debit", brand=""),
    Means("sepa_debit_fails", "SEPA Direct Debit", "Fails three days later", "sepa_debit", "", settles=False),
)
BY_KEY = {means.key: means for means in _MEANS}
_DEBIT_CURRENCY = {"bacs_debit": "gbp", "sepa_debit": "eur"}

# Per decline code: the error's code, and the sentence shown to the donor.
DECLINES = {
    "generic_decline": ("card_declined", "Your card was declined."),
    "insufficient_funds": ("card_declined", "Your card has insufficient funds."),
    "lost_card": ("card_declined", "Your card was declined."),
    "expired_card": ("expired_card", "Your card has expired."),
    "incorrect_cvc": ("incorrect_cvc", "Your card's security code is incorrect."),
    "processing_error": (
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
    "authentication_required": (
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
    ),
}


def types_for(currency: str, allowed: list[str] | None) -> list[str]:
    """Return the kinds of payment method that a payment in this currency offers."""
    offered = ["card", *(kind for kind, only in _DEBIT_CURRENCY.items() if only == currency)]
    return [kind for kind in offered if not allowed or kind in allowed]


def offered(types: list[str]) -> list[Means]:
    """Return what the page lets a person choose from."""
    return [means for means in _MEANS if means.offered and means.type in types]


def chosen(text: str) -> Means:
    """Return the means that a number or key stands for.

    Raises:
        ApiError: it is no test card.
    """
    key = "".join(text.split()).replace("-", "")
    if key in BY_KEY:
        return BY_KEY[key]
    raise ApiError(
        402,
        "Your card number is not one of the test cards. No real card works here: use 4242 4242 4242 4242.",
        kind="card_error",
        code="incorrect_number",
    )
