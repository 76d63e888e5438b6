"""The sheet "What is coming": days of the calendar beforehand; nothing of it is kept."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.db import OperationalError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import days, tonight
from billing.models import current_brand
from packages import clock
from packages.desk.cells import amount
from packages.desk.sheets import Sheet, register
from packages.money import Money
from packages.periods import business_day

MOST_DAYS = 31


class PreviewForm(forms.Form):
    days = forms.IntegerField(
        label=gettext_lazy("Days"), min_value=1, max_value=MOST_DAYS, initial=1
    )


@register
class Preview(Sheet):
    """The sums at once; in full only when asked, since it holds rows while it works."""

    code = "preview"
    label = gettext_lazy("What is coming")
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
        usual = days.usual()
        return {**told, "days": [(each, list(_stops(each, usual))) for each in foreseen]}


def _stops(day: days.Day, usual: Mapping[str, int]) -> Iterator[str]:
    """Yield for each kind of which a run would do far more than usual what it would ask staff."""
    for kind, count in day.weight.items():
        most = usual.get(kind, count)
        if count <= most:
            continue
        if kind == days.SERVICES:
            text = _(
                "The run would stop and ask you: %(count)s services would be suspended or ended, "
                "%(usual)s at most are usual."
            )
            yield text % {"count": count, "usual": most}
        else:
            text = _("The run would stop and ask you: %(seen)s, %(most)s at most are usual.")
            yield text % {"seen": _charged(kind, count), "most": _charged(kind, most)}


def _charged(kind: str, count: int) -> str:
    """Return a number or a sum of charges in words; a sum's kind has its currency behind it."""
    _name, _space, currency = kind.partition(" ")
    if currency:
        return _("%(amount)s charged") % {"amount": amount(Money(count, currency))}
    return _("charges: %(count)s") % {"count": count}
