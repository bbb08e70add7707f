"""What can go wrong, in the words of the domain.

Every error a person or a supplier can cause is one of these. They know nothing of HTTP; `appeal.web` has the one
table that turns them into answers.
"""

from __future__ import annotations


class DomainError(Exception):
    """Anything the domain refuses, with a sentence fit for the person who meets it."""

    def __init__(self, message: str = "") -> None:
        """Keep the sentence; without one, the class's own first line serves."""
        self.message = message or (self.__doc__ or "").strip().split("\n")[0]
        super().__init__(self.message)


class NoSuchAppeal(DomainError):
    """There is no such appeal."""


class NoSuchDonation(DomainError):
    """There is no such gift."""


class NoSuchThing(DomainError):
    """There is nothing of that name."""


class NoPrintCode(DomainError):
    """Name the place in print with at most 40 letters and digits; points, colons, hyphens and underscores may follow the first."""


class AppealNotOpen(DomainError):
    """This appeal is not taking gifts."""


class InvalidGift(DomainError):
    """The gift cannot be taken as it was typed."""

    def __init__(self, field: str, message: str) -> None:
        """Name the form field and say what is wrong with it."""
        self.field = field
        super().__init__(message)


class FormAlreadyUsed(DomainError):
    """This form was sent before, with other details."""


class TooManyAttempts(DomainError):
    """Too many attempts from here. Please wait a while, or give another way."""

    def __init__(self, message: str = "", *, retry_after_seconds: int = 3600) -> None:
        """Say when trying again makes sense, in seconds."""
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class GivingPaused(TooManyAttempts):
    """Giving online is paused for a moment."""


class DoesNotFit(DomainError):
    """What came from outside does not fit what was stored; it waits for a person."""


class NotYet(DomainError):
    """What this builds on has not been told yet; it is tried again as soon as that is."""

    def __init__(self, waits_for: str, message: str = "") -> None:
        """Name what must come first, as `pi:pi_123` or `in:in_456`."""
        self.waits_for = waits_for
        super().__init__(message or f"Waits for {waits_for}.")


class NotPossible(DomainError):
    """This cannot be done as things stand."""


class LedgerIsAppendOnly(DomainError):
    """A ledger entry is never changed or removed; correct it with a new one."""


class SlugTaken(DomainError):
    """There is an appeal with this address already."""


class StaleForm(DomainError):
    """Somebody else changed this while you were editing."""


class Forbidden(DomainError):
    """Your role does not allow this."""
