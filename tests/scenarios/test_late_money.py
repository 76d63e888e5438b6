"""Money that is told of days late, when its invoice or its account is no more, is not lost."""

from __future__ import annotations

import pytest

from billing import (
    balances,
    credit_notes,
    endings,
    events,
    invariants,
    payment_checks,
    payments,
    renewals,
)
from billing.models import (
    GatewayEvent,
    Invoice,
    Mail,
    Payment,
    Remark,
    Subscription,
)
from packages.periods import business_day
from provisioning import tasks as provisioning
from provisioning.models import Account
from provisioning.simulator.simulator import Simulator
from tests import world
from tests.billing import orders, renewing
from tests.clock import Clock
from tests.processes import wait_until
from tests.scenarios.conftest import Door


@pytest.fixture
def late(door: Door) -> Door:
    """A gateway whose webhooks are held back."""
    door.gateway.webhooks(hold=True)
    return door


def paid_unheard(invoice: Invoice, door: Door, clock: Clock) -> Payment:
    """Let the customer pay, and the gateway take it; what it tells of that is held back."""
    payment = payments.start(
        invoice, door.code, return_url="http://x/", at=clock.now(), actor="test"
    )
    door.gateway.pays(payment)
    if door.code == "paypal":
        # We take the money there; the answer is lost.
        door.gateway.misbehaves("/v2/checkout/orders/*/capture", apply="yes", answer="500")
        payment_checks.check(payment, at=clock.now(), actor="test")
    return payment


def told(door: Door, payment: Payment, clock: Clock) -> None:
    """Let the webhooks come, and process each of them more than once."""
    door.gateway.webhooks(release="as_is")

    def heard() -> bool:
        GatewayEvent.objects.update(state=GatewayEvent.State.RECEIVED, next_attempt_at=None)
        for each in GatewayEvent.objects.order_by("pk"):
            events.process(each.pk, at=clock.now())
        payment.refresh_from_db()
        return payment.state == Payment.State.SUCCEEDED

    wait_until(heard, what="the webhooks")
    heard()


def dialled() -> None:
    """Do what is due at the dialler, and nothing else: no sweep asks about payments."""
    for _ in range(3):
        for each in provisioning.accounts_due():
            provisioning.run_account(each)


def kept(payment: Payment) -> bool:
    """Say whether all of it is on the balance, once, and customer and staff are told so."""
    assert balances.of(payment.customer, payment.currency) == payment.amount
    mail = Mail.objects.get(template="kept_on_balance")
    assert str(payment.invoice.number) in mail.text
    assert str(payment.invoice.number) in Remark.objects.get(customer=payment.customer).text
    return not invariants.violations()


def test_money_for_an_invoice_that_is_void_by_then_is_the_customers_credit(
    late: Door, shop: Simulator, clock: Clock
) -> None:
    invoice = orders.place(*orders.buyer(at=clock.now()), "business", at=clock.now()).invoice
    payment = paid_unheard(invoice, late, clock)
    credit_notes.issue(invoice, reason="never mind", at=clock.now(), actor="staff:1")
    clock.shift(days=3)
    told(late, payment, clock)
    assert kept(payment)
    invoice.refresh_from_db()
    assert invoice.state == Invoice.State.CANCELLED
    assert Subscription.objects.get().state == Subscription.State.ENDED
    assert not Account.objects.exists()


def test_money_for_an_account_that_is_deleted_by_then_is_the_customers_credit(
    late: Door, shop: Simulator, clock: Clock
) -> None:
    subscription = renewing.bought(at=clock.now())
    dialled()
    clock.shift(days=29)
    on = business_day(clock.now(), world.brand().zone)
    renewals.bill(on, at=clock.now())
    [renewal] = renewing.renewals()[-1:]
    payment = paid_unheard(renewal, late, clock)
    subscription.refresh_from_db()
    quote = endings.quote(subscription, on=on, gives_back=False)
    seen = quote.fingerprint
    endings.end(quote, seen=seen, reason="x", returnable=True, at=clock.now(), actor="staff:1")
    clock.shift(days=31)
    dialled()
    assert Account.objects.get().state == Account.State.CLOSED
    assert shop.accounts() == []
    told(late, payment, clock)
    assert kept(payment)
    dialled()
    assert shop.accounts() == []
