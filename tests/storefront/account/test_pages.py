"""What the pages say, in each state, and how few queries they need."""

import copy
import re
import uuid
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing import credit_notes, renewals
from billing.models import Invoice, Subscription
from provisioning.models import Account, Job
from tests import world
from tests.billing import saved
from tests.payments import confirming, pay
from tests.storefront.account import people
from tests.storefront.account.people import Person

MAX_QUERIES = 15


def page(person: Person, name: str, *args: object) -> str:
    answer = person.browser().get(reverse(f"storefront:{name}", args=args))
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def test_the_overview_answers_the_four_questions(anna: Person) -> None:
    text = page(anna, "dashboard")
    assert "Running" in text
    assert "€18.20" in text
    assert "All invoices are paid" in text
    assert "Next payment" in text
    assert text.count('class="why"') == 4


def test_the_next_payment_is_all_of_its_day(anna: Person, now: datetime) -> None:
    invoice, service = people.order(anna.user, anna.customer, "business", at=now)
    pay(invoice, at=now)
    service.refresh_from_db()
    assert service.paid_until == anna.subscription.paid_until
    text = page(anna, "dashboard")
    assert '<span class="stat__value">€108.00</span>' in text
    assert "Starter renews: €29.00" in text
    assert "Business renews: €79.00" in text
    assert re.search(r">Business</a></dt><dd>€79.00</dd>", text)
    # One that ends is not charged any more.
    Subscription.objects.filter(pk=service.pk).update(ends_on=service.paid_until)
    assert '<span class="stat__value">€29.00</span>' in page(anna, "dashboard")


def test_a_balance_that_was_never_read_is_unknown_and_not_zero(now: datetime) -> None:
    person = people.running("carl@example.com", at=now, balance_minor=None)
    for name, args in (("dashboard", ()), ("service", (person.subscription.public_id,))):
        text = page(person, name, *args)
        assert "Unknown" in text
        assert "€0.00" not in text


def test_a_zero_balance_is_zero(now: datetime) -> None:
    person = people.running("carl@example.com", at=now, balance_minor=0)
    assert "€0.00" in page(person, "dashboard")


def test_paid_and_running_are_two_things(anna: Person, now: datetime) -> None:
    with transaction.atomic():
        anna.account.move(Account.State.SUSPENDED, at=now, actor="test", reason="staff")
    text = page(anna, "service", anna.subscription.public_id)
    assert re.search(
        r"Paid for</span><span class=\"stat__row\"><span class=\"stat__value\">Paid<", text
    )
    assert re.search(r"At the dialler</span><span class=\"stat__value\">Suspended<", text)


def test_parked_work_is_said_honestly(now: datetime) -> None:
    person = people.waiting("dora@example.com", at=now)
    pay(person.invoice, at=now)
    text = page(person, "service", person.subscription.public_id)
    assert "Your account is being set up" in text
    with transaction.atomic():
        job = person.account.jobs.earliest("seq")
        job.move(Job.State.RUNNING, at=now, actor="test", reason="taken")
        job.move(Job.State.PARKED, at=now, actor="test", reason="SQLSTATE: internal words")
    text = page(person, "service", person.subscription.public_id)
    assert "being checked by our staff" in text
    assert "SQLSTATE" not in text


def test_an_overdue_invoice_is_marked_everywhere(now: datetime) -> None:
    person = people.waiting("emil@example.com", at=now - timedelta(days=20))
    for name, args in (
        ("dashboard", ()),
        ("invoices", ()),
        ("invoice", (person.invoice.public_id,)),
    ):
        assert "overdue" in page(person, name, *args).lower()


def test_what_is_being_confirmed_is_neither_overdue_nor_payable(now: datetime) -> None:
    person = people.waiting("emil@example.com", at=now - timedelta(days=20))
    confirming(person.invoice, at=now)
    for name, args in (
        ("dashboard", ()),
        ("invoices", ()),
        ("invoice", (person.invoice.public_id,)),
    ):
        text = page(person, name, *args)
        assert "overdue" not in text.lower()
        assert "being confirmed" in text
    assert reverse("storefront:pay", args=[person.invoice.public_id]) not in text


def test_only_an_open_invoice_can_be_paid(anna: Person, now: datetime) -> None:
    url = reverse("storefront:pay", args=[anna.invoice.public_id])
    assert url not in page(anna, "invoice", anna.invoice.public_id)
    other = people.waiting("fritz@example.com", at=now)
    text = page(other, "invoice", other.invoice.public_id)
    assert reverse("storefront:pay", args=[other.invoice.public_id]) in text
    assert "VAT 19%" in text


def test_the_pdf_is_a_file_to_keep(anna: Person) -> None:
    url = reverse("storefront:invoice_pdf", args=[anna.invoice.public_id])
    answer = anna.browser().get(url)
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="{anna.invoice.number}.pdf"'
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer.content.startswith(b"%PDF-")


def test_top_ups_are_offered_for_a_running_service_only(anna: Person) -> None:
    url = reverse("storefront:cart_add")
    assert url in page(anna, "service", anna.subscription.public_id)
    Account.objects.filter(pk=anna.account.pk).update(state=Account.State.SUSPENDED)
    assert url not in page(anna, "service", anna.subscription.public_id)


def test_history_is_told_in_plain_words(anna: Person) -> None:
    text = page(anna, "service", anna.subscription.public_id)
    for words in ("Ordered", "Paid, service active", "Account running at the dialler"):
        assert words in text
    assert "order paid" not in text


def test_somebody_without_a_service_is_led_to_the_packages(now: datetime) -> None:
    person = people.waiting("gerda@example.com", at=now)
    nobody = world.customer("neu@example.com", at=now)[0]
    newcomer = Person(nobody, person.customer, person.subscription, person.invoice)
    for name in ("dashboard", "services", "invoices"):
        assert reverse("storefront:packages") in page(newcomer, name)


def test_hostile_names_are_shown_and_not_run(anna: Person) -> None:
    anna.customer.company = "<script>alert(1)</script>"
    anna.customer.save()
    for name in ("dashboard", "profile"):
        assert "<script>alert" not in page(anna, name)


@pytest.mark.parametrize("name", ["dashboard", "services", "invoices", "payments"])
def test_the_number_of_queries_does_not_grow(anna: Person, now: datetime, name: str) -> None:
    few = queries(anna, name)
    for _ in range(12):
        invoice, _subscription = people.order(anna.user, anna.customer, "starter", at=now)
        pay(invoice, at=now)
    assert Subscription.objects.filter(customer=anna.customer).count() == 13
    many = queries(anna, name)
    assert many <= few + 1
    assert many <= MAX_QUERIES


def test_a_dashboard_with_a_thousand_invoices_takes_fifteen_queries(
    anna: Person, now: datetime
) -> None:
    people.read(anna, at=now)
    years = range(1, 1_001)
    copies = [copy.copy(anna.invoice) for _ in years]
    for number, each in zip(years, copies, strict=True):
        each.pk, each.public_id, each.order = None, uuid.uuid4(), None
        each.number, each.year, each.sequence = f"R-1999-{number:04d}", 1999, number
    Invoice.objects.bulk_create(copies)
    assert Invoice.objects.filter(customer=anna.customer).count() == 1_001
    assert queries(anna, "dashboard") <= MAX_QUERIES
    # The fullest first screen: the next period is invoiced and will be charged by itself.
    assert anna.subscription.next_invoice_on is not None
    renewals.bill(anna.subscription.next_invoice_on, at=now)
    method = saved.kept(anna.customer, at=now)
    assert f"will be charged to {method}" in page(anna, "dashboard")
    assert queries(anna, "dashboard") <= MAX_QUERIES
    assert queries(anna, "invoices") <= MAX_QUERIES


def queries(person: Person, name: str) -> int:
    browser = person.browser()
    browser.get(reverse(f"storefront:{name}"))
    with CaptureQueriesContext(
        connection,
    ) as captured:
        browser.get(reverse(f"storefront:{name}"))
    return len(captured)


def test_the_balance_says_where_each_cent_came_from_and_went(anna: Person, now: datetime) -> None:
    assert "Nothing on your balance" in page(anna, "balance")
    credit_notes.issue(anna.invoice, reason="Outage", at=now, actor="staff:1")
    invoice, _ = people.order(anna.user, anna.customer, "starter", at=now)
    text = page(anna, "balance")
    assert (
        f'Credit note <a class="table__link" href="{address(anna.invoice.credit_notes.get())}"'
        in text
    )
    assert f'Used for invoice <a class="table__link" href="{address(invoice)}"' in text
    # Nothing, the credit note's sum, what the invoice left of it: all at one instant, until now.
    chart = r'class="chart__line" points="0,180 0,0 0,0 0,(\d+) (?:0|720),\1"'
    assert re.search(chart, text), text
    assert "Paid from your balance" in page(anna, "invoice", invoice.public_id)


def address(invoice: Invoice) -> str:
    return reverse("storefront:invoice", args=[invoice.public_id])


def test_a_credit_note_has_its_page_its_paper_and_its_data(anna: Person, now: datetime) -> None:
    note = credit_notes.issue(anna.invoice, reason="Outage", at=now, actor="staff:1")
    text = page(anna, "invoice", note.public_id)
    assert f"Credit note {note.number}" in text
    assert address(anna.invoice) in text
    assert "Reason: Outage" in text
    answer = anna.browser().get(reverse("storefront:invoice_xml", args=[note.public_id]))
    assert answer["Content-Type"] == "application/xml"
    assert answer["Content-Disposition"] == f'attachment; filename="{note.number}.xml"'
    assert b"<ram:TypeCode>381<" in answer.content
    assert str(anna.invoice.number).encode() in answer.content
