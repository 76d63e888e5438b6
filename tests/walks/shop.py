"""A shop of its own for each walk: empty but for its catalogue, its clock standing still."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.db.models import Model, QuerySet

from billing import days, demo_days, runs, tasks
from billing.gateways.simulator.server import GatewayServer
from billing.models import Coupon, CouponAmount, Customer, Run, User
from packages.models import Price
from packages.periods import business_day
from packages.sweeping import each
from provisioning import tasks as provisioning
from provisioning.simulator import accounts, faults
from provisioning.simulator.machine import Machine
from provisioning.simulator.store import Store
from tests import snapshots, world
from tests.walks.wires import DiallerWire, dialler_wired, gateway_wired

BEGINS = datetime(2027, 1, 29, 8, tzinfo=UTC)
ZONE = "Europe/Berlin"
A_MINUTE = timedelta(minutes=1)
Row = TypeVar("Row", bound=Model)


class Shop:
    """The two simulators, the clock, and what only we know: what was really paid and used."""

    def __init__(self, machine: Machine, wire: DiallerWire, gateway: GatewayServer) -> None:
        self.dialler, self.wire, self.gateway = machine, wire, gateway
        self._traveller: Any = None
        # Minor units that arrived at our bank, by customer; ten-thousandths used, by account.
        self.transferred: Counter[int] = Counter()
        self.burnt: Counter[str] = Counter()
        self.people: list[tuple[User, Customer]] = []
        self._heard = 0
        # Every price with its included credit that was ever in the catalogue.
        prices = Price.objects.values_list("amount_minor", "credit_minor")
        self.amounts, self.credits = map(list, zip(*prices, strict=True))

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Shop]:
        """Open an empty shop at the beginning of time."""
        snapshots.wipe()
        _count_anew()
        with ExitStack() as stack:
            traveller = stack.enter_context(time_machine.travel(BEGINS, tick=False))
            machine = Machine(
                Store(":memory:"), password=world.SIMULATOR_PASSWORD, currency="EUR", now=now
            )
            wire = stack.enter_context(dialler_wired(machine))
            config = {**settings.SIMULATED_GATEWAY, "url": "http://gateway.test", "account": "demo"}
            gateway = stack.enter_context(gateway_wired(config))
            # Budgets are measured by the monotonic clock, which goes on: how far a sweep comes must
            # not depend on how busy this machine is.
            stack.enter_context(pytest.MonkeyPatch.context()).setattr(
                time, "monotonic", lambda: now().timestamp()
            )
            world.settle_in("http://dialler.test", at=now())
            _furnish()
            shop = cls(machine, wire, gateway)
            shop._traveller = traveller
            yield shop
            machine.close()

    @property
    def now(self) -> datetime:
        return now()

    @property
    def on(self) -> date:
        return business_day(now(), ZONE)

    def wait(self, by: timedelta = A_MINUTE) -> None:
        """Let time pass; nothing is done by then."""
        self._traveller.shift(by)
        self.gateway.machine._settle(now().timestamp())

    def run_calendar(self) -> None:
        """Do the day's run; staff let go on what the circuit breaker stops."""
        try:
            tasks.bill_due()
        except days.TooMany:
            run = Run.objects.get(on=self.on)
            runs.release(run, reason="as it should be", at=self.now, actor="staff:1")
            tasks.bill_due()

    def work(self) -> None:
        """Do what workers do: events, payments, refunds, jobs, mails, readings, balances."""
        demo_days.work()

    def look(self) -> None:
        """Read the dialler, and do what follows from the balances."""
        each(provisioning.servers_to_read(), provisioning.read_server)
        tasks.watch_balances()

    def person(self, pick: int) -> tuple[User, Customer]:
        """Return one of at most four people, who registers when first picked."""
        index = pick % 4
        while index >= len(self.people):
            email = f"person-{len(self.people) + 1}@example.com"
            self.people.append(world.customer(email, at=self.now))
        return self.people[index]

    def burn(self, username: str, cents: int) -> int:
        """Spend so much of an account's credit, as far as it goes; suspended ones cannot."""
        with self.dialler.store.transaction() as db:
            account = accounts.by_name(db, username)
            if account is None or not account["active"]:
                return 0
            spent = accounts.burn(db, account, cents * 100)
        self.burnt[username] += spent
        return spent

    def fault(self, **script: Any) -> None:
        with self.dialler.store.transaction() as db:
            faults.add(db, [faults.Fault.parse(script)])

    def heal(self) -> None:
        """Take every trouble away."""
        self.wire.cut = False
        self.gateway.machine.faults.set([])
        with self.dialler.store.transaction() as db:
            faults.clear(db)

    def remote(self, username: str) -> dict[str, Any] | None:
        """Return the account as the dialler really has it."""
        with self.dialler.store.transaction() as db:
            return accounts.by_name(db, username)

    def usernames(self) -> set[str]:
        """Return the names of all accounts that are not the admin's."""
        with self.dialler.store.transaction() as db:
            return {each["username"] for each in accounts.customers(db)}

    def webhooks(self) -> list[bytes]:
        """Return the events that the gateway has to tell since the last time."""
        found = self.gateway.machine.store.rows(
            "SELECT n, body FROM event WHERE n > ? ORDER BY n", self._heard
        )
        self._heard = found[-1]["n"] if found else self._heard
        return [each["body"].encode() for each in found]


def now() -> datetime:
    return datetime.now(UTC)


def one_of(rows: QuerySet[Row] | Sequence[Row], pick: int) -> Row | None:
    """Return one row, the newest for zero; None where there is none."""
    found = list(rows if isinstance(rows, Sequence) else rows.order_by("-pk")[:12])
    return found[pick % len(found)] if found else None


def _count_anew() -> None:
    """Let ids begin where they always begin, so that a walk does the same every time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, 20000, false) "
            "FROM pg_sequences WHERE schemaname = 'public'"
        )


def _furnish() -> None:
    """Coupons of several kinds; what is not for sale needs none."""
    Coupon.objects.create(code="HALF", percent_bp=5000, cycles=2, covers_top_ups=True)
    Coupon.objects.create(code="ALL", percent_bp=10000, cycles=1, covers_setup=True)
    fifteen = Coupon.objects.create(code="FIFTEEN", cycles=None)
    CouponAmount.objects.create(coupon=fifteen, currency="EUR", amount_minor=1500)
