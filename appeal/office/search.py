"""Finding gifts and donors: by name with forgiven spelling, by reference, by amount, by e-mail address.

The index of names follows the donors by itself: every search and every minute reads those that are new. Lists are
paged by the last id seen, so that the thousandth page costs what the first does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select
from sqlalchemy.orm import Session

from appeal.core import ids, money
from appeal.core.currencies import CURRENCIES
from appeal.database import dialect_of, writing
from appeal.extensions import db
from appeal.models import Donation, Donor, DonorWord, SearchMark, WordSpelling
from appeal.models.donation import FREQUENCIES, SOURCES, STATUSES
from appeal.office import spelling
from appeal.people import donors

BATCH = 1000
LOOK_BACK = 200  # ids are given before they are committed: the last ones are read again
MOST_WORDS = 5
MOST_DONORS = 400
REFERENCE = re.compile(f"[{ids.ALPHABET}]{{26}}")
STRIPE_IDS = ("pi_", "ch_", "py_", "cs_", "in_")
SIGNS = {"£": "gbp", "€": "eur", "$": "usd", "¥": "jpy", "￥": "jpy"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for among the gifts; an empty text looks for anything.

    An amount in the text is money of `currency`, written as `locale` writes it, unless it names another.
    """

    appeal_id: int | None = None
    currency: str = "gbp"
    locale: str = "en_GB"
    text: str = ""
    status: str = ""
    source: str = ""
    frequency: str = ""
    before_id: int | None = None
    by_email: bool = False


def donations(wanted: Wanted, *, most: int = 50) -> tuple[list[Donation], int | None]:
    """Return the newest gifts that fit, and the id from which the next page goes on."""
    query = select(Donation).order_by(Donation.id.desc()).limit(most + 1)
    if wanted.appeal_id:
        query = query.where(Donation.appeal_id == wanted.appeal_id)
    for column, value, known in (
        (Donation.status, wanted.status, STATUSES),
        (Donation.source, wanted.source, SOURCES),
        (Donation.frequency, wanted.frequency, FREQUENCIES),
    ):
        if value in known:
            query = query.where(column == value)
    if wanted.before_id:
        query = query.where(Donation.id < wanted.before_id)
    if wanted.text:
        query = query.where(_fits(wanted))
    found = list(db.session.scalars(query))
    return found[:most], found[most - 1].id if len(found) > most else None


def _fits(wanted: Wanted) -> ColumnElement[bool]:
    text = wanted.text.strip()
    if text.startswith(STRIPE_IDS):
        columns = (
            Donation.payment_intent_id, Donation.charge_id, Donation.checkout_session_id, Donation.invoice_id,
        )  # fmt: skip
        return or_(*(column == text for column in columns))
    amount = _amount(text, wanted)
    if amount is not None:
        return amount
    if REFERENCE.fullmatch(text.lower()):
        return Donation.public_id == text.lower()
    return Donation.donor_id.in_(
        [donor.id for donor in _donors(text, by_email=wanted.by_email, most=MOST_DONORS)]
    )


def _amount(text: str, wanted: Wanted) -> ColumnElement[bool] | None:
    """Read an amount: with as many decimals as its own currency has, or None where the text is no amount."""
    if not any(sign.isdigit() for sign in text):
        return None
    for currency in dict.fromkeys((wanted.currency, *_named(text))):
        try:
            minor = money.parse_amount(text, currency, wanted.locale)
        except money.AmountError:
            continue
        return and_(Donation.amount_minor == minor, Donation.currency == currency)
    return None


def _named(text: str) -> list[str]:
    """List the currencies that a text names, by code or sign."""
    codes = [code for code in re.findall(r"[a-z]{3}", text.lower()) if code in CURRENCIES]
    return codes + [SIGNS[sign] for sign in text if sign in SIGNS]


def found_donors(
    text: str, *, before_id: int | None = None, most: int = 50
) -> tuple[list[Donor], int | None]:
    """Return donors by name or address, or the newest ones, and the id from which the next page goes on."""
    if text.strip():
        return _donors(text, by_email=True, most=most), None
    query = select(Donor).where(Donor.merged_into_id.is_(None)).order_by(Donor.id.desc()).limit(most + 1)
    if before_id:
        query = query.where(Donor.id < before_id)
    found = list(db.session.scalars(query))
    return found[:most], found[most - 1].id if len(found) > most else None


def _donors(text: str, *, by_email: bool, most: int) -> list[Donor]:
    if "@" in text:
        query = select(Donor).where(Donor.email_key == donors.email_key(text))
        return list(db.session.scalars(query)) if by_email else []
    catch_up()
    typed = spelling.words(text)[:MOST_WORDS]
    if not typed:
        return []
    query = select(Donor).where(Donor.erased_at.is_(None))
    for word in typed:
        query = query.where(Donor.id.in_(_with_word(word)))
    found = list(db.session.scalars(query.order_by(Donor.id.desc()).limit(most)))
    return sorted(found, key=lambda donor: -_likeness(donor, typed))


def _with_word(word: str) -> Select[Any]:
    known = select(WordSpelling.word).where(WordSpelling.spelling.in_(spelling.looked_up(word)))
    return select(DonorWord.donor_id).where(DonorWord.word.in_(known))


def _likeness(donor: Donor, typed: list[str]) -> int:
    """Say how many of the typed words stand in the name as they were typed."""
    own = set(spelling.words(donor.name))
    return sum(2 if word in own else int(any(one.startswith(word) for one in own)) for word in typed)


def catch_up(most_batches: int = 3) -> int:
    """Read new donors into the index; return how many."""
    total = 0
    for _ in range(most_batches):
        mark = db.session.scalar(select(SearchMark.donor_id).where(SearchMark.id == 1)) or 0
        newest = db.session.scalar(select(func.max(Donor.id))) or 0
        if newest <= mark:
            break
        total += _index_from(mark)
    return total


def _index_from(mark: int) -> int:
    with writing() as session:
        query = select(Donor.id, Donor.name).where(
            Donor.id > max(0, mark - LOOK_BACK), Donor.erased_at.is_(None)
        )
        rows = [
            (row[0], row[1]) for row in session.execute(query.order_by(Donor.id).limit(BATCH + LOOK_BACK))
        ]
        _file(session, rows)
        last = max((row[0] for row in rows), default=session.scalar(select(func.max(Donor.id))) or mark)
        _move_mark(session, max(mark, last))
    return len(rows)


def _move_mark(session: Session, donor_id: int) -> None:
    statement = dialect_of(session.connection()).insert(SearchMark).values(id=1, donor_id=donor_id)
    session.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_={"donor_id": statement.excluded.donor_id})
    )


def _file(session: Session, rows: list[tuple[int, str]]) -> None:
    owned = {(word, donor_id) for donor_id, name in rows for word in spelling.words(name)}
    known = {word for word, _ in owned}
    _insert(session, DonorWord, [{"word": word, "donor_id": donor_id} for word, donor_id in sorted(owned)])
    filed = sorted({(under, word) for word in known for under in spelling.filed_under(word)})
    _insert(session, WordSpelling, [{"spelling": under, "word": word} for under, word in filed])


def _insert(session: Session, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        session.execute(dialect_of(session.connection()).insert(table).on_conflict_do_nothing(), rows)


def file_anew(donor: Donor) -> None:
    """Follow a changed name, in the caller's transaction."""
    with writing() as session:
        session.execute(delete(DonorWord).where(DonorWord.donor_id == donor.id))
        if donor.erased_at is None:
            _file(session, [(donor.id, donor.name)])


def follow() -> int:
    """Bring the index up to the newest donor, and take erased ones out; return how many were read."""
    forget_erased()
    return catch_up(most_batches=50)


def forget_erased() -> int:
    """Take erased donors out of the index; return how many words went."""
    with writing() as session:
        erased = select(Donor.id).where(Donor.erased_at.is_not(None))
        gone = delete(DonorWord).where(DonorWord.donor_id.in_(erased))
        return int(session.execute(gone.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]
