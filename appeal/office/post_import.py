"""Bank statements into the post room: what a file proposes, what is known of it already, and the batch it becomes.

A line's fact is the bank's reference, so that a statement handed in twice, or one that overlaps the last, brings
nothing twice. Payouts from Stripe are pointed out: the gifts in them were counted one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select

from appeal.core import bank_statements, clock
from appeal.core.bank_statements import Credit, Reading
from appeal.core.errors import NoSuchThing, NotPossible
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Appeal, BankStatement, Payout, PostBatch, PostLine
from appeal.office import audit, post
from appeal.office.audit import Actor

KEPT_DAYS = 30
PAYOUT_DAYS = 7  # how far from the day that Stripe announced a bank may book a payout


class NoSuchStatement(NoSuchThing):
    """There is no such statement."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One credit of a statement: whether it is in a batch already, and whether it looks like a payout from Stripe.

    `paid_out` is the payout of that amount that Stripe told of around that day.
    """

    credit: Credit
    known: bool
    payout: bool
    paid_out: Payout | None


def hand_in(appeal: Appeal, name: str, raw: bytes, actor: Actor) -> BankStatement:
    """Keep a file until its lines are in a batch; columns are remembered from the last one with the same headings.

    Raises:
        StatementUnreadable: it is neither CSV nor CAMT.053.
    """
    content = bank_statements.decode(raw)
    head, columns = "", {}
    if bank_statements.is_xml(content):
        bank_statements.read_camt(content, appeal.currency)
    else:
        table = bank_statements.sheet(content)
        head = table.digest
        columns = _remembered(head) or bank_statements.guessed_columns(table.headings)
    with writing() as session:
        statement = BankStatement(
            appeal_id=appeal.id,
            name=name[:120],
            content=content,
            head=head,
            columns=columns,
            handed_in_by=actor.email,
            handed_in_at=clock.now(),
        )
        session.add(statement)
        session.flush()
        audit.write(actor, "statement.handed_in", subject(statement), after={"name": name[:120]})
        return statement


def _remembered(head: str) -> dict[str, str]:
    query = select(BankStatement.columns).where(
        BankStatement.head == head, BankStatement.batch_id.is_not(None)
    )
    return dict(db.session.scalar(query.order_by(BankStatement.id.desc()).limit(1)) or {})


def name_columns(statement_id: int, columns: Mapping[str, str], actor: Actor) -> BankStatement:
    """Say what the columns of a CSV hold: role to heading.

    Raises:
        NoSuchStatement: there is none.
    """
    with writing():
        found = statement(statement_id)
        named = {role: columns[role] for role in (*bank_statements.ROLES, "order") if columns.get(role)}
        before, after = audit.differing(found.columns, named)
        audit.write(actor, "statement.columns", subject(found), before=before, after=after)
        found.columns = named
        return found


def statement(statement_id: int) -> BankStatement:
    """Find a statement whose lines are not in a batch yet.

    Raises:
        NoSuchStatement: there is none, or it is in a batch.
    """
    query = select(BankStatement).where(BankStatement.id == statement_id, BankStatement.batch_id.is_(None))
    found = db.session.scalars(query.with_for_update()).one_or_none() if statement_id < 2**62 else None
    if found is None:
        raise NoSuchStatement
    return found


def sheet_of(found: BankStatement) -> bank_statements.Sheet | None:
    """Return a CSV's cells; None for CAMT.053, whose columns need no naming."""
    return bank_statements.sheet(found.content) if found.head else None


def read(found: BankStatement, appeal: Appeal) -> Reading:
    """Read a statement's credits.

    Raises:
        StatementUnreadable: its columns are not named yet.
    """
    table = sheet_of(found)
    if table is None:
        return bank_statements.read_camt(found.content, appeal.currency)
    return bank_statements.read_csv(table, found.columns, appeal.currency, appeal.locale)


def proposals(reading: Reading, appeal: Appeal) -> list[Proposal]:
    """Say of each credit whether it is known, and whether it is a payout of gifts that are counted already."""
    facts = {fact_of(appeal, credit) for credit in reading.credits}
    known = set(db.session.scalars(select(PostLine.fact).where(PostLine.fact.in_(facts))))
    amounts = {credit.amount_minor for credit in reading.credits}
    of_these = select(Payout).where(Payout.amount_minor.in_(amounts), Payout.currency == appeal.currency)
    payouts = list(db.session.scalars(of_these.order_by(Payout.arrives_at.desc())))
    return [_proposal(credit, fact_of(appeal, credit) in known, payouts) for credit in reading.credits]


def fact_of(appeal: Appeal, credit: Credit) -> str:
    """Return what makes a credit come once: the bank's reference, within the appeal's account."""
    return f"bank:{appeal.id}:{credit.reference}"


def _proposal(credit: Credit, known: bool, payouts: Iterable[Payout]) -> Proposal:
    says_so = "stripe" in f"{credit.name} {credit.text}".casefold()
    fitting = next((payout for payout in payouts if _fits(credit, payout)), None)
    is_payout = says_so or (fitting is not None and not credit.name)
    return Proposal(credit, known, is_payout, fitting if is_payout else None)


def _fits(credit: Credit, payout: Payout) -> bool:
    near = abs((credit.booked_on - payout.arrives_at.date()).days) <= PAYOUT_DAYS
    return near and payout.amount_minor == credit.amount_minor


def make_batch(statement_id: int, references: Iterable[str], actor: Actor) -> PostBatch:
    """Open a batch with the chosen credits that are not in one yet; its control is what the bank says.

    Raises:
        NoSuchStatement: there is none, or it is in a batch by now.
        NotPossible: nothing new is chosen, or more than one batch holds.
    """
    wanted = set(references)
    with writing() as session:
        found = statement(statement_id)
        appeal = session.get_one(Appeal, found.appeal_id)
        chosen = [
            one.credit
            for one in proposals(read(found, appeal), appeal)
            if not one.known and one.credit.reference in wanted
        ]
        if not chosen:
            raise NotPossible("Choose at least one line that is not in a batch yet.")
        batch = post.open_batch(appeal, _new_batch(found, chosen), actor)
        for credit in chosen:
            post.add_line(batch.id, _entry(credit), actor, fact=fact_of(appeal, credit))
        # The lines have what was needed of it; the rest of somebody's account is not ours to keep.
        found.batch_id, found.content = batch.id, ""
        return batch


def _new_batch(found: BankStatement, chosen: list[Credit]) -> post.NewBatch:
    return post.NewBatch(
        source="bank",
        received_on=max(credit.booked_on for credit in chosen),
        control_count=len(chosen),
        control_minor=sum(credit.amount_minor for credit in chosen),
        label=f"Statement {found.name}"[:80],
    )


def _entry(credit: Credit) -> post.Entry:
    return post.Entry(
        amount_minor=credit.amount_minor,
        received_on=credit.booked_on,
        name=credit.name,
        reference=credit.text[:80],
    )


def forget(statement_id: int, actor: Actor) -> None:
    """Throw a statement away that is not to become a batch.

    Raises:
        NoSuchStatement: there is none, or it is in a batch.
    """
    with writing() as session:
        found = statement(statement_id)
        audit.write(actor, "statement.forgotten", subject(found), before={"name": found.name})
        session.delete(found)


def forget_old() -> int:
    """Throw away statements that nobody finished within `KEPT_DAYS`; return how many. They hold a whole account."""
    with writing() as session:
        old = BankStatement.handed_in_at < clock.now() - timedelta(days=KEPT_DAYS)
        gone = session.execute(delete(BankStatement).where(BankStatement.batch_id.is_(None), old))
        return int(gone.rowcount)  # type: ignore[attr-defined]


def waiting(appeal_id: int) -> list[BankStatement]:
    """List the statements handed in whose lines are in no batch yet."""
    query = select(BankStatement).where(
        BankStatement.appeal_id == appeal_id, BankStatement.batch_id.is_(None)
    )
    return list(db.session.scalars(query.order_by(BankStatement.id.desc()).limit(50)))


def subject(found: BankStatement) -> str:
    """Name a statement as the audit does."""
    return f"statement:{found.id}"
