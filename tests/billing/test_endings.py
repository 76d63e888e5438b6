"""A service that ends at once: what is given back, what is owed, and how it comes back."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from billing import cancellations, endings, exchanges, invariants, returns
from billing.models import Exchange, Invoice, Mail, Order, Subscription
from packages.models import Price
from provisioning.models import Job
from tests import payments
from tests.billing import orders, renewing
from tests.billing.exchanging import AT, AT_END, DUE, agreed, balance, changed, day, live
from tests.billing.orders import euros


@pytest.fixture
def subscription(running_service: Subscription) -> Subscription:
    return running_service


def quoted(subscription: Subscription, offset: int, *, gives_back: bool = True) -> endings.Quote:
    subscription.refresh_from_db()
    return endings.quote(subscription, on=day(offset).date(), gives_back=gives_back)


def ended(subscription: Subscription, offset: int, *, gives_back: bool = True) -> endings.Quote:
    quote = quoted(subscription, offset, gives_back=gives_back)
    endings.end(
        quote, seen=quote.fingerprint, reason="x", returnable=True, at=day(offset), actor="user:7"
    )
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.ENDED
    return quote


def returned(subscription: Subscription, offset: int) -> Order:
    """Order the return, and pay what the balance leaves to be paid."""
    priced = returns.quote(subscription, on=day(offset).date())
    order = returns.place(
        subscription,
        seen=returns.seen(priced),
        placed_by=None,
        language="en",
        at=day(offset),
        actor="user:7",
    )
    if order.invoice.due:
        payments.pay(order.invoice, at=day(offset))
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.ACTIVE
    return order


def kinds() -> list[str]:
    """Return the jobs that stop and start the account, in their order."""
    wanted = (Job.Kind.SUSPEND, Job.Kind.UNSUSPEND, Job.Kind.TERMINATE)
    jobs = Job.objects.filter(kind__in=wanted).exclude(state=Job.State.CANCELLED)
    return [job.kind for job in jobs.order_by("seq")]


def test_days_after_today_are_credited_less_their_credit(subscription: Subscription) -> None:
    """Twenty of 31 days are left behind the eleventh: 50.97 of 79.00, and 12.90 of 20.00."""
    quote = ended(subscription, 10)
    assert quote.credited == euros(50_97 - 12_90)
    assert balance(subscription) == quote.credited.minor
    assert (str(subscription.paid_until), str(subscription.ends_on)) == ("2026-03-13",) * 2
    assert kinds() == ["suspend", "terminate"]
    assert quote.deleted_on == day(40).date()
    mail = Mail.objects.get(template="ended")
    assert "as you cancelled it" in mail.text
    assert invariants.violations() == []


def test_without_giving_back_it_only_ends(subscription: Subscription) -> None:
    assert ended(subscription, 10, gives_back=False).credited == euros(0)
    assert (balance(subscription), subscription.paid_until) == (0, DUE)
    assert not Invoice.objects.filter(kind="credit_note").exists()
    assert invariants.violations() == []


def test_a_repetition_and_other_sums_end_nothing(subscription: Subscription) -> None:
    quote = quoted(subscription, 10)
    with pytest.raises(endings.Changed):
        endings.end(
            quote, seen=quote.fingerprint, reason="x", returnable=True, at=day(11), actor="user:7"
        )
    ended(subscription, 11)
    with pytest.raises(endings.NotEndable):
        quoted(subscription, 11)
    assert kinds() == ["suspend", "terminate"]


def test_a_later_period_is_taken_back_open_or_paid(subscription: Subscription) -> None:
    live(11, 24)
    (renewal,) = renewing.renewals()
    quote = quoted(subscription, 26, gives_back=False)
    assert (quote.credited, quote.remitted) == (euros(0), euros(79_00))
    payments.pay(renewal, at=day(26))
    # The days until April, and April; its credit would have been added on its first day.
    quote = ended(subscription, 26)
    assert quote.credited == euros(10_19 - 2_58 + 79_00)
    assert subscription.periods.count() == 1
    assert invariants.violations() == []


def test_credit_that_was_added_for_a_later_period_stays(db: None) -> None:
    """What persists is added as soon as it is paid: 100.00 of the 249.00."""
    orders.seeded(at=AT)
    subscription = renewing.bought(at=AT, slug="scale")
    live(11, 24)
    payments.pay(renewing.renewals()[0], at=day(26))
    days = euros(249_00).fraction(4, 31) - euros(100_00).fraction(4, 31)
    assert ended(subscription, 26).credited == days + euros(249_00 - 100_00)
    assert invariants.violations() == []


def test_a_begun_period_that_is_not_paid_is_owed_for_its_days(subscription: Subscription) -> None:
    live(11, 33)
    quote = ended(subscription, 33)
    assert quote.remitted == euros(79_00).fraction(27, 30)
    renewal = renewing.renewals()[0]
    assert renewal.due == euros(79_00) - quote.remitted
    assert invariants.violations() == []


def test_after_an_exchange_its_invoice_is_credited_first(subscription: Subscription) -> None:
    up = changed(subscription, "scale", 10)
    quote = ended(subscription, 20)
    worth = euros(168_68).fraction(10, 21)
    assert quote.credited == worth - euros(100_00).fraction(10, 31)
    assert [part.paper.invoice.order_id for part in quote.parts] == [up.order_line.order_id]  # type: ignore[union-attr]
    assert invariants.violations() == []


def test_an_agreed_exchange_falls_with_it_and_an_ordered_one_holds_it_up(
    subscription: Subscription,
) -> None:
    waiting = agreed(subscription, "scale", 10)
    with pytest.raises(endings.NotEndable, match="waits for its payment"):
        quoted(subscription, 10)
    exchanges.withdraw(waiting, at=day(10), actor="user:7")
    agreed(subscription, "starter", 10, mode=AT_END)
    ended(subscription, 10)
    assert set(Exchange.objects.values_list("state", flat=True)) == {"cancelled"}
    assert invariants.violations() == []


def test_a_payment_that_is_being_confirmed_holds_it_up(subscription: Subscription) -> None:
    live(11, 24)
    payment = payments.begin(renewing.renewals()[0], at=day(25))
    payment.__class__.objects.filter(pk=payment.pk).update(state="processing")
    with pytest.raises(endings.NotEndable, match="being confirmed"):
        quoted(subscription, 25)


def test_paid_time_that_is_left_brings_it_back_for_nothing(subscription: Subscription) -> None:
    ended(subscription, 10, gives_back=False)
    returns.reopen(subscription, at=day(12), actor="user:7")
    with pytest.raises(returns.NotReturnable):
        returns.reopen(subscription, at=day(12), actor="user:7")
    subscription.refresh_from_db()
    assert (subscription.state, subscription.paid_until) == ("active", DUE)
    assert kinds() == ["suspend", "unsuspend"]
    live(12, 31)
    (renewal,) = renewing.renewals()
    assert renewal.lines.get().period_start_on == DUE
    # And it may end and come back once more on the same day.
    payments.pay(renewal, at=day(31))
    ended(subscription, 32, gives_back=False)
    returns.reopen(subscription, at=day(32), actor="user:7")
    assert kinds() == ["suspend", "unsuspend"] * 2
    assert invariants.violations() == []


def test_time_that_was_given_back_is_bought_anew(subscription: Subscription) -> None:
    ended(subscription, 10)
    assert not returns.is_free(subscription, on=day(15).date())
    order = returned(subscription, 15)
    assert order.invoice.total == euros(79_00)
    assert (subscription.anchor_on, str(subscription.paid_until)) == (day(15).date(), "2026-04-17")
    live(16, 39)
    (renewal,) = renewing.renewals()
    assert str(renewal.lines.get().period_start_on) == "2026-04-17"
    assert invariants.violations() == []


def test_on_the_same_day_it_is_bought_from_tomorrow_on(subscription: Subscription) -> None:
    ended(subscription, 10)
    returned(subscription, 10)
    assert subscription.anchor_on == day(11).date()
    # Ended again at once: all of the new period comes back but the credit that was added for it.
    assert ended(subscription, 10).credited == euros(79_00 - 20_00)
    assert returned(subscription, 10).pk != Order.objects.order_by("pk")[1].pk
    assert invariants.violations() == []


def test_a_renewal_that_was_taken_back_is_not_had_for_nothing(subscription: Subscription) -> None:
    """Ended with April's invoice open, and brought back in March: April is ordered."""
    live(11, 24)
    assert ended(subscription, 25, gives_back=False).remitted == euros(79_00)
    returned(subscription, 26)
    assert (subscription.anchor_on, str(subscription.paid_until)) == (DUE, "2026-05-02")
    live(27, 55)
    assert str(renewing.renewals()[-1].lines.get().period_start_on) == "2026-05-02"
    assert invariants.violations() == []


def test_a_cancelled_service_may_still_end_at_once(subscription: Subscription) -> None:
    cancellations.cancel(subscription, at=day(3), actor="user:7")
    ended(subscription, 10)
    live(10, 35)
    assert kinds() == ["suspend", "terminate"]
    assert invariants.violations() == []


def test_pay_as_you_go_ends_and_comes_back(db: None) -> None:
    orders.seeded(at=AT)
    subscription = renewing.bought(at=AT, slug="flex")
    assert ended(subscription, 10).credited == euros(0)
    returns.reopen(subscription, at=day(11), actor="staff:1")
    assert kinds() == ["suspend", "unsuspend"]
    assert invariants.violations() == []


@pytest.mark.parametrize("offset", [0, 1, 29, 30])
def test_on_no_day_more_is_given_back_than_was_paid(
    subscription: Subscription, offset: int
) -> None:
    Price.objects.update(credit_minor=0)
    Subscription.objects.update(credit_minor=0)
    days = 30 - offset
    assert ended(subscription, offset).credited == euros(79_00).fraction(days, 31)
    assert subscription.paid_until == date(2026, 3, 2) + timedelta(days=offset + 1)
    assert invariants.violations() == []
