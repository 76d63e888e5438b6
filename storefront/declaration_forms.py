"""What the law lets us ask of someone who cancels or withdraws without signing in; no more."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing import declarations
from billing.models import Declaration


class WithdrawalForm(forms.Form):
    """Who, which contract, and where the receipt goes."""

    kind = Declaration.Kind.WITHDRAWAL
    # As the page asks for them, so that its list of errors goes down the page.
    field_order = ("extraordinary", "cause", "name", "contract", "wished_on", "email")
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    name = forms.CharField(
        label=_("First and last name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label=_("E-mail address"),
        help_text=_("The one you ordered with, if you can. We confirm to this address at once."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    contract = forms.CharField(
        label=_("Contract"),
        max_length=200,
        help_text=_("The number of an invoice or order, or the username of the account."),
    )

    def said(self) -> declarations.Said:
        """Return what was declared, from valid data only."""
        values = {name: value for name, value in self.cleaned_data.items() if name != "key"}
        return declarations.Said(kind=self.kind, **values)


class CancellationForm(WithdrawalForm):
    """Also: whether for good cause and which, and when the contract shall end."""

    kind = Declaration.Kind.CANCELLATION
    extraordinary = forms.ChoiceField(
        label=_("Kind of cancellation"),
        choices=[
            ("", _("Ordinary cancellation")),
            ("yes", _("Extraordinary cancellation for good cause")),
        ],
        required=False,
        widget=forms.RadioSelect,
    )
    cause = forms.CharField(
        label=_("The good cause"),
        max_length=2000,
        required=False,
        help_text=_("Only for an extraordinary cancellation."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    wished_on = forms.DateField(
        label=_("The contract shall end on"),
        required=False,
        help_text=_("Empty: as early as possible."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        values["extraordinary"] = bool(values.get("extraordinary"))
        if values["extraordinary"] and not values.get("cause"):
            self.add_error("cause", _("Please say what the good cause is."))
        if not values["extraordinary"]:
            values["cause"] = ""
        return values


FORMS = {form.kind: form for form in (WithdrawalForm, CancellationForm)}
