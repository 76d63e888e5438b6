"""Accounts that a server lists and that are none of ours: written down for staff, never touched."""

from collections.abc import Iterable
from datetime import datetime

from provisioning.dialler.base import RemoteAccount
from provisioning.dialler.scalars import folded
from provisioning.models import Account, Server, UnknownAccount


def note(server: Server, listed: Iterable[RemoteAccount], *, at: datetime) -> int:
    """Keep the unknown accounts of a complete list, and return how many nobody has explained.

    One that is not listed any more, or has become ours, is marked as gone. Our own API user, and a
    name that we are just about to create, are no strangers.
    """
    ours = Account.objects.filter(server=server)
    ids = set(ours.exclude(remote_id="").values_list("remote_id", flat=True))
    names = {
        folded(name)
        for name in ours.filter(state=Account.State.PLANNED).values_list("username", flat=True)
    }
    names.add(folded(server.username))
    strange = [
        each for each in listed if each.remote_id not in ids and folded(each.username) not in names
    ]
    UnknownAccount.objects.bulk_create(
        [_row(server, each, at=at) for each in strange],
        update_conflicts=True,
        unique_fields=["server", "remote_id"],
        update_fields=["username", "email", "last_at", "gone_at"],
    )
    standing = UnknownAccount.objects.filter(server=server, gone_at=None)
    standing.exclude(remote_id__in=[each.remote_id for each in strange]).update(gone_at=at)
    return standing.filter(settled_by="").count()


def explain(row: UnknownAccount, *, reason: str, actor: str) -> None:
    """Say what the account is, so that nobody asks again; it is still looked at, never touched."""
    UnknownAccount.objects.filter(pk=row.pk).update(settled_by=actor, reason=reason[:300])


def _row(server: Server, remote: RemoteAccount, *, at: datetime) -> UnknownAccount:
    return UnknownAccount(
        server=server,
        remote_id=remote.remote_id[:64],
        username=remote.username[:120],
        email=(remote.email or "")[:254],
        first_at=at,
        last_at=at,
    )
