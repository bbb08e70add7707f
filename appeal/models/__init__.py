"""The records, one module per noun. Importing this package makes the metadata whole."""

from appeal.models.appeal import Appeal, AppealTotals
from appeal.models.audit import AuditEntry
from appeal.models.base import Base
from appeal.models.donation import CheckoutSlot, Donation
from appeal.models.donor import AppealDonor, Consent, Donor
from appeal.models.ledger import AttributionTotal, DailyTotal, LedgerEntry
from appeal.models.office import (
    AppealChange,
    CreditPrint,
    DonorMerge,
    DonorWord,
    Export,
    HouseSettings,
    Note,
    SearchMark,
    WordSpelling,
)
from appeal.models.people import Person, SignIn, SignInAttempt, StaffToken
from appeal.models.post import PostBatch, PostLine, Promise
from appeal.models.queues import InboxEvent, OutboxItem
from appeal.models.recurring import RecurringGift

__all__ = [
    "Appeal",
    "AppealChange",
    "AppealDonor",
    "AppealTotals",
    "AttributionTotal",
    "AuditEntry",
    "Base",
    "CheckoutSlot",
    "Consent",
    "CreditPrint",
    "DailyTotal",
    "Donation",
    "Donor",
    "DonorMerge",
    "DonorWord",
    "Export",
    "HouseSettings",
    "InboxEvent",
    "LedgerEntry",
    "Note",
    "OutboxItem",
    "Person",
    "PostBatch",
    "PostLine",
    "Promise",
    "RecurringGift",
    "SearchMark",
    "SignIn",
    "SignInAttempt",
    "StaffToken",
    "WordSpelling",
]
