"""Where banners were seen: sampled reports, added up by day. Nothing in here points to a reader."""

from __future__ import annotations

from datetime import date

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from appeal.models.base import Base, Key


class EmbedSighting(Base):
    """How often a banner of one script version was reported from one host and placement on one day (UTC).

    `blocked` is empty for a banner that was shown, else the rule of the host's content policy that refused something.
    """

    __tablename__ = "embed_sightings"
    __table_args__ = (UniqueConstraint("day", "host", "placement", "version", "blocked"),)

    id: Mapped[Key]
    day: Mapped[date]
    host: Mapped[str] = mapped_column(String(253))
    placement: Mapped[str] = mapped_column(String(16))
    version: Mapped[str] = mapped_column(String(16))
    blocked: Mapped[str] = mapped_column(String(40), default="")
    current: Mapped[bool]
    count: Mapped[int] = mapped_column(default=0)
