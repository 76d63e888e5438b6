"""The sheet "Automation": what ran, when, how many, and what failed."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing import automation
from billing.models import current_brand
from packages import clock
from packages.desk.sheets import Sheet, register
from packages.periods import business_day

CHOICES = (7, 14, 31, 92)


@register
class Automation(Sheet):
    code = "automation"
    label = _("Automation")
    right = "billing.view_run"
    template = "admin/automation.html"

    def told(self, request: HttpRequest) -> dict[str, Any]:
        zone = current_brand().zone
        on = business_day(clock.now(), zone)
        # Whether processes live is the machine's time, not the shop's.
        now = timezone.now()
        wanted = request.GET.get("days", "")
        count = int(wanted) if wanted in map(str, CHOICES) else CHOICES[1]
        return {
            "table": automation.days(on, count, zone=zone),
            "faults": automation.faults(on, count),
            "processes": automation.processes(now=now),
            "now": now,
            "choices": CHOICES,
            "count": count,
        }
