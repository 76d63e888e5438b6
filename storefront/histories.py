"""What happened to a service, newest first, in words for its owner."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from billing.models import Subscription
from packages.money import Money
from packages.states import StateChange, history_of
from provisioning.models import Job

LATEST = 30
# By subject, state before and state after; an empty "before" fits any.
WORDS = {
    ("subscription", "", "pending"): _("Ordered"),
    ("subscription", "pending", "active"): _("Paid, service active"),
    ("subscription", "suspended", "active"): _("Service active again"),
    ("subscription", "", "suspended"): _("Service suspended"),
    ("subscription", "", "ended"): _("Service ended"),
    ("account", "", "planned"): _("Set-up at the dialler begun"),
    ("account", "planned", "live"): _("Account running at the dialler"),
    ("account", "suspended", "live"): _("Account running again"),
    ("account", "", "suspended"): _("Account suspended at the dialler"),
    ("account", "", "closed"): _("Account closed"),
}
DEEDS = {
    Job.Kind.CREDIT: _("Credit added"),
    Job.Kind.CHANGE_PASSWORD: _("Dialler password changed"),
}
LOOKS = {"active": "ok", "live": "ok", "suspended": "bad"}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a timeline."""

    at: datetime
    what: str
    look: str = ""
    amount: Money | None = None


def of_service(subscription: Subscription) -> list[Event]:
    """Return the latest events of a service and its account, newest first; two queries."""
    changes = history_of(subscription)
    if subscription.account is not None:
        changes = changes | history_of(subscription.account)
    events = [*_of_changes(changes.order_by("-id")[:LATEST])]
    if subscription.account is not None:
        done = Job.objects.filter(
            account=subscription.account, state=Job.State.DONE, kind__in=DEEDS
        ).order_by("-id")[:LATEST]
        events += [_of_job(job) for job in done]
    return sorted(events, key=lambda event: event.at, reverse=True)[:LATEST]


def _of_changes(changes: Iterable[StateChange]) -> Iterator[Event]:
    for change in changes:
        if change.before == change.after:
            continue  # of interest to staff, e.g. which server a new account found room on
        words = WORDS.get((change.subject, change.before, change.after))
        words = words or WORDS.get((change.subject, "", change.after))
        if words:
            yield Event(change.at, str(words), LOOKS.get(change.after, ""))


def _of_job(job: Job) -> Event:
    amount = None if job.amount_minor is None else Money(job.amount_minor, job.currency)
    return Event(job.finished_at or job.created_at, str(DEEDS[Job.Kind(job.kind)]), "ok", amount)
