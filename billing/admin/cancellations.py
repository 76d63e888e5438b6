"""The deeds about a service's end: cancel it, end it at once, take that back, bring it back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import cancellations, endings, quotes, returns, tax
from billing.models import Subscription
from packages import clock
from packages.desk import Impossible
from packages.desk.cells import amount, amount_of, day, link
from packages.desk.deeds import Deed, DeedForm, ReasonForm, Text
from packages.periods import business_day

State = Subscription.State


def _facts(row: Subscription) -> list[tuple[Text, Any]]:
    return [
        (_("Customer"), link(row.customer)),
        (_("Service"), link(row, row.package)),
        (_("Price"), f"{amount(row.amount)} {row.get_cycle_display()}"),
        (_("Paid until"), day(row.paid_until)),
    ]


class Cancel(Deed):
    code, label, form = "cancel", gettext_lazy("Cancel to the end of the period…"), ReasonForm

    def offered(self, row: Subscription) -> bool:
        return row.recurs and row.state in Subscription.LIVING and row.ends_on is None

    def effects(self, row: Subscription) -> Sequence[Text]:
        return [
            _("The service runs to the end of its paid time, or of a period that has begun."),
            _("An invoice for the time after that is taken back on that day."),
            _("A change of package that was agreed for the next period is taken back."),
            _("The account is then suspended, and deleted after 30 days."),
        ]

    def facts(self, row: Subscription) -> Sequence[tuple[Text, Any]]:
        waiting = quotes.pending(row)
        agreed = [(_("Agreed change"), waiting)] if waiting else []
        return [*_facts(row), *agreed]

    def carry_out(
        self, row: Subscription, given: dict[str, Any], *, at: datetime, actor: str
    ) -> Text:
        held = _flow(cancellations.cancel, row, given, at=at, actor=actor)
        assert held.ends_on is not None, "What was cancelled has its last day."
        return _("The service ends on %(date)s.") % {"date": date_format(held.ends_on)}


class WithdrawCancellation(Deed):
    code, label, form = "keep", gettext_lazy("Withdraw the cancellation…"), ReasonForm

    def offered(self, row: Subscription) -> bool:
        return row.state in Subscription.LIVING and row.ends_on is not None

    def effects(self, row: Subscription) -> Sequence[Text]:
        return [_("The service renews as before.")]

    def facts(self, row: Subscription) -> Sequence[tuple[Text, Any]]:
        return [*_facts(row), (_("Would end on"), day(row.ends_on))]

    def carry_out(
        self, row: Subscription, given: dict[str, Any], *, at: datetime, actor: str
    ) -> Text:
        _flow(cancellations.withdraw, row, given, at=at, actor=actor)
        return _("The cancellation is withdrawn.")


class EndForm(ReasonForm):
    """What is given back is shown first and then asked for again."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    gives_back = forms.BooleanField(
        label=gettext_lazy("Credit the days after today"),
        label_suffix="",
        required=False,
        initial=True,
        help_text=gettext_lazy("Less the credit that was included for them."),
    )
    returnable = forms.BooleanField(
        label=gettext_lazy("The customer may bring the service back"),
        label_suffix="",
        required=False,
        initial=True,
    )
    field_order = ("seen", "gives_back", "returnable", "reason")

    def __init__(self, data: Any, subscription: Subscription) -> None:
        self.subscription = subscription
        # A page that shows sums must remember them, so what was sent is made changeable.
        self.sent: dict[str, Any] | None = data.copy() if data is not None else None
        super().__init__(self.sent)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors:
            return cleaned
        on = business_day(clock.now(), self.subscription.zone)
        try:
            quote = endings.quote(self.subscription, on=on, gives_back=cleaned["gives_back"])
        except endings.NotEndable as error:
            raise forms.ValidationError(str(error)) from error
        if cleaned["seen"] != quote.fingerprint:
            assert self.sent is not None, "Only a form that was sent is cleaned."
            self.sent["seen"] = quote.fingerprint
            raise forms.ValidationError(_told(quote))
        return {**cleaned, "quote": quote}


class EndNow(Deed):
    code, label, danger, form = "end", gettext_lazy("End at once…"), True, EndForm
    guarded = True

    def offered(self, row: Subscription) -> bool:
        return row.state in Subscription.LIVING

    def effects(self, row: Subscription) -> Sequence[Text]:
        return [
            _("The account is suspended now and deleted after 30 days, with data and credit."),
            _("Invoices for periods that have not begun are taken back; what is overdue is owed."),
            _("Until it is deleted, the service can be brought back."),
            _("Bought credit is given back separately: do that first, “Give unused credit back…”."),
            _("The customer gets a mail."),
        ]

    def facts(self, row: Subscription) -> Sequence[tuple[Text, Any]]:
        minor = row.account.balance_minor if row.account else None
        return [*_facts(row), (_("Credit on the account"), amount_of(minor, row.currency))]

    def form_for(self, row: Subscription, data: Any) -> DeedForm:
        return EndForm(data, row)

    def carry_out(
        self, row: Subscription, given: dict[str, Any], *, at: datetime, actor: str
    ) -> Text:
        try:
            endings.end(
                given["quote"],
                seen=given["seen"],
                reason=given["reason"],
                returnable=given["returnable"],
                at=at,
                actor=actor,
            )
        except endings.Changed as error:
            raise Impossible(_("The sums have changed meanwhile. Open the page again.")) from error
        except endings.NotEndable as error:
            raise Impossible(str(error)) from error
        return _("The service has ended.")


class BringBack(Deed):
    code, label, form = "return", gettext_lazy("Bring back…"), ReasonForm

    def offered(self, row: Subscription) -> bool:
        try:
            return _is_free(row) or returns.quote(row, on=_today(row)) is not None
        except (returns.NotReturnable, tax.NoRate):
            return False

    def effects(self, row: Subscription) -> Sequence[Text]:
        if _is_free(row):
            return [_("The service runs again now, at no cost: its time is paid for.")]
        return [
            _("A new period is ordered; the customer gets its invoice by mail."),
            _("The service runs again when that is paid."),
        ]

    def facts(self, row: Subscription) -> Sequence[tuple[Text, Any]]:
        facts = _facts(row)
        if not _is_free(row):
            price = returns.quote(row, on=_today(row)).sums.total
            facts.append((_("To be paid with VAT"), amount(price)))
        return facts

    def carry_out(
        self, row: Subscription, given: dict[str, Any], *, at: datetime, actor: str
    ) -> Text:
        try:
            if _is_free(row):
                returns.reopen(row, reason=given["reason"], at=at, actor=actor)
                return _("The service runs again.")
            order = returns.place(
                row,
                seen=returns.seen(returns.quote(row, on=_today(row))),
                placed_by=None,
                language=row.customer.language,
                at=at,
                actor=actor,
            )
        except (returns.NotReturnable, tax.NoRate) as error:
            raise Impossible(_("This service cannot be brought back any more.")) from error
        return _("Ordered with invoice %(number)s.") % {"number": order.invoice.number}


def _flow(flow: Any, row: Subscription, given: dict[str, Any], **said: Any) -> Subscription:
    try:
        held: Subscription = flow(row, reason=given["reason"], **said)
    except cancellations.NotCancellable as error:
        raise Impossible(_("There is nothing to cancel: this service does not renew.")) from error
    return held


def _today(row: Subscription) -> Any:
    return business_day(clock.now(), row.zone)


def _is_free(row: Subscription) -> bool:
    return returns.is_free(row, on=_today(row))


def _told(quote: endings.Quote) -> str:
    words = {
        "credited": amount(quote.credited),
        "remitted": amount(quote.remitted),
        "date": date_format(quote.deleted_on),
    }
    parts = [
        _("%(credited)s come onto the customer's balance."),
        _("%(remitted)s need not be paid any more."),
        _("The account is deleted on %(date)s."),
        _("Press again to end the service."),
    ]
    return " ".join(part % words for part in parts)
