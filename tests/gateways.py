"""A supplier of payments that stands in at the seam `payments.Gateway`, and keeps the promises Stripe keeps.

One key always leads to one session, a failure under a key is replayed, and every call is written down. What it is
told to do wrong, it does wrong once for each thing told.
"""

import threading
from dataclasses import dataclass, field
from datetime import datetime

from appeal.payments import (
    CheckoutPage,
    CheckoutRequest,
    Payment,
    PaymentsBusy,
    PaymentsError,
    PaymentsFailed,
    PaymentsRefused,
    PaymentsUnknown,
)

KINDS: dict[str, type[PaymentsError]] = {
    "refused": PaymentsRefused,
    "failed": PaymentsFailed,
    "unknown": PaymentsUnknown,
    "busy": PaymentsBusy,
}


@dataclass
class FakeGateway:
    """Sessions by key. `trouble` is used up from its start: a kind, or a kind with `_after` when the work was done first."""

    trouble: list[str] = field(default_factory=list)
    requests: list[CheckoutRequest] = field(default_factory=list)
    sessions: dict[str, CheckoutPage] = field(default_factory=dict)
    failed_keys: set[str] = field(default_factory=set)
    payments: dict[str, Payment] = field(default_factory=dict)
    reads: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        """Open a session, or give the one of this key."""
        with self._lock:
            self.requests.append(request)
            trouble = self.trouble.pop(0) if self.trouble else ""
            kind = trouble.removesuffix("_after")
            if request.key in self.failed_keys:
                raise PaymentsFailed("replayed")
            if trouble and not trouble.endswith("_after"):
                if kind == "failed":
                    self.failed_keys.add(request.key)
                raise KINDS[kind](trouble)
            page = self.sessions.setdefault(request.key, self._new(request))
            if trouble:
                if kind == "failed":
                    self.failed_keys.add(request.key)
                raise KINDS[kind](trouble)
            return page

    def _new(self, request: CheckoutRequest) -> CheckoutPage:
        number = len(self.sessions) + 1
        return CheckoutPage(f"cs_{request.donation_public_id}_{number}", f"https://checkout.test/{number}")

    def find_checkout(self, donation_public_id: str, since: datetime) -> CheckoutPage | None:
        """Look through the sessions."""
        with self._lock:
            return next(
                (page for page in self.sessions.values() if f"_{donation_public_id}_" in page.session_id),
                None,
            )

    def read_checkout(self, session_id: str) -> Payment:
        """Tell how a session stands."""
        self.reads += 1
        if session_id not in self.payments:
            raise PaymentsUnknown(session_id)
        return self.payments[session_id]

    def clock_drift_seconds(self) -> int:
        """Be on time."""
        return 0

    @property
    def keys(self) -> list[str]:
        """The idempotency keys of the calls, in order."""
        return [request.key for request in self.requests]
