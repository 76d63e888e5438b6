"""A service that has ended comes back, may end again, and keeps nobody waiting meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing import cancellations, invariants, returns
from billing.models import Mail, Order, OrderLine, Subscription
from packages.money import Money
from provisioning import jobs
from provisioning.models import Account, Job
from tests import payments
from tests.billing.exchanging import day, live

ENDS = 31


@pytest.fixture
def ended(running_service: Subscription) -> Subscription:
    """Business, cancelled and ended on 2 April."""
    subscription = running_service
    cancellations.cancel(subscription, at=day(1), actor="user:1")
    live(1, ENDS)
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.ENDED
    return subscription


def brings_back(subscription: Subscription, offset: int) -> Order:
    subscription.refresh_from_db()
    priced = returns.quote(subscription, on=day(offset).date())
    user = subscription.customer.users.get()
    return returns.place(
        subscription,
        seen=returns.seen(priced),
        placed_by=user,
        language="en",
        at=day(offset),
        actor=f"user:{user.pk}",
    )


def test_it_ends_a_second_time_like_the_first(ended: Subscription) -> None:
    payments.pay(brings_back(ended, 33).invoice, at=day(33))
    cancellations.cancel(ended, at=day(34), actor="user:1")
    live(34, 33 + 31)
    ended.refresh_from_db()
    assert ended.state == Subscription.State.ENDED
    assert Job.objects.filter(kind=Job.Kind.SUSPEND).count() == 2
    deletions = Job.objects.filter(kind=Job.Kind.TERMINATE).order_by("seq")
    assert [job.state for job in deletions] == [Job.State.CANCELLED, Job.State.WAITING]
    assert Mail.objects.filter(template="ended").count() == 2
    assert invariants.violations() == []


def test_a_return_that_was_not_paid_in_time_is_ordered_anew(ended: Subscription) -> None:
    first = brings_back(ended, 33)
    assert brings_back(ended, 34) == first
    live(34, 33 + 15)
    first.refresh_from_db()
    assert first.state == Order.State.CANCELLED
    second = brings_back(ended, 50)
    payments.pay(second.invoice, at=day(50))
    ended.refresh_from_db()
    assert (second.pk != first.pk, ended.state) == (True, Subscription.State.ACTIVE)
    assert OrderLine.objects.filter(kind=OrderLine.Kind.RETURN).count() == 2
    assert invariants.violations() == []


def test_what_is_asked_for_before_the_deletion_does_not_wait_for_it(ended: Subscription) -> None:
    assert ended.account is not None
    jobs.take_back(
        ended.account,
        keep=Money(0, "EUR"),
        most=Money(5_00, "EUR"),
        cause="bucket-1:refund-1",
        at=day(32),
        actor="staff:1",
    )
    *earlier, last = Job.objects.filter(account=ended.account).order_by("seq")
    assert last.kind == Job.Kind.TERMINATE
    assert last.run_at == day(ENDS) + timedelta(days=30)
    assert earlier[-1].kind == Job.Kind.TAKE_BACK
    assert Account.objects.get().jobs.filter(kind=Job.Kind.TERMINATE).count() == 1
