"""What customers read about renewals, overdue invoices and the end: complete, in their language."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import cancellations, days, deliveries, renewals
from billing.models import Invoice, Mail, Subscription
from tests import payments
from tests.billing import orders, renewing, saved

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE = date(2026, 4, 2)
EXPECTED = {
    *("invoice_issued", "reminder", "overdue_first", "overdue_second", "suspended"),
    *("revocation_warning", "ended", "restored"),
}
pytestmark = pytest.mark.django_db


def noon(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 12, tzinfo=UTC)


def written(language: str) -> dict[str, Mail]:
    """Let a service be suspended and restored, then suspended and ended; return the mails."""
    orders.seeded(at=AT)
    user, customer = orders.buyer(at=AT, language=language)
    payments.pay(orders.place(user, customer, "business", at=AT).invoice, at=AT)
    for offset in range(-7, 75):
        on = DUE + timedelta(days=offset)
        days.run(on, at=noon(on), most=None)
        for mail_id in deliveries.waiting(at=noon(on)):
            deliveries.deliver(mail_id, at=noon(on))
        if offset == 12:
            payments.pay(Invoice.objects.get(state=Invoice.State.OPEN), at=noon(on))
    return {mail.template: mail for mail in Mail.objects.order_by("-pk")}


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_mail_is_complete_and_leads_to_the_shop(language: str) -> None:
    mails = written(language)
    assert set(mails) >= EXPECTED
    for name in EXPECTED:
        mail = mails[name]
        for text in (mail.subject, mail.text, mail.html):
            assert not re.search(r"\{[{%#]|[%}]\}|%\(\w+\)s|\bNone\b", text)
        assert not re.search(r"\n{4,}|[ \t]+\n(?!-- )", mail.text.replace("-- \n", ""))
        links = re.findall(r"https?://\S+", mail.text)
        assert links
        assert all(link.startswith(f"{settings.SITE_URL}/account/") for link in links)
        assert mail.html.count('class="deed"') == 1


def test_german_customers_read_german() -> None:
    mails = written("de")
    words = " ".join(mails[name].text for name in EXPECTED)
    assert not re.search(r"\b(the|your|please|invoice|has)\b", words, re.IGNORECASE)
    assert "Rechnung R-2026-0002 über 79,00" in mails["invoice_issued"].subject


def test_a_mail_says_what_happens_next_and_when() -> None:
    mails = written("en")
    assert "will be suspended on that day" in mails["overdue_second"].text
    assert "12 April 2026" in mails["overdue_second"].subject
    assert "2 May 2026" in mails["suspended"].text
    for name in ("invoice_issued", "reminder", "overdue_first", "overdue_second", "suspended"):
        assert "€79.00" in mails[name].text
        assert "IBAN" in mails[name].text


def test_whoever_cancelled_reads_that_nothing_more_is_charged() -> None:
    orders.seeded(at=AT)
    user, customer = orders.buyer(at=AT)
    payments.pay(orders.place(user, customer, "business", at=AT).invoice, at=AT)
    cancellations.cancel(Subscription.objects.get(), at=AT, actor="user:1")
    days.run(DUE, at=noon(DUE), most=None)
    mail = Mail.objects.get(template="ended")
    assert "as you cancelled it" in mail.text
    assert "Nothing more is charged" in mail.html


@pytest.mark.parametrize("language", ["en", "de"])
def test_whoever_pays_automatically_is_told_of_the_charge_not_reminded(language: str) -> None:
    orders.seeded(at=AT)
    user, customer = orders.buyer(at=AT, language=language)
    payments.pay(orders.place(user, customer, "business", at=AT).invoice, at=AT)
    saved.kept(customer, at=AT)
    for offset in (-7, -3):
        days.run(DUE + timedelta(days=offset), at=noon(DUE + timedelta(days=offset)), most=None)
    mail = Mail.objects.get(template="reminder")
    told = {
        "en": "Invoice R-2026-0002 for €79.00 will be charged on 2 April 2026",
        "de": "Rechnung R-2026-0002 über 79,00 € wird am 2. April 2026 abgebucht",
    }
    assert mail.subject.replace("\xa0", " ") == told[language]
    assert "4242" in mail.text
    assert "IBAN" not in mail.text
    assert not re.search("Reminder|Erinnerung|pay the|bezahlen", mail.subject + mail.text)


def test_text_and_html_of_a_mail_read_the_lines_of_its_invoice_once() -> None:
    orders.seeded(at=AT)
    renewing.many(1, paid_until=DUE, at=AT)
    renewals.bill(DUE, at=noon(DUE))
    mail = Mail.objects.get(template="invoice_issued")
    with CaptureQueriesContext(connection) as asked:
        deliveries.deliver(mail.pk, at=noon(DUE))
    assert sum('FROM "billing_invoiceline"' in each["sql"] for each in asked) == 1
