"""How an account at the dialler differs from what it should be. Pure: no database, no HTTP.

Credit and included units are used up, so they are no part of this; nor is what a server does not
show.
"""

from collections.abc import Iterable
from typing import Any, TypedDict

from provisioning.dialler.base import Limits, RemoteAccount
from provisioning.models import Account

STATE, USERNAME = "state", "username"
LIMITS = ("tariff", "channels", "services")
RUNS, STANDS, MISSING = "active", "suspended", "missing"
# What can be put right by a job, and what of theirs can be made ours.
APPLICABLE = (STATE, *LIMITS)
ACCEPTABLE = (USERNAME, *LIMITS)


class Diff(TypedDict):
    """One field: what it should be, and what the server shows."""

    field: str
    ours: Any
    theirs: Any


def between(account: Account, remote: RemoteAccount | None) -> list[Diff]:
    """Return every field in which the server clearly shows something else; None: it has none."""
    if account.state == Account.State.CLOSED:
        return [] if remote is None else [_pair(STATE, MISSING, _runs(remote) or RUNS)]
    should = RUNS if account.state == Account.State.LIVE else STANDS
    if remote is None:
        return [_pair(STATE, should, MISSING)]
    limits = Limits.from_json(account.limits)
    services = None if remote.services is None else sorted(remote.services)
    shown = [
        _pair(STATE, should, _runs(remote)),
        _pair(USERNAME, account.username, remote.username),
        _pair("tariff", limits.tariff, remote.tariff),
        _pair("channels", limits.channels, remote.channels),
        _pair("services", sorted(limits.services), services),
    ]
    return [each for each in shown if each["theirs"] not in (None, each["ours"])]


def shows_everything(remote: RemoteAccount) -> bool:
    """Say whether a server's list told all that is compared; else the account is read by itself."""
    shown = (remote.active, remote.tariff, remote.channels, remote.services)
    return None not in shown


def applicable(diffs: Iterable[Diff]) -> list[Diff]:
    """Return what a job can put right: not an account that is missing, or should be."""
    return [each for each in diffs if each["field"] in APPLICABLE and not _is_gone(each)]


def acceptable(diffs: Iterable[Diff]) -> list[Diff]:
    """Return what can be made ours. Whether an account runs follows from what is paid: not that."""
    return [each for each in diffs if each["field"] in ACCEPTABLE]


def _pair(field: str, ours: Any, theirs: Any) -> Diff:
    return {"field": field, "ours": ours, "theirs": theirs}


def _is_gone(diff: Diff) -> bool:
    return MISSING in (diff["ours"], diff["theirs"])


def _runs(remote: RemoteAccount) -> str | None:
    return None if remote.active is None else RUNS if remote.active else STANDS
