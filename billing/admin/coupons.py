"""Coupons: their terms, how often they were used, and by whom."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import coupons
from billing.models import Coupon, CouponAmount, Redemption
from packages.desk.cells import EMPTY, amount, amount_of, badge, lines, link, listed, percent
from packages.desk.pages import Page, ReadOnlyPage, TabularInline
from packages.desk.sums import SumsForm, money
from packages.desk.sums import percent as percent_of
from packages.models import Cycle
from packages.money import Money, total

if TYPE_CHECKING:
    CouponModelForm = forms.ModelForm[Coupon]
    AmountModelForm = forms.ModelForm[CouponAmount]
    AmountFormSet = forms.BaseInlineFormSet[CouponAmount, Coupon, AmountModelForm]
else:
    CouponModelForm = AmountModelForm = forms.ModelForm
    AmountFormSet = forms.BaseInlineFormSet


class CouponForm(CouponModelForm):
    percent_bp = percent_of(
        gettext_lazy("Discount in percent"),
        required=False,
        help_text=gettext_lazy("Empty for a fixed amount, which is given below per currency."),
    )
    billing_cycles = forms.MultipleChoiceField(
        label=gettext_lazy("Billing cycles"),
        choices=Cycle.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None means all."),
    )

    class Meta:
        model = Coupon
        fields = "__all__"
        # Needs no script, and shows all at once what there is to choose from.
        widgets = {"packages": forms.CheckboxSelectMultiple}

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        if Coupon.objects.filter(code__iexact=code).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("There is a coupon with this code already."))
        return code

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        first, last = given.get("valid_from"), given.get("valid_until")
        if first and last and last < first:
            self.add_error("valid_until", _("The last day is before the first one."))
        if self.instance.pk:
            self._demand("max_orders", coupons.uses(self.instance))
            self._demand("max_orders_each", coupons.uses_of_one(self.instance))
        return given

    def _demand(self, name: str, used: int) -> None:
        """A limit is never below what was used already."""
        most = self.cleaned_data.get(name)
        if most is not None and most < used:
            self.add_error(name, _("It was used %(used)s times already.") % {"used": used})


class AmountForm(SumsForm):
    amount_minor = money(
        gettext_lazy("discount"), help_text=gettext_lazy("0 where a percentage is given above.")
    )
    minimum_minor = money(gettext_lazy("smallest order"), initial=0)
    sums = ("amount_minor", "minimum_minor")

    class Meta:
        model = CouponAmount
        fields = ("currency", "amount_minor", "minimum_minor")

    def clean_currency(self) -> str:
        code = str(self.cleaned_data["currency"]).upper()
        if len(code) != 3 or not code.isalpha():
            raise forms.ValidationError(_("Enter three letters, e.g. EUR."))
        return code


class Amounts(AmountFormSet):
    """A coupon is a percentage or an amount, never both or neither."""

    def clean(self) -> None:
        super().clean()
        given = [form.cleaned_data for form in self.forms if getattr(form, "cleaned_data", None)]
        fixed = [
            each for each in given if not each.get("DELETE") and each.get("amount_minor", 0) > 0
        ]
        if self.instance.percent_bp is None and not fixed:
            raise forms.ValidationError(_("Enter a percentage above, or an amount here."))
        if self.instance.percent_bp is not None and fixed:
            raise forms.ValidationError(_("A percentage is given above: set the amounts to 0."))


class AmountInline(TabularInline):
    model = CouponAmount
    form = AmountForm
    formset = Amounts
    extra = 0
    fields = ("currency", "amount_minor", "minimum_minor", "reads")
    readonly_fields = ("reads",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show whoever may not change them the amounts in words alone."""
        return self.fields if self.has_change_permission(request, obj) else ("currency", "reads")

    @admin.display(description=gettext_lazy("in words"))
    def reads(self, row: CouponAmount) -> str:
        if row._state.adding:
            return EMPTY
        words = {
            "off": amount_of(row.amount_minor, row.currency),
            "least": amount_of(row.minimum_minor, row.currency),
        }
        return _("%(off)s off, from %(least)s on") % words


@admin.register(Coupon)
class CouponPage(Page):
    form = CouponForm
    inlines = (AmountInline,)
    list_display = ("code", "status", "takes_off", "how_long", "valid_until", "used")
    list_filter = ("active",)
    search_fields = ("code",)
    readonly_fields = ("used", "given")
    fieldsets = (
        (None, {"fields": ("code", "active", "percent_bp", "cycles")}),
        (
            gettext_lazy("Limits"),
            {
                "fields": (
                    ("valid_from", "valid_until"),
                    ("max_orders", "max_orders_each"),
                    "new_customers",
                    "packages",
                    "billing_cycles",
                    ("covers_setup", "covers_top_ups"),
                )
            },
        ),
        (gettext_lazy("Usage"), {"fields": ("used", "given")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Coupon | None = None) -> Any:
        """Leave out how often it was used while there is none."""
        found = super().get_fieldsets(request, obj)
        return found[:-1] if obj is None else found

    def has_delete_permission(self, request: HttpRequest, obj: Coupon | None = None) -> bool:
        """A code that was used stays in the books; it is switched off instead."""
        used = obj is not None and obj.redemptions.exists()
        return not used and super().has_delete_permission(request, obj)

    @admin.display(description=gettext_lazy("state"))
    def status(self, row: Coupon) -> str:
        return badge("ok", _("active")) if row.active else badge("", _("off"))

    @admin.display(description=gettext_lazy("takes off"))
    def takes_off(self, row: Coupon) -> str:
        if row.percent_bp is not None:
            return percent(row.percent_bp)
        amounts = [amount_of(each.amount_minor, each.currency) for each in row.amounts.all()]
        return lines(amounts)

    @admin.display(description=gettext_lazy("number of invoices"))
    def how_long(self, row: Coupon) -> str:
        return _("every invoice") if row.cycles is None else str(row.cycles)

    @admin.display(description=gettext_lazy("orders"))
    def used(self, row: Coupon) -> str:
        """Return how many orders use it, of how many, with a link to its redemptions."""
        if row._state.adding:
            return EMPTY
        used, most = coupons.uses(row), row.max_orders
        told = _("%(used)s of %(most)s") % {"used": used, "most": most} if most else str(used)
        return listed(Redemption, told, coupon__id__exact=row.pk)

    @admin.display(description=gettext_lazy("discounts given"))
    def given(self, row: Coupon) -> str:
        """Return the sum of all discounts by currency, as priced on the invoices."""
        if row._state.adding:
            return EMPTY
        sums: dict[str, list[Money]] = {}
        for redemption in row.redemptions.prefetch_related("discounts"):
            amounts = [
                Money(-each.unit_minor, redemption.currency)
                for each in redemption.discounts.all()
                if each.corrects_id is None
            ]
            sums.setdefault(redemption.currency, []).extend(amounts)
        return lines([amount(total(each, currency)) for currency, each in sums.items()])


@admin.register(Redemption)
class RedemptionPage(ReadOnlyPage):
    list_display = ("coupon", "customer_link", "order_link", "discounts", "created_at") + (
        "released_at",
    )
    list_filter = (("coupon", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("coupon", "customer", "order_line__order")
    fields = ("coupon", "customer_link", "order_link", "service", "terms", "discounts") + (
        "created_at",
        "released_at",
    )
    readonly_fields = ("customer_link", "order_link", "service", "terms", "discounts")

    @admin.display(description=gettext_lazy("customer"))
    def customer_link(self, row: Redemption) -> str:
        return link(row.customer)

    @admin.display(description=gettext_lazy("order"))
    def order_link(self, row: Redemption) -> str:
        return link(row.order_line.order)

    @admin.display(description=gettext_lazy("subscription"))
    def service(self, row: Redemption) -> str:
        return link(row.subscription)

    @admin.display(description=gettext_lazy("takes off"))
    def terms(self, row: Redemption) -> str:
        if row.percent_bp is not None:
            return percent(row.percent_bp)
        return amount_of(row.amount_minor, row.currency)

    @admin.display(description=gettext_lazy("invoices"))
    def discounts(self, row: Redemption) -> int:
        return row.discounts.filter(corrects__isnull=True).count()
