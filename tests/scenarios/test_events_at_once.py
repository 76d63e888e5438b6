"""Every event five times, five workers, the return page and the sweep, all at once: one effect."""

from __future__ import annotations

from collections.abc import Callable

from billing import credit_notes, events, invariants, payment_checks, payments
from billing.models import Customer, GatewayEvent, Invoice, Order, Payment, Refund, User
from provisioning.simulator.simulator import Simulator
from tests.billing import orders
from tests.clock import Clock
from tests.guards.connections import together
from tests.processes import wait_until
from tests.scenarios.conftest import Door

WORKERS = 5


def rush(payment: Payment, clock: Clock, done: Callable[[], bool]) -> None:
    """Let all workers process all that has come, beside who asks about the payment, until done."""

    def work(worker: int) -> None:
        if worker >= WORKERS:
            payment_checks.check(payment, at=clock.now(), actor=f"test:{worker}")
            return
        for each in GatewayEvent.objects.order_by("pk").values_list("pk", flat=True):
            events.process(each, at=clock.now())

    def once() -> bool:
        assert together(work, WORKERS + 2) == [None] * (WORKERS + 2)
        return done()

    wait_until(once, what="its effect")


def test_a_payment_its_refund_and_a_dispute_have_their_effect_once(
    door: Door, shop: Simulator, clock: Clock
) -> None:
    door.gateway.webhooks(duplicates=4)
    person = orders.buyer(at=clock.now())
    refunded, disputed = (paid(door, person, clock) for _ in range(2))
    credit_notes.issue(refunded.invoice, reason="x", at=clock.now(), actor="staff:1")
    door.gateway.control(f"payments/{refunded.external_id}/refund")
    rush(refunded, clock, Refund.objects.exists)
    door.gateway.control(f"payments/{disputed.external_id}/dispute")
    rush(disputed, clock, lambda: fresh(disputed).dispute == "open")
    clock.work()
    assert [each.amount for each in Refund.objects.all()] == [refunded.amount]
    assert Payment.objects.filter(state=Payment.State.SUCCEEDED).count() == 2
    assert Order.objects.filter(state=Order.State.FULFILLED).count() == 2
    assert len(shop.effects("create")) == 2
    assert set(door.gateway.answers()) == {200}
    assert invariants.violations() == []


def paid(door: Door, person: tuple[User, Customer], clock: Clock) -> Payment:
    invoice = orders.place(*person, "business", at=clock.now()).invoice
    payment = payments.start(
        invoice, door.code, return_url="http://x/", at=clock.now(), actor="test"
    )
    door.gateway.pays(payment)
    rush(payment, clock, lambda: fresh(payment).state == Payment.State.SUCCEEDED)
    assert Invoice.objects.get(pk=invoice.pk).state == Invoice.State.PAID
    return fresh(payment)


def fresh(payment: Payment) -> Payment:
    return Payment.objects.get(pk=payment.pk)
