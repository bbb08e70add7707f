"""The forms of the post room: a batch, a line, a recount, a correction, a promise. They read; the use cases decide."""

from __future__ import annotations

from datetime import date
from typing import Any

from wtforms import (
    DateField,
    Form,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from appeal.core import clock, ids, money, texts
from appeal.models import Appeal
from appeal.office import post, promises
from appeal.staff.forms import clean, trim

WAYS = [SelectChoice("post", "Post"), SelectChoice("bank", "Bank")]
CREDITS = [
    SelectChoice("anonymous", "Not at all"),
    SelectChoice("name", "With the name"),
    SelectChoice("initials", "With initials"),
    SelectChoice("custom", "In these words"),
]


def one_line(value: str | None) -> str:
    """Fold what was typed to one line."""
    return texts.one_line(value or "")


def no_site(_form: Any, field: Any) -> None:
    """Refuse advertisements in what may be printed."""
    if texts.names_a_site(field.data or ""):
        raise ValidationError("Leave out addresses of web sites.")


def an_email(_form: Any, field: Any) -> None:
    """Refuse what is no e-mail address; nothing is fine."""
    if field.data:
        try:
            texts.email_address(field.data)
        except ValueError as error:
            raise ValidationError("That is not an e-mail address, such as name@example.org.") from error


def typed(label: str, longest: int, *more: Any) -> StringField:
    """Make a field for one line of text."""
    return StringField(
        label,
        filters=[one_line],
        validators=[Length(max=longest, message=f"Use at most {longest} characters."), clean, *more],
    )


def day(label: str) -> DateField:
    """Make a field for a day."""
    return DateField(label, validators=[DataRequired("Enter the day, such as 24/11/2026.")])


def counted(**more: Any) -> IntegerField:
    """Make a field for how many gifts a pile holds."""
    return IntegerField(
        "Gifts counted",
        validators=[
            InputRequired("Count the gifts, and enter how many."),
            NumberRange(1, post.MOST_LINES, f"A batch holds between 1 and {post.MOST_LINES} gifts."),
        ],
        **more,
    )


def sum_of_money(label: str, **more: Any) -> StringField:
    """Make a field for an amount as a person types it; the form reads it."""
    return StringField(
        label, filters=[trim], validators=[Length(max=40, message="Enter a shorter amount.")], **more
    )


class AmountForm(Form):
    """A form with an amount in an appeal's money; `amount_minor` is there once `validate` has said yes."""

    amount = sum_of_money("Amount")
    amount_minor: int = 0

    def __init__(self, appeal: Appeal, formdata: Any = None, **kwargs: Any) -> None:
        """Know the appeal, whose money it is."""
        super().__init__(formdata, **kwargs)
        self.appeal = appeal

    def validate_amount(self, field: Any) -> None:
        """Read the amount as a person types it."""
        try:
            self.amount_minor = money.parse_amount(field.data or "", self.appeal.currency, self.appeal.locale)
        except money.AmountError as error:
            raise ValidationError(error.message) from error


class RecountForm(AmountForm):
    """Another count and total for a pile; its controls have names of their own beside the next line's."""

    count = counted(id="control-count")
    amount = sum_of_money("Total counted", id="control-amount")


class BatchForm(AmountForm):
    """A new batch: what is written on a pile before anything is typed."""

    count = counted()
    amount = sum_of_money("Total counted")

    source = RadioField(
        "Came by", choices=WAYS, default="post", validators=[DataRequired("Choose post or bank.")]
    )
    received_on = day("Received on")
    label = typed("Label", 80)

    def __init__(self, appeal: Appeal, formdata: Any = None) -> None:
        """Begin with today."""
        super().__init__(
            appeal, formdata, data={"received_on": clock.today(appeal.time_zone), "source": "post"}
        )

    def new(self) -> post.NewBatch:
        """Return what was typed."""
        return post.NewBatch(
            source=self.source.data,
            received_on=_day(self.received_on.data),
            control_count=int(self.count.data or 0),
            control_minor=self.amount_minor,
            label=self.label.data or "",
        )


class EntryForm(AmountForm):
    """One gift of a batch. `form` makes it come once, however often it is sent; `revision` is the line that was seen."""

    form = HiddenField(validators=[Length(max=40), clean])
    revision = HiddenField(validators=[Length(max=12), clean])
    name = typed("Name", 120)
    email = typed("E-mail", 254, an_email)
    address = typed("Address", 300)
    credit = SelectField("To be named", choices=CREDITS, default="anonymous")
    credit_line = typed("Words", texts.CREDIT_LINE_LONGEST, no_site)
    reference = typed("Reference", 80)
    received_on = day("Received on")

    @classmethod
    def empty(cls, appeal: Appeal, received_on: date) -> EntryForm:
        """Return the form of the next line."""
        return cls(appeal, data={"received_on": received_on, "form": ids.public_id(), "revision": "1"})

    @classmethod
    def of(cls, appeal: Appeal, line: Any) -> EntryForm:
        """Return the form of a line that is there."""
        amount = money.plain(line.amount_minor, appeal.currency)
        return cls(appeal, obj=line, data={"amount": amount})

    def validate_name(self, field: Any) -> None:
        """Ask for a name where one is to be shown."""
        if self.credit.data in {"name", "initials"} and not field.data:
            raise ValidationError("Enter the name that is to be shown.")
        if self.credit.data in {"name", "initials"}:
            no_site(self, field)

    def validate_credit_line(self, field: Any) -> None:
        """Ask for words where words are to be shown."""
        if self.credit.data == "custom" and not field.data:
            raise ValidationError("Enter the words in which the gift is named, such as “A reader in Leeds”.")

    def entry(self) -> post.Entry:
        """Return what was typed."""
        return post.Entry(
            amount_minor=self.amount_minor,
            received_on=_day(self.received_on.data),
            name=self.name.data or "",
            address=self.address.data or "",
            email=self.email.data or "",
            credit=self.credit.data,
            credit_line=(self.credit_line.data or "") if self.credit.data == "custom" else "",
            reference=self.reference.data or "",
        )


class CorrectionForm(AmountForm):
    """What a line of a closed batch should have been, and why."""

    form = HiddenField(validators=[Length(max=40), clean])
    amount = sum_of_money("Right amount")
    reason = typed("Why", 500, DataRequired("Say why, in a few words."))

    def validate_amount(self, field: Any) -> None:
        """Read the amount; nought takes the gift back."""
        if (field.data or "").replace(".", "").replace(",", "").strip("0 ") == "" and "0" in (
            field.data or ""
        ):
            self.amount_minor = 0
        else:
            super().validate_amount(field)


class PromiseForm(AmountForm):
    """A gift that somebody announces."""

    name = typed("Name", 120)
    email = typed("E-mail", 254, an_email)
    source = RadioField("Will come by", choices=WAYS, default="post", validators=[Optional()])

    def new(self) -> promises.NewPromise:
        """Return what was typed."""
        return promises.NewPromise(
            self.amount_minor, self.name.data or "", self.email.data or "", self.source.data or "post"
        )


def _day(value: date | None) -> date:
    if value is None:
        raise ValidationError("Enter the day.")
    return value
