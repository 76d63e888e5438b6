"""A deed: something staff do to one row, behind a page that says what will happen."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from packages.money import Money

Text = str | Promise
PROOF_LENGTH = 250


class DeedForm(forms.Form):
    """Nothing to fill in: reading the page and pressing the button is the deed."""


def in_unit(form: forms.BaseForm, unit: str, *names: str) -> None:
    """Say behind the labels of these fields in which currency they are filled in."""
    for name in names:
        form.fields[name].label = f"{form.fields[name].label} ({unit})"


class ProofForm(DeedForm):
    """The deed rests on what a person saw, so they say what that was."""

    proof = forms.CharField(
        label=_("What did you see, and where?"),
        max_length=PROOF_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Kept in the history with your name."),
    )


class ReasonForm(DeedForm):
    """Why the deed is right, for whoever reads the history."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=PROOF_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Kept in the history with your name."),
    )


class Deed:
    """One deed. `code` is its address below the row's; it needs the model's change right."""

    code: ClassVar[str]
    label: ClassVar[Text]
    danger: ClassVar[bool] = False
    # Money or credit moves: staff show again who they are before the page opens.
    guarded: ClassVar[bool] = False
    form: ClassVar[type[DeedForm]] = DeedForm
    # The form's fields that are filled in in the row's currency.
    sums: ClassVar[tuple[str, ...]] = ()
    # Also done to several rows of a list at once; then its form must not depend on the row.
    many: ClassVar[bool] = False

    def offered(self, row: Any) -> bool:
        """Say whether the deed is valid for the row as it is now."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """Return the label without the dots that say that a page comes first."""
        return str(self.label).rstrip(" .…")

    @property
    def button(self) -> str:
        """Return what leads to the deed's page; the dots say that it asks first."""
        return gettext("%(deed)s…") % {"deed": self.name}

    def title(self, row: Any) -> Text:
        return self.name

    def effects(self, row: Any) -> Sequence[Text]:
        """Return what will happen, one sentence each."""
        raise NotImplementedError

    def facts(self, row: Any) -> Sequence[tuple[Text, Any]]:
        """Return what to know before deciding: label and value."""
        return ()

    def initial(self, row: Any) -> dict[str, Any]:
        """Return what the page remembers, for fields of the form that the reader may leave."""
        return {}

    def form_for(self, row: Any, data: Any) -> DeedForm:
        form = self.form(data, initial=self.initial(row))
        if self.sums:
            in_unit(form, row.currency, *self.sums)
        return form

    def weighs(self, row: Any, given: dict[str, Any]) -> Money | None:
        """Return the sum that is at stake: above a limit a second person does the deed.

        None: one is enough. A deed that weighs something must not speak HTTP (proposals.approve).
        """
        return None

    def afterwards(self, request: HttpRequest, row: Any) -> str:
        """Return the address to go to when it is done; empty leads back to the row's page."""
        return ""

    def carry_out(self, row: Any, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        """Do it by the one flow for it, and return what to tell; raise Impossible."""
        raise NotImplementedError
