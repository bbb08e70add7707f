"""The sandbox as one object: started, controlled and stopped from Python.

Every control of `/_sandbox/` is a method here, so that a test in the same process and one that talks to another
process can do the same things.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stripe_sandbox import checkout, controls, jobs, pages, resources, state
from stripe_sandbox.api import Api
from stripe_sandbox.delivery import Manners, Post
from stripe_sandbox.outages import Outage
from stripe_sandbox.resources import disputes, payouts, refunds, subscriptions, webhook_endpoints
from stripe_sandbox.server import Server
from stripe_sandbox.store import Item, World

TICK_SECONDS = 0.2


class Sandbox:
    """A running stand-in for Stripe."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        webhook_url: str = "",
        webhook_secret: str = "",
        checkout_origin: str = "",
        merchant: str = "Test merchant",
        state_file: str | Path | None = None,
    ) -> None:
        resources.load()
        self.world = World()
        self.world.merchant = merchant
        self.api = Api(self.world)
        self.post = Post(Manners(url=webhook_url, secrets=[webhook_secret] if webhook_secret else []))
        self.world.on_event = self.post.accept
        self._site = pages.create_site(self.world, controls.blueprint(self))
        self._server = Server(self._dispatch, host, port)
        self.url = f"http://{host}:{self._server.port}"
        self.world.origin = checkout_origin.rstrip("/") or self.url
        self._state = state.StateFile(Path(state_file), self.world, self.api.keys) if state_file else None
        self._stop = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="sandbox-clock", daemon=True)
        if self._state:
            self._state.load()
        webhook_endpoints.register(self.world, self.post.manners)

    def _dispatch(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        target = self.api if environ["PATH_INFO"].startswith("/v1/") else self._site
        return target(environ, start_response)

    def start(self) -> "Sandbox":
        """Begin to answer, to deliver and to let time pass."""
        self.post.start()
        self._server.start()
        self._ticker.start()
        return self

    def stop(self) -> None:
        """Stop everything; with a state file, write it."""
        self._stop.set()
        self.api.stopping.set()
        self._server.stop()
        self.post.stop()
        self._ticker.join(timeout=2)
        if self._state:
            self._state.save()

    def _tick(self) -> None:
        while not self._stop.wait(TICK_SECONDS):
            jobs.run_due(self.world)
            if self._state:
                self._state.save()

    # -- time

    def now(self) -> int:
        """Return the sandbox's present instant, in seconds since 1970."""
        return self.world.clock.now()

    def advance(self, seconds: float = 0, *, days: float = 0) -> int:
        """Let time pass; what falls due happens in order. Return the new instant."""
        total = int(seconds + days * 86_400)
        if total < 0:
            raise ValueError("time runs forwards only")
        jobs.advance(self.world, total)
        self.post.advance(total)
        return self.now()

    def set_clock(self, instant: int) -> int:
        """Advance to an instant, in seconds since 1970."""
        return self.advance(instant - self.now())

    # -- webhooks

    def webhooks(self, **manners: Any) -> None:
        """Change how deliveries behave; see `delivery.Manners` for the names."""
        self.post.configure(**manners)

    def release(self, *, shuffle: bool = False, limit: int | None = None) -> int:
        """Send what was held; return how many."""
        return self.post.release(shuffle=shuffle, limit=limit)

    def settle(self, timeout_seconds: float = 10.0) -> bool:
        """Wait until no delivery waits or is under way; say whether that came about in time."""
        jobs.run_due(self.world)
        return self.post.settle(timeout_seconds)

    def deliveries(self) -> list[dict[str, Any]]:
        """Return every delivery with its attempts, the oldest first."""
        return self.post.shown()

    def resend(self, event_id: str) -> None:
        """Send an event again.

        Raises:
            ApiError: nobody knows the event.
        """
        entry = self.world.events.get(event_id)
        self.post.resend(entry.id, entry.type, entry.body)

    def events(self, kind: str | None = None) -> list[Item]:
        """Return every event so far (of one type), the oldest first."""
        with self.world.lock:
            return [event for event in self.world.events.objects() if kind in (None, event["type"])]

    # -- trouble

    def outage(
        self, kind: str, *, times: int | None = 1, path: str = "", method: str = "", seconds: float = 0.0
    ) -> None:
        """Make the next `times` requests (None: all) whose path matches go wrong; see `outages.KINDS`."""
        self.api.outages.add(Outage(kind, times, path, method, seconds))

    def clear_outages(self) -> None:
        """Let everything work again."""
        self.api.outages.clear()

    @property
    def rejected(self) -> list[dict[str, Any]]:
        """Every request refused for its parameters so far, and every defect of the sandbox's own answers."""
        return list(self.api.rejected)

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The last requests to the API, the oldest first."""
        return list(self.api.requests)

    # -- people and banks

    def pay(
        self,
        session_id: str,
        card: str = "4242424242424242",
        *,
        name: str | None = "Test Donor",
        email: str | None = "donor@example.com",
        challenge: bool | None = True,
    ) -> checkout.Outcome:
        """Pay a session without its page; `card` may be a debit's key. `challenge` answers 3-D Secure (None: leave it)."""
        outcome = checkout.pay(self.world, session_id, card, email, name)
        if outcome.result == "challenge" and challenge is not None:
            outcome = checkout.answer_challenge(self.world, session_id, passed=challenge)
        return outcome

    def dispute(self, charge: str, **how: Any) -> Item:
        """Let a bank dispute a charge (or payment intent); see `disputes.open_dispute`."""
        with self.world.lock:
            return disputes.open_dispute(self.world, charge, **how)

    def close_dispute(self, dispute: str, outcome: str) -> Item:
        """Let a dispute end: `won`, `lost`, or `warning_closed` for an inquiry."""
        with self.world.lock:
            return disputes.close(self.world, dispute, outcome)

    def escalate_dispute(self, dispute: str) -> Item:
        """Turn an inquiry into a dispute proper: the funds are withdrawn."""
        with self.world.lock:
            return disputes.escalate(self.world, dispute)

    def fraud_warning(self, charge: str) -> Item:
        """Let a bank warn of fraud early."""
        with self.world.lock:
            return disputes.warn(self.world, charge)

    def fail_refund(self, refund: str, reason: str = "expired_or_canceled_card") -> Item:
        """Let a refund fail."""
        with self.world.lock:
            return refunds.fail_refund(self.world, refund, reason)

    def payout(self, currency: str = "gbp", *, everything: bool = False, fail: bool = False) -> Item | None:
        """Pay out what is available (or everything); None if there is nothing."""
        with self.world.lock:
            return payouts.pay_out(self.world, currency, everything=everything, fail=fail)

    def fail_renewals(self, subscription: str, decline: str = "generic_decline", times: int = 1) -> None:
        """Let the subscription's next attempts to charge fail."""
        with self.world.lock:
            subscriptions.fail_next(self.world, subscription, decline, times)

    def zero_invoice(self, subscription: str) -> Item:
        """Let the subscription have a paid invoice over nothing."""
        with self.world.lock:
            return subscriptions.zero_invoice(self.world, subscription)

    # -- beginning anew

    def reset(self) -> None:
        """Forget every object, event, delivery, key, outage and refusal; time and manners go back to their start."""
        with self.world.lock:
            self.world.empty()
            self.api.keys.empty()
        self.api.outages.clear()
        self.api.rejected.clear()
        self.api.requests.clear()
        self.post.empty()
        kept = Manners(url=self.post.manners.url, secrets=self.post.manners.secrets)
        self.post.configure(**vars(kept))
        webhook_endpoints.register(self.world, self.post.manners)


@contextmanager
def running(**options: Any) -> Iterator[Sandbox]:
    """Run a sandbox in this process for the length of a `with` block; options as for `Sandbox`."""
    sandbox = Sandbox(**options).start()
    try:
        yield sandbox
    finally:
        sandbox.stop()


def wait_for_end(sandbox: Sandbox) -> None:
    """Run until interrupted."""
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        pass
    finally:
        sandbox.stop()
