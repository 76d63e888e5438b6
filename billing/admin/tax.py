"""Tax rates, dated. Issued invoices keep the rate they were issued with."""

from typing import TYPE_CHECKING

from django import forms
from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import TaxRate
from packages.desk.cells import percent
from packages.desk.pages import Page

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[TaxRate]
else:
    ModelForm = forms.ModelForm

WHOLE_BP = 10_000


class TaxRateForm(ModelForm):
    class Meta:
        model = TaxRate
        fields = ("country", "rate_bp", "valid_from")
        help_texts = {
            "country": gettext_lazy("Two letters, e.g. DE."),
            "rate_bp": gettext_lazy("19 % is 1900."),
            "valid_from": gettext_lazy("It holds until the next row of the country begins."),
        }

    def clean_country(self) -> str:
        country: str = self.cleaned_data["country"].upper()
        if len(country) != 2 or not country.isalpha():
            raise forms.ValidationError(_("Enter two letters, e.g. DE."))
        return country

    def clean_rate_bp(self) -> int:
        rate: int = self.cleaned_data["rate_bp"]
        if rate >= WHOLE_BP:
            raise forms.ValidationError(_("Enter hundredths of a percent: 19 % is 1900."))
        return rate


@admin.register(TaxRate)
class TaxRatePage(Page):
    form = TaxRateForm
    list_display = ("country", "rate", "valid_from")
    list_filter = ("country",)

    @admin.display(description=gettext_lazy("rate"), ordering="rate_bp")
    def rate(self, row: TaxRate) -> str:
        return percent(row.rate_bp)
