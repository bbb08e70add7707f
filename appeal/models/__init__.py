"""The records, one module per noun. Importing this package makes the metadata whole."""

from appeal.models.appeal import Appeal, AppealTotals
from appeal.models.audit import AuditEntry
from appeal.models.base import Base
from appeal.models.care import DailySeal, Notice, ReconcileRun, RefundOrder
from appeal.models.donation import CheckoutSlot, Donation
from appeal.models.donor import AppealDonor, Complaint, Consent, Donor, DonorLink
from appeal.models.embeds import EmbedSighting
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
    ThanksColumn,
    WordSpelling,
)
from appeal.models.outgoing import DigestReader, Milestone, OutgoingDelivery, OutgoingEndpoint
from appeal.models.people import Person, SignIn, SignInAttempt, StaffToken
from appeal.models.post import BankStatement, PostBatch, PostLine, Promise
from appeal.models.queues import InboxEvent, OutboxItem, ScheduledRun
from appeal.models.recurring import RecurringGift
from appeal.models.statement import BalanceMovement, Payout

__all__ = [
    "Appeal",
    "AppealChange",
    "AppealDonor",
    "AppealTotals",
    "AttributionTotal",
    "AuditEntry",
    "BalanceMovement",
    "BankStatement",
    "Base",
    "CheckoutSlot",
    "Complaint",
    "Consent",
    "CreditPrint",
    "DailySeal",
    "DailyTotal",
    "DigestReader",
    "Donation",
    "Donor",
    "DonorLink",
    "DonorMerge",
    "DonorWord",
    "EmbedSighting",
    "Export",
    "HouseSettings",
    "InboxEvent",
    "LedgerEntry",
    "Milestone",
    "Note",
    "Notice",
    "OutboxItem",
    "OutgoingDelivery",
    "OutgoingEndpoint",
    "Payout",
    "Person",
    "PostBatch",
    "PostLine",
    "Promise",
    "ReconcileRun",
    "RecurringGift",
    "RefundOrder",
    "ScheduledRun",
    "SearchMark",
    "SignIn",
    "SignInAttempt",
    "StaffToken",
    "ThanksColumn",
    "WordSpelling",
]
