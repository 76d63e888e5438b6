"""What staff ask of audits, and decide about drift. Each decision says who took it and why.

A decision locks the account, then the drift, and raises Impossible without a change when jobs are
in work or something else differs than what the person saw. Nothing here speaks HTTP.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from packages.desk import Impossible
from packages.doorbell import ring
from packages.states import record_change
from provisioning import audits, drifts, jobs, tasks
from provisioning.diffs import (
    LIMITS,
    RUNS,
    STATE,
    USERNAME,
    Diff,
    acceptable,
    applicable,
)
from provisioning.drifts import told
from provisioning.models import Account, Audit, Drift, Server

State = Drift.State


def ask(
    server: Server, *, account: Account | None = None, cause: str, at: datetime, actor: str
) -> Audit:
    """Ask for an audit now, of a server or of one account; once per cause. Needs a transaction."""
    audit = audits.begin(server, account, cause=cause, at=at, actor=actor)
    ring(tasks.audit, audit.pk)
    return audit


def apply_ours(drift: Drift, *, seen: str, at: datetime, actor: str) -> None:
    """Ask for the jobs that make the account what it should be; credit and units stay.

    The next audit says whether they did. `seen` is the fingerprint of what the person saw. Raises
    Impossible, as all decisions here, when that has changed or jobs are in work.
    """
    with _held(drift, seen=seen) as held:
        ours = applicable(held.diffs)
        if not ours:
            raise Impossible(_("No job can put this right."))
        held.round += 1
        cause = f"drift-{held.pk}-{held.round}"
        fields = {each["field"]: each["ours"] for each in ours}
        if fields.keys() & set(LIMITS):
            jobs.restore_limits(held.account, cause=f"{cause}:limits", at=at, actor=actor)
        if STATE in fields:
            switch = jobs.unsuspend if fields[STATE] == RUNS else jobs.suspend
            switch(held.account, cause=f"{cause}:{fields[STATE]}", at=at, actor=actor)
        reason = f"apply ours: {told(ours)}"
        held.move(State.APPLYING, at=at, actor=actor, reason=reason, also=("round",))


def accept_theirs(drift: Drift, *, seen: str, reason: str, at: datetime, actor: str) -> None:
    """Make what the server shows our own target, where that makes sense; the rest stays drift.

    Package and price do not change; the next exchange of the package sets its limits anew.
    """
    with _held(drift, seen=seen) as held:
        theirs = acceptable(held.diffs)
        if not theirs:
            raise Impossible(_("Nothing of this can be accepted."))
        _take_over(held.account, theirs)
        said = f"{reason}. Accepted: {told(theirs)}"
        rest = [each for each in held.diffs if each not in theirs]
        if rest:
            held.diffs = rest
            held.save(update_fields=["diffs"])
            record_change(held, before=held.state, at=at, actor=actor, reason=said)
        else:
            drifts.close(held, reason=said, at=at, actor=actor)


def park(drift: Drift, *, seen: str, reason: str, at: datetime, actor: str) -> None:
    """Leave it as it is until it differs otherwise; nothing is changed anywhere."""
    with _held(drift, seen=seen) as held:
        held.move(State.PARKED, at=at, actor=actor, reason=reason)


def fingerprint(drift: Drift) -> str:
    """Return a text that is another one as soon as something else differs."""
    shown = json.dumps(drift.diffs, sort_keys=True)
    return hashlib.sha256(shown.encode()).hexdigest()[:16]


@contextmanager
def _held(drift: Drift, *, seen: str) -> Iterator[Drift]:
    """Open a transaction with the account's and the drift's lock; it is as the person saw it."""
    with transaction.atomic():
        account = Account.objects.select_for_update().get(pk=drift.account_id)
        held = Drift.objects.select_for_update().get(pk=drift.pk)
        held.account = account
        if held.state not in (State.OPEN, State.PARKED) or fingerprint(held) != seen:
            raise Impossible(_("This has changed since you opened the page. Look at it again."))
        if account.jobs.filter(drifts.IN_WORK).exists():
            raise Impossible(_("Jobs of this account are in work. Wait until they have ended."))
        yield held


def _take_over(account: Account, theirs: list[Diff]) -> None:
    values: dict[str, Any] = {each["field"]: each["theirs"] for each in theirs}
    account.username = values.pop(USERNAME, account.username)
    account.limits = {**account.limits, **values}
    try:
        with transaction.atomic():
            account.save(update_fields=["username", "limits"])
    except IntegrityError as error:
        raise Impossible(_("Another account of ours has this username.")) from error
