"""The thank-you column of the printed paper: the approved credit lines of gifts that were not thanked for yet.

A gift appears in one column only, never under a name that was not approved, and not at all once it was given back.
"""

from __future__ import annotations

from sqlalchemy import func, select

from appeal.extensions import db
from appeal.models import CreditPrint


def printed_count(appeal_id: int) -> int:
    """Count the gifts of an appeal that the paper has thanked for."""
    query = select(func.count()).select_from(CreditPrint).where(CreditPrint.appeal_id == appeal_id)
    return int(db.session.scalar(query) or 0)
