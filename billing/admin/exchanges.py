"""The deeds about a service's package: change it, and take a change back that is not done yet."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import exchanges, quotes, tax
from billing.models import Exchange, Subscription
from packages import clock
from packages.desk import Impossible
from packages.desk.cells import amount, day, link
from packages.desk.deeds import Deed, DeedForm, ReasonForm, Text
from packages.models import Price
from packages.periods import business_day

Mode = Exchange.Mode


class ExchangeForm(ReasonForm):
    """Which package, and when. What it costs or brings is shown first and then asked for again."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    price = forms.ChoiceField(label=gettext_lazy("New package"))
    mode = forms.ChoiceField(label=gettext_lazy("When"), choices=Mode.choices)
    field_order = ("seen", "price", "mode", "reason")

    def __init__(self, data: Any, subscription: Subscription) -> None:
        self.subscription = subscription
        self.targets = {str(each.pk): each for each in quotes.any_target(subscription)}
        # A page that shows sums must remember them, so what was sent is made changeable.
        self.sent: dict[str, Any] | None = data.copy() if data is not None else None
        super().__init__(self.sent)
        choice = self.fields["price"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [(key, _named(each)) for key, each in self.targets.items()]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors:
            return cleaned
        quote = quoted(self.subscription, self.targets[cleaned["price"]], cleaned["mode"])
        if cleaned["seen"] != quote.fingerprint:
            assert self.sent is not None, "Only a form that was sent is cleaned."
            self.sent["seen"] = quote.fingerprint
            raise forms.ValidationError(_told(quote))
        return {**cleaned, "quote": quote}


class ChangePackage(Deed):
    code, label = "exchange", gettext_lazy("Change package…")
    form = ExchangeForm
    guarded = True

    def offered(self, row: Subscription) -> bool:
        return row.state == Subscription.State.ACTIVE and not quotes.obstacle(row)

    def effects(self, row: Subscription) -> Sequence[Text]:
        return [
            _("Every package in the currency may be chosen, also one customers may not change to."),
            _(
                "At once: unused days of the present package are set against the rest of the new. "
                "What is to be paid is invoiced, and its payment changes the package; what is left "
                "over is credited, and the package changes now."
            ),
            _("At the end of the period: the next renewal is invoiced for the new package."),
            _("Credit and data stay; the limits at the dialler follow. The customer gets a mail."),
        ]

    def facts(self, row: Subscription) -> Sequence[tuple[Text, Any]]:
        return [
            (_("Customer"), link(row.customer)),
            (_("Present package"), f"{row.package}, {row.get_cycle_display()}"),
            (_("Price"), amount(row.amount)),
            (_("Paid until"), day(row.paid_until)),
        ]

    def form_for(self, row: Subscription, data: Any) -> DeedForm:
        return ExchangeForm(data, row)

    def carry_out(
        self, row: Subscription, given: dict[str, Any], *, at: datetime, actor: str
    ) -> Text:
        try:
            exchange = exchanges.place(
                given["quote"],
                seen=given["seen"],
                placed_by=None,
                language=row.customer.language,
                at=at,
                actor=actor,
                reason=given["reason"],
            )
        except exchanges.Changed as error:
            raise Impossible(_("The sums have changed meanwhile. Open the page again.")) from error
        except quotes.NotExchangeable as error:
            raise Impossible(str(error)) from error
        words = {"package": exchange.package, "date": date_format(exchange.on)}
        if exchange.order_line is not None:
            words["number"] = exchange.order_line.order.invoice.number
            return _("%(package)s is ordered with invoice %(number)s.") % words
        if exchange.mode == Mode.AT_END:
            return _("%(package)s follows on %(date)s.") % words
        return _("The package is %(package)s now.") % words


class TakeChangeBack(Deed):
    code, label = "keep-package", gettext_lazy("Take the change of package back…")
    form = ReasonForm

    def offered(self, row: Subscription) -> bool:
        return quotes.pending(row) is not None

    def effects(self, row: Subscription) -> Sequence[Text]:
        return [
            _("The package stays as it is."),
            _("An order for the change is cancelled; its invoice is taken back by a credit note."),
        ]

    def facts(self, row: Subscription) -> Sequence[tuple[Text, Any]]:
        waiting = quotes.pending(row)
        agreed = [(_("Agreed change"), waiting)] if waiting else []
        from_on = [(_("Applies from"), date_format(waiting.on))] if waiting else []
        return [(_("Customer"), link(row.customer)), *agreed, *from_on]

    def carry_out(
        self, row: Subscription, given: dict[str, Any], *, at: datetime, actor: str
    ) -> Text:
        waiting = quotes.pending(row)
        if waiting is None:
            raise Impossible(_("There is no change to take back."))
        try:
            exchanges.withdraw(waiting, at=at, actor=actor, reason=given["reason"])
        except quotes.NotExchangeable as error:
            raise Impossible(str(error)) from error
        return _("The change is taken back.")


def quoted(subscription: Subscription, price: Price, mode: str) -> quotes.Quote:
    """Quote the change as of now; what forbids it is the form's error."""
    on = business_day(clock.now(), subscription.zone)
    try:
        return quotes.quote(subscription, price, on=on, mode=Mode(mode))
    except (quotes.NotExchangeable, tax.NoRate) as error:
        raise forms.ValidationError(str(error)) from error


def _named(price: Price) -> str:
    return f"{price.package} · {amount(price.amount)}, {price.get_cycle_display()}"


def _told(quote: quotes.Quote) -> str:
    """Say what the change costs or brings, to the cent."""
    words = {
        "rest": amount(quote.rest),
        "unused": amount(quote.unused),
        "kept": amount(quote.kept),
        "granted": amount(quote.granted),
        "total": amount(quote.total if quote.priced else quote.credited),
        "renewal": amount(quote.renewal),
        "date": date_format(quote.on),
        "days": quote.days,
    }
    if quote.mode == Mode.AT_END:
        text = _("Nothing is due now. From %(date)s on each period costs %(renewal)s.")
        return text % words + " " + _("Press again to agree on it.")
    parts = [
        _("New package for %(days)s days: %(rest)s; unused days of the present one: %(unused)s."),
        _("Included credit that stays: %(kept)s; that is added: %(granted)s."),
        _("To be paid with VAT: %(total)s.") if quote.priced else _("To be credited: %(total)s."),
        _("Each further period costs %(renewal)s."),
    ]
    return " ".join([*(part % words for part in parts), _("Press again to agree on it.")])
