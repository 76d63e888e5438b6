"""What an alert says: a title, and what to do. Filled with its facts, in the reader's language."""

from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from billing.models import Alert
from packages.desk import reasons

Kind = Alert.Kind
TITLES: dict[str, Promise] = {
    Kind.PARKED_JOBS: ngettext_lazy(
        "%(count)s job on %(server)s needs staff",
        "%(count)s jobs on %(server)s need staff",
        "count",
    ),
    Kind.OLD_JOB: _("A job has waited for %(minutes)s minutes: %(job)s"),
    Kind.BY_HAND: _("To be done by hand on %(server)s, and overdue: %(job)s"),
    Kind.SERVER: _("%(server)s does not answer (%(error)s)"),
    Kind.DRIFT: ngettext_lazy(
        "%(count)s account on %(server)s is not as it should be",
        "%(count)s accounts on %(server)s are not as they should be",
        "count",
    ),
    Kind.UNKNOWN: ngettext_lazy(
        "%(server)s has %(count)s account that nobody knows",
        "%(server)s has %(count)s accounts that nobody knows",
        "count",
    ),
    Kind.SURPLUS: _("%(account)s on %(server)s has credit that nobody here granted"),
    Kind.HEARTBEAT: _("No sign of life from %(process)s for %(minutes)s minutes"),
    Kind.EVENTS: ngettext_lazy(
        "%(count)s gateway event stands still",
        "%(count)s gateway events stand still",
        "count",
    ),
    Kind.REFUNDS: ngettext_lazy(
        "%(count)s refund needs staff",
        "%(count)s refunds need staff",
        "count",
    ),
    Kind.RUN: _("The calendar of %(day)s is stopped and waits for staff"),
    Kind.INVARIANT: _("%(code)s does not hold (%(count)s found): %(rule)s"),
    Kind.TEST: _("This is a test. Alerts arrive here."),
}
ADVICE: dict[str, Promise] = {
    Kind.PARKED_JOBS: _("Each has its evidence and its buttons. What is behind it waits."),
    Kind.OLD_JOB: _("See whether the workers run, and whether the dialler answers."),
    Kind.BY_HAND: _("Its page says what to enter; then confirm it. What is behind it waits."),
    Kind.SERVER: _("Jobs wait and nothing is lost. Check dialler, network and certificate."),
    Kind.DRIFT: _("Apply ours, accept theirs, or park it. Nothing is put right by itself."),
    Kind.UNKNOWN: _("Say what they are, or import them. Nothing touches them."),
    Kind.SURPLUS: _("Nothing is taken back by itself. Compare the payments at the dialler."),
    Kind.HEARTBEAT: _("See whether its process runs, and what its log says."),
    Kind.EVENTS: _("A payment may be waiting behind it. Fetch it again, or put it aside."),
    Kind.REFUNDS: _("They stand still or came back. Give the money back another way."),
    Kind.RUN: _("Look at its figures, then release it with a reason."),
    Kind.INVARIANT: _("Run manage.py check_invariants; it names the rows. Do not correct by hand."),
    Kind.TEST: _("Nothing is wrong, and there is nothing to do."),
}


def title(alert: Alert) -> str:
    """Return the alert in one line."""
    facts = dict(alert.facts)
    if "day" in facts:
        facts["day"] = date_format(date.fromisoformat(facts["day"]))
    if "rule" in facts:
        facts["rule"] = gettext(facts["rule"])
    if "error" in facts:
        facts["error"] = reasons.told(facts["error"])
    words: Any = TITLES[alert.kind]
    return str(words % facts)


def advice(alert: Alert) -> str:
    """Return what to do about it."""
    return str(ADVICE[alert.kind])
