"""What the first screen says is next, and that it is true in every state of a service."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.urls import reverse

from billing import cancellations, exchanges, locks, quotes, renewals, subscriptions
from billing.models import Exchange, Invoice, Subscription
from packages.periods import business_day
from provisioning.models import Account
from storefront.templatetags.money import day
from tests import world
from tests.billing import saved
from tests.storefront.account import people
from tests.storefront.account.people import Person


def first_screen(person: Person) -> str:
    answer = person.browser().get(reverse("storefront:dashboard"))
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def steps(text: str) -> list[str]:
    """Return the lines of "What is next", without markup."""
    section = text[text.index("What is next</h3>") : text.index("</ol>")]
    items = section.split("<li")[1:]
    return [" ".join(re.sub(r"<[^>]+>", " ", f"<li{each}").split()) for each in items]


def number(text: str, label: str) -> str:
    """Return the large number of the first screen under that label."""
    found = re.search(rf'{label}</span>.*?stat__value">(.*?)</span>', text)
    assert found is not None
    return found[1]


@pytest.fixture
def invoiced(anna: Person, now: datetime) -> Invoice:
    """The invoice of Anna's next period, issued on its day."""
    service = anna.subscription
    assert service.next_invoice_on is not None
    renewals.bill(service.next_invoice_on, at=now)
    return Invoice.objects.get(order=None)


def test_what_runs_with_credit_enough_asks_for_nothing(anna: Person) -> None:
    assert steps(first_screen(anna)) == [
        f"Starter renews: €29.00 {day(anna.subscription.paid_until)} "
        "included credit and units start afresh"
    ]


def test_credit_that_runs_low_is_the_first_to_do(anna: Person, now: datetime) -> None:
    people.read(anna, at=now)
    Account.objects.filter(pk=anna.account.pk).update(balance_minor=2_50)
    text = first_screen(anna)
    assert steps(text)[0].startswith("Top up Starter: €2.50 left")
    Subscription.objects.update(low_minor=0)
    assert not any("Top up" in each for each in steps(first_screen(anna)))


def test_an_agreed_package_is_what_the_next_payment_is_for(anna: Person, now: datetime) -> None:
    on = business_day(now, anna.subscription.zone)
    price = world.price("business")
    quote = quotes.quote(anna.subscription, price, on=on, mode=Exchange.Mode.AT_END)
    exchanges.place(
        quote, seen=quote.fingerprint, placed_by=None, language="en", at=now, actor="user:1"
    )
    text = first_screen(anna)
    until = day(anna.subscription.paid_until)
    assert number(text, "Next payment") == "€79.00"
    assert steps(text)[0] == f"Starter becomes Business {until}"
    assert steps(text)[1].startswith(f"Business renews: €79.00 {until}")
    assert f"<dt>From {until}</dt><dd>Business</dd>" in text


def test_a_period_that_has_its_invoice_is_owed_and_not_to_come_as_well(
    anna: Person, invoiced: Invoice
) -> None:
    text = first_screen(anna)
    assert number(text, "To pay") == number(text, "Next payment") == "€29.00"
    pay, renewal = steps(text)
    assert pay == f"Pay invoice {invoiced.number}: €29.00 by {day(invoiced.due_on)}"
    assert day(anna.subscription.paid_until) not in renewal


def test_what_is_charged_by_itself_asks_for_nothing(
    anna: Person, invoiced: Invoice, now: datetime
) -> None:
    method = saved.kept(anna.customer, at=now)
    text = first_screen(anna)
    assert f"charged automatically on {day(invoiced.due_on)}" in text
    assert steps(text)[0] == (
        f"Invoice {invoiced.number}: €29.00 will be charged to {method} {day(invoiced.due_on)} "
        "You need not do anything."
    )


def test_a_suspended_service_keeps_its_credit_and_is_not_threatened_again(now: datetime) -> None:
    begun_at = now - timedelta(days=45)
    person = people.running("erik@example.com", at=begun_at)
    service = person.subscription
    assert service.next_invoice_on is not None
    renewals.bill(service.next_invoice_on, at=begun_at + timedelta(days=24))
    owed = Invoice.objects.get(order=None)
    assert "may be suspended" in first_screen(person)
    with transaction.atomic():
        row = locks.take(subscriptions=[service.pk]).subscriptions[service.pk]
        row.next_invoice_on = None
        row.save(update_fields=["next_invoice_on"])
        row.move(Subscription.State.SUSPENDED, at=now, actor="test", reason="not paid")
        person.account.move(Account.State.SUSPENDED, at=now, actor="test", reason="not paid")
    text = first_screen(person)
    assert number(text, "Credit left") == "€18.20"
    assert "Until it is paid, your service is suspended." in text
    assert "may be suspended" not in text
    assert "renews once it is paid" in text
    assert "nothing renews by itself" not in text
    assert steps(text) == [f"Pay invoice {owed.number}: €29.00 was due on {day(owed.due_on)}"]


def test_what_has_ended_is_not_called_running_and_can_come_back(
    anna: Person, now: datetime
) -> None:
    held = cancellations.cancel(anna.subscription, at=now, actor="test")
    assert f"Starter ends {day(held.ends_on)} cancelled" in steps(first_screen(anna))
    with transaction.atomic():
        row = locks.take(subscriptions=[held.pk]).subscriptions[held.pk]
        subscriptions.end(row, cause="test", reason="cancelled", at=now, actor="test")
    text = first_screen(anna)
    assert "All running" not in text
    until = day(now + subscriptions.KEPT_FOR)
    assert steps(text) == [f"Starter has ended can be brought back until {until}"]
    Subscription.objects.update(returnable=False)
    text = first_screen(anna)
    assert steps(text) == ["Choose a package All your services have ended."]
    assert f'href="{reverse("storefront:packages")}">Choose a package</a>' in text


def test_somebody_who_has_not_paid_yet_is_not_told_that_nothing_renews(now: datetime) -> None:
    person = people.waiting("dora@example.com", at=now)
    text = first_screen(person)
    assert "comes with the payment" in text
    assert "renews once it is paid" in text
    assert steps(text)[0].startswith(f"Pay invoice {person.invoice.number}: ")
