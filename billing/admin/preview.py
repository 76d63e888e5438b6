"""The sheet "What is coming": days of the calendar beforehand; nothing of it is kept."""

from datetime import timedelta
from typing import Any

from django import forms
from django.db import OperationalError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from billing import days, tonight
from billing.models import current_brand
from packages import clock
from packages.desk.sheets import Sheet, register
from packages.periods import business_day

MOST_DAYS = 31


class PreviewForm(forms.Form):
    days = forms.IntegerField(label=_("Days"), min_value=1, max_value=MOST_DAYS, initial=1)


@register
class Preview(Sheet):
    """The sums at once; in full only when asked, since it holds rows while it works."""

    code = "preview"
    label = _("What is coming")
    right = "billing.view_run"
    template = "admin/preview.html"

    def told(self, request: HttpRequest) -> dict[str, Any]:
        on = business_day(clock.now(), current_brand().zone) + timedelta(days=1)
        form = PreviewForm(request.GET if "days" in request.GET else None)
        told = {"form": form, "tonight": tonight.of(on), "tonight_on": on, "asked": form.is_bound}
        if not form.is_valid():
            return told
        try:
            foreseen = days.preview(on, days=form.cleaned_data["days"])
        except OperationalError:
            return {**told, "busy": True}
        return {**told, "days": foreseen, "usual": days.usual()[days.SERVICES]}
