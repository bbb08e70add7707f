"""Idempotency keys, as Stripe keeps them.

The answer of the first request that began its work is stored, a 500 included, and given again for at least
twenty-four hours. Another body under the same key, or the same key while the first is still running, is
refused. Answers to requests that never began (wrong parameters, rate limits) are not stored.
"""

from typing import Any

from stripe_sandbox.errors import ApiError
from stripe_sandbox.store import World

KEPT_SECONDS = 24 * 3600
MAX_KEY_LENGTH = 255


class Keys:
    """The keys seen; used under the world's lock."""

    def __init__(self) -> None:
        self.answers: dict[str, dict[str, Any]] = {}
        self._running: set[str] = set()

    def begin(self, world: World, key: str, digest: str) -> dict[str, Any] | None:
        """Return the stored answer, or None after claiming the key for a first run.

        Raises:
            ApiError: the key is too long, in use by a running request, or was used with other parameters.
        """
        if len(key) > MAX_KEY_LENGTH:
            raise _refusal(400, "Idempotency keys may have at most 255 characters.", validation=True)
        known = self.answers.get(key)
        if known and known["at"] + KEPT_SECONDS < world.clock.now():
            known = self.answers.pop(key, None) and None
        if known and known["digest"] != digest:
            raise _refusal(
                400,
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request.",
                validation=True,
            )
        if known:
            return known
        if key in self._running:
            raise _refusal(
                409,
                "There is currently another in-progress request using this Idempotent Key (that probably means you "
                "submitted twice, and the other request is still going through). Please try again later.",
                code="idempotency_key_in_use",
            )
        self._running.add(key)
        return None

    def finish(self, world: World, key: str, digest: str, answer: tuple[int, str, str] | None) -> None:
        """Release the key; with an answer (status, body, request id), store it for the next request."""
        self._running.discard(key)
        if answer is None:
            return
        world.changes += 1
        status, body, request_id = answer
        self.answers[key] = {
            "digest": digest,
            "at": world.clock.now(),
            "status": status,
            "body": body,
            "request_id": request_id,
        }

    def empty(self) -> None:
        """Forget every key."""
        self.answers.clear()


def _refusal(status: int, message: str, *, code: str | None = None, validation: bool = False) -> ApiError:
    return ApiError(status, message, kind="idempotency_error", code=code, validation=validation)
