"""Whom to invite, and what colleagues may do."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.models import Membership

Right = Membership.Right
# Looking is everybody's.
GIVEN = [(right.value, right.label) for right in (Right.PAY, Right.ASK, Right.MANAGE)]


class RightsForm(forms.Form):
    """What a colleague may do beside looking."""

    rights = forms.MultipleChoiceField(
        label=_("May also"),
        choices=GIVEN,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def clean_rights(self) -> set[Membership.Right]:
        return {Right.SEE, *(Right(each) for each in self.cleaned_data["rights"])}


class InvitationForm(RightsForm):
    """Whom to invite."""

    email = forms.EmailField(
        label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    field_order = ("email", "rights")


class MemberForm(RightsForm):
    """What somebody may do who acts for the customer already."""

    owner = forms.BooleanField(
        label=_("Owner: may do everything, also decide about owners"), required=False
    )

    def __init__(self, data: Any, member: Membership) -> None:
        given = [right.value for right in member.rights if right != Right.SEE]
        is_owner = member.role == Membership.Role.OWNER
        super().__init__(data, initial={"rights": given, "owner": is_owner})
