"""What goes wrong with Stripe, in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from appeal.payments.port import (
    PaymentsBusy,
    PaymentsFailed,
    PaymentsRefused,
    PaymentsUnderWay,
    PaymentsUnknown,
)


@contextmanager
def translated() -> Iterator[None]:
    """Turn what Stripe's package raises into our kinds of trouble.

    Source: Stripe, "Idempotent requests": keys are replayed with 500s included; an answer that never came is unknown.
    """
    import stripe

    try:
        yield
    except stripe.RateLimitError as error:
        raise PaymentsBusy(type(error).__name__) from error
    except (stripe.APIConnectionError, stripe.IdempotencyError) as error:
        raise PaymentsUnknown(type(error).__name__) from error
    except stripe.StripeError as error:
        status = error.http_status
        if status == 409 and error.error and error.error.code == "idempotency_key_in_use":
            raise PaymentsUnderWay(type(error).__name__) from error
        if status is None or status == 409:
            raise PaymentsUnknown(type(error).__name__) from error
        kind = PaymentsFailed if status >= 500 else PaymentsRefused
        raise kind(
            f"{type(error).__name__} {status} {error.code or ''} {error.request_id or ''}".strip()
        ) from error
    except (ValueError, KeyError, AttributeError, TypeError) as error:  # half a body, or not JSON at all
        raise PaymentsUnknown(f"unreadable answer: {type(error).__name__}") from error
