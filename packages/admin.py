"""The catalogue's pages: packages with their prices, groups, tariffs with their public rates."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from packages.desk import second as second
from packages.desk.cells import EMPTY, amount, badge, counted, lines
from packages.desk.pages import Page, TabularInline
from packages.models import Cycle, Package, PackageGroup, Price, Rate, Service, Tariff

if TYPE_CHECKING:
    PackageModelForm = forms.ModelForm[Package]
    PriceModelForm = forms.ModelForm[Price]
    RateModelForm = forms.ModelForm[Rate]
    PriceFormSet = forms.BaseInlineFormSet[Price, Package, PriceModelForm]
else:
    PackageModelForm = PriceModelForm = RateModelForm = forms.ModelForm
    PriceFormSet = forms.BaseInlineFormSet

Kind = Package.Kind


class PackageForm(PackageModelForm):
    services = forms.MultipleChoiceField(
        label=gettext_lazy("Services"),
        choices=Service.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Package
        fields = "__all__"

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        kind = given.get("kind")
        if kind and kind != Kind.TOP_UP:
            self._demand_limits(given)
        if given.get("trial_days") and kind != Kind.SUBSCRIPTION:
            self.add_error("trial_days", _("Only a subscription has a trial: enter 0."))
        return given

    def _demand_limits(self, given: dict[str, Any]) -> None:
        """A package that opens an account says what the account may do."""
        if not given.get("tariff"):
            message = _("An account is rated by a tariff: choose one, or make it a top-up.")
            self.add_error("tariff", message)
        if not given.get("channels"):
            self.add_error("channels", _("An account needs channels to call: enter 1 or more."))
        if not given.get("services"):
            self.add_error("services", _("Tick what the account may send: one service or more."))


class PriceForm(PriceModelForm):
    class Meta:
        model = Price
        fields = ("currency", "cycle", "amount_minor", "setup_minor", "credit_minor", "archived")

    def clean_currency(self) -> str:
        return _currency(self.cleaned_data["currency"])


class Prices(PriceFormSet):
    """Every price fits the kind of package it is for."""

    def clean(self) -> None:
        super().clean()
        for form in self.forms:
            given = getattr(form, "cleaned_data", {})
            if given and not given.get("DELETE"):
                _check_price(form, self.instance.kind, given)


def _check_price(form: Any, kind: str, given: dict[str, Any]) -> None:
    cycle = given.get("cycle")
    if kind == Kind.SUBSCRIPTION and cycle == Cycle.ONE_TIME:
        form.add_error("cycle", _("A subscription recurs: choose a cycle like monthly."))
    if kind in (Kind.TOP_UP, Kind.PAY_AS_YOU_GO) and cycle and cycle != Cycle.ONE_TIME:
        form.add_error("cycle", _("This kind of package is paid once: choose one time."))
    if kind == Kind.TOP_UP and given.get("credit_minor") == 0:
        form.add_error("credit_minor", _("A top-up sells credit: enter how much."))


class PriceInline(TabularInline):
    model = Price
    form = PriceForm
    formset = Prices
    extra = 0
    min_num = 1
    fields = ("currency", "cycle", "amount_minor", "setup_minor", "credit_minor", "archived") + (
        "reads",
    )
    readonly_fields = ("reads",)

    @admin.display(description=gettext_lazy("in words"))
    def reads(self, row: Price) -> str:
        """Return the price as the shop shows it; empty for a row that is not stored yet."""
        if row._state.adding:
            return EMPTY
        parts = [_("%(amount)s %(cycle)s") % _words(row)]
        if row.setup:
            parts.append(_("set-up %(amount)s") % {"amount": amount(row.setup)})
        if row.credit:
            parts.append(_("credit %(amount)s") % {"amount": amount(row.credit)})
        return lines(parts)


def _from(prices: list[Price]) -> str:
    lowest = _("%(amount)s %(cycle)s") % _words(prices[0])
    return f"{lowest} + {len(prices) - 1}" if len(prices) > 1 else lowest


def _words(price: Price) -> dict[str, Any]:
    return {"amount": amount(price.amount), "cycle": price.get_cycle_display()}


@admin.register(Package)
class PackagePage(Page):
    form = PackageForm
    inlines = (PriceInline,)
    list_display = ("name_en", "kind", "on_sale", "prices", "channels", "can", "tariff")
    list_filter = ("kind", "group", "visible", "archived", "recommended")
    search_fields = ("slug", "name_en", "name_de")
    prepopulated_fields = {"slug": ("name_en",)}
    list_select_related = ("group", "tariff")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("kind", "group"),
                    ("name_en", "name_de"),
                    "slug",
                    ("promise_en", "promise_de"),
                )
            },
        ),
        (
            gettext_lazy("What the account may do"),
            {"fields": (("tariff", "role"), "channels", "services")},
        ),
        (
            gettext_lazy("Included"),
            {
                "fields": (
                    ("voice_minutes", "fax_pages"),
                    ("sms_messages", "email_messages"),
                    ("allowance", "trial_days"),
                    "max_quantity",
                )
            },
        ),
        (
            gettext_lazy("In the shop"),
            {"fields": (("visible", "recommended", "archived"), "position", "exchange_targets")},
        ),
        (
            gettext_lazy("Description"),
            {"classes": ("collapse",), "fields": ("description_en", "description_de")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("prices")

    def view_on_site(self, obj: Package) -> str:
        return reverse("storefront:package", args=[obj.slug])

    @admin.display(description=gettext_lazy("state"))
    def on_sale(self, row: Package) -> str:
        if row.archived:
            return badge("", _("archived"))
        if not row.visible:
            return badge("warn", _("hidden"))
        return badge("ok", _("on sale")) if row.prices.all() else badge("bad", _("no price"))

    @admin.display(description=gettext_lazy("prices"))
    def prices(self, row: Package) -> str:
        """Return the lowest price of each currency, and how many more there are."""
        firsts: dict[str, list[Price]] = {}
        for price in row.prices.all():
            firsts.setdefault(price.currency, []).append(price)
        return lines([_from(prices) for prices in firsts.values()])

    @admin.display(description=gettext_lazy("services"))
    def can(self, row: Package) -> str:
        return ", ".join(str(Service(each).label) for each in row.services) or EMPTY


@admin.register(PackageGroup)
class PackageGroupPage(Page):
    list_display = ("name_en", "name_de", "position", "packages")
    prepopulated_fields = {"slug": ("name_en",)}
    fields = (("name_en", "name_de"), "slug", "intro_en", "intro_de", "position")

    @admin.display(description=gettext_lazy("packages"))
    def packages(self, row: PackageGroup) -> str:
        return counted(row.packages.all(), group__id__exact=row.pk)


class RateForm(RateModelForm):
    class Meta:
        model = Rate
        fields = ("service", "destination", "currency", "price_micro")

    def clean_currency(self) -> str:
        return _currency(self.cleaned_data["currency"])


class RateInline(TabularInline):
    model = Rate
    form = RateForm
    extra = 0
    fields = ("service", "destination", "currency", "price_micro", "reads")
    readonly_fields = ("reads",)

    @admin.display(description=gettext_lazy("per unit"))
    def reads(self, row: Rate) -> str:
        if row._state.adding:
            return EMPTY
        whole, part = divmod(row.price_micro, 1_000_000)
        return f"{whole}.{part:06d}".rstrip("0").rstrip(".") + f" {row.currency}"


@admin.register(Tariff)
class TariffPage(Page):
    inlines = (RateInline,)
    list_display = ("name", "remote_id", "rates", "sold_with")
    search_fields = ("name", "remote_id")

    @admin.display(description=gettext_lazy("rates"))
    def rates(self, row: Tariff) -> int:
        return row.rates.count()

    @admin.display(description=gettext_lazy("packages"))
    def sold_with(self, row: Tariff) -> str:
        return counted(row.package_set.all(), tariff__id__exact=row.pk)


def _currency(code: str) -> str:
    code = code.upper()
    if len(code) != 3 or not code.isalpha():
        raise forms.ValidationError(_("Enter three letters, e.g. EUR."))
    return code
