"""What the staff's forms have in common, and the forms of the way in."""

from __future__ import annotations

from typing import Any

from wtforms import Form, HiddenField, PasswordField, StringField, ValidationError
from wtforms.form import BaseForm
from wtforms.validators import DataRequired, Length

from appeal.core import texts


def trim(value: str | None) -> str:
    """Take the outer white space off what was typed."""
    return (value or "").strip()


def clean(_form: BaseForm, field: Any) -> None:
    """Refuse what cannot be shown or stored."""
    if texts.has_control(field.data or "", lines=field.widget.__class__.__name__ == "TextArea"):
        raise ValidationError("Please take out the hidden or unusual characters.")


class SignInForm(Form):
    """E-mail address and password, and the page that was asked for."""

    email = StringField(
        "E-mail address",
        filters=[trim],
        validators=[DataRequired("Enter your e-mail address."), Length(max=254), clean],
    )
    password = PasswordField(
        "Password", validators=[DataRequired("Enter your password."), Length(max=200), clean]
    )
    next = HiddenField(validators=[Length(max=2000)])


class CodeForm(Form):
    """The code of the second factor."""

    code = StringField(
        "Code",
        filters=[trim],
        validators=[DataRequired("Enter the code from your app."), Length(max=40), clean],
    )


class ForgottenForm(Form):
    """Whose password is forgotten."""

    email = StringField(
        "E-mail address",
        filters=[trim],
        validators=[DataRequired("Enter your e-mail address."), Length(max=254), clean],
    )


class ChooseForm(Form):
    """A new password."""

    password = PasswordField(
        "New password", validators=[DataRequired("Choose a password."), Length(max=400), clean]
    )


class ChangePasswordForm(ChooseForm):
    """A new password, and the present one."""

    current = PasswordField(
        "Present password", validators=[DataRequired("Enter your present password."), Length(max=400)]
    )
