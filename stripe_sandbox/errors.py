"""What Stripe answers when it refuses: one exception, and the envelope it is sent in.

A refusal is either of the request itself (`validation`: wrong name, type, value, a rule of the parameters) or of
the state the objects are in (already refunded, already expired). Only the first kind is recorded as rejected,
since the second is part of normal business.
"""

from typing import Any


class ApiError(Exception):
    """A refusal, carrying everything that Stripe's error envelope shows."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        decline_code: str | None = None,
        validation: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.code = code
        self.param = param
        self.decline_code = decline_code
        self.validation = validation

    def envelope(self, request_id: str) -> dict[str, Any]:
        """Return the body that Stripe would send."""
        error: dict[str, Any] = {"message": self.message, "type": self.kind}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        for name in ("param", "decline_code"):
            if getattr(self, name):
                error[name] = getattr(self, name)
        error["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}"
        return {"error": error}


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """Return the refusal of a request whose parameters are wrong."""
    return ApiError(400, message, code=code, param=param, validation=True)


def conflict_of_state(message: str, code: str | None = None, param: str | None = None) -> ApiError:
    """Return the refusal of a well-formed request that the objects' state does not allow."""
    return ApiError(400, message, code=code, param=param)


def missing(noun: str, wanted: str, param: str = "id") -> ApiError:
    """Return the refusal for an id that nobody knows."""
    return ApiError(404, f"No such {noun}: '{wanted}'", code="resource_missing", param=param)


class SandboxDefectError(Exception):
    """The sandbox was about to send something that Stripe's types do not allow."""
