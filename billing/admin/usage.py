"""Credit and use of a service for staff: the customer's own figures, and a gift of credit."""

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django import forms
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import balance_charts, credits, statements, usage
from billing.models import Subscription
from packages import clock
from packages.desk import Impossible
from packages.desk.cells import EMPTY, amount, amount_of, link
from packages.desk.deeds import Deed, ReasonForm, Text
from packages.money import Money
from packages.periods import business_day
from provisioning.models import Account

State = Account.State


def panel(subscription: Subscription) -> str:
    """Return chart, forecast, units and credit, as the customer sees them."""
    if subscription.account is None:
        return EMPTY
    shown = usage.of(subscription, at=clock.now())
    context = {
        "usage": shown,
        "chart": balance_charts.drawn(shown.points),
        "credit_lines": statements.of(subscription),
    }
    return render_to_string("admin/usage.html", context)


class GiftForm(ReasonForm):
    """How much, and until when it may be used. The cause was made when the page was opened."""

    cause = forms.RegexField(r"^gift-[0-9a-f-]{36}$", widget=forms.HiddenInput)
    sum = forms.DecimalField(
        label=gettext_lazy("Amount"), max_digits=9, decimal_places=2, localize=True
    )
    expires_on = forms.DateField(
        label=gettext_lazy("Expires on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("The first day it is not valid any more; empty: it stays."),
    )

    def clean_expires_on(self) -> date | None:
        day: date | None = self.cleaned_data["expires_on"]
        if day is not None and day <= clock.now().date():
            raise forms.ValidationError(_("Choose a later day."))
        return day


class GiveCredit(Deed):
    code, label, form = "gift", gettext_lazy("Give credit…"), GiftForm
    guarded = True
    sums = ("sum",)

    def offered(self, row: Subscription) -> bool:
        return row.account is not None and row.account.state in (State.LIVE, State.SUSPENDED)

    def initial(self, row: Subscription) -> dict[str, Any]:
        return {"cause": f"gift-{uuid.uuid4()}"}

    def effects(self, row: Subscription) -> Sequence[Text]:
        return [
            _("The credit is added at the dialler, free of charge; no invoice is issued."),
            _("It is used before credit that the customer bought."),
            _("With an expiry, what is left of it on that day is taken back."),
        ]

    def facts(self, row: Subscription) -> Sequence[tuple[Text, Any]]:
        assert row.account is not None, "The deed is offered with an account only."
        balance = amount_of(row.account.balance_minor, row.currency)
        return [(_("Customer"), link(row.customer)), (_("Balance"), balance)]

    def weighs(self, row: Subscription, given: dict[str, Any]) -> Money | None:
        return Money.rounded(given["sum"], row.currency)

    def carry_out(
        self, row: Subscription, given: dict[str, Any], *, at: datetime, actor: str
    ) -> Text:
        gift = Money.rounded(given["sum"], row.currency)
        if gift.minor <= 0 or row.account is None:
            raise Impossible(_("Enter an amount above zero."))
        if given["expires_on"] and given["expires_on"] <= business_day(at, row.zone):
            raise Impossible(_("Choose a later day."))
        with transaction.atomic():
            credits.gift(
                row.account,
                gift,
                expires_on=given["expires_on"],
                cause=given["cause"],
                reason=given["reason"],
                at=at,
                actor=actor,
            )
        return _("%(amount)s is being added.") % {"amount": amount(gift)}
