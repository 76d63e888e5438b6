"""Top-ups at the desk: the terms of each currency, and staff's word on one customer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing import auto_top_ups, top_up_limits, top_up_refunds
from billing.models import (
    AutoPurchase,
    AutoTopUp,
    Customer,
    OrderLine,
    Subscription,
    TopUpLimit,
    TopUpRefund,
    TopUpTerms,
    current_brand,
)
from packages import clock
from packages.desk import Impossible
from packages.desk.cells import EMPTY, amount, amount_of, consent, lines, link, state
from packages.desk.deeds import Deed, DeedForm, ReasonForm, Text
from packages.desk.pages import ByActor, Page, ReadOnlyInline, ReadOnlyPage
from packages.desk.sums import SumsForm, money
from packages.money import Money


class TermsForm(SumsForm):
    """The limits of one currency's top-ups."""

    min_minor = money(gettext_lazy("Smallest top-up"))
    max_minor = money(gettext_lazy("Largest top-up"))
    balance_minor = money(gettext_lazy("Highest credit on an account"))
    new_day_minor = money(gettext_lazy("New customers: top-ups within 24 hours"))
    new_month_minor = money(gettext_lazy("New customers: top-ups within 30 days"))
    new_balance_minor = money(gettext_lazy("New customers: highest credit on an account"))
    low_minor = money(
        gettext_lazy("Low balance"),
        help_text=gettext_lazy(
            "Below it the customer gets a mail, unless they chose another sum. 0: no mail."
        ),
    )
    sums = (
        *("min_minor", "max_minor", "balance_minor", "low_minor"),
        *("new_day_minor", "new_month_minor", "new_balance_minor"),
    )

    class Meta:
        model = TopUpTerms
        fields: Any = "__all__"
        labels: Any = {"new_days": gettext_lazy("For how many days a customer is new")}
        help_texts: Any = {
            "new_days": gettext_lazy("Counted from the first payment. 0: nobody is new.")
        }

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if not self.errors and not (
            0 < given["min_minor"] <= given["max_minor"] <= given["balance_minor"]
        ):
            raise forms.ValidationError(
                _(
                    "The smallest top-up is more than nothing, the largest no less than it, and "
                    "an account may hold the largest one."
                )
            )
        return given


@admin.register(TopUpTerms)
class TopUpTermsPage(Page):
    by_kind = True
    form = TermsForm
    list_display = ("currency", "amounts", "ceiling", "new_for", "low")
    fieldsets = (
        (
            None,
            {"fields": ("currency", ("min_minor", "max_minor"), ("balance_minor", "low_minor"))},
        ),
        (
            gettext_lazy("New customers (against fraud)"),
            {"fields": ("new_days", ("new_day_minor", "new_month_minor"), "new_balance_minor")},
        ),
    )

    def deletion(self, row: TopUpTerms) -> Text:
        told = _("Customers can no longer top up by any amount they choose in %(currency)s.")
        return told % {"currency": row.currency}

    @admin.display(description=gettext_lazy("one top-up"))
    def amounts(self, row: TopUpTerms) -> str:
        return f"{amount(row.smallest)} – {amount(row.largest)}"

    @admin.display(description=gettext_lazy("highest credit on an account"))
    def ceiling(self, row: TopUpTerms) -> str:
        return amount_of(row.balance_minor, row.currency)

    @admin.display(description=gettext_lazy("a customer is new"), ordering="new_days")
    def new_for(self, row: TopUpTerms) -> str:
        return ngettext("for %(days)s day", "for %(days)s days", row.new_days) % {
            "days": row.new_days
        }

    @admin.display(description=gettext_lazy("low balance"))
    def low(self, row: TopUpTerms) -> str:
        return amount_of(row.low_minor, row.currency)


class Limits(ByActor, ReadOnlyInline):
    model = TopUpLimit
    verbose_name_plural = gettext_lazy("top-up limits set by staff, the newest counts")
    fields = ("at", "currency", "day", "month", "balance", "reason", "by")
    readonly_fields = fields
    show_change_link = False

    @admin.display(description=gettext_lazy("24 hours"))
    def day(self, row: TopUpLimit) -> str:
        return amount_of(row.day_minor, row.currency)

    @admin.display(description=gettext_lazy("30 days"))
    def month(self, row: TopUpLimit) -> str:
        return amount_of(row.month_minor, row.currency)

    @admin.display(description=gettext_lazy("highest credit on an account"))
    def balance(self, row: TopUpLimit) -> str:
        return amount_of(row.balance_minor, row.currency)


class LimitForm(ReasonForm):
    """Three sums and a reason; fields in the order they are read."""

    currency = forms.ChoiceField(label=gettext_lazy("Currency"))
    day = forms.DecimalField(
        label=gettext_lazy("Top-ups within 24 hours"), min_value=0, localize=True
    )
    month = forms.DecimalField(
        label=gettext_lazy("Top-ups within 30 days"), min_value=0, localize=True
    )
    balance = forms.DecimalField(
        label=gettext_lazy("Highest credit on an account"), min_value=0, localize=True
    )
    field_order = ("currency", "day", "month", "balance", "reason")

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        choice = self.fields["currency"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [(code, code) for code in current_brand().currency_list]


class SetTopUpLimit(Deed):
    code = "top-up-limit"
    label = gettext_lazy("Set a top-up limit…")
    guarded = True
    form = LimitForm

    def offered(self, row: Customer) -> bool:
        return True

    def effects(self, row: Customer) -> Sequence[Text]:
        return [
            _("These limits hold for the customer from now on, new or not, instead of the usual."),
            _("Nothing is bought and nobody is told. The audit log keeps who said so and why."),
        ]

    def facts(self, row: Customer) -> Sequence[tuple[Text, Any]]:
        ordered = [
            (code, top_up_limits.ordered(row, code)) for code in current_brand().currency_list
        ]
        sums = [
            (_("Top-ups ordered so far, %(currency)s") % {"currency": code}, amount(each))
            for code, each in ordered
        ]
        return [(_("Customer"), link(row)), (_("Since"), row.created_at), *sums]

    def form_for(self, row: Customer, data: Any) -> DeedForm:
        return LimitForm(data)

    def carry_out(self, row: Customer, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        try:
            day, month, balance = (
                Money.of_decimal(given[name], given["currency"])
                for name in ("day", "month", "balance")
            )
        except ValueError as error:
            raise Impossible(str(error)) from error
        top_up_limits.allow(
            row,
            top_up_limits.Limits(day, month, balance),
            reason=given["reason"],
            at=at,
            actor=actor,
        )
        words = {"day": amount(day), "month": amount(month)}
        return _("Up to %(day)s in 24 hours and %(month)s in 30 days from now on.") % words


class SwitchOff(Deed):
    code = "off"
    label = gettext_lazy("Switch off…")
    form = ReasonForm

    def offered(self, row: AutoTopUp) -> bool:
        return bool(row.state == AutoTopUp.State.ON)

    def effects(self, row: AutoTopUp) -> Sequence[Text]:
        return [
            _("Nothing more is bought by itself until the customer switches it on again."),
            _("A purchase that was begun goes on. Nobody is told."),
        ]

    def facts(self, row: AutoTopUp) -> Sequence[tuple[Text, Any]]:
        return [
            (_("Customer"), link(row.subscription.customer)),
            (_("Service"), link(row.subscription, row.subscription.package)),
            (_("Below"), amount(row.below)),
            (_("Buys"), amount(row.amount)),
        ]

    def carry_out(self, row: AutoTopUp, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        auto_top_ups.switch_off(row.subscription, reason=given["reason"], at=at, actor=actor)
        return _("Automatic top-up is switched off.")


class Purchases(ReadOnlyInline):
    model = AutoPurchase
    verbose_name_plural = gettext_lazy("automatic purchases")
    fields = ("on", "order_link", "bought", "ceiling", "read_at", "charge_again_at", "closed_at")
    readonly_fields = fields
    show_change_link = False

    @admin.display(description=gettext_lazy("order"))
    def order_link(self, row: AutoPurchase) -> str:
        return link(row.order)

    @admin.display(description=gettext_lazy("amount"))
    def bought(self, row: AutoPurchase) -> str:
        return amount_of(row.amount_minor, row.order.currency)

    @admin.display(description=gettext_lazy("ceiling of the month then"))
    def ceiling(self, row: AutoPurchase) -> str:
        return amount_of(row.month_minor, row.order.currency)


@admin.register(AutoTopUp)
class AutoTopUpPage(ReadOnlyPage):
    by_kind = True
    list_display = ("service", "status", "low", "buys", "ceiling", "agreed_at")
    spare = ("agreed_at",)
    list_filter = ("state",)
    list_select_related = ("subscription__customer", "subscription__package")
    search_fields = ("subscription__customer__name", "subscription__customer__email")
    inlines = (Purchases,)
    deeds = (SwitchOff(),)
    readonly_fields = ("service", "status", "low", "buys", "ceiling", "pause", "agreed_at", "words")
    fields = ("service", ("status", "pause"), ("low", "buys", "ceiling"), "agreed_at", "words")

    @admin.display(description=gettext_lazy("subscription"))
    def service(self, row: AutoTopUp) -> str:
        return link(row.subscription)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, row: AutoTopUp) -> str:
        return state(row)

    @admin.display(description=gettext_lazy("below"))
    def low(self, row: AutoTopUp) -> str:
        return amount(row.below)

    @admin.display(description=gettext_lazy("buys"))
    def buys(self, row: AutoTopUp) -> str:
        return amount(row.amount)

    @admin.display(description=gettext_lazy("at most in a calendar month"))
    def ceiling(self, row: AutoTopUp) -> str:
        return amount(row.month)

    @admin.display(description=gettext_lazy("paused"))
    def pause(self, row: AutoTopUp) -> str:
        code = auto_top_ups.pause_of(row, at=clock.now())
        return str(auto_top_ups.PAUSES.get(code, EMPTY))

    @admin.display(description=gettext_lazy("consent"))
    def words(self, row: AutoTopUp) -> str:
        return lines([consent(each) for each in row.consent.values()])


@admin.register(TopUpRefund)
class TopUpRefundPage(ReadOnlyPage):
    by_kind = True
    list_display = ("at", "customer_link", "order_link", "status", "most", "taken", "note_link")
    spare = ("order_link", "taken")
    list_filter = ("state",)
    list_select_related = ("line__order__customer", "note")
    readonly_fields = (
        "customer_link",
        "order_link",
        "status",
        "most",
        "taken",
        "note_link",
        "reason",
        "at",
    )
    fields = ("customer_link", "order_link", "status", ("most", "taken")) + (
        "note_link",
        "reason",
        "at",
    )

    @admin.display(description=gettext_lazy("customer"))
    def customer_link(self, row: TopUpRefund) -> str:
        return link(row.line.order.customer)

    @admin.display(description=gettext_lazy("order"))
    def order_link(self, row: TopUpRefund) -> str:
        return link(row.line.order)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, row: TopUpRefund) -> str:
        return state(row)

    @admin.display(description=gettext_lazy("at most"))
    def most(self, row: TopUpRefund) -> str:
        return amount_of(row.most_minor, row.line.order.currency)

    @admin.display(description=gettext_lazy("taken back"))
    def taken(self, row: TopUpRefund) -> str:
        return amount_of(row.taken_minor, row.line.order.currency)

    @admin.display(description=gettext_lazy("credit note"))
    def note_link(self, row: TopUpRefund) -> str:
        return link(row.note)


class RefundForm(ReasonForm):
    """Which purchase of credit, and why."""

    line = forms.ChoiceField(label=gettext_lazy("Bought credit"))
    field_order = ("line", "reason")

    def __init__(self, data: Any, row: Subscription) -> None:
        super().__init__(data)
        choice = self.fields["line"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [
            (line.pk, f"{line.order} · {_called(line)} · {amount(left)}")
            for line, left in top_up_refunds.refundable(row)
        ]


def _called(line: OrderLine) -> str:
    """Return the package's name in the reader's language; the line keeps the buyer's."""
    return line.package.text("name") if line.package else line.name


class RefundCredit(Deed):
    code = "refund-credit"
    label = gettext_lazy("Give unused credit back…")
    guarded = True
    danger = True
    form = RefundForm

    def offered(self, row: Subscription) -> bool:
        return bool(top_up_refunds.refundable(row))

    def effects(self, row: Subscription) -> Sequence[Text]:
        return [
            _("The dialler takes back what is left of this purchase; what was used by then stays."),
            _("When that is done, what was paid for it is credited onto the customer's balance."),
            _("Where the API cannot do that, it is a task for staff; nothing is credited before."),
        ]

    def facts(self, row: Subscription) -> Sequence[tuple[Text, Any]]:
        minor = row.account.balance_minor if row.account else None
        return [
            (_("Customer"), link(row.customer)),
            (_("Service"), link(row, row.package)),
            (_("Credit on the account"), amount_of(minor, row.currency)),
        ]

    def form_for(self, row: Subscription, data: Any) -> DeedForm:
        return RefundForm(data, row)

    def weighs(self, row: Subscription, given: dict[str, Any]) -> Money | None:
        found = {str(line.pk): left for line, left in top_up_refunds.refundable(row)}
        return found.get(str(given["line"]))

    def carry_out(
        self, row: Subscription, given: dict[str, Any], *, at: datetime, actor: str
    ) -> Text:
        line = OrderLine.objects.select_related("order").get(pk=given["line"], subscription=row)
        refund = top_up_refunds.ask(line, reason=given["reason"], at=at, actor=actor)
        words = {"amount": amount_of(refund.most_minor, line.order.currency)}
        return _("Up to %(amount)s is being taken back at the dialler.") % words
