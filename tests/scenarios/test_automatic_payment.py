"""A card is kept at the purchase and charged for the renewals; then its bank declines."""

from __future__ import annotations

from datetime import date

from billing.models import GatewayEvent, Invoice, Mail, Notice, Payment, PaymentMethod, Subscription
from provisioning.simulator.simulator import Simulator
from tests.billing import renewing, saved
from tests.clock import Clock
from tests.processes import wait_until
from tests.story import Customer, Gateway

FIRST, SECOND = date(2026, 4, 2), date(2026, 5, 2)


def attempts(due_on: date) -> list[tuple[int, int]]:
    """Return the automatic attempts of a renewal, with their days after its due date."""
    taken = Payment.objects.filter(turn__isnull=False, invoice__due_on=due_on).order_by("turn")
    return [(each.turn or 0, (each.turn_on - due_on).days) for each in taken if each.turn_on]


def steps() -> list[str]:
    return list(Notice.objects.order_by("pk").values_list("step", flat=True))


def test_kept_charged_declined_tried_again_and_paid_by_hand(
    customer: Customer, gateway: Gateway, shop: Simulator, clock: Clock
) -> None:
    customer.registers()
    customer.chooses("business")
    customer.pays(customer.orders(keep_method="on"))
    wait_until(GatewayEvent.objects.exists, what="the webhook")
    clock.work()
    method = PaymentMethod.objects.get()
    assert (method.is_default, method.consent["by"]) == (True, method.customer.users.get().pk)

    clock.live(days=30)
    assert Payment.objects.count() == 1
    clock.live(days=1)
    assert attempts(FIRST) == [(1, 0)]
    assert renewing.renewals()[0].state == Invoice.State.PAID
    # What was included in the last period lapses, what is included in this one is there.
    assert shop.accounts()[0]["balance"] == "20.0000"
    assert steps() == ["reminder"]

    saved.later(gateway, method, "insufficient_funds")
    clock.live(days=30 + 6)
    assert attempts(SECOND) == [(1, 0), (2, 3), (3, 5)]
    assert Mail.objects.filter(template="charge_failed", state=Mail.State.SENT).count() == 3
    assert steps() == ["reminder", "reminder", "overdue_first"]

    customer.signs_in()
    mail = Mail.objects.filter(template="charge_failed").latest("pk")
    invoice = Invoice.objects.get(state=Invoice.State.OPEN)
    assert f"/account/invoices/{invoice.public_id}/" in mail.text
    customer.pays_invoice(invoice)
    clock.work()
    invoice.refresh_from_db()
    assert invoice.state == Invoice.State.PAID
    # What was included in the last period lapses, what is included in this one is there.
    assert shop.accounts()[0]["balance"] == "20.0000"
    assert str(Subscription.objects.get().paid_until) == "2026-06-02"
    clock.live(days=5)
    assert attempts(SECOND) == [(1, 0), (2, 3), (3, 5)]
    assert len(gateway.simulator.log()["charges"]) == 3
