"""allauth's forms with the shop's own names for their fields, the same as on all other pages."""

from typing import Any

from allauth.account import forms
from django.contrib.auth.password_validation import (
    MinimumLengthValidator,
    get_default_password_validators,
)
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

# What allauth calls otherwise in English, by the field's name.
LABELS = {
    "email": _("E-mail address"),
    "oldpassword": _("Current password"),
    "password1": _("New password"),
    "password2": _("New password, again"),
}


class _Named:
    """Name the fields after they were made; those of a sign-up get their names that late."""

    fields: dict[str, Any]
    labels = LABELS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in self.labels.items():
            if name in self.fields:
                self.fields[name].label = label
        if "password1" in self.fields:
            self.fields["password1"].help_text = _password_hint()


def _password_hint() -> str:
    """Return the one rule that one must know beforehand; a broken one says itself what it is."""
    for rule in get_default_password_validators():
        if isinstance(rule, MinimumLengthValidator):
            return gettext("At least %(number)s characters.") % {"number": rule.min_length}
    return ""


class SignupForm(_Named, forms.SignupForm):  # type: ignore[misc]
    labels = {"email": LABELS["email"]}


class AddEmailForm(_Named, forms.AddEmailForm):  # type: ignore[misc]
    pass


class ResetPasswordForm(_Named, forms.ResetPasswordForm):  # type: ignore[misc]
    pass


class ResetPasswordKeyForm(_Named, forms.ResetPasswordKeyForm):  # type: ignore[misc]
    pass


class ChangePasswordForm(_Named, forms.ChangePasswordForm):  # type: ignore[misc]
    pass


class SetPasswordForm(_Named, forms.SetPasswordForm):  # type: ignore[misc]
    pass
