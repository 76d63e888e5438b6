"""What was read back of an attempt that nobody is sure of, as staff read it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from packages.desk import actors
from packages.desk.cells import lines, moment
from provisioning.models import Attempt

VERDICTS = {
    "applied": Attempt.Outcome.APPLIED.label,
    "absent": Attempt.Outcome.ABSENT.label,
    "undecided": gettext_lazy("does not tell"),
}


def told(readings: Sequence[dict[str, str]]) -> str:
    """Return a line for readings that showed the same; one query if people looked themselves."""
    names = actors.told(each["by"] for each in readings if "by" in each)
    alike = groupby(readings, key=lambda each: {**each, "at": ""})
    return lines([_line(list(some), names) for _key, some in alike])


def _line(alike: Sequence[dict[str, str]], names: Mapping[str, Any]) -> SafeString:
    """Return when it was read and what it showed, and who looked and how they know."""
    reading, last = alike[0], alike[-1]
    when = moment(datetime.fromisoformat(reading["at"]))
    if last is not reading:
        told = {"count": len(alike), "last": moment(datetime.fromisoformat(last["at"]))}
        when = _("%(first)s to %(last)s, %(count)s times") % {"first": when, **told}
    verdict = VERDICTS.get(reading.get("verdict", ""), "")
    by = names.get(reading.get("by", ""), "")
    parts = (when, verdict, by, reading.get("proof", ""))
    return format_html_join(" · ", "{}", [(each,) for each in parts if each])
