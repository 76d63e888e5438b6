"""Renewals are charged on their due date by one timetable, and dunning goes on beside it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from billing import (
    cancellations,
    charges,
    collections,
    days,
    deliveries,
    disputes,
    invariants,
    methods,
    pauses,
    payments,
    runs,
    turns,
)
from billing.gateways.base import PaymentSnapshot, PaymentState
from billing.locks import take_for_payment
from billing.models import (
    Customer,
    Invoice,
    Mail,
    Notice,
    Payment,
    PaymentMethod,
    Run,
    Subscription,
    Timetable,
)
from tests import payments as transfers
from tests.billing import orders, renewing, saved
from tests.guards.connections import together

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE = date(2026, 4, 2)


@pytest.fixture
def subscription(running_service: Subscription) -> Subscription:
    return running_service


@pytest.fixture
def method(subscription: Subscription) -> PaymentMethod:
    return saved.kept(subscription.customer, at=AT)


def noon(offset: int) -> datetime:
    return datetime(DUE.year, DUE.month, DUE.day, 12, tzinfo=UTC) + timedelta(days=offset)


def run(offset: int) -> days.Day:
    """Run the day so many days after the due date, and send its mails."""
    day = days.run(DUE + timedelta(days=offset), at=noon(offset), most=None)
    renewing.post(at=noon(offset))
    return day


def answered(state: PaymentState, code: str | None = None) -> Payment:
    """Let the gateway answer the charge that waits."""
    payment = Payment.objects.get(state=Payment.State.PROCESSING)
    sent_at = payment.created_at + timedelta(minutes=1)
    Payment.objects.filter(pk=payment.pk).update(sent_at=sent_at)
    snapshot = PaymentSnapshot(
        f"pay_{payment.pk}", payment.key.hex, state, payment.amount, failure_code=code
    )
    return payments.record(snapshot, "simulated", at=sent_at, actor="test")


def live(first: int, last: int, code: str = "insufficient_funds") -> None:
    """Live these days with a gateway that declines."""
    for offset in range(first, last + 1):
        if run(offset).charges:
            answered("failed", code)


def attempts() -> list[tuple[int, int]]:
    """Return the automatic attempts with their days after the due date."""
    taken = Payment.objects.filter(turn__isnull=False).order_by("pk")
    return [(each.turn or 0, (each.turn_on - DUE).days) for each in taken if each.turn_on]


def mails(template: str) -> list[str]:
    found = Mail.objects.filter(template=template).order_by("pk")
    return [deliveries.opened(mail)[0] for mail in found]


def test_a_renewal_is_charged_on_its_due_date_and_not_before(method: PaymentMethod) -> None:
    for offset in range(-7, 0):
        assert run(offset).charges == []
    (asked,) = run(0).charges
    assert (asked.number, asked.method, asked.due.minor) == ("R-2026-0002", "Visa •••• 4242", 79_00)
    assert run(0).charges == []
    assert answered("succeeded").state == Payment.State.SUCCEEDED
    assert renewing.renewals()[0].state == Invoice.State.PAID
    assert run(1).charges == []
    assert attempts() == [(1, 0)]
    assert invariants.violations() == []


def test_the_mails_before_say_that_nothing_is_to_be_done(method: PaymentMethod) -> None:
    for offset in (-7, -3):
        run(offset)
    for template in ("invoice_issued", "reminder"):
        (text,) = mails(template)
        assert "Visa •••• 4242; you do not need to do anything" in text
        assert "IBAN" not in text


def test_a_soft_decline_is_tried_again_by_the_timetable_while_dunning_goes_on(
    method: PaymentMethod,
) -> None:
    live(-7, 20)
    assert attempts() == [(1, 0), (2, 3), (3, 5), (4, 7)]
    texts = mails("charge_failed")
    assert len(texts) == 4
    assert "did not have enough funds" in texts[0]
    assert "We will try again on 5 April 2026" in texts[0]
    assert "We will not try again" in texts[3]
    steps = Notice.objects.order_by("pk").values_list("step", flat=True)
    assert list(steps) == ["reminder", "overdue_first", "overdue_second", "suspended"]
    assert invariants.violations() == []


@pytest.mark.parametrize(
    ("retries", "taken"), [([4, 2, 2], [(1, 0), (2, 2), (3, 4)]), ([], [(1, 0)])]
)
def test_the_timetable_that_holds_says_when_it_is_charged_again(
    method: PaymentMethod, retries: list[int], taken: list[tuple[int, int]]
) -> None:
    own = Timetable.objects.create(name="own", charge_retries=retries)
    Customer.objects.update(timetable=own)
    live(-7, 8)
    assert attempts() == taken
    texts = mails("charge_failed")
    assert ["We will try again on" in text for text in texts] == [True] * (len(taken) - 1) + [False]


def test_a_hard_decline_ends_the_method_and_another_one_goes_on(method: PaymentMethod) -> None:
    live(-7, 4, "card_declined")
    assert attempts() == [(1, 0)]
    method.refresh_from_db()
    assert method.state == PaymentMethod.State.FAILED
    assert "save another method" in mails("charge_failed")[0]
    saved.kept(method.customer, at=noon(4), token="pm_2")
    (asked,) = run(5).charges
    assert asked.turn == 2
    answered("succeeded")
    assert renewing.renewals()[0].state == Invoice.State.PAID


def test_a_bank_that_wants_the_customer_is_not_asked_again(method: PaymentMethod) -> None:
    live(-7, 12, "authentication_required")
    assert attempts() == [(1, 0)]
    assert mails("charge_failed") == []
    (text,) = mails("needs_authentication")
    assert str(renewing.renewals()[0].public_id) in text
    method.refresh_from_db()
    assert (method.state, method.is_default) == (PaymentMethod.State.ACTIVE, True)


def test_after_an_outage_one_attempt_a_day_and_none_hurried(method: PaymentMethod) -> None:
    live(-7, -4)
    live(4, 5)
    live(8, 20)
    assert attempts() == [(1, 4), (2, 8), (3, 10), (4, 12)]


def test_nothing_is_charged_while_a_transfer_is_awaited(method: PaymentMethod) -> None:
    run(-7)
    transfers.begin(renewing.renewals()[0], at=noon(-6))
    for offset in range(8):
        assert run(offset).charges == []


def test_nothing_is_charged_without_the_customers_wish(
    subscription: Subscription, method: PaymentMethod
) -> None:
    run(-7)
    methods.switch(subscription.customer, False, at=noon(-1), actor="user:1")
    assert run(0).charges == []
    methods.switch(subscription.customer, True, at=noon(0), actor="user:1")
    methods.remove(method, reason="by the customer", at=noon(0), actor="user:1")
    assert run(0).charges == []


@pytest.mark.parametrize("what", ["invoice", "subscription", "customer"])
def test_nothing_is_charged_while_staff_let_it_rest(
    subscription: Subscription, method: PaymentMethod, what: str
) -> None:
    run(-7)
    targets: dict[str, Invoice | Subscription | Customer] = {
        "invoice": renewing.renewals()[0],
        "subscription": subscription,
        "customer": subscription.customer,
    }
    until_on, on = DUE + timedelta(days=2), DUE - timedelta(days=1)
    pauses.begin(
        targets[what], until_on=until_on, reason="asked for", on=on, at=noon(-1), actor="staff:1"
    )
    for offset in (0, 1):
        assert run(offset).charges == []
    assert len(run(2).charges) == 1


def test_nothing_is_charged_while_a_payment_is_disputed(method: PaymentMethod) -> None:
    run(-7)
    paid = Payment.objects.get(state=Payment.State.SUCCEEDED)
    with transaction.atomic():
        locked, held = take_for_payment(paid.pk)
        disputes.note(locked, "open", held, at=noon(-1))
    for offset in (0, 1):
        assert run(offset).charges == []
    disputes.end(paid, at=noon(1))
    assert len(run(2).charges) == 1


def test_a_pause_between_plan_and_run_is_respected(method: PaymentMethod) -> None:
    run(-7)
    planned = collections.plan(DUE)
    pauses.begin(
        renewing.renewals()[0],
        until_on=DUE + timedelta(days=2),
        reason="asked for",
        on=DUE,
        at=noon(0),
        actor="staff:1",
    )
    assert len(planned) == 1
    assert collections.run(DUE, planned, at=noon(0)) == []


def test_nothing_is_charged_for_a_service_that_was_cancelled(
    subscription: Subscription, method: PaymentMethod
) -> None:
    run(-7)
    cancellations.cancel(subscription, at=noon(-1), actor="user:1")
    assert run(0).charges == []


def test_two_runners_ask_once(transactional_db: None) -> None:
    orders.seeded(at=AT)
    saved.kept(renewing.bought(at=AT).customer, at=AT)
    run(-7)
    planned = collections.plan(DUE)
    done = together(lambda _: collections.run(DUE, planned, at=noon(0)), 4)
    assert sorted(len(each) for each in done if isinstance(each, list)) == [0, 0, 0, 1]
    assert attempts() == [(1, 0)]


def test_an_attempt_cannot_be_taken_twice(method: PaymentMethod) -> None:
    live(-7, 0)
    with pytest.raises(IntegrityError):
        charges.ask(
            renewing.renewals()[0],
            method,
            at=noon(1),
            actor="test",
            turn=charges.Turn(1, DUE + timedelta(days=1)),
        )


def test_a_preview_lists_the_charges_and_keeps_nothing(method: PaymentMethod) -> None:
    text = said("preview", "--on", "2026-03-26", "--days", "8")
    assert "charge                     R-2026-0002" in text
    assert "79.00 EUR  Visa •••• 4242  attempt 1" in text
    assert "charges 1, 79.00 EUR" in text
    assert not Payment.objects.filter(turn__isnull=False).exists()


def test_far_more_charges_than_usual_wait_for_staff(db: None) -> None:
    crowd(collections.ALWAYS_FINE + 1)
    with pytest.raises(CommandError, match="21 charges, 20 charges at most are usual"):
        said("bill", "--on", str(DUE))
    assert attempts() == []
    assert "a run would stop at 21 charges, 20 charges are usual" in said(
        "preview", "--on", str(DUE)
    )
    stopped = Run.objects.get(on=DUE)
    assert stopped.planned == {"services": 0, "charges": 21, "charged EUR": 21 * 79_00}
    runs.release(stopped, reason="the big day", at=noon(0), actor="staff:1")
    runs.bill(DUE, now=lambda: noon(0))
    assert len(attempts()) == 21
    assert Run.objects.get(on=DUE).state == Run.State.DONE


def test_far_more_than_the_usual_sum_is_noticed(method: PaymentMethod) -> None:
    for offset in (-7, 0):
        run(offset)
    answered("succeeded")
    assert collections.usual() == {"charges": 20, "charged EUR": 20 * 79_00}


def test_an_expiring_card_is_announced_once(subscription: Subscription) -> None:
    saved.kept(subscription.customer, at=AT, expires_on=DUE + timedelta(days=25))
    run(-1)
    assert mails("method_expiring") == []
    run(0)
    run(1)
    (text,) = mails("method_expiring")
    assert "expires on 27 April 2026" in text


@pytest.mark.parametrize(("late", "ready"), [(0, 3), (1, 4), (2, 5), (9, 12)])
def test_attempts_stay_as_far_apart_as_in_the_timetable(late: int, ready: int) -> None:
    method = PaymentMethod(pk=1)
    last = Payment(turn=1, turn_on=DUE + timedelta(days=late), failure_code="payment_failed")
    assert turns.next_turn(DUE, [last], method, (0, 3, 5, 7)) == (2, DUE + timedelta(days=ready))


def crowd(count: int) -> None:
    """Invoice so many services of customers who pay automatically."""
    orders.seeded(at=AT)
    renewing.many(count, paid_until=DUE, at=AT)
    for index, customer in enumerate(Customer.objects.filter(subscriptions__isnull=False)):
        saved.kept(customer, at=AT, token=f"pm_{index}")
    run(-7)


def said(command: str, *arguments: Any) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def test_the_customer_sees_what_will_be_charged_until_that_day_is_over(
    subscription: Subscription, method: PaymentMethod
) -> None:
    days.run(DUE - timedelta(days=7), at=noon(-7), most=None)
    invoice = Invoice.objects.get(order=None)
    zone = subscription.zone
    assert collections.upcoming(invoice, zone=zone, on=DUE) == method
    assert collections.upcoming(invoice, zone=zone, on=DUE + timedelta(days=1)) is None
    asked: Any = {"reason": "asked for", "at": noon(-3), "actor": "staff:1"}
    pauses.begin(invoice, until_on=DUE, on=DUE - timedelta(days=3), **asked)
    assert collections.upcoming(invoice, zone=zone, on=DUE) == method
    pauses.begin(invoice, until_on=DUE + timedelta(days=3), on=DUE - timedelta(days=3), **asked)
    assert collections.upcoming(invoice, zone=zone, on=DUE) is None
