"""Roles of a dialler at the desk: which are offered, and what giving the administrators' means."""

from collections.abc import Mapping

from django import forms
from django.utils.translation import gettext as _


def rules_dialler(role: str, names: Mapping[str, str]) -> str:
    """Say what a buyer can do who gets an administrators' role."""
    told = _("With the role “%(role)s” each buyer can see and change every customer's account at "
             "the dialler.")  # fmt: skip
    return told % {"role": names.get(role, role)}


def field(
    known: Mapping[str, str], current: str, *, label: str, nothing: str, untold: str
) -> forms.Field:
    """Offer the roles that a dialler named; where none did, take what is typed."""
    if not known:
        return forms.CharField(label=label, max_length=64, required=False, help_text=untold)
    names = dict(known)
    if current and current not in names:
        names[current] = _("not named by any dialler")
    choices = [("", nothing), *((role, f"{name} ({role})") for role, name in names.items())]
    return forms.ChoiceField(label=label, choices=choices, required=False)
