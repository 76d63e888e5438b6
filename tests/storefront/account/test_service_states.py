"""What a service's page says first: what keeps it from running, and the way out."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.urls import reverse

from billing import cancellations, exchanges, locks, quotes, renewals, subscriptions
from billing.models import Exchange, Invoice, Membership, Subscription
from packages.periods import business_day
from provisioning.models import Account
from storefront.templatetags.money import day
from tests import payments, world
from tests.billing import saved
from tests.storefront.account import people
from tests.storefront.account.people import Person


def page(person: Person, name: str, *args: object) -> str:
    answer = person.browser().get(reverse(f"storefront:{name}", args=args))
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def service_page(person: Person) -> str:
    return page(person, "service", person.subscription.public_id)


def pay_button(invoice: Invoice, amount: str) -> str:
    url = reverse("storefront:invoice", args=[invoice.public_id])
    return f'button--primary" href="{url}">Pay {amount}</a>'


def move(person: Person, state: str, *, at: datetime) -> None:
    """Let the service and its account stand where dunning leaves them."""
    with transaction.atomic():
        row = locks.take(subscriptions=[person.subscription.pk]).subscriptions[
            person.subscription.pk
        ]
        row.next_invoice_on = None
        row.save(update_fields=["next_invoice_on"])
        row.move(state, at=at, actor="test", reason="not paid")
        person.account.move(Account.State.SUSPENDED, at=at, actor="test", reason="not paid")


@pytest.fixture
def late(now: datetime) -> Person:
    """Somebody whose second period is invoiced and overdue."""
    begun_at = now - timedelta(days=45)
    person = people.running("erik@example.com", at=begun_at)
    assert person.subscription.next_invoice_on is not None
    renewals.bill(person.subscription.next_invoice_on, at=begun_at + timedelta(days=24))
    return person


def test_an_overdue_service_says_so_and_has_the_button(late: Person) -> None:
    owed = Invoice.objects.get(order=None)
    text = service_page(late)
    assert f"Invoice {owed.number} was due on {day(owed.due_on)}" in text
    assert "The service still runs." in text
    assert pay_button(owed, "€29.00") in text
    # Its next payment is the one that is late, and no day in the past.
    assert "next period from" not in text
    assert "<dt>Next payment</dt>" not in text
    assert "<dt>Open invoice</dt>" in text


def test_what_is_overdue_and_still_runs_is_counted_as_running(late: Person, now: datetime) -> None:
    people.order(late.user, late.customer, "starter", at=now)
    assert "1 of 2" in page(late, "dashboard")


def test_a_service_that_never_had_an_account_is_not_promised_one(now: datetime) -> None:
    person = people.waiting("dora@example.com", at=now)
    assert "the account follows the payment" in service_page(person)
    Subscription.objects.update(state=Subscription.State.ENDED)
    text = service_page(person)
    assert "there was no account" in text
    assert "the account follows the payment" not in text
    assert "the account is deleted" not in text


def test_a_suspended_service_has_the_button_that_ends_it(late: Person, now: datetime) -> None:
    move(late, Subscription.State.SUSPENDED, at=now)
    owed = Invoice.objects.get(order=None)
    text = service_page(late)
    assert f"Suspended until invoice {owed.number} is paid" in text
    assert pay_button(owed, "€29.00") in text
    # Nobody foretells the end of credit that cannot be used.
    assert "too few readings" not in text


def test_a_colleague_who_may_not_pay_can_look_at_it(late: Person) -> None:
    user, _ = world.customer("kim@example.com", at=late.subscription.created_at)
    user.memberships.all().delete()
    Membership.objects.create(user=user, customer=late.customer, role=Membership.Role.COLLEAGUE)
    owed = Invoice.objects.get(order=None)
    kim = Person(user, late.customer, late.subscription, owed)
    for text in (service_page(kim), page(kim, "dashboard")):
        assert f"View invoice {owed.number}" in text
        assert "button--primary" not in text
    assert "New service" not in page(kim, "dashboard")
    assert "An owner can change it" in page(kim, "profile")


def test_who_has_not_paid_yet_is_led_to_the_payment(now: datetime) -> None:
    person = people.waiting("dora@example.com", at=now)
    text = service_page(person)
    assert f"Starts when invoice {person.invoice.number} is paid" in text
    assert pay_button(person.invoice, "€29.00") in text
    assert "comes with the account" in text
    assert "Unknown" not in text


def test_what_is_being_confirmed_is_not_asked_for_twice_and_not_called_paid(now: datetime) -> None:
    person = people.waiting("dora@example.com", at=now)
    payments.confirming(person.invoice, at=now)
    text = service_page(person)
    assert "Your payment is being confirmed" in text
    assert "button--primary" not in text
    text = page(person, "dashboard")
    assert "All invoices are paid" not in text
    assert "Payment being confirmed" in text
    assert "renews once it is paid" in text


def test_an_ended_service_says_until_when_it_can_come_back(anna: Person, now: datetime) -> None:
    held = cancellations.cancel(anna.subscription, at=now, actor="test")
    text = service_page(anna)
    # An exchange would be refused.
    assert reverse("storefront:service_exchange", args=[held.public_id]) not in text
    with transaction.atomic():
        row = locks.take(subscriptions=[held.pk]).subscriptions[held.pk]
        subscriptions.end(row, cause="test", reason="cancelled", at=now, actor="test")
    text = service_page(anna)
    until = day(now + subscriptions.KEPT_FOR)
    assert f"Account, credit and data are kept until {until}" in text
    assert "You need not do anything" not in text
    assert "Dialler password" not in text
    Account.objects.update(state=Account.State.CLOSED)
    text = service_page(anna)
    assert "the account is deleted" in text
    assert '<span class="stat__value">–</span>' in text


def test_a_package_that_was_agreed_stands_beside_the_price(anna: Person, now: datetime) -> None:
    on = business_day(now, anna.subscription.zone)
    price = world.price("business")
    quote = quotes.quote(anna.subscription, price, on=on, mode=Exchange.Mode.AT_END)
    exchanges.place(
        quote, seen=quote.fingerprint, placed_by=None, language="en", at=now, actor="user:1"
    )
    until = day(anna.subscription.paid_until)
    said = f'<dt>From {until}</dt><dd>Business, <span class="amount strong">€79.00</span></dd>'
    page = service_page(anna)
    assert said in page
    assert f'<dt>Next payment</dt><dd>{until}, <span class="amount">€79.00</span>' in page


def test_what_blocks_a_change_of_package_is_a_click_away(late: Person) -> None:
    owed = Invoice.objects.get(order=None)
    text = page(late, "service_exchange", late.subscription.public_id)
    assert f"Invoice {owed.number} is still open." in text
    assert f">Go to invoice {owed.number}</a>" in text


def test_an_invoice_that_will_be_charged_says_so_and_has_one_primary_button_at_most(
    anna: Person, now: datetime
) -> None:
    on = anna.subscription.next_invoice_on
    assert on is not None
    renewals.bill(on, at=now)
    owed = Invoice.objects.get(order=None)
    assert page(anna, "invoice", owed.public_id).count("button--primary") == 1
    method = saved.kept(anna.customer, at=now)
    text = page(anna, "invoice", owed.public_id)
    assert f"€29.00 will be charged to {method} on {day(owed.due_on)}" in text
    assert "button--primary" not in text
    assert "Pay another way" in text


def test_the_last_owner_is_not_offered_to_leave(anna: Person, bert: Person) -> None:
    assert "Leave: act for" not in page(anna, "colleagues")
    Membership.objects.create(user=bert.user, customer=anna.customer, role=Membership.Role.OWNER)
    assert "Leave: act for" in page(anna, "colleagues")
