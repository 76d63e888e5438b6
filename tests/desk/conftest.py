"""A signed-in member of staff, and shops in the states that staff have to deal with."""

from __future__ import annotations

import pytest
from django.test import Client

from billing import demo, payments
from billing.models import Payment, User
from provisioning.models import Account, Job
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.desk.orders import placed


@pytest.fixture
def staff(shop: Simulator) -> Client:
    client = Client(enforce_csrf_checks=False)
    client.force_login(User.objects.get(email=demo.STAFF[0]))
    return client


@pytest.fixture
def transfer(shop: Simulator, clock: Clock) -> Payment:
    """An order whose customer chose to send the money."""
    order = placed("business", at=clock.now())
    return payments.start(
        order.invoice,
        "bank_transfer",
        return_url="http://shop.test/",
        at=clock.now(),
        actor="test",
    )


@pytest.fixture
def doubtful_credit(account: Account, shop: Simulator, clock: Clock) -> Job:
    """A credit that the dialler neither confirms nor shows: parked with an open attempt."""
    shop.faults.add("Client_Payment_Create", times=1, answer="500", apply="no")
    clock.work()
    shop.faults.add("Client_Get", times=9, answer="html", apply="no")
    clock.pass_by(minutes=6)
    shop.faults.clear()
    job = Job.objects.get(kind=Job.Kind.CREDIT)
    assert job.state == Job.State.PARKED
    return job


@pytest.fixture
def refused_credit(account: Account, shop: Simulator, clock: Clock) -> Job:
    """A credit that the dialler clearly refused: parked, nothing in doubt."""
    shop.faults.add("Client_Payment_Create", times=1, answer="refused", apply="no")
    clock.work()
    job = Job.objects.get(kind=Job.Kind.CREDIT)
    assert job.state == Job.State.PARKED
    return job
