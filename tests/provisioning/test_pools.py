"""Which server a new account goes to: the least loaded of its pool that has room; never moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from billing import subscriptions
from billing.models import Subscription
from packages.models import Package
from packages.states import history_of
from provisioning import accounts, pools, runner
from provisioning.models import Account, Job, Pool, PoolPackage, Server
from provisioning.simulator.simulator import Simulator
from tests import world
from tests.clock import Clock
from tests.guards.connections import together
from tests.provisioning.conftest import ordered

CHANNELS = 20  # of the package that is ordered


@pytest.fixture
def servers(shop: Simulator) -> list[Server]:
    """Three servers in euros, A, B and C, all in the default pool."""
    pattern = Server.objects.get(name="Dialler EU")
    pool = Pool.objects.get(is_default=True)
    for name in "BC":
        twin = Server.objects.get(pk=pattern.pk)
        twin.pk, twin.name = None, name
        twin.save(force_insert=True)
        twin.pools.add(pool)
    Server.objects.filter(pk=pattern.pk).update(name="A")
    return list(Server.objects.filter(currency="EUR").order_by("name"))


@pytest.fixture
def order(clock: Clock) -> Callable[[], Account]:
    """Order the same package for another customer each time."""
    emails = iter(f"customer-{number}@example.com" for number in range(100))
    return lambda: ordered("business", at=clock.now(), email=next(emails))


def close(account: Account, clock: Clock) -> None:
    """End the service, as if its account had been deleted since."""
    by: Any = {"at": clock.now(), "actor": "test", "reason": "test"}
    subscription = account.subscription
    subscription.next_invoice_on = None
    with transaction.atomic():
        subscription.move(Subscription.State.ENDED, also=("next_invoice_on",), **by)
        account.move(Account.State.CLOSED, **by)


def names(placed: list[Account]) -> str:
    return "".join(account.server.name if account.placed else "-" for account in placed)


def test_accounts_go_to_the_least_loaded_server_by_weight(
    servers: list[Server], order: Callable[[], Account]
) -> None:
    Server.objects.filter(name="B").update(weight=3)
    assert names([order() for _ in range(6)]) == "BBABCB"


def test_a_closed_account_leaves_its_place(
    servers: list[Server], order: Callable[[], Account], clock: Clock
) -> None:
    Server.objects.filter(name__in="BC").update(active=False)
    Server.objects.update(capacity_accounts=1)
    first, second = order(), order()
    assert names([first, second]) == "A-"
    close(first, clock)
    assert names([order()]) == "A"


def test_a_drained_server_gets_nothing_and_its_accounts_go_on(
    servers: list[Server], order: Callable[[], Account], clock: Clock
) -> None:
    first = order()
    Server.objects.filter(name="A").update(active=False)
    assert names([order() for _ in range(3)]) == "BCB"
    clock.work()
    first.refresh_from_db()
    assert (first.server.name, first.state) == ("A", Account.State.LIVE)


def test_channels_fill_a_server_too(servers: list[Server], order: Callable[[], Account]) -> None:
    Server.objects.update(active=False)
    Server.objects.filter(name="A").update(active=True, capacity_channels=2 * CHANNELS + 1)
    assert names([order() for _ in range(3)]) == "AA-"


def test_a_package_is_sold_on_its_own_pool_only(
    servers: list[Server], order: Callable[[], Account]
) -> None:
    own = Pool.objects.create(name="Premium")
    servers[2].pools.add(own)
    PoolPackage.objects.create(pool=own, package=Package.objects.get(slug="business"))
    assert names([order() for _ in range(3)]) == "CCC"
    other = Package.objects.exclude(slug="business").exclude(kind="top_up")[0]
    assert pools.of(other).is_default
    servers[2].pools.remove(own)
    with pytest.raises(pools.NoServer):
        pools.demand_seller(world.price("business").package, "EUR")


def test_an_account_that_finds_no_room_waits_and_is_placed_by_itself(
    servers: list[Server], order: Callable[[], Account], shop: Simulator, clock: Clock
) -> None:
    Server.objects.update(capacity_accounts=0)
    account = order()
    assert not account.placed
    assert account.state == Account.State.PLANNED
    clock.work()
    job = Job.objects.get(kind=Job.Kind.CREATE)
    assert (job.state, job.reason, job.tries) == (Job.State.WAITING, runner.NO_ROOM, 0)
    assert shop.log()["requests"] == []
    Server.objects.filter(name="C").update(capacity_accounts=1)
    clock.advance(minutes=1)
    account.refresh_from_db()
    assert (account.placed, account.server.name) == (True, "C")
    assert account.state == Account.State.LIVE
    assert [change.reason for change in history_of(account)][1] == "placed on C"
    (remote,) = shop.accounts()
    assert remote["username"] == account.username


def test_a_username_that_is_taken_on_the_server_with_room_is_changed(
    servers: list[Server], order: Callable[[], Account], clock: Clock
) -> None:
    there = order()
    Server.objects.exclude(name="B").update(active=False)
    Server.objects.filter(name="B").update(capacity_accounts=0)
    account = order()
    Server.objects.update(capacity_accounts=2, active=False)
    Server.objects.filter(name="B").update(active=True)
    Account.objects.filter(pk=there.pk).update(server=servers[1])
    Account.objects.filter(pk=account.pk).update(server=servers[0], username=there.username)
    clock.advance(minutes=1)
    account.refresh_from_db()
    assert (account.placed, account.server.name) == (True, "B")
    assert account.username != there.username


def test_orders_at_the_same_moment_never_share_the_last_place(
    servers: list[Server], order: Callable[[], Account], clock: Clock
) -> None:
    """Six at once for three places: the lock counts them one after the other."""
    pattern = order()
    assert names([pattern]) == "A"
    Server.objects.update(capacity_accounts=1)
    Server.objects.filter(name="A").update(capacity_accounts=2)
    package, at = Package.objects.get(slug="business"), clock.now()
    limits = subscriptions.limits_of(package)

    def plan(_: int) -> Account:
        with transaction.atomic():
            return accounts.plan(
                pattern.person, limits, pools.of(package), currency="EUR", at=at, actor="test"
            )

    planned = together(plan, 6)
    assert all(isinstance(each, Account) for each in planned), planned
    assert sorted(names([each for each in planned if isinstance(each, Account)])) == list("---ABC")
