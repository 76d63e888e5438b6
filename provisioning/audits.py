"""Audits: do the accounts at the diallers stand as they should? What differs is drift, for staff.

An audit reports. It puts nothing right, and it never touches an account that is not ours. What
could not be read is no drift, and an account with jobs in work is left to them.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from django.db.models import Q, QuerySet

from provisioning import circuits, diffs, drifts, readings, servers, strangers, vault
from provisioning.dialler.base import Dialler, DiallerError, MappingError, RemoteAccount
from provisioning.models import Account, Audit, Drift, Job, Server

log = structlog.get_logger()

# Two in a row that could not be read end the turn: the server hangs, or is gone.
MOST_TROUBLES = 2
MOST_IN_A_TURN = 5000
# No account answered for so long: the audit ends, and says how far it came.
GIVE_UP_AFTER = timedelta(hours=2)


@dataclass(slots=True)
class Turn:
    """What one turn came to, up to the account `after`. `troubles` in a row are not passed yet."""

    after: int
    compared: int = 0
    drifted: int = 0
    in_work: int = 0
    unreadable: int = 0
    troubles: int = 0
    complete: bool = False

    def passed(self, account: Account, *, in_work: bool = False) -> None:
        """Go on behind this account: those before it that did not answer are given up."""
        self.after = account.pk
        self.in_work += in_work
        self.compared += not in_work
        self.unreadable += self.troubles
        self.troubles = 0


def begin_daily(*, at: datetime) -> None:
    """Insert today's audit (UTC) of every server that has none unfinished; once, whoever rings."""
    cause = at.astimezone(UTC).date().isoformat()
    begun = Audit.objects.filter(Q(cause=cause) | Q(finished_at=None, account=None))
    used = Server.objects.filter(accounts__isnull=False).exclude(audits__in=begun)
    for server in used.distinct():
        begin(server, None, cause=cause, at=at, actor=drifts.AUDIT)


def begin(
    server: Server, account: Account | None, *, cause: str, at: datetime, actor: str
) -> Audit:
    """Insert an audit of a server, or of one account only; a repeated call returns the first."""
    first = {"account": account, "actor": actor, "started_at": at, "moved_at": at}
    return Audit.objects.get_or_create(server=server, cause=cause, defaults=first)[0]


def waiting(*, at: datetime) -> list[int]:
    """Return the ids of unfinished audits that may have a turn, the oldest first; none of a server
    that is not asked at the moment.
    """
    asked = Audit.objects.exclude(server__in=circuits.shut_out().values("server_id"))
    return list(asked.filter(_turn_due(at)).order_by("pk").values_list("pk", flat=True))


def turn(audit_id: int, *, at: datetime) -> None:
    """Compare accounts for a minute at most, going on where the last turn ended.

    One call lists the accounts where the server can; only those that differ, and those it does not
    show in full, are read one by one, `readings_a_minute` at most. Speaks HTTP outside of any
    transaction. A turn that took too long leaves no count behind (`turn_at` is its fence).
    """
    if not Audit.objects.filter(_turn_due(at), pk=audit_id).update(turn_at=at):
        return
    audit = Audit.objects.select_related("server", "account").get(pk=audit_id)
    ends_at = time.monotonic() + readings.TURN_SECONDS
    try:
        dialler = servers.connect(audit.server, ends_at=ends_at)
        done = _compare(audit, dialler, ends_at=ends_at, at=at)
    except (vault.Unsealable, MappingError, DiallerError) as error:
        log.warning("audits.server", audit=audit.pk, error=type(error).__name__)
        audit.note = f"{type(error).__name__}: {error}"[:200]
        done = Turn(audit.after)
    _count(audit, done, at=at)


def _turn_due(at: datetime) -> Q:
    turn_due = Q(turn_at__isnull=True) | Q(turn_at__lte=at - readings.TURN_EVERY)
    return turn_due & Q(finished_at=None)


def _compare(audit: Audit, dialler: Dialler, *, ends_at: float, at: datetime) -> Turn:
    """Compare from where the last turn ended, until the time, the pace or the server says stop."""
    listed = _listed(audit, dialler, at=at) if audit.account is None else {}
    accounts = _accounts(audit, listed)
    busy = _having(Job.objects.filter(drifts.IN_WORK), accounts)
    drifting = _having(Drift.objects.filter(state__in=Drift.STANDING), accounts)
    done, singles = Turn(audit.after), 0
    for account in accounts:
        enough = singles == audit.server.readings_a_minute or time.monotonic() > ends_at
        if enough or done.troubles == MOST_TROUBLES:
            return done
        if account.pk in busy:
            done.passed(account, in_work=True)
        elif account.pk not in drifting and _agrees(account, listed.get(account.remote_id)):
            done.passed(account)
        else:
            singles += 1
            _read(account, dialler, done, at=at)
    done.complete = len(accounts) < MOST_IN_A_TURN
    return done


def _listed(audit: Audit, dialler: Dialler, *, at: datetime) -> dict[str, RemoteAccount]:
    """Return what the server lists, by id; nothing where it cannot, or not now: said in the note.

    Accounts in it that are none of ours are written down, once per audit.
    """
    try:
        shown = dialler.list_accounts()
    except DiallerError as error:
        audit.note = f"no list of accounts: {error.reason}"[:200]
        return {}
    if audit.listed is None:
        audit.listed = len(shown)
        audit.unknown = strangers.note(audit.server, shown, at=at)
    return {each.remote_id: each for each in shown}


def _accounts(audit: Audit, listed: Iterable[str]) -> list[Account]:
    """Return the accounts that are still to be compared, in their order."""
    rows = Account.objects.filter(server=audit.server, pk__gt=audit.after).exclude(remote_id="")
    if audit.account is not None:
        rows = rows.filter(pk=audit.account.pk)
    there = Q(state__in=(Account.State.LIVE, Account.State.SUSPENDED))
    # What was deleted is not asked for every day; but a list tells when it is there all the same.
    there |= Q(state=Account.State.CLOSED, remote_id__in=list(listed))
    return list(rows.filter(there).order_by("pk")[:MOST_IN_A_TURN])


def _having(rows: "QuerySet[Job] | QuerySet[Drift]", accounts: list[Account]) -> set[int]:
    """Return which of the accounts have such a row."""
    return set(rows.filter(account__in=accounts).values_list("account_id", flat=True))


def _agrees(account: Account, remote: RemoteAccount | None) -> bool:
    """Say whether the list alone tells that all is as it should be."""
    if remote is None or not diffs.shows_everything(remote):
        return False
    return not diffs.between(account, remote)


def _read(account: Account, dialler: Dialler, done: Turn, *, at: datetime) -> None:
    """Read one account by itself, and note what differs."""
    finished = drifts.jobs_done(account)
    try:
        remote = dialler.get(account.remote_id)
    except DiallerError as error:
        log.warning("audits.account", account=account.pk, error=type(error).__name__)
        done.troubles += 1
        return
    found = drifts.note(account, remote, finished=finished, at=at)
    done.passed(account, in_work=found is None)
    done.drifted += bool(found)


def _count(audit: Audit, done: Turn, *, at: datetime) -> None:
    """Add the turn to its audit, unless the next one has begun; end what is complete or hopeless.

    An account that is the last, or the only one, and does not answer ends it as well.
    """
    moved = done.complete or done.after > audit.after
    hopeless = not moved and at - audit.moved_at >= GIVE_UP_AFTER
    if hopeless:
        audit.note = f"given up, nothing answers any more. {audit.note}"[:200]
    if done.complete:
        done.unreadable += done.troubles
    Audit.objects.filter(pk=audit.pk, turn_at=at).update(
        after=done.after,
        moved_at=at if moved else audit.moved_at,
        finished_at=at if done.complete or hopeless else None,
        compared=audit.compared + done.compared,
        drifted=audit.drifted + done.drifted,
        in_work=audit.in_work + done.in_work,
        unreadable=audit.unreadable + done.unreadable,
        listed=audit.listed,
        unknown=audit.unknown,
        note=audit.note,
    )
