"""Batches, lines and promises for tests, made by the use cases themselves, in an application context."""

from datetime import date

from sqlalchemy import select

from appeal.core import clock
from appeal.extensions import db
from appeal.models import Appeal, AppealTotals, PostBatch, PostLine, Promise
from appeal.office import post, post_closing, promises
from appeal.office.audit import Actor
from tests.making import unique

ANNA = Actor("anna@lantern.example")
BEN = Actor("ben@lantern.example")


def today(appeal: Appeal) -> date:
    """Return today's date where the appeal is."""
    return clock.today(appeal.time_zone)


def open_batch(appeal: Appeal, count: int, minor: int, source: str = "post", **values) -> PostBatch:
    """Open a batch with a count and a total."""
    values.setdefault("received_on", today(appeal))
    return post.open_batch(
        appeal, post.NewBatch(source, control_count=count, control_minor=minor, **values), ANNA
    )


def enter(batch: PostBatch, minor: int, name: str = "Ada Byron", fact: str = "", **values) -> PostLine:
    """Enter one gift in a batch, once for its fact."""
    values.setdefault("received_on", batch.received_on)
    entry = post.Entry(minor, name=name, **values)
    line = post.add_line(batch.id, entry, ANNA, fact=fact or unique("typed:"))
    assert line is not None
    return line


def totals() -> AppealTotals:
    """Return the totals of the one appeal as the database has them."""
    return db.session.scalars(select(AppealTotals).execution_options(populate_existing=True)).one()


def closed(appeal: Appeal, *amounts: int, **values) -> PostBatch:
    """Enter gifts in a batch and close it."""
    batch = open_batch(appeal, len(amounts), sum(amounts))
    for number, minor in enumerate(amounts):
        enter(batch, minor, f"Donor {number}", **values)
    assert post_closing.close(batch.id, ANNA)
    return batch


def promise(appeal: Appeal, minor: int = 5000, **values) -> Promise:
    """Note a promise."""
    return promises.add(appeal, promises.NewPromise(minor, **values), ANNA)
