"""What is shown as charged next is what the renewal then charges, whatever changes it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from billing import cancellations, coming, days, price_changes, renewals, terms
from billing.models import (
    Customer,
    Exchange,
    Invoice,
    PriceChange,
    Subscription,
    current_brand,
)
from packages.money import Money
from packages.states import record_change
from tests import world
from tests.billing import exchanging, orders, renewing
from tests.billing.exchanging import AT, AT_END

pytestmark = pytest.mark.django_db


def noon(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 12, tzinfo=UTC)


def euros(minor: int) -> Money:
    return Money(minor, "EUR")


@pytest.fixture
def service(running_service: Subscription) -> Subscription:
    """Business at 79.00 a month, from 2 March; paid until 2 April."""
    return running_service


def shown(on: date) -> coming.Coming | None:
    services = list(coming.marked(Subscription.objects.all()))
    return coming.of(services, current_brand(), agreed=terms.scheduled(services), on=on)


def billed(on: date) -> list[Invoice]:
    renewals.bill(on, at=noon(on))
    return list(Invoice.objects.filter(order=None).order_by("id"))


def test_the_next_charge_is_the_renewal_s(service: Subscription) -> None:
    assert service.next_invoice_on is not None
    found = shown(service.next_invoice_on)
    assert found is not None
    assert (str(found.on), found.sums) == ("2026-04-02", [euros(79_00)])
    (invoice,) = billed(service.next_invoice_on)
    assert [invoice.total] == found.sums
    # What has its invoice is owed and not to come.
    after = shown(service.next_invoice_on)
    assert after is not None
    assert (str(after.on), after.sums) == ("2026-05-02", [euros(79_00)])


def test_a_package_that_was_agreed_is_charged_at_its_price(service: Subscription) -> None:
    exchanging.agreed(service, "starter", 10, mode=AT_END)
    assert service.next_invoice_on is not None
    found = shown(service.next_invoice_on)
    assert found is not None
    assert found.sums == [euros(29_00)]
    assert found.charges[0].service.package.slug == "starter"
    assert [each.total for each in billed(service.next_invoice_on)] == found.sums
    assert Exchange.objects.get().state == Exchange.State.PENDING


def test_a_coupon_that_runs_lowers_it() -> None:
    orders.seeded(at=AT)
    on = date(2026, 5, 1)
    renewing.many(1, paid_until=on, at=noon(date(2026, 4, 1)), discount_bp=10_00)
    found = shown(on - timedelta(days=7))
    assert found is not None
    assert found.sums == [euros(71_10)]
    assert [each.total for each in billed(on - timedelta(days=7))] == found.sums


def test_a_buyer_abroad_sees_it_without_the_tax(service: Subscription) -> None:
    Customer.objects.update(country="CH")
    on = service.next_invoice_on
    assert on is not None
    found = shown(on)
    assert found is not None
    assert found.sums == [Money(66_39, "EUR")]
    assert [each.total for each in billed(on)] == found.sums


def test_a_price_that_was_told_in_time_is_the_one_shown(service: Subscription) -> None:
    change = PriceChange.objects.create(
        price=world.price("business"),
        amount_minor=89_00,
        credit_minor=25_00,
        effective_on=date(2026, 3, 10),
        existing=True,
    )
    record_change(change, before="", at=AT, actor="staff:1", reason="drafted")
    price_changes.confirm(change, on=date(2026, 3, 2), at=AT, actor="staff:1")
    days.run(date(2026, 3, 2), at=AT, most=None)
    renewing.post(at=AT)
    assert [each.sums for each in [shown(date(2026, 3, 3))] if each] == [[euros(79_00)]]
    on = date(2026, 4, 25)
    Subscription.objects.update(paid_until=date(2026, 5, 2), next_invoice_on=on)
    found = shown(on)
    assert found is not None
    assert found.sums == [euros(89_00)]
    assert Subscription.objects.get().amount == euros(79_00)
    assert [each.total for each in billed(on)] == found.sums


def test_what_is_cancelled_charges_nothing(service: Subscription) -> None:
    held = cancellations.cancel(service, at=AT, actor="test")
    assert held.ends_on == service.paid_until
    assert shown(date(2026, 3, 10)) is None
