"""The donation form: the fields of docs/interface.md, what people type, and what is said when it does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wtforms import BooleanField, Form, HiddenField, RadioField, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.form import BaseForm
from wtforms.validators import DataRequired, Length

from appeal.core import money, texts
from appeal.gifts import giving
from appeal.models import Appeal

OTHER = "other"
UPDATES_WORDING = (
    "Send me occasional news of this appeal and of what your support makes possible. You can stop any time."
)
CHOOSE_FREQUENCY = "Choose whether to give once or every month."
# A browser leaves an unticked box out; a program may say no. Nobody consents by saying no.
UNTICKED = (False, "", "0", "false", "no", "off")
CREDIT_CHOICES = [
    SelectChoice("name", "With my name"),
    SelectChoice("initials", "With my initials"),
    SelectChoice("custom", "With words of my own"),
    SelectChoice("anonymous", "Not at all: keep it anonymous"),
]


def _trim(value: str | None) -> str:
    return (value or "").strip()


def no_control(_form: BaseForm, field: Any) -> None:
    """Refuse what cannot be shown or stored."""
    if texts.has_control(field.data or "", lines=isinstance(field, TextAreaField)):
        raise ValidationError("Please take out the hidden or unusual characters.")


def no_site(_form: BaseForm, field: Any) -> None:
    """Refuse advertisements where a name is asked."""
    if texts.names_a_site(field.data or ""):
        raise ValidationError("Please leave out addresses of web sites.")


class DonationForm(Form):
    """One gift to one appeal. `gift_amount_minor` is there once `validate` has said yes."""

    csrf_token = HiddenField()
    frequency = RadioField(
        "How often",
        choices=[SelectChoice("once", "Once"), SelectChoice("monthly", "Every month")],
        default="once",
        validators=[DataRequired(CHOOSE_FREQUENCY)],
        validate_choice=False,
    )
    amount = RadioField("Amount", choices=[], validate_choice=False)
    other_amount = StringField(
        "Other amount", filters=[_trim], validators=[Length(max=40, message="Enter a shorter amount.")]
    )
    name = StringField(
        "Your name",
        filters=[_trim],
        validators=[
            DataRequired("Enter your name."),
            Length(max=120, message="Enter a name of at most 120 characters."),
            no_control,
            no_site,
        ],
    )
    email = StringField(
        "Your e-mail address",
        filters=[_trim],
        validators=[
            DataRequired("Enter your e-mail address, so that we can send your receipt."),
            Length(max=254, message="Enter a shorter e-mail address."),
        ],
    )
    credit = RadioField(
        "May we name your gift?", choices=CREDIT_CHOICES, default="anonymous", validate_choice=False
    )
    credit_line = StringField(
        "In these words",
        filters=[_trim],
        validators=[
            Length(max=texts.CREDIT_LINE_LONGEST, message="Use at most 60 characters."),
            no_control,
            no_site,
        ],
    )
    message = TextAreaField(
        "A message to us",
        filters=[_trim],
        validators=[Length(max=1000, message="Keep your message within 1,000 characters."), no_control],
    )
    cover_fee = BooleanField("Cover the card fee", false_values=UNTICKED)
    updates = BooleanField(UPDATES_WORDING, false_values=UNTICKED)
    src = HiddenField()
    page = HiddenField()
    website = StringField("Leave this empty")

    gift_amount_minor: int = 0
    cover_words: list[str]  # what covering the fee adds to each preset amount

    def __init__(self, appeal: Appeal, formdata: Any = None, **kwargs: Any) -> None:
        """Fit the choices to the appeal; without form data, a middle amount and one gift are chosen."""
        super().__init__(formdata, **kwargs)
        self.appeal = appeal
        shown = [
            SelectChoice(money.plain(minor, appeal.currency), _money(appeal, minor))
            for minor in appeal.presets_minor
        ]
        self.amount.choices = [*shown, SelectChoice(OTHER, "Another amount")]
        if self.amount.data is None and formdata is None:
            self.amount.data = money.plain(appeal.default_minor, appeal.currency)
        self.other_amount.label.text = f"Another amount in {money.symbol(appeal.currency, appeal.locale)}"
        self.cover_fee.label.text = cover_label(appeal)
        self.cover_words = [cover_label(appeal, minor) for minor in appeal.presets_minor]
        if not appeal.monthly_offered:
            self.frequency.choices = [SelectChoice("once", "Once")]

    def validate_amount(self, field: Any) -> None:
        """Read the amount wherever it was given; ask back where two different ones were."""
        chosen, typed = (field.data or "").strip(), self.other_amount.data or ""
        if chosen in {"", "None"} and not typed:
            raise ValidationError("Choose an amount, or enter another one.")
        if chosen in {"", "None", OTHER}:
            return  # validate_other_amount says what is wrong with it
        if typed and not self._is_the_same(chosen, typed):
            raise ValidationError(
                f"You chose {chosen} and also entered “{typed}”. Please choose one of the two."
            )
        self.gift_amount_minor = self._parsed(chosen, "en_GB")

    def validate_other_amount(self, field: Any) -> None:
        """Read what was typed, in the appeal's own language."""
        chosen = (self.amount.data or "").strip()
        if field.errors:
            return  # it is too long already: one message is enough
        if chosen in {"", "None", OTHER} and (field.data or chosen == OTHER):
            self.gift_amount_minor = self._parsed(field.data or "", self.appeal.locale)

    def _is_the_same(self, chosen: str, typed: str) -> bool:
        currency, locale = self.appeal.currency, self.appeal.locale
        try:
            return money.parse_amount(chosen, currency, "en_GB") == money.parse_amount(
                typed, currency, locale
            )
        except money.AmountError:
            return False

    def _parsed(self, text: str, locale: str) -> int:
        try:
            minor = money.parse_amount(text, self.appeal.currency, locale)
        except money.AmountTooLarge:
            raise self._too_large() from None
        except money.AmountError as error:
            raise ValidationError(error.message) from None
        step_minor = money.step_minor(self.appeal.currency)
        if minor % step_minor:
            near = _money(self.appeal, max(minor - minor % step_minor, step_minor))
            step = _money(self.appeal, step_minor)
            raise ValidationError(f"Cards are charged in steps of {step}: try {near}.")
        if minor < self.appeal.minimum_minor:
            raise ValidationError(
                f"The smallest gift we can take by card is {_money(self.appeal, self.appeal.minimum_minor)}."
            )
        if minor > self.appeal.maximum_minor:
            raise self._too_large()
        return minor

    def _too_large(self) -> ValidationError:
        most = _money(self.appeal, self.appeal.maximum_minor)
        return ValidationError(
            f"The largest gift we can take by card is {most}. For more, please write to us."
        )

    def validate_email(self, field: Any) -> None:
        """Hold the address to the standard, without asking the network; keep it as mail servers write it."""
        try:
            field.data = texts.email_address(field.data)
        except ValueError:
            raise ValidationError("Enter an e-mail address such as name@example.org.") from None

    def validate_frequency(self, field: Any) -> None:
        """Refuse monthly gifts where they are not offered, and what nobody ever offered."""
        if field.data == "monthly" and not self.appeal.monthly_offered:
            raise ValidationError("Monthly gifts are not offered for this appeal.")
        if field.data not in {"once", "monthly"}:
            raise ValidationError(CHOOSE_FREQUENCY)

    def validate_credit(self, field: Any) -> None:
        """Fall back to nothing shown; a choice nobody offered is refused."""
        field.data = field.data if field.data not in {None, "", "None"} else "anonymous"
        if field.data not in {choice.value for choice in CREDIT_CHOICES}:
            raise ValidationError("Choose how we may name your gift.")

    def validate_credit_line(self, field: Any) -> None:
        """Ask for the words where words of one's own were chosen."""
        if self.credit.data == "custom" and not field.data:
            raise ValidationError("Enter the words we may use, such as “A reader in Leeds”.")

    def validate_website(self, field: Any) -> None:
        """Refuse the machine that fills in everything."""
        if field.data:
            raise ValidationError("Leave this field empty.")

    def gift(self) -> giving.Gift:
        """Return what was asked for, after `validate`."""
        return giving.Gift(
            amount_minor=self.gift_amount_minor,
            frequency=self.frequency.data,
            name=texts.one_line(self.name.data or ""),
            email=self.email.data or "",
            credit=self.credit.data,
            credit_line=texts.one_line(self.credit_line.data or ""),
            message=self.message.data or "",
            cover_fee=bool(self.cover_fee.data),
            updates=bool(self.updates.data),
            updates_wording=UPDATES_WORDING,
            src=texts.storable(self.src.data or "", 120),
            page=texts.storable(self.page.data or "", 300),
        )


def cover_label(appeal: Appeal, amount_minor: int | None = None) -> str:
    """Say what covering the fee adds to a gift of so much; without an amount, how it is reckoned, with an example."""
    example = appeal.default_minor if amount_minor is None else amount_minor
    step_minor = money.step_minor(appeal.currency)
    added = _money(
        appeal, money.cover_for(example, appeal.cover_percent_bps, appeal.cover_fixed_minor, step_minor)
    )
    fee = f"{added} for the card fee"
    if amount_minor is None:
        rate = f"{_percent(appeal.cover_percent_bps)} + {_money(appeal, appeal.cover_fixed_minor)}"
        fee = f"the card fee ({rate}; {added} on a gift of {_money(appeal, example)})"
    return f"Add {fee}, so that all of my gift arrives"


def _percent(bps: int) -> str:
    whole, part = divmod(bps, 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".") + "%"


def _money(appeal: Appeal, minor: int) -> str:
    return money.format_money(minor, appeal.currency, appeal.locale)


def prefill(appeal: Appeal, args: Mapping[str, str]) -> dict[str, str]:
    """Read what a link asks to be filled in; what it cannot mean is left out, never an error."""
    values = {
        "src": texts.storable(args.get("src", ""), 120),
        "page": texts.storable(args.get("page", ""), 300),
    }
    if args.get("frequency") in {"once", "monthly"} and (
        args["frequency"] == "once" or appeal.monthly_offered
    ):
        values["frequency"] = args["frequency"]
    return {**values, **_prefilled_amount(appeal, args.get("amount", ""))}


def _prefilled_amount(appeal: Appeal, text: str) -> dict[str, str]:
    try:
        minor = money.parse_amount(text[:40], appeal.currency, "en_GB")
    except money.AmountError:
        return {}
    if not appeal.minimum_minor <= minor <= appeal.maximum_minor:
        return {}
    plain = money.plain(minor, appeal.currency)
    if minor in appeal.presets_minor:
        return {"amount": plain}
    return {"amount": OTHER, "other_amount": plain}
