"""Three years day by day, for a dozen different subscriptions; the outcome can be checked by hand.

The table is written beside the data of the test run and compared with `three_years.txt`. Where they
differ on purpose, copy the new one over it and read the difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db.models import QuerySet, Sum

from billing import invariants, tasks
from billing.models import Coupon, Invoice, Payment
from config.env import VAR_DIR
from packages.models import Cycle, Price
from packages.money import Money, total
from packages.periods import business_day
from packages.sweeping import rows_written_once
from provisioning.simulator.simulator import Simulator
from tests import world
from tests.billing import saved
from tests.clock import Clock
from tests.scenarios.lives import Life, balance_of, cast
from tests.story import Gateway

EXPECTED = Path(__file__).with_name("three_years.txt")
BEGINS, YEARS = "2027-01-31 08:00", 3
LAST = date(2030, 1, 31)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with saved.open_gateway() as gateway:
        yield gateway


@pytest.fixture
def years(transactional_db: None, dialler: Simulator) -> Iterator[Clock]:
    with Clock.at(BEGINS) as clock:
        world.settle_in(dialler.url, at=clock.now())
        for slug, cycle, months in (("scale", "half_yearly", 6), ("fax-office", "two_yearly", 24)):
            month = world.price(slug)
            Price.objects.create(
                package=month.package,
                currency="EUR",
                cycle=Cycle(cycle),
                amount_minor=month.amount_minor * months,
                credit_minor=month.credit_minor * months,
            )
        # Half the price of the first three invoices.
        Coupon.objects.create(code="THREE", percent_bp=5000, cycles=3)
        yield clock


def test_three_years_of_a_dozen_subscriptions(
    years: Clock, dialler: Simulator, gateway: Gateway
) -> None:
    lives, on = cast(gateway), date(2027, 1, 31)
    while on <= LAST:
        tasks.bill_due()
        unpaid = _open_invoices()
        for life in lives:
            life.lives(on, years.now(), unpaid)
        years.work()
        on += timedelta(days=1)
        years.shift(days=1)
    assert invariants.violations() == []
    table = "\n".join([*_head(), *(line for life in lives for line in _told(life, dialler))]) + "\n"
    (VAR_DIR / "three_years.txt").write_text(table)
    assert table == EXPECTED.read_text()


@rows_written_once
def _open_invoices() -> QuerySet[Invoice]:
    return Invoice.objects.filter(state=Invoice.State.OPEN)


def _head() -> list[str]:
    every = list(Invoice.objects.filter(kind=Invoice.Kind.INVOICE))
    billed = total((each.total for each in every), "EUR")
    due = total((each.due for each in every), "EUR")
    came = Payment.objects.filter(state=Payment.State.SUCCEEDED).aggregate(Sum("amount_minor"))
    money = Money(came["amount_minor__sum"], "EUR")
    return [
        f"{YEARS} years, from {BEGINS[:10]} to {LAST}: {len(every)} invoices over {_text(billed)},",
        f"of which {_text(due)} are not paid; {_text(money)} came in.",
    ]


def _told(life: Life, dialler: Simulator) -> list[str]:
    subscription, invoices = life.subscription(), list(life.invoices())
    on_dialler = balance_of(life, dialler.accounts())
    return [
        "",
        str(life),
        f"  {subscription.state}, paid until {subscription.paid_until or 'never'}, "
        f"{len(invoices)} documents, at the dialler: {_text(on_dialler) if on_dialler else 'gone'}",
        *(_line(each) for each in invoices),
    ]


def _line(invoice: Invoice) -> str:
    line = invoice.lines.first()
    assert line is not None
    period = f"{line.period_start_on} to {line.period_end_on}" if line.period_start_on else "order"
    paid = f"paid {business_day(invoice.paid_at, 'Europe/Berlin')}" if invoice.paid_at else ""
    steps = ", ".join(f"{each.step} {each.on:%d.%m.}" for each in invoice.notices.all())
    head = f"  {invoice.number:<12} {invoice.issued_on}  due {invoice.due_on}  {period:<25}"
    return f"{head}{_text(invoice.total):>9}  {paid or invoice.state:<15}  {steps}".rstrip()


def _text(amount: Money) -> str:
    return str(amount.decimal())
