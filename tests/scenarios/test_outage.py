"""Everything is away for days and for months: each period is invoiced once, nobody is hurried.

The shop's date moves while no process lives; the first to come back is a real one, then killed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from pytest_django.fixtures import Settings

from billing import cancellations, demo_days, tasks
from billing.models import (
    Invoice,
    InvoiceLine,
    Mail,
    Notice,
    Payment,
    Run,
    Subscription,
    current_brand,
)
from packages import clock as shop_clock
from packages.periods import business_day, period
from provisioning.models import Job
from provisioning.simulator.simulator import Simulator
from tests import payments, world
from tests.billing import orders, saved
from tests.clock import Clock
from tests.processes import Worker, wait_until
from tests.story import Gateway

LIMIT_SECONDS = 120


@pytest.fixture(autouse=True)
def demo(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process and the worker's move the shop's date."""
    settings.DEMO = True
    monkeypatch.setenv("DEMO", "1")


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Real time, since the worker's process knows no other; the shop's days are ahead of it."""
    with Clock.at(datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")) as clock:
        yield clock


def today() -> date:
    return business_day(shop_clock.now(), world.brand().zone)


def settles() -> None:
    """Wait until whoever lives has done the day's run and all that follows from it."""
    wait_until(_is_settled, seconds=LIMIT_SECONDS, what=f"the run of {today()}")


def _is_settled() -> bool:
    done = Run.objects.filter(on=today(), state=Run.State.DONE).exists()
    busy = Payment.objects.filter(state__in=("started", "processing"), method__isnull=False)
    queued = Mail.objects.exclude(state=Mail.State.SENT)
    jobs = Job.objects.filter(state__in=Job.UNFINISHED).exclude(kind=Job.Kind.TERMINATE)
    return done and not (busy.exists() or queued.exists() or jobs.exists())


def by_a_worker() -> None:
    """Let a worker come, do what is due, and be killed."""
    worker = Worker()
    try:
        settles()
    finally:
        worker.kill()
        worker.stop()


def by_this_process() -> None:
    """Do the same here: a worker takes a quarter of a minute to start."""
    tasks.bill_due()
    demo_days.work()


def is_done_after(days: int, work: Callable[[], None]) -> None:
    """Nobody lives for so many days; then whatever is due is done."""
    runs = Run.objects.count()
    shop_clock.pass_days(days)
    work()
    assert Run.objects.count() == runs + 1


def buys(email: str, gateway: Gateway, slug: str = "business", *, keeps: str = "") -> Subscription:
    """Buy and pay today; with `keeps`, by a card that is kept and then answers so."""
    at = shop_clock.now()
    user, customer = world.customer(email, at=at)
    invoice = orders.place(user, customer, slug, at=at).invoice
    if keeps:
        method = saved.pay_and_keep(invoice, gateway, at=at)
        saved.later(gateway, method, None if keeps == "pays" else keeps)
    else:
        payments.pay(invoice, at=at)
    return Subscription.objects.get(customer=customer)


def starts(subscription: Subscription) -> list[date]:
    """Return the first days of the renewals that were invoiced, in order."""
    charged = InvoiceLine.objects.filter(
        subscription=subscription, kind="recurring", period_start_on__isnull=False, corrects=None
    ).order_by("pk")
    return [line.period_start_on for line in charged if line.period_start_on]


def expected(subscription: Subscription) -> list[date]:
    """Return what should have been invoiced by now: every period whose day has come, once."""
    assert subscription.anchor_on is not None
    lead = timedelta(days=current_brand().lead_monthly)
    nth = [period(subscription.anchor_on, "monthly", index).start_on for index in range(1, 9)]
    return [on for on in nth if on - lead <= today()]


def nobody_is_hurried() -> None:
    """At most one step of dunning was taken per invoice and day, in the timetable's order."""
    taken = Counter(Notice.objects.values_list("invoice", "on"))
    assert not taken or max(taken.values()) == 1
    # What is invoiced when it is due already is reminded of no more.
    dunned = [step.value for step in Notice.Step if step != Notice.Step.REMINDER]
    for invoice in Invoice.objects.filter(notices__isnull=False).distinct():
        taken_in_order = list(invoice.notices.order_by("on").values_list("step", flat=True))
        steps = [step for step in taken_in_order if step != Notice.Step.REMINDER]
        assert steps == dunned[: len(steps)]
        assert Notice.Step.REMINDER not in taken_in_order[1:]


def test_after_days_and_after_months_each_period_is_invoiced_once(
    shop: Simulator, gateway: Gateway, clock: Clock
) -> None:
    paying = buys("ada@example.com", gateway, keeps="pays")
    declined = buys("bob@example.com", gateway, keeps="insufficient_funds")
    leaving = buys("cleo@example.com", gateway)
    shop_clock.pass_days(3)
    late = buys("dora@example.com", gateway)
    demo_days.work()
    shop_clock.pass_days(19)
    cancellations.cancel(leaving, at=shop_clock.now(), actor="user:1")
    everybody = (paying, declined, late)
    # Some days each: over the invoices, reminders, due dates and charges.
    for days, work in ((3, by_a_worker), (3, by_this_process), (4, by_this_process)):
        is_done_after(days, work)
        for each in everybody:
            assert starts(each) == expected(each)
        nobody_is_hurried()
    leaving.refresh_from_db()
    assert (leaving.state, starts(leaving)) == ("ended", [])
    charged = saved.charged(gateway)
    assert Payment.objects.filter(turn__isnull=False, state="succeeded").count() == 1

    # Months: every missed period at once, each on an invoice of its own, charged once.
    open_before = Invoice.objects.filter(state=Invoice.State.OPEN).count()
    notices = Notice.objects.count()
    is_done_after(70, by_this_process)
    for each in everybody:
        each.refresh_from_db()
        assert starts(each) == expected(each)
        assert len(starts(each)) >= 3
    missed = len(starts(paying)) - 1
    assert saved.charged(gateway) == charged + missed
    assert paying.paid_until == period(paying.anchor_on, "monthly", missed + 2).start_on  # type: ignore[arg-type]
    assert Notice.objects.count() - notices <= open_before
    nobody_is_hurried()
    # The day after it is a day like any other.
    demo_days.live(1)
    for each in everybody:
        assert starts(each) == expected(each)
    nobody_is_hurried()
