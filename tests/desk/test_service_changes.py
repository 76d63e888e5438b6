"""What staff do to a service: change its package, cancel, end and bring it back; sums first."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from billing import cancellations
from billing.models import Brand, Exchange, Invoice, Mail, Subscription
from packages.models import Package
from packages.states import history_of
from provisioning.models import Job
from tests import payments, world
from tests.billing import orders, renewing
from tests.clock import Clock
from tests.desk import pages


@pytest.fixture
def service(db: None, clock: Clock) -> Subscription:
    """Business, bought on 2 March; it is the twelfth."""
    orders.seeded(at=clock.now())
    bought = renewing.bought(at=clock.now())
    clock.shift(days=10)
    return bought


def twice(staff: Client, row: Subscription, code: str, **fields: str) -> str:
    """Press a deed that shows its sums first; return what it showed."""
    shown = str(pages.press(staff, row, code, **fields).content.decode())
    pages.submit(staff, row, code, {**pages.hidden(shown), **fields})
    row.refresh_from_db()
    return shown


def test_staff_change_to_a_package_that_customers_may_not_choose(
    service: Subscription, staff: Client
) -> None:
    Package.objects.get(slug="business").exchange_targets.clear()
    price = str(world.price("scale").pk)
    shown = twice(staff, service, "exchange", price=price, mode="now", reason="as agreed by phone")
    for words in ("New package for 21 days: €168.68", "€53.52", "To be paid with VAT: €115.16"):
        assert words in shown
    exchange = Exchange.objects.get()
    first = history_of(exchange)[0]
    assert first.reason == "at once: as agreed by phone"
    assert first.actor.startswith("staff:")
    invoice = Invoice.objects.get(order=exchange.order_line.order_id)  # type: ignore[union-attr]
    assert invoice.total_minor == 115_16
    assert service.package.slug == "business"
    assert "keep-package" in pages.offered(staff, service)
    assert "exchange" not in pages.offered(staff, service)
    pages.press(staff, service, "keep-package", reason="asked for")
    exchange.refresh_from_db()
    invoice.refresh_from_db()
    assert (exchange.state, invoice.state) == ("cancelled", "cancelled")


def test_what_is_left_over_is_credited_and_the_package_changes_now(
    service: Subscription, staff: Client
) -> None:
    price = str(world.price("starter").pk)
    shown = twice(staff, service, "exchange", price=price, mode="now", reason="too much")
    assert "To be credited: €23.71." in shown
    assert service.package.slug == "starter"
    assert Mail.objects.filter(template="exchange_done").count() == 1


def test_another_cycle_is_refused_at_once_and_agreed_for_the_end(
    service: Subscription, staff: Client
) -> None:
    fields = {"price": str(world.price("business", cycle="yearly").pk), "reason": "x"}
    page = pages.press(staff, service, "exchange", mode="now", **fields).content.decode()
    assert "possible at the end of the period only" in page
    assert not Exchange.objects.exists()
    shown = twice(staff, service, "exchange", mode="at_end", **fields)
    assert "Nothing is due now." in shown
    assert Exchange.objects.get().mode == Exchange.Mode.AT_END
    assert "Business from 2 April 2026" in staff.get(pages.address(service)).content.decode()
    listed = staff.get(reverse("admin:billing_subscription_changelist")).content.decode()
    assert "→ Business from 2 April 2026" in listed


def test_sums_are_seen_before_a_service_ends(service: Subscription, staff: Client) -> None:
    shown = twice(staff, service, "end", gives_back="on", reason="fraud")
    assert "€38.07 come onto the customer&#x27;s balance." in shown
    assert (service.state, service.returnable) == (Subscription.State.ENDED, False)
    assert history_of(service).latest("id").reason == "fraud"
    assert "We have ended Business." in Mail.objects.get(template="ended").text
    # Its owner may not bring it back, staff may.
    owner = Client()
    owner.force_login(service.customer.users.get())
    address = f"/account/services/{service.public_id}/"
    assert "Bring this service back" not in owner.get(address).content.decode()
    assert owner.post(f"{address}return/").status_code == 404
    pages.press(staff, service, "return", reason="a mistake")
    invoice = Invoice.objects.latest("pk")
    assert (invoice.total_minor, invoice.due.minor) == (79_00, 79_00 - 38_07)
    payments.pay(invoice, at=invoice.issued_at)  # type: ignore[arg-type]
    service.refresh_from_db()
    assert service.state == Subscription.State.ACTIVE


def test_without_credit_it_is_reopened_as_it_was(service: Subscription, staff: Client) -> None:
    shown = twice(staff, service, "end", returnable="on", reason="x")
    assert "€0.00 come onto" in shown
    until = service.paid_until
    pages.press(staff, service, "return", reason="sorry")
    service.refresh_from_db()
    assert (service.state, service.paid_until) == (Subscription.State.ACTIVE, until)
    assert Job.objects.filter(kind=Job.Kind.UNSUSPEND).count() == 1
    assert not Invoice.objects.filter(kind="credit_note").exists()


def test_staff_cancel_and_withdraw(service: Subscription, staff: Client) -> None:
    pages.press(staff, service, "cancel", reason="by letter")
    service.refresh_from_db()
    assert str(service.ends_on) == "2026-04-02"
    assert history_of(service).latest("id").reason == "cancelled to 2026-04-02: by letter"
    assert "cancel" not in pages.offered(staff, service)
    listed = reverse("admin:billing_subscription_changelist")
    assert "ends on 2 April 2026" in staff.get(listed).content.decode()
    pages.press(staff, service, "keep", reason="another letter")
    service.refresh_from_db()
    assert service.ends_on is None


def test_a_customer_ends_nothing_where_it_is_not_offered(
    service: Subscription, clock: Clock
) -> None:
    owner = Client()
    owner.force_login(service.customer.users.get())
    address = f"/account/services/{service.public_id}/end/"
    assert owner.get(address).status_code == owner.post(address).status_code == 404
    Brand.objects.update(cancel_now=Brand.CancelNow.CREDIT)
    stranger = Client()
    stranger.force_login(world.customer("eve@example.com", at=clock.now())[0])
    assert stranger.get(address).status_code == stranger.post(address).status_code == 404
    # Sums that were not seen are shown, and nothing ends.
    assert owner.post(address, {"seen": "other"}).status_code == 409
    service.refresh_from_db()
    assert service.state == Subscription.State.ACTIVE
    cancellations.cancel(service, at=clock.now(), actor="user:1")
    assert "Or end it at once" in owner.get(address.removesuffix("end/")).content.decode()
