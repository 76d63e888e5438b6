"""Tax rates, dated. Issued invoices keep the rate they were issued with."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import (
    Case,
    DateField,
    IntegerField,
    OuterRef,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.admin.dunning import today
from billing.models import TaxRate
from packages import countries
from packages.desk.cells import badge, capital, percent
from packages.desk.filters import CodeFilter
from packages.desk.pages import Page
from packages.desk.sums import percent as percent_of

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[TaxRate]
else:
    ModelForm = forms.ModelForm


class TaxRateForm(ModelForm):
    rate_bp = percent_of(gettext_lazy("Rate in percent"), max_value=Decimal("99.99"))

    class Meta:
        model = TaxRate
        fields = ("country", "rate_bp", "valid_from")
        help_texts = {
            "country": gettext_lazy("Two letters, e.g. DE."),
            "valid_from": gettext_lazy("It holds until the next row of the country begins."),
        }

    def clean_country(self) -> str:
        country: str = self.cleaned_data["country"].upper()
        if len(country) != 2 or not country.isalpha():
            raise forms.ValidationError(_("Enter two letters, e.g. DE."))
        return country


class ByName(ChangeList):
    def _get_default_ordering(self) -> tuple[str, ...]:
        return ("place", "-valid_from")


@admin.register(TaxRate)
class TaxRatePage(Page):
    form = TaxRateForm
    list_display = ("land", "rate", "valid_from", "holds")
    list_filter = (("country", CodeFilter),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaxRate]:
        """Put the countries in the order of their names, and say when the next rate begins."""
        rows = super().get_queryset(request)
        codes = rows.order_by().values_list("country", flat=True).distinct()
        named = sorted(codes, key=lambda code: countries.sort_key(countries.name(code)))
        whens = [When(country=code, then=Value(nth)) for nth, code in enumerate(named)]
        later = TaxRate.objects.filter(
            country=OuterRef("country"), valid_from__gt=OuterRef("valid_from")
        )
        placed: QuerySet[TaxRate] = rows.annotate(
            on=Value(today(), output_field=DateField()),
            place=Case(*whens, default=Value(0), output_field=IntegerField()),
            ends_on=Subquery(later.order_by("valid_from").values("valid_from")[:1]),
        )
        return placed

    def get_changelist(self, request: HttpRequest, **given: Any) -> type[ByName]:
        return ByName

    @admin.display(description=gettext_lazy("state"))
    def holds(self, row: Any) -> str:
        if row.valid_from > row.on:
            return capital(_("from %(date)s on") % {"date": date_format(row.valid_from)})
        if row.ends_on is not None and row.ends_on <= row.on:
            return capital(_("replaced on %(date)s") % {"date": date_format(row.ends_on)})
        return badge("ok", _("holds now"))

    @admin.display(description=gettext_lazy("country"), ordering="place")
    def land(self, row: TaxRate) -> str:
        return countries.name(row.country)

    @admin.display(description=gettext_lazy("rate"), ordering="rate_bp")
    def rate(self, row: TaxRate) -> str:
        return percent(row.rate_bp)
