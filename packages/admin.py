"""The catalogue's pages: groups, tariffs with their public rates. The packages' own page shows what
customers see, so it is the shop's (storefront/admin/packages.py).
"""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.formats import localize
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from packages.desk import second as second
from packages.desk.cells import counted
from packages.desk.pages import Page, TabularInline
from packages.desk.sums import Scaled
from packages.models import PackageGroup, Rate, Tariff

if TYPE_CHECKING:
    RateModelForm = forms.ModelForm[Rate]
else:
    RateModelForm = forms.ModelForm


@admin.register(PackageGroup)
class PackageGroupPage(Page):
    list_display = ("name_en", "name_de", "position", "packages")
    prepopulated_fields = {"slug": ("name_en",)}
    fields = (("name_en", "name_de"), "slug", "intro_en", "intro_de", "position")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A group that packages stand in stays."""
        empty = obj is None or not obj.packages.exists()
        return empty and super().has_delete_permission(request, obj)

    @admin.display(description=gettext_lazy("packages"))
    def packages(self, row: PackageGroup) -> str:
        return counted(row.packages.all(), group__id__exact=row.pk)


class RateForm(RateModelForm):
    price_micro = Scaled(parts=1_000_000, label=gettext_lazy("Price per unit"))

    class Meta:
        model = Rate
        fields = ("service", "destination", "destination_de", "currency", "price_micro")

    def clean_currency(self) -> str:
        return _currency(self.cleaned_data["currency"])


class RateInline(TabularInline):
    model = Rate
    form = RateForm
    extra = 0
    readonly_fields = ("price",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show whoever may not change it the price as they would have typed it."""
        last = "price_micro" if self.has_change_permission(request, obj) else "price"
        return ("service", "destination", "destination_de", "currency", last)

    @admin.display(description=gettext_lazy("price per unit"))
    def price(self, row: Rate) -> str:
        return str(localize(Decimal(row.price_micro).scaleb(-6).normalize()))


@admin.register(Tariff)
class TariffPage(Page):
    inlines = (RateInline,)
    list_display = ("name", "remote_id", "rates", "sold_with")
    search_fields = ("name", "remote_id")

    @admin.display(description=gettext_lazy("number of rates"))
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
