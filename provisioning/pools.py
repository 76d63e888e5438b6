"""Which server a new account goes to. Accounts that are somewhere stay there."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from django.db import connection
from django.db.models import QuerySet

from packages.models import Package
from provisioning.models import Account, Pool, PoolPackage, Server


class NoServer(Exception):
    """No server at all works in this currency; an account cannot even be planned."""


def of(package: Package) -> Pool:
    """Return the pool that the package is sold on: its own, else the default."""
    own = PoolPackage.objects.filter(package=package).select_related("pool").first()
    return own.pool if own else Pool.objects.get(is_default=True)


def demand_seller(package: Package, currency: str) -> None:
    """Raise NoServer unless a server of the package's pool takes new accounts in this currency.

    It may be full: then the order is taken, and its account waits for room.
    """
    if not _takers(of(package), currency).exists():
        raise NoServer(f"No server takes new accounts of {package} in {currency}.")


def choose(pool: Pool, currency: str, *, channels: int) -> Server | None:
    """Return the least loaded server with room for one more account, None if there is none.

    Load is accounts by weight; of two that are even, the older one. Needs an open transaction;
    where a capacity is set it locks the servers until that ends, so that no two orders take one
    place.
    """
    takers = _takers(pool, currency)
    if takers.exclude(capacity_accounts=None, capacity_channels=None).exists():
        lock()
    loads = loads_of(takers)
    with_room = [each for each in takers if loads[each.pk].leaves_room(each, channels)]
    return min(
        with_room,
        key=lambda each: (Fraction(loads[each.pk].accounts + 1, each.weight), each.pk),
        default=None,
    )


def waiting_room(pool: Pool, currency: str) -> Server:
    """Return a server to plan with until there is room: nothing is sent to it, and its place is not
    counted. Raises NoServer where none works in this currency.
    """
    of_currency = Server.objects.filter(currency=currency).order_by("pk")
    server = of_currency.filter(pools=pool).first() or of_currency.first()
    if server is None:
        raise NoServer(f"No server works in {currency}.")
    return server


def waiting() -> QuerySet[Account]:
    """Return the accounts that are asked for and wait for room, the longest waiting first."""
    return Account.objects.filter(placed=False, state=Account.State.PLANNED).order_by("pk")


def lock() -> None:
    """Lock all servers, by id; needs an open transaction.

    All, because an order of several packages may choose from several pools.
    """
    list(Server.objects.select_for_update().order_by("pk").values_list("pk", flat=True))


@dataclass(frozen=True, slots=True)
class Load:
    """What a server bears: its accounts that are not closed, and the channels they may use."""

    accounts: int = 0
    channels: int = 0

    def leaves_room(self, server: Server, channels: int) -> bool:
        """Say whether one more account with so many channels fits in."""
        most_accounts, most_channels = server.capacity_accounts, server.capacity_channels
        return (most_accounts is None or self.accounts < most_accounts) and (
            most_channels is None or self.channels + channels <= most_channels
        )


def loads_of(servers: Iterable[Server]) -> dict[int, Load]:
    """Return the load of each server by its id; accounts that wait for room count nowhere."""
    loads = {each.pk: Load() for each in servers}
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT server_id, count(*), COALESCE(sum((limits ->> 'channels')::bigint), 0)
               FROM provisioning_account
               WHERE server_id = ANY (%s) AND placed AND state <> 'closed' GROUP BY server_id""",
            [list(loads)],
        )
        for server_id, accounts, channels in cursor.fetchall():
            loads[server_id] = Load(accounts, int(channels))
    return loads


def _takers(pool: Pool, currency: str) -> QuerySet[Server]:
    return Server.objects.filter(active=True, pools=pool, currency=currency).order_by("pk")
