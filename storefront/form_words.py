"""One sentence, on every form, for what was left out and for what is no address.

Django's own words are said to the developer ("This field is required."), and "email" is spelt
otherwise than on our pages. Forms of others (allauth's) take them too, so the classes are told.
"""

from django import forms
from django.utils.translation import gettext_lazy as _

WORDS: dict[type[forms.Field], dict[str, object]] = {
    forms.Field: {"required": _("Please fill this in.")},
    forms.EmailField: {"invalid": _("Enter a valid e-mail address.")},
}


def say() -> None:
    """Have every field made from now on speak so; a field's own words still win."""
    for field, words in WORDS.items():
        setattr(field, "default_error_messages", {**field.default_error_messages, **words})  # noqa: B010
