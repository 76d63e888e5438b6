"""The months after a purchase, day by day over HTTP: renewed, late, suspended, restored, ended."""

from __future__ import annotations

from billing import desk
from billing.models import GatewayEvent, Invoice, Mail, Notice, Payment, Subscription
from provisioning.models import Account
from provisioning.simulator.simulator import Simulator
from tests.billing import renewing
from tests.clock import Clock
from tests.processes import wait_until
from tests.story import Customer


def buys(customer: Customer, clock: Clock) -> Subscription:
    """Buy on 2 March; the second period begins on 2 April and is invoiced on 26 March."""
    customer.buys("business")
    wait_until(GatewayEvent.objects.exists, what="the webhook")
    clock.work()
    return Subscription.objects.get()


def pays(customer: Customer, clock: Clock) -> None:
    """Sign in again and pay the open invoice by card."""
    before = GatewayEvent.objects.count()
    customer.signs_in()
    customer.pays_invoice(Invoice.objects.get(state=Invoice.State.OPEN))
    wait_until(lambda: GatewayEvent.objects.count() > before, what="the webhook")
    clock.work()


def state() -> str:
    """Return the subscription's state and its account's, as one word each."""
    return f"{Subscription.objects.get().state} {Account.objects.get().state}"


def test_a_renewal_is_paid_at_the_gateway(
    customer: Customer, shop: Simulator, clock: Clock
) -> None:
    buys(customer, clock)
    clock.live(days=23)
    assert renewing.renewals() == []
    clock.live(days=1)
    assert renewing.starts() == ["2026-04-02"]
    assert Mail.objects.get(template="invoice_issued").state == Mail.State.SENT
    pays(customer, clock)
    subscription = Subscription.objects.get()
    assert (str(subscription.paid_until), str(subscription.next_invoice_on)) == (
        "2026-05-02",
        "2026-04-25",
    )
    assert shop.accounts()[0]["balance"] == "20.0000"
    clock.live(days=10)
    assert not Notice.objects.exists()
    assert state() == "active live"


def test_a_renewal_is_paid_by_bank_transfer(
    customer: Customer, shop: Simulator, clock: Clock
) -> None:
    buys(customer, clock)
    clock.live(days=24)
    customer.signs_in()
    customer.pays_invoice(renewing.renewals()[0], "bank_transfer")
    payment = Payment.objects.get(gateway="bank_transfer")
    clock.live(days=3)
    desk.confirm_transfer(payment, payment.amount, at=clock.now(), actor="staff:1")
    clock.work()
    assert renewing.renewals()[0].state == Invoice.State.PAID
    assert str(Subscription.objects.get().paid_until) == "2026-05-02"
    assert shop.accounts()[0]["balance"] == "20.0000"


def test_reminded_overdue_suspended_paid_restored(
    customer: Customer, shop: Simulator, clock: Clock
) -> None:
    buys(customer, clock)
    clock.live(days=31 + 9)
    steps = Notice.objects.order_by("pk").values_list("step", "on")
    assert [(step, str(on)) for step, on in steps] == [
        ("reminder", "2026-03-30"),
        ("overdue_first", "2026-04-03"),
        ("overdue_second", "2026-04-09"),
    ]
    assert state() == "active live"
    clock.live(days=1)
    assert state() == "suspended suspended"
    assert shop.accounts()[0]["active"] in (False, "0", 0)
    pays(customer, clock)
    assert state() == "active live"
    assert shop.accounts()[0]["balance"] == "20.0000"
    assert Mail.objects.filter(template="restored", state=Mail.State.SENT).count() == 1
    clock.live(days=3)
    assert Notice.objects.count() == 4


def test_never_paid_it_is_warned_ended_and_deleted(
    customer: Customer, shop: Simulator, clock: Clock
) -> None:
    buys(customer, clock)
    clock.live(days=31 + 30)
    assert state() == "ended suspended"
    assert [each.step for each in Notice.objects.order_by("pk")] == list(Notice.Step)
    clock.live(days=31)
    assert state() == "ended closed"
    assert shop.accounts() == []
    assert renewing.starts() == ["2026-04-02"]


def test_after_three_days_of_outage_nothing_is_doubled_or_hurried(
    customer: Customer, shop: Simulator, clock: Clock
) -> None:
    """Everything stood still from the day before the invoice to the second day after it."""
    buys(customer, clock)
    clock.live(days=23)
    clock.advance(days=3)
    clock.live(days=1)
    assert renewing.starts() == ["2026-04-02"]
    assert str(renewing.renewals()[0].issued_on) == "2026-03-29"
    clock.live(days=9)
    # Another three days, over the second notice and the day before the suspension.
    clock.advance(days=3)
    clock.live(days=4)
    taken = Notice.objects.order_by("pk").values_list("step", "on")
    assert [(step, str(on)) for step, on in taken] == [
        ("reminder", "2026-03-30"),
        ("overdue_first", "2026-04-03"),
        ("overdue_second", "2026-04-11"),
        ("suspended", "2026-04-14"),
    ]


def test_cancelled_and_withdrawn_and_cancelled_again(
    customer: Customer, shop: Simulator, clock: Clock
) -> None:
    subscription = buys(customer, clock)
    address = f"/account/services/{subscription.public_id}/"
    page = customer.browser.submit(customer.browser.open(address), "/cancellation/")
    page = customer.browser.submit(page, "/withdrawal/")
    page = customer.browser.submit(page, "/cancellation/")
    assert "ends on 2 April 2026" in page.text
    clock.live(days=30)
    assert state() == "active live"
    clock.live(days=1)
    assert state() == "ended suspended"
    assert renewing.renewals() == []
    clock.live(days=31)
    assert shop.accounts() == []
