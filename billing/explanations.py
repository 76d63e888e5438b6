"""Why a service is suspended or not yet, in words: which rule, what waits, what comes when."""

from collections.abc import Sequence
from datetime import date, datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing import verdicts
from billing.models import Invoice, Notice
from billing.verdicts import Verdict, Wait
from packages.desk.cells import amount


def of(invoices: Sequence[Invoice], *, on: date, at: datetime) -> dict[int, list[str]]:
    """Return for each open invoice what comes next and why not yet, a sentence each; reads only."""
    open_ones = [each for each in invoices if each.state == Invoice.State.OPEN]
    return {each.case.invoice.pk: _sentences(each) for each in verdicts.of(open_ones, on=on, at=at)}


def _sentences(verdict: Verdict) -> list[str]:
    if verdict.step is None:
        return [_("Nothing more happens by itself.")] if verdict.case.living else []
    words = {"step": verdict.step.code.label, "number": str(verdict.case.invoice)}
    if verdict.on is None:
        first = _("Next for invoice %(number)s: %(step)s, when the pause is over.") % words
    else:
        words["day"] = date_format(verdict.on)
        text = _("Next for invoice %(number)s: %(step)s, on %(day)s at the earliest.")
        first = text % words
    return [first, *(_wait(verdict, each) for each in verdict.waits), _rule(verdict)]


def _rule(verdict: Verdict) -> str:
    assert verdict.step is not None
    due_on = verdict.case.invoice.due_on
    words = {
        "name": verdict.case.timetable.name,
        "days": abs(verdict.step.days),
        "due": date_format(due_on) if due_on else "",
    }
    if verdict.step.code == Notice.Step.REMINDER:
        return _("Timetable “%(name)s”: %(days)s days before %(due)s, the due date.") % words
    return _("Timetable “%(name)s”: %(days)s days after %(due)s, the due date.") % words


def _wait(verdict: Verdict, wait: str) -> str:
    case, until = verdict.case, verdict.paused_until
    if wait == Wait.PAUSED:
        return _("Waits: paused until %(day)s.") % {"day": date_format(until) if until else ""}
    if wait == Wait.ARREARS and case.arrears is not None and case.floor is not None:
        words = {"arrears": amount(case.arrears), "floor": amount(case.floor)}
        return _("Waits: arrears %(arrears)s below %(floor)s (§ 61 TKG).") % words
    return {
        Wait.DISPUTED: _("Waits: a payment is disputed."),
        Wait.CONFIRMING: _("Waits: a payment is being confirmed."),
        Wait.UNDELIVERED: _("Waits: the mail with the invoice has not been delivered for 3 days."),
        Wait.UNANNOUNCED: _("Waits: the mail that announces it has not been delivered."),
        Wait.CANCELLED: _("Waits: the service was cancelled before this period."),
    }.get(wait, wait)
