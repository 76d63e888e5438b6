"""After a backup was restored: what it shows as undone may have been done since it was taken."""

from datetime import datetime, timedelta

from django.db import transaction

from provisioning.models import Account, Attempt, Job
from provisioning.verbs import VERBS

# Every other command sets what it wants absolutely and may be sent again.
DOUBTFUL = (Job.Kind.CREATE, Job.Kind.CREDIT, Job.Kind.TAKE_BACK, Job.Kind.REFILL)


def doubt_unfinished(*, at: datetime) -> list[Job]:
    """Note for every unfinished job that must not be done twice that it may have been sent.

    Workers then read before they send: an account that is there is taken for ours, and what the
    dialler does not tell is parked. Commits; locks each account. Called again it changes nothing.
    """
    jobs = Job.objects.filter(state__in=Job.UNFINISHED, kind__in=DOUBTFUL).order_by("pk")
    return [job for job in jobs if _doubt(job, at=at)]


def _doubt(job: Job, *, at: datetime) -> bool:
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=job.account_id)
        if job.attempts.filter(outcome__in=Attempt.OPEN).exists():
            return False
        Attempt.objects.create(
            job=job,
            number=job.attempts.count() + 1,
            fence=job.fence,
            method=VERBS[job.kind].method,
            before={"balance_minor": None},
            sent_at=at,
            deadline_at=at + timedelta(seconds=1),
            outcome=Attempt.Outcome.UNKNOWN,
            answer="perhaps sent after the backup was taken",
        )
    return True
