"""Do the diallers answer? Workers ask them; a page only reads what the last test said."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from provisioning import circuits, servers
from provisioning.models import Account, Server

OLD = timedelta(minutes=3)
TEST_EVERY = timedelta(minutes=1)


def to_check(*, at: datetime) -> list[int]:
    """Return the ids of the servers in use whose last test is older than a minute."""
    running = Account.objects.filter(server=OuterRef("pk")).exclude(state=Account.State.CLOSED)
    used = Server.objects.filter(Q(active=True) | Exists(running)).filter(_untested(at))
    shut_out = circuits.shut_out().values("server_id")
    return list(used.exclude(pk__in=shut_out).values_list("pk", flat=True))


def check_server(server_id: int, *, at: datetime) -> None:
    """Test one server if nobody did within a minute. Speaks HTTP outside of any transaction."""
    if Server.objects.filter(_untested(at), pk=server_id).update(checked_at=at):
        servers.check(Server.objects.get(pk=server_id), at=at)


def probe(server_id: int, *, at: datetime) -> bool:
    """Try a server whose circuit is open, if its time has come; return whether it closed.

    One process at a time, by reads that change nothing: three good ones close the circuit, the
    first bad one keeps it open for longer. Speaks HTTP outside of any transaction.
    """
    server = Server.objects.get(pk=server_id)
    claim = circuits.begin_probe(server, at=at)
    if claim is None:
        return False
    for _ in range(circuits.GOOD_READS):
        if not servers.check(server, at=at) and server.check_note in servers.UNANSWERED:
            return circuits.end_probe(claim, server.check_note, at=timezone.now())
    return circuits.end_probe(claim, "", at=timezone.now())


def ask_again(server_id: int, reason: str, *, actor: str) -> bool:
    """Close the server's circuit because a person says so; return whether it was not closed."""
    return circuits.close(server_id, reason, at=timezone.now(), actor=actor)


def diallers_work(*, at: datetime) -> bool:
    """Say whether every active server passed its last test, and that not long ago."""
    active = Server.objects.filter(active=True)
    return all(
        server.check_note.startswith(servers.WORKS)
        and server.checked_at is not None
        and at - server.checked_at < OLD
        for server in active
    )


def _untested(at: datetime) -> Q:
    return Q(checked_at__isnull=True) | Q(checked_at__lt=at - TEST_EVERY)
