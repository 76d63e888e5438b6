"""What was read back of an attempt that nobody is sure of, as staff read it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from packages.desk import actors
from packages.desk.cells import lines, moment
from provisioning.models import Attempt

VERDICTS = {
    "applied": Attempt.Outcome.APPLIED.label,
    "absent": Attempt.Outcome.ABSENT.label,
    "undecided": _("does not tell"),
}


def told(readings: Sequence[dict[str, str]]) -> str:
    """Return a line for each reading; one query if people looked themselves."""
    names = actors.told(each["by"] for each in readings if "by" in each)
    texts: list[str] = [_line(each, names.get(each.get("by", ""), "")) for each in readings]
    return lines(texts)


def _line(reading: dict[str, str], by: Any) -> SafeString:
    """Return when it was read and what it showed, and who looked and how they know."""
    verdict = VERDICTS.get(reading.get("verdict", ""), "")
    parts = (moment(datetime.fromisoformat(reading["at"])), verdict, by, reading.get("proof", ""))
    return format_html_join(" · ", "{}", [(each,) for each in parts if each])
