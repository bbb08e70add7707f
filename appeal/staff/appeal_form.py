"""The form of an appeal: from the row to what people read and type, and back."""

from __future__ import annotations

import io
import re
from datetime import date
from typing import Any

from wtforms import (
    BooleanField,
    FileField,
    Form,
    HiddenField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import DataRequired, Length, Optional, Regexp

from appeal import appeals
from appeal.core import clock, money, texts
from appeal.models import Appeal
from appeal.models.appeal import LATE_INSTALMENTS
from appeal.office import editing
from appeal.staff import filters
from appeal.staff.forms import clean, trim

LOGO_LARGEST_BYTES = 200 * 1024
LOGO_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?")
LATE_WORDS = {
    "until_close": "count until the appeal closes",
    "always": "always count",
    "never": "never count: only the first does",
}
COLOUR = Regexp(r"^#[0-9a-fA-F]{6}$", message="Enter a colour such as #8a1c1c.")


def _text(label: str, longest: int, *, needed: str = "") -> StringField:
    first = DataRequired(needed) if needed else Optional()
    return StringField(label, filters=[trim], validators=[first, Length(max=longest), clean])


def _prose(label: str) -> TextAreaField:
    return TextAreaField(label, filters=[trim], validators=[Length(max=40_000), clean])


class DayField(StringField):
    """A day as date inputs send it; `day` is there after validation."""

    day: date | None = None

    def pre_validate(self, form: Any) -> None:  # noqa: ARG002 - the signature is WTForms'
        """Read the day."""
        try:
            self.day = date.fromisoformat(self.data) if self.data else None
        except ValueError:
            raise ValidationError("Enter a day such as 2026-12-31.") from None


class NewAppealForm(Form):
    """What a new appeal needs."""

    title = _text("Title", 200, needed="Enter a title.")
    slug = StringField(
        "Address",
        filters=[trim],
        validators=[
            DataRequired("Enter an address such as winter-2026."),
            Length(max=80),
            Regexp(f"^{appeals.SLUG_PATTERN}$", message="Use small letters, digits and single hyphens."),
        ],
    )
    currency = StringField(
        "Currency",
        filters=[trim],
        default="gbp",
        validators=[DataRequired("Enter a currency such as GBP."), Length(max=3)],
    )
    goal = _text("Goal", 40)
    opens = DayField("Opening day")
    closes = DayField("Closing day, included")
    publisher = _text("Publisher", 120)

    def validate_currency(self, field: Any) -> None:
        """Hold the currency to those that Stripe takes."""
        field.data = (field.data or "").lower()
        try:
            money.exponent(field.data)
        except money.UnknownCurrency:
            raise ValidationError("Enter a currency such as GBP, EUR or USD.") from None

    def new(self) -> appeals.NewAppeal:
        """Return what was asked for.

        Raises:
            AmountError: the goal is no amount.
        """
        currency = self.currency.data or ""
        return appeals.NewAppeal(
            slug=self.slug.data or "",
            title=self.title.data or "",
            currency=currency,
            goal_minor=money.parse_amount(self.goal.data, currency) if self.goal.data else None,
            opens_on=self.opens.day,
            closes_on=self.closes.day,
            publisher=self.publisher.data or "",
        )


class AppealForm(Form):
    """Everything that may be changed about an appeal."""

    revision = HiddenField(validators=[DataRequired(), Regexp(r"^\d{1,9}$")])
    title = _text("Title", 200, needed="Enter a title.")
    standfirst = TextAreaField("Standfirst", filters=[trim], validators=[Length(max=400), clean])
    goal_minor = _text("Goal", 40)
    opens_at = DayField("Opening day")
    closes_at = DayField("Closing day, included")
    time_zone = _text("Time zone", 64, needed="Enter a time zone.")
    locale = _text("Language and country", 20, needed="Enter a language such as en_GB.")
    story_markdown = _prose("Story")
    thanks_markdown = _prose("Thanks")
    other_ways_markdown = _prose("Other ways to give")
    terms_markdown = _prose("What donors should know")
    presets_minor = _text("Amounts offered", 200, needed="Enter at least one amount.")
    default_minor = _text("Chosen at first", 40, needed="Enter one of the amounts.")
    minimum_minor = _text("Smallest gift by card", 40, needed="Enter an amount.")
    maximum_minor = _text("Largest gift by card", 40, needed="Enter an amount.")
    monthly_offered = BooleanField("Offer monthly gifts")
    late_instalments = SelectField(
        "Further months of a monthly gift",
        choices=[SelectChoice(one, LATE_WORDS[one]) for one in LATE_INSTALMENTS],
    )
    cover_offered = BooleanField("Offer to cover the card fee")
    cover_counts = BooleanField("The cover counts toward the goal")
    cover_percent_bps = _text("Card fee in percent", 8, needed="Enter a percentage such as 1.5.")
    cover_fixed_minor = _text("and a fixed part", 40)
    publisher = _text("Publisher", 120)
    publisher_url = StringField(
        "Publisher's site",
        filters=[trim],
        validators=[
            Optional(),
            Length(max=400),
            Regexp(r"^https?://[^\s/]+", message="Enter an address such as https://www.example.org."),
        ],
    )
    contact_email = _text("E-mail for questions", 254)
    accent = StringField("Colour", filters=[trim], validators=[COLOUR])
    accent_dark = StringField("Colour on dark", filters=[trim], validators=[COLOUR])
    return_hosts = TextAreaField(
        "Sites that readers come from", filters=[trim], validators=[Length(max=4000), clean]
    )
    logo = FileField("Logo")

    def __init__(self, appeal: Appeal, formdata: Any = None) -> None:
        """Show the row as people read it, or what was typed."""
        super().__init__(formdata, data=None if formdata else shown(appeal))
        self.appeal = appeal

    def validate_time_zone(self, field: Any) -> None:
        """Hold the zone to the known ones."""
        if not clock.knows_zone(field.data):
            raise ValidationError("Enter a time zone such as Europe/London.")

    def validate_locale(self, field: Any) -> None:
        """Hold the language to the known ones."""
        if not money.knows_locale(field.data):
            raise ValidationError("Enter a language such as en_GB.")

    def validate_contact_email(self, field: Any) -> None:
        """Hold the address to the standard."""
        try:
            field.data = field.data and texts.email_address(field.data)
        except ValueError:
            raise ValidationError("Enter an e-mail address such as name@example.org.") from None

    def validate_return_hosts(self, field: Any) -> None:
        """Take one host a line, in small letters."""
        hosts = (field.data or "").lower().split()
        if any(not HOST.fullmatch(host) for host in hosts):
            raise ValidationError("Enter one host a line, such as www.example.org, without https://.")

    def validate_cover_percent_bps(self, field: Any) -> None:
        """Read hundredths of a percent."""
        if not re.fullmatch(r"\d{1,2}([.,]\d{1,2})?", field.data or "") or _bps(field.data) > 2000:
            raise ValidationError("Enter a percentage up to 20, such as 1.5.")

    def validate_goal_minor(self, field: Any) -> None:
        """Read the goal."""
        self._amount(field, optional=True)

    def validate_default_minor(self, field: Any) -> None:
        """Read an amount."""
        self._amount(field)

    validate_minimum_minor = validate_maximum_minor = validate_default_minor

    def validate_cover_fixed_minor(self, field: Any) -> None:
        """Read an amount that may be nought."""
        if (field.data or "0").strip("0.,") != "":
            self._amount(field)

    def validate_presets_minor(self, field: Any) -> None:
        """Read amounts parted by blanks or semicolons."""
        for part in _parts(field.data):
            self._read(part)

    def _amount(self, field: Any, *, optional: bool = False) -> None:
        if field.data or not optional:
            self._read(field.data or "")

    def _read(self, text: str) -> int:
        try:
            return money.parse_amount(text, self.appeal.currency, self.appeal.locale)
        except money.AmountError as error:
            raise ValidationError(error.message) from None

    def values(self) -> dict[str, Any]:
        """Return what the row should hold, after `validate`."""
        zone = self.time_zone.data or ""
        plain = {name: self[name].data or "" for name in (
            "title", "standfirst", "time_zone", "locale", "story_markdown", "thanks_markdown", "other_ways_markdown",
            "terms_markdown", "publisher", "publisher_url", "contact_email", "accent", "accent_dark", "late_instalments",
        )}  # fmt: skip
        flags = {name: bool(self[name].data) for name in ("monthly_offered", "cover_offered", "cover_counts")}
        amounts = {
            name: self._read(self[name].data) for name in ("default_minor", "minimum_minor", "maximum_minor")
        }
        fixed = self.cover_fixed_minor.data or ""
        return {
            **plain,
            **flags,
            **amounts,
            "goal_minor": self._read(self.goal_minor.data) if self.goal_minor.data else None,
            "cover_fixed_minor": self._read(fixed) if fixed.strip("0.,") else 0,
            "cover_percent_bps": _bps(self.cover_percent_bps.data or "0"),
            "presets_minor": [self._read(part) for part in _parts(self.presets_minor.data)],
            "opens_at": clock.start_of_day(self.opens_at.day, zone) if self.opens_at.day else None,
            "closes_at": clock.end_of_day(self.closes_at.day, zone) if self.closes_at.day else None,
            "return_hosts": (self.return_hosts.data or "").lower().split(),
        }


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in re.split(r"[;\s]+", text or "") if part.strip()]


def _bps(text: str | None) -> int:
    whole, _, part = (text or "0").replace(",", ".").partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0") or "0")


def shown(appeal: Appeal) -> dict[str, Any]:
    """Return the row as people read and type it."""

    def amount(minor: int | None) -> str:
        return "" if minor is None else money.plain(minor, appeal.currency)

    texts = {name: getattr(appeal, name) for name in editing.EDITABLE}
    whole, part = divmod(appeal.cover_percent_bps, 100)
    return texts | {
        "revision": str(appeal.revision),
        "goal_minor": amount(appeal.goal_minor),
        "default_minor": amount(appeal.default_minor),
        "minimum_minor": amount(appeal.minimum_minor),
        "maximum_minor": amount(appeal.maximum_minor),
        "cover_fixed_minor": amount(appeal.cover_fixed_minor),
        "cover_percent_bps": f"{whole}.{part:02d}",
        "presets_minor": " ".join(amount(one) for one in appeal.presets_minor),
        "opens_at": filters.iso_day(appeal.opens_at, appeal),
        "closes_at": filters.iso_last_day(appeal.closes_at, appeal),
        "return_hosts": "\n".join(appeal.return_hosts),
    }


def read_logo(file: Any) -> editing.Logo | None:
    """Return an uploaded picture, checked to be one; None when none was sent.

    Raises:
        ChangeRefused: it is too large, or none of PNG, JPEG and WebP.
    """
    content = file.read(LOGO_LARGEST_BYTES + 1) if file else b""
    if not content:
        return None
    if len(content) > LOGO_LARGEST_BYTES:
        raise editing.ChangeRefused("The logo must not be larger than 200 KB.")
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content)) as picture:
            kind, size = picture.format or "", picture.size
            picture.verify()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        kind, size = "", (0, 0)
    if kind not in LOGO_TYPES or max(size) > 4000:
        raise editing.ChangeRefused(
            "The logo must be a PNG, JPEG or WebP picture, at most 4,000 pixels wide."
        )
    return editing.Logo(content, LOGO_TYPES[kind])
