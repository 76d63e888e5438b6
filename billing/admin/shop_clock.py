"""The demo's date: let days pass, and read what happened on each. Not there outside of a demo."""

from collections.abc import Iterator
from datetime import date
from itertools import groupby
from typing import Any

from django import forms
from django.apps import apps
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Max, Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import days, demo_days
from billing.models import current_brand
from packages import clock
from packages.desk import actors, reasons
from packages.desk.cells import ICONS, TONES, badge, link
from packages.desk.pages import ModelAdmin
from packages.models import ShopClock
from packages.periods import business_day
from packages.states import StateChange, Stateful

MOST_DAYS = 31
MOST_SHOWN = 1000


class DaysForm(forms.Form):
    """How many days are to pass."""

    days = forms.IntegerField(
        label=gettext_lazy("Days"), min_value=1, max_value=MOST_DAYS, initial=1
    )


@admin.register(ShopClock)
class ShopClockPage(ModelAdmin):
    """One page instead of a list: there is one date, and it only moves forward."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._allowed(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._allowed(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the date and what happened since; on POST let the days pass first."""
        if not self._allowed(request):
            raise PermissionDenied
        form = DaysForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            since = StateChange.objects.aggregate(last=Max("pk"))["last"] or 0
            self._live(request, form.cleaned_data["days"])
            return HttpResponseRedirect(f"{request.path}?{urlencode({'since': since})}")
        told = {
            **self.admin_site.each_context(request),
            "title": _("The shop's date"),
            "opts": self.opts,
            "form": form,
            "today": business_day(clock.now(), current_brand().zone),
            "ahead": clock.days_ahead(),
            "lived": list(_lived(request.GET.get("since", ""))),
        }
        return TemplateResponse(request, "admin/shop_clock.html", told)

    def _live(self, request: HttpRequest, count: int) -> None:
        try:
            demo_days.live(count)
        except days.TooMany as error:
            messages.warning(request, str(error))

    def _allowed(self, request: HttpRequest) -> bool:
        return bool(settings.DEMO and request.user.is_active and request.user.is_superuser)


def _lived(since: str) -> Iterator[tuple[date, list[dict[str, Any]]]]:
    """Yield each day since that step in the history, with what happened on it."""
    if not since.isdecimal():
        return
    rows = StateChange.objects.filter(pk__gt=int(since)).order_by("pk")[:MOST_SHOWN]
    zone = current_brand().zone
    subjects = _subjects(list(rows))
    names = actors.told(row.actor for row in rows)
    for day, steps in groupby(rows, lambda row: business_day(row.at, zone)):
        yield day, [_told(step, subjects, names) for step in steps]


def _subjects(rows: list[StateChange]) -> dict[tuple[str, int], Stateful]:
    """Return what the steps are about; one query for each kind."""
    found: dict[tuple[str, int], Stateful] = {}
    for model in apps.get_models():
        if issubclass(model, Stateful):
            name = str(model._meta.model_name)
            wanted = {row.subject_id for row in rows if row.subject == name}
            found |= {
                (name, pk): each
                for pk, each in model._default_manager.in_bulk(list(wanted)).items()
            }
    return found


def _told(
    step: StateChange, subjects: dict[tuple[str, int], Stateful], names: dict[str, SafeString | str]
) -> dict[str, Any]:
    subject = subjects.get((step.subject, step.subject_id))
    return {
        "at": step.at,
        "kind": subject._meta.verbose_name if subject else step.subject,
        "subject": link(subject) if subject else step.subject_id,
        "state": _state(step, subject),
        "actor": names[step.actor],
        "reason": reasons.told(step.reason),
    }


def _state(step: StateChange, subject: Stateful | None) -> SafeString:
    words: dict[str, str | Promise] = {}
    if subject is not None:
        words = dict(subject._meta.get_field("state").flatchoices)
    tone = TONES.get(step.after, "")
    assert tone in ("", *ICONS), "A tone has its icon."
    return badge(tone, words.get(step.after, step.after))
