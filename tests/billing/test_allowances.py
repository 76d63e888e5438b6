"""What a package includes at each renewal, on a real simulator: nobody loses paid money."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests
from django.db import transaction
from hypothesis import HealthCheck, settings

from billing import carts, checkout, credits, days, invariants, renewals
from billing.models import CreditBucket, Customer, Invoice, Subscription
from packages.models import Package
from packages.money import Money
from provisioning import runner
from provisioning.dialler.mapping import simulator_mapping
from provisioning.models import Account, Job, Server
from provisioning.simulator.simulator import Simulator
from tests import payments, world
from tests.billing import orders
from tests.properties import given, st

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
PAY = "Client_Payment_Create"
RESET, PERSIST = Package.Allowance.RESET.value, Package.Allowance.PERSIST.value
BURN = ("resetting", "promotional", "persisting", "paid")


def noon(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 12, tzinfo=UTC)


@pytest.fixture
def shop(db: None, dialler: Simulator) -> Simulator:
    world.settle_in(dialler.url, at=AT)
    return dialler


@pytest.fixture(params=["current", "legacy"])
def either(request: pytest.FixtureRequest, shop: Simulator) -> Simulator:
    """Let the server speak one generation of the API or the other."""
    profile = str(request.param)
    Server.objects.filter(currency="EUR").update(
        profile=profile,
        base_url=f"{shop.url}/{profile}/rest",
        mapping=simulator_mapping(profile).to_json(),
    )
    return shop


@dataclass
class Service:
    """A running service, and what its owner should have, by a reckoning of its own."""

    shop: Simulator
    subscription: Subscription
    on: date
    lots: list[list[Any]] = field(default_factory=list)

    @property
    def account(self) -> Account:
        assert self.subscription.account_id is not None
        return Account.objects.get(pk=self.subscription.account_id)

    def work(self, *, at: datetime | None = None) -> None:
        at = at or noon(self.on)
        while runner.run_next(self.account.pk, at=at, worker="test"):
            at += timedelta(milliseconds=1)

    def spends(self, minor: int) -> None:
        self.shop.burn(self.account.username, str(Money(minor, "EUR").decimal()))
        for lot in sorted(self.lots, key=lambda lot: (BURN.index(lot[0]), lot[2] or date.max)):
            used = min(minor, lot[1])
            lot[1], minor = lot[1] - used, minor - used

    def tops_up(self) -> None:
        customer = self.subscription.customer
        order = _order(customer, self.subscription, at=noon(self.on))
        payments.pay(order.invoice, at=noon(self.on))
        self.work()
        self.lots.append(["paid", 25_00, None])

    def is_given(self, minor: int, *, days_valid: int) -> None:
        expires_on = self.on + timedelta(days=days_valid)
        with transaction.atomic():
            credits.gift(
                self.account,
                Money(minor, "EUR"),
                expires_on=expires_on,
                cause=f"gift-{uuid.uuid4()}",
                reason="sorry",
                at=noon(self.on),
                actor="staff:1",
            )
        self.work()
        self.lots.append(["promotional", minor, expires_on])

    def renews(self, *, early: bool) -> None:
        """Live to the next period; pay for it some days before, or on its first day."""
        self.subscription.refresh_from_db()
        start_on = self.subscription.paid_until
        assert start_on is not None
        self.on = start_on - timedelta(days=5)
        renewals.bill(self.on, at=noon(self.on))
        invoice = Invoice.objects.filter(
            customer=self.subscription.customer, state=Invoice.State.OPEN
        ).get()
        if not early:
            self.on = start_on
        payments.pay(invoice, at=noon(self.on))
        self.work()
        self.on = start_on
        self._day()
        resets = self.subscription.allowance == RESET
        if resets:
            self.lots = [lot for lot in self.lots if lot[0] != "resetting"]
        kind = "resetting" if resets else "persisting"
        self.lots.append([kind, self.subscription.credit_minor, None])

    def waits(self, count: int) -> None:
        """Let days pass, but no renewal."""
        assert self.subscription.paid_until is not None
        last = self.subscription.paid_until - timedelta(days=8)
        self.on = max(self.on, min(self.on + timedelta(days=count), last))
        self._day()

    def _day(self) -> None:
        days.run(self.on, at=noon(self.on), most=None)
        self.work()
        self.lots = [lot for lot in self.lots if lot[2] is None or lot[2] > self.on]

    @property
    def balance(self) -> int:
        remote = self.shop.account(self.account.username)
        assert remote is not None
        return int(float(remote["balance"]) * 100 + 0.5)

    def left(self, *kinds: str) -> int:
        return sum(lot[1] for lot in self.lots if not kinds or lot[0] in kinds)


def begun(shop: Simulator, allowance: str = RESET) -> Service:
    Package.objects.filter(slug="business").update(allowance=allowance)
    user, customer = world.customer(f"{uuid.uuid4().hex}@example.com", at=AT)
    order = orders.place(user, customer, "business", at=AT)
    payments.pay(order.invoice, at=AT)
    subscription = Subscription.objects.get(customer=customer)
    service = Service(shop, subscription, AT.date())
    service.work(at=AT)
    kind = "resetting" if allowance == RESET else "persisting"
    service.lots.append([kind, 20_00, None])
    subscription.refresh_from_db()
    return service


def _order(customer: Customer, subscription: Subscription, *, at: datetime) -> Any:
    brand = world.brand()
    cart = carts.add(None, world.price("credit-25"), subscription=subscription, at=at)
    seen = checkout.quote(cart, customer, brand, language="en", on=at.date()).fingerprint
    return checkout.place(
        cart,
        customer,
        brand,
        placed_by=customer.users.get(),
        language="en",
        consents=orders.CONSENTS,
        seen=seen,
        on=at.date(),
        at=at,
    )


def buckets(service: Service) -> dict[str, int]:
    """Return what the books say is left, by kind."""
    left: dict[str, int] = {}
    for bucket in CreditBucket.objects.filter(account=service.account, left_minor__gt=0):
        left[bucket.kind] = left.get(bucket.kind, 0) + bucket.left_minor
    return left


def test_unused_free_credit_lapses_on_the_first_day_of_the_period(either: Simulator) -> None:
    service = begun(either)
    service.tops_up()
    service.spends(8_00)
    service.renews(early=True)
    assert service.balance == 25_00 + 20_00
    assert [(each["amount"]) for each in either.effects("credit")] == [
        "20.00",
        "25.00",
        "20.00",
        "-12.00",
    ]
    assert buckets(service) == {"paid": 25_00, "resetting": 20_00}
    # Until that day the old credit was there.
    taken = Job.objects.get(kind=Job.Kind.TAKE_BACK)
    assert (taken.created_at.date(), taken.amount_minor) == (service.on, 12_00)
    assert invariants.violations() == []


def test_paid_credit_is_used_after_the_free_and_is_never_taken(either: Simulator) -> None:
    service = begun(either)
    service.tops_up()
    service.spends(30_00)
    service.renews(early=False)
    assert service.balance == 15_00 + 20_00
    assert buckets(service) == {"paid": 15_00, "resetting": 20_00}
    assert Job.objects.get(kind=Job.Kind.TAKE_BACK).state == Job.State.DONE


def test_what_persists_adds_up_with_its_units(either: Simulator) -> None:
    service = begun(either, PERSIST)
    service.spends(8_00)
    service.renews(early=True)
    assert service.balance == 32_00
    assert not Job.objects.filter(kind=Job.Kind.TAKE_BACK).exists()
    remote = either.account(service.account.username) or {}
    assert (remote["unit_voice"], remote["unit_sms"]) == (4_000, 500)
    service.renews(early=True)
    remote = either.account(service.account.username) or {}
    assert (remote["unit_voice"], remote["unit_sms"]) == (6_000, 750)


def test_units_that_reset_are_set_anew(shop: Simulator) -> None:
    service = begun(shop)
    service.renews(early=False)
    remote = shop.account(service.account.username) or {}
    assert (remote["unit_voice"], remote["unit_sms"]) == (2_000, 250)
    assert Job.objects.get(kind=Job.Kind.REFILL).state == Job.State.DONE


@pytest.mark.parametrize("apply", ["yes", "no"])
@pytest.mark.parametrize("spent", [0, 3_00])
def test_a_lost_answer_takes_back_once(shop: Simulator, apply: str, spent: int) -> None:
    """Also while calls go on: at the target or below it nothing is left to take."""
    service = begun(shop)
    service.tops_up()
    service.subscription.credit_minor = 0
    service.subscription.save()
    shop.faults.add(PAY, times=1, answer="500", apply=apply)
    service.renews(early=False)
    job = Job.objects.get(kind=Job.Kind.TAKE_BACK)
    # Whoever looks later knows what the command aimed at.
    assert (job.state, job.details["target_minor"]) == (Job.State.WAITING, 25_00)
    if spent:
        service.shop.burn(service.account.username, "3.00")
    for minutes in range(1, 8):
        service.work(at=noon(service.on) + timedelta(minutes=minutes))
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    # What was spent before it was taken came out of the free part; after it, out of the paid.
    late = apply == "yes" and spent
    assert service.balance == 25_00 - (spent if late else 0)
    assert len([each for each in shop.effects("credit") if each["amount"].startswith("-")]) == 1
    assert invariants.violations() == []


def test_where_it_cannot_be_taken_the_operator_decides(shop: Simulator) -> None:
    for server in Server.objects.all():
        server.mapping["capabilities"]["debit"] = "manual"
        server.save()
    service = begun(shop)
    service.renews(early=False)
    skipped = Job.objects.get(kind=Job.Kind.TAKE_BACK)
    assert (skipped.state, service.balance) == (Job.State.CANCELLED, 40_00)
    Server.objects.update(take_back=Server.TakeBack.MANUAL)
    service.renews(early=False)
    task = Job.objects.exclude(pk=skipped.pk).get(kind=Job.Kind.TAKE_BACK)
    assert (task.state, task.reason) == (Job.State.PARKED, "manual: to be done by hand")
    assert (task.amount_minor, task.details["target_minor"]) == (40_00, 20_00)
    assert service.balance == 60_00


def test_a_hidden_balance_takes_nothing(shop: Simulator) -> None:
    shop.switch(hide_balance=True)
    service = begun(shop)
    service.renews(early=False)
    assert Job.objects.get(kind=Job.Kind.TAKE_BACK).state == Job.State.CANCELLED
    assert len(shop.effects("credit")) == 2


def test_a_gift_expires_and_only_what_is_left_of_it(shop: Simulator) -> None:
    service = begun(shop, PERSIST)
    service.is_given(10_00, days_valid=5)
    service.spends(4_00)
    service.waits(10)
    assert service.balance == 20_00
    assert buckets(service) == {"persisting": 20_00}
    service.waits(1)
    assert Job.objects.filter(kind=Job.Kind.TAKE_BACK).count() == 1
    assert invariants.violations() == []


def test_credit_that_staff_added_at_the_dialler_counts_as_paid(shop: Simulator) -> None:
    service = begun(shop)
    _added(shop, service, "5.00")
    service.renews(early=False)
    assert service.balance == 25_00
    assert buckets(service) == {"paid": 5_00, "resetting": 20_00}


def _added(shop: Simulator, service: Service, amount: str) -> None:
    login = {"username": "admin", "password": world.SIMULATOR_PASSWORD}
    arguments = {"client_id": service.account.remote_id, "value": amount, "description": "x"}
    url = f"{shop.base_url('current')}/{PAY}"
    assert requests.post(url, {**login, **arguments}, timeout=5).json()[0] is True


STEPS = st.one_of(
    st.tuples(st.just("spends"), st.integers(1, 30_00)),
    st.tuples(st.just("tops_up"), st.none()),
    st.tuples(st.just("gift"), st.integers(1, 15_00)),
    st.tuples(st.just("renews"), st.booleans()),
    st.tuples(st.just("waits"), st.integers(1, 12)),
)


@given(st.sampled_from([RESET, PERSIST]), st.lists(STEPS, min_size=3, max_size=6))
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_nobody_loses_paid_credit(
    shop: Simulator, allowance: str, steps: list[tuple[str, Any]]
) -> None:
    service = begun(shop, allowance)
    for deed, value in steps:
        if deed == "gift":
            service.is_given(value, days_valid=6)
        elif deed == "tops_up":
            service.tops_up()
        elif deed == "renews":
            service.renews(early=value)
        elif deed == "spends":
            service.spends(min(value, service.left()))
        else:
            service.waits(value)
        assert service.balance == service.left()
    service.tops_up()
    kinds = {kind: service.left(kind) for kind in BURN if service.left(kind)}
    assert buckets(service) == kinds
    assert sum(kinds.values()) == service.balance


@pytest.mark.parametrize(
    ("parts", "used", "burnt"),
    [([5, 3], 4, [4, 0]), ([5, 3], 6, [5, 1]), ([5, 3], 99, [5, 3]), ([5], -1, [0]), ([], 3, [])],
)
def test_the_first_part_burns_first(parts: list[int], used: int, burnt: list[int]) -> None:
    assert credits.burn(parts, used) == burnt
