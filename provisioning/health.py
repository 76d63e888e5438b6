"""Do the diallers answer? Workers ask them; a page only reads what the last test said."""

from datetime import datetime, timedelta

from provisioning import servers
from provisioning.models import Server

OLD = timedelta(minutes=3)


def check_servers(*, at: datetime) -> None:
    """Test every active server whose last test is older than a minute. Speaks HTTP."""
    for server in Server.objects.filter(active=True):
        if server.checked_at is None or server.checked_at < at - timedelta(minutes=1):
            servers.check(server, at=at)


def diallers_work(*, at: datetime) -> bool:
    """Say whether every active server passed its last test, and that not long ago."""
    active = Server.objects.filter(active=True)
    return all(
        server.check_note.startswith(servers.WORKS)
        and server.checked_at is not None
        and at - server.checked_at < OLD
        for server in active
    )
