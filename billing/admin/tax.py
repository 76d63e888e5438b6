"""Tax rates, dated. Issued invoices keep the rate they were issued with."""

from decimal import Decimal
from typing import TYPE_CHECKING

from django import forms
from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import TaxRate
from packages import countries
from packages.desk.cells import percent
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


@admin.register(TaxRate)
class TaxRatePage(Page):
    form = TaxRateForm
    list_display = ("land", "rate", "valid_from")
    list_filter = (("country", CodeFilter),)

    @admin.display(description=gettext_lazy("country"), ordering="country")
    def land(self, row: TaxRate) -> str:
        return countries.name(row.country)

    @admin.display(description=gettext_lazy("rate"), ordering="rate_bp")
    def rate(self, row: TaxRate) -> str:
        return percent(row.rate_bp)
