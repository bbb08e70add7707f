"""The records, one module per noun. Importing this package makes the metadata whole."""

from appeal.models.appeal import Appeal, AppealTotals
from appeal.models.base import Base
from appeal.models.donation import CheckoutSlot, Donation
from appeal.models.donor import AppealDonor, Consent, Donor
from appeal.models.ledger import AttributionTotal, DailyTotal, LedgerEntry
from appeal.models.queues import InboxEvent, OutboxItem
from appeal.models.recurring import RecurringGift

__all__ = [
    "Appeal",
    "AppealDonor",
    "AppealTotals",
    "AttributionTotal",
    "Base",
    "CheckoutSlot",
    "Consent",
    "DailyTotal",
    "Donation",
    "Donor",
    "InboxEvent",
    "LedgerEntry",
    "OutboxItem",
    "RecurringGift",
]
