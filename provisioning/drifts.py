"""Drift: an account that is not as it should be. Audits find it; only staff decide (drift_desk.py).

Credit is no part of it, and included units are neither: both are used up. Nothing here speaks HTTP.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from packages.states import record_change
from provisioning.dialler.base import RemoteAccount
from provisioning.diffs import Diff, between
from provisioning.models import Account, Drift, Job

AUDIT = "system:audit"
State = Drift.State
# A deletion that only waits for its day is no work in progress.
IN_WORK = Q(state__in=Job.UNFINISHED) & ~Q(kind=Job.Kind.TERMINATE, state="waiting", tries=0)


def jobs_done(account: Account) -> int:
    """Count the account's jobs that have ended: another number later means that it was changed."""
    return account.jobs.exclude(state__in=Job.UNFINISHED).count()


def note(
    account: Account, remote: RemoteAccount | None, *, finished: int, at: datetime
) -> list[Diff] | None:
    """Keep what a reading shows to differ, and return it; None while jobs are in work.

    `account` and `finished` (jobs_done) are as they were before the reading: what changed since
    would be compared with something old. Locks the account. What agrees again closes its drift.
    """
    with transaction.atomic():
        held = Account.objects.select_for_update().get(pk=account.pk)
        same = (held.state, held.limits) == (account.state, account.limits)
        if not same or jobs_done(held) != finished or held.jobs.filter(IN_WORK).exists():
            return None
        found = between(held, remote)
        standing = held.drifts.filter(state__in=Drift.STANDING).first()
        if standing is not None:
            _look_again(standing, found, at=at)
        elif found:
            drift = Drift.objects.create(account=held, diffs=found, found_at=at, seen_at=at)
            record_change(drift, before="", at=at, actor=AUDIT, reason=told(found))
    return found


def told(diffs: list[Diff]) -> str:
    """Return the diffs in one line, for the history."""
    return ", ".join(f"{e['field']} {e['ours']} (there: {e['theirs']})" for e in diffs)


def _look_again(drift: Drift, found: list[Diff], *, at: datetime) -> None:
    drift.seen_at = at
    if not found:
        return close(drift, reason="as it should be again", at=at, actor=AUDIT)
    otherwise = drift.diffs != found
    drift.diffs = found
    drift.save(update_fields=["diffs", "seen_at"])
    if drift.state == State.APPLYING or (drift.state == State.PARKED and otherwise):
        drift.move(State.OPEN, at=at, actor=AUDIT, reason=told(found))
    return None


def close(drift: Drift, *, reason: str, at: datetime, actor: str) -> None:
    drift.closed_at = at
    drift.move(State.CLOSED, at=at, actor=actor, reason=reason, also=("closed_at", "seen_at"))
