"""Surveys: begun by staff, made by a worker step by step, applied by staff. See dialler/survey/.

Every call is a row of the transcript. Whatever happens, the throw-away account is deleted in the
end, or the survey says that it is left.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from packages.desk import Impossible
from packages.sweeping import written_once
from provisioning import circuits, servers, vault
from provisioning.dialler.survey.api import Api, Entry, Hopeless, Interrupted
from provisioning.dialler.survey.draft import Draft
from provisioning.dialler.survey.steps import LAST, STEPS
from provisioning.dialler.survey.surveyor import Stopped, Surveyor, Throwaway
from provisioning.models import Survey, SurveyEntry

log = structlog.get_logger()

ACTOR = "system:survey"
# A step ends by then: no byte leaves any more, and another worker may take the survey up.
STEP_SECONDS = 120
LEASE = timedelta(seconds=STEP_SECONDS + 60)
MOST_TRIES = 5
# Beyond the tries of a server that does not answer: a step that kills its process each time.
MOST_CLAIMS = 2 * MOST_TRIES
PAUSE = timedelta(seconds=30)


class Fenced(Exception):
    """Another worker has taken the survey over; this one must stop without writing."""


@written_once
def due(*, at: datetime) -> QuerySet[Survey, int]:
    """Return the ids of the surveys that can go on now."""
    return going_on(at).values_list("pk", flat=True)


def going_on(at: datetime) -> QuerySet[Survey]:
    """Return the surveys that wait, and those whose worker died."""
    waiting = Q(state=Survey.State.WAITING, run_at__lte=at)
    left = Q(state=Survey.State.RUNNING, claimed_until__lte=at)
    return Survey.objects.filter(waiting | left)


def run(survey_id: int, *, at: datetime, worker: str) -> None:
    """Make the steps that are left, each once; commit after each.

    Speaks HTTP outside of any transaction. A server that does not answer puts the survey off; what
    a step cannot go on without ends it with its cleaning up.
    """
    survey = _claim(survey_id, at=at, worker=worker)
    if survey is None:
        return
    begun = time.monotonic()
    try:
        while (step := _next_step(survey)) is not None:
            now = at + timedelta(seconds=time.monotonic() - begun)
            if not _make(survey, step, at=now):
                return
        _finish(survey, at=at + timedelta(seconds=time.monotonic() - begun))
    except Fenced:
        log.warning("survey.fenced", survey=survey.pk)


def _claim(survey_id: int, *, at: datetime, worker: str) -> Survey | None:
    with transaction.atomic():
        survey = Survey.objects.select_for_update(of=("self",)).get(pk=survey_id)
        waits = survey.state == Survey.State.WAITING and survey.run_at <= at
        left = survey.state == Survey.State.RUNNING and (
            survey.claimed_until is None or survey.claimed_until <= at
        )
        if not waits and not left:
            return None
        if survey.tries >= MOST_CLAIMS:
            survey.reason = survey.reason or "fault: the steps do not come to an end"
            _close(survey, also=(), at=at)
            return None
        survey.fence += 1
        survey.tries += 1
        survey.claimed_until = at + LEASE
        also = ("fence", "tries", "claimed_until")
        survey.move(Survey.State.RUNNING, at=at, actor=worker, reason="claimed", also=also)
        return survey


def _next_step(survey: Survey) -> str | None:
    """Return the first step that was not made; after a stop only the cleaning up is left."""
    left = [step for step in STEPS if step not in survey.findings]
    if survey.reason:
        left = [LAST] if LAST in left and survey.facts.get("may_exist") else []
    return left[0] if left else None


def _make(survey: Survey, step: str, *, at: datetime) -> bool:
    """Make one step and keep what came of it; return whether the survey goes on now."""
    draft = Draft(survey.mapping, survey.facts)
    try:
        findings = STEPS[step](_surveyor(survey, draft, step, at=at))
    except Interrupted as error:
        _postpone(survey, draft, str(error), at=at)
        return False
    except (Stopped, Hopeless) as error:
        findings, survey.reason = [], str(error)[:300]
    told = [{"verdict": each.verdict, "about": each.about} for each in findings]
    survey.findings = {**survey.findings, step: told}
    if survey.reason and step == LAST:
        survey.facts["may_exist"] = True
    _keep(survey, draft, at=at)
    return True


def _surveyor(survey: Survey, draft: Draft, step: str, *, at: datetime) -> Surveyor:
    sealed = survey.password_sealed
    assert sealed is not None, "A survey has its password until it is over."
    account = Throwaway(
        username=survey.username,
        email=f"{survey.username}@example.com",
        password=vault.unseal(sealed, purpose=purpose(survey)),
        tariff=survey.tariff,
    )
    endpoint = servers.endpoint(survey.server, ends_at=time.monotonic() + STEP_SECONDS)

    def keep_entry(entry: Entry) -> None:
        SurveyEntry.objects.create(
            survey=survey,
            step=step,
            method=entry.method[:64],
            fields=entry.fields,
            status=entry.status,
            # PostgreSQL stores no NUL, and what a server says is anybody's.
            answer=entry.answer.replace("\0", "\ufffd"),
            outcome=entry.outcome,
            seconds=entry.seconds,
            at=at,
        )

    api = Api(endpoint, circuits.UnnotedLine(survey.server), keep_entry)
    return Surveyor(
        api, draft, account, survey.server.currency, lambda: _keep(survey, draft, at=at)
    )


def _keep(survey: Survey, draft: Draft, *, at: datetime) -> None:
    """Store draft and findings, and hold on to the survey for another step."""
    with held(survey.pk, fence=survey.fence) as row:
        row.mapping, row.facts = draft.mapping, draft.facts
        row.findings, row.reason = survey.findings, survey.reason
        row.claimed_until = at + LEASE
        row.save(update_fields=["mapping", "facts", "findings", "reason", "claimed_until"])


def _postpone(survey: Survey, draft: Draft, reason: str, *, at: datetime) -> None:
    """Put the survey off, or give it up after some tries; the draft so far is kept."""
    with held(survey.pk, fence=survey.fence) as row:
        row.mapping, row.facts = draft.mapping, draft.facts
        if row.tries >= MOST_TRIES:
            row.reason = f"no answer: {reason}"[:300]
            _close(row, also=("mapping", "facts"), at=at)
            return
        row.run_at, row.claimed_until = at + PAUSE * 2 ** (row.tries - 1), None
        also = ("mapping", "facts", "run_at", "claimed_until")
        row.move(Survey.State.WAITING, at=at, actor=ACTOR, reason=reason, also=also)


def _finish(survey: Survey, *, at: datetime) -> None:
    with held(survey.pk, fence=survey.fence) as row:
        _close(row, also=(), at=at)


def _close(row: Survey, *, also: tuple[str, ...], at: datetime) -> None:
    row.finished_at, row.claimed_until = at, None
    also = ("finished_at", "claimed_until", "reason", *also)
    if row.facts.get("may_exist"):
        reason = row.reason or "could not be deleted"
        row.move(Survey.State.LEFT, at=at, actor=ACTOR, reason=reason, also=also)
        return
    row.password_sealed = None
    also = (*also, "password_sealed")
    row.move(Survey.State.DONE, at=at, actor=ACTOR, reason=row.reason or "done", also=also)


@contextmanager
def held(
    survey_id: int, *, fence: int | None = None, states: tuple[str, ...] = (Survey.State.RUNNING,)
) -> Iterator[Survey]:
    """Open a transaction with the survey's lock.

    Raises Fenced for a worker that another has replaced, Impossible for people who came too late.
    """
    with transaction.atomic():
        survey = Survey.objects.select_for_update(of=("self",)).get(pk=survey_id)
        if fence is not None and (survey.fence != fence or survey.state not in states):
            raise Fenced(survey_id)
        if survey.state not in states:
            raise Impossible(_("The survey has moved on since you opened this page."))
        yield survey


def purpose(survey: Survey) -> str:
    return f"survey-password:{survey.pk}"
