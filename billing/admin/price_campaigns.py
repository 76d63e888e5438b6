"""Price campaigns: prices chosen by group or package, previewed together, confirmed, withdrawn."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing import price_campaigns, price_changes
from billing.admin import price_changes as single
from billing.models import CampaignPrice, PriceCampaign, PriceChange, current_brand
from billing.price_changes import Concerned
from packages import clock
from packages.desk import Impossible
from packages.desk.cells import EMPTY, amount, counted, lines, link, row_url, state
from packages.desk.deeds import Text
from packages.desk.pages import ReadOnlyInline, TabularInline
from packages.models import Package, PackageGroup, Price
from packages.money import Money
from packages.periods import business_day

if TYPE_CHECKING:
    CampaignModelForm = forms.ModelForm[PriceCampaign]
    LineModelForm = forms.ModelForm[CampaignPrice]
else:
    CampaignModelForm = LineModelForm = forms.ModelForm

DRAFT = PriceCampaign.State.DRAFT
CONCERNED = "_concerned"


def _percent(label: Any, **more: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=False,
        min_value=Decimal(-100),
        max_digits=6,
        decimal_places=2,
        localize=True,
        widget=forms.TextInput(attrs={"size": 8, "inputmode": "decimal", "autocomplete": "off"}),
        **more,
    )


class CampaignForm(CampaignModelForm):
    """The campaign, and which prices to add to it; what it has is changed below, one by one."""

    groups = forms.ModelMultipleChoiceField(
        PackageGroup.objects,
        label=gettext_lazy("All prices of these groups"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    packages = forms.ModelMultipleChoiceField(
        Package.objects.filter(draft=False, archived=False),
        label=gettext_lazy("All prices of these packages"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    percent = _percent(
        gettext_lazy("By how many percent"),
        help_text=gettext_lazy("5 makes them dearer, -5 cheaper. Each can be changed afterwards."),
    )

    class Meta:
        model = PriceCampaign
        fields = ("name", "effective_on", "notice_days", "existing")

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        chosen = bool(given.get("groups") or given.get("packages"))
        if chosen != bool(given.get("percent")) and "percent" not in self.errors:
            self.add_error("percent", _("Choose what to add, and by how many percent it changes."))
        return given

    def chosen(self) -> QuerySet[Price]:
        """Return the prices on sale of all that was ticked."""
        given = self.cleaned_data
        ticked = Q(package__group__in=given["groups"]) | Q(package__in=given["packages"])
        found = Price.objects.filter(
            ticked, archived=False, package__draft=False, package__archived=False
        )
        return found.order_by("package_id", "currency", "amount_minor")


class LineForm(LineModelForm):
    """By how much one price changes: a percentage or an amount."""

    percent = _percent(gettext_lazy("percent"))
    step = forms.DecimalField(
        label=gettext_lazy("or amount"),
        required=False,
        max_digits=12,
        localize=True,
        widget=forms.TextInput(attrs={"size": 8, "inputmode": "decimal", "autocomplete": "off"}),
    )

    class Meta:
        model = CampaignPrice
        fields = ("price",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        if row.percent_bp is not None:
            self.initial["percent"] = Decimal(row.percent_bp) / 100
        if row.step_minor is not None:
            self.initial["step"] = Money(row.step_minor, row.price.currency).decimal()

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        price, percent, step = given.get("price"), given.get("percent"), given.get("step")
        if price is None or self.errors:
            return given
        if bool(percent) == bool(step):
            raise forms.ValidationError(_("Enter a percentage or an amount, not both."))
        try:
            minor = Money.of_decimal(step, price.currency).minor if step else None
        except ValueError as error:
            raise forms.ValidationError(
                _("This currency has fewer digits after the decimal point.")
            ) from error
        self.instance.percent_bp = int(percent * 100) if percent else None
        self.instance.step_minor = minor
        self.instance.price = price
        if self.instance.after.minor < 0:
            raise forms.ValidationError(_("The price would fall below zero."))
        return given


# The prices of a package stand together, each currency by itself.
BY_PACKAGE = ("price__package__position", "price__package", "price__currency") + (
    "price__amount_minor",
)


class Lines(TabularInline):
    model = CampaignPrice
    verbose_name = gettext_lazy("price")
    verbose_name_plural = gettext_lazy("prices")
    form = LineForm
    extra = 1
    fields = ("price", "percent", "step", "reads")
    readonly_fields = ("reads",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("price__package")
        return rows.order_by(*BY_PACKAGE)

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "price":
            kwargs["queryset"] = Price.objects.filter(
                archived=False, package__draft=False
            ).select_related("package")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description=gettext_lazy("now → then"))
    def reads(self, row: CampaignPrice) -> str:
        if row._state.adding:
            return EMPTY
        return f"{amount(row.price.amount)} → {amount(row.after)}"


class Changes(ReadOnlyInline):
    """What a confirmed campaign made."""

    model = PriceChange
    verbose_name_plural = gettext_lazy("price changes")
    fields = readonly_fields = ("change", "becomes", "status", "told")
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("price__package")
        return rows.order_by(*BY_PACKAGE)

    @admin.display(description=gettext_lazy("price"))
    def change(self, row: PriceChange) -> str:
        return link(row, row.price)

    @admin.display(description=gettext_lazy("new price"))
    def becomes(self, row: PriceChange) -> str:
        return amount(Money(row.amount_minor, row.price.currency))

    @admin.display(description=gettext_lazy("state"))
    def status(self, row: PriceChange) -> str:
        return state(row)

    @admin.display(description=gettext_lazy("told"))
    def told(self, row: PriceChange) -> int:
        return row.notices.count()


class Confirm(single.Confirm):
    """Make all its changes, having seen whom they concern and what they come to."""

    def offered(self, row: Any) -> bool:
        return bool(row.state == DRAFT and row.prices.exists())

    def concerns(self, row: Any) -> bool:
        return any(some for _change, some in _each_with(row))

    def facts(self, row: Any) -> Sequence[tuple[Text, Any]]:
        each_with = _each_with(row)
        found = [one for _change, some in each_with for one in some]
        sums = price_campaigns.monthly(found)
        return [
            (_("Applies from"), date_format(row.effective_on)),
            (_("Customers"), len({one.subscription.customer_id for one in found})),
            (_("Services"), len(found)),
            (_("They pay now, a month"), lines([amount(each.before) for each in sums])),
            (_("They will pay, a month"), lines([amount(each.after) for each in sums])),
            (_("Difference, a month"), lines([amount(each.difference) for each in sums])),
            (_("Prices"), lines([_of_price(change, len(some)) for change, some in each_with])),
            *single.services_in(found),
        ]

    def carry_out(self, row: Any, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        on = business_day(at, current_brand().zone)
        try:
            price_campaigns.confirm(row, on=on, at=at, actor=actor)
        except price_changes.NotPossible as error:
            raise Impossible(
                _("Its day has passed, it is no draft any more, or a price would fall below zero.")
            ) from error
        return _("The campaign is confirmed; each price has its change.")


def _each_with(row: PriceCampaign) -> list[tuple[PriceChange, list[Concerned]]]:
    """Return each change of the campaign with whom it concerns today; asked once for a page."""
    known = row.__dict__.get(CONCERNED)
    if known is None:
        brand = current_brand()
        on = business_day(clock.now(), brand.zone)
        known = price_campaigns.concerned(price_campaigns.changes_of(row), brand, on=on)
        row.__dict__[CONCERNED] = known
    return list(known)


class Withdraw(single.Withdraw):
    """Take all its changes back before their day."""

    def offered(self, row: Any) -> bool:
        applied = row.changes.filter(applied_at__isnull=False)
        return row.state != PriceCampaign.State.WITHDRAWN and not applied.exists()

    def facts(self, row: Any) -> Sequence[tuple[Text, Any]]:
        # A draft has made no changes yet.
        changes = row.prices.count() if row.state == DRAFT else row.changes.count()
        return [
            (_("Applies from"), date_format(row.effective_on)),
            (_("Price changes"), changes),
            (_("Told already"), self.told(row)),
        ]

    def told(self, row: Any) -> int:
        return sum(each.notices.count() for each in row.changes.all())

    def carry_out(self, row: Any, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        try:
            price_campaigns.withdraw(row, at=at, actor=actor)
        except price_changes.NotPossible as error:
            raise Impossible(_("The catalogue has the new price already.")) from error
        return _("The campaign is withdrawn, with its price changes.")


def _of_price(change: PriceChange, services: int) -> str:
    words = {
        "price": change.price,
        "before": amount(change.price.amount),
        "after": amount(Money(change.amount_minor, change.price.currency)),
        "services": ngettext("%(count)s service", "%(count)s services", services)
        % {"count": services},
    }
    if not services:
        return _("%(price)s: %(before)s → %(after)s") % words
    return _("%(price)s: %(before)s → %(after)s, %(services)s") % words


@admin.register(PriceCampaign)
class PriceCampaignPage(single.DraftPage):
    deeds = (Confirm(), Withdraw())
    form = CampaignForm
    list_display = ("name", "status", "effective_on", "existing", "made")
    list_filter = ("state",)
    search_fields = ("name",)
    KEPT: ClassVar[tuple[Any, ...]] = ("name", ("effective_on", "notice_days"), "existing")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        kept = (None, {"fields": self.KEPT})
        if not self._open(request, obj):
            return [kept]
        add = {"fields": ("groups", "packages", "percent")}
        return [kept, (_("Add prices"), add)]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if not self._open(request, obj):
            kwargs["form"] = CampaignModelForm
        return super().get_form(request, obj, change, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        if obj is None:
            return []
        return [Lines] if obj.state == DRAFT else [Changes]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What customers were told is not edited any more."""
        draft = obj is None or obj.state == DRAFT
        return draft and super().has_change_permission(request, obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        percent = form.cleaned_data["percent"]
        if percent:
            price_campaigns.add(form.instance, form.chosen(), percent_bp=int(percent * 100))

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Go on with its prices."""
        return HttpResponseRedirect(row_url(obj))

    def _open(self, request: HttpRequest, obj: Any) -> bool:
        if obj is None:
            return self.has_add_permission(request)
        return self.has_change_permission(request, obj)

    @admin.display(description=gettext_lazy("prices"))
    def made(self, row: PriceCampaign) -> str:
        if row.state == DRAFT:
            return str(row.prices.count())
        return counted(row.changes.all(), campaign__id__exact=row.pk)
