"""Why? Each amount, due date and suspension names its rule, its inputs and the event behind it."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import transaction
from django.urls import reverse

from billing import credit_notes
from billing.models import Invoice, Mail, Notice, Subscription
from storefront.templatetags.money import money_filter
from tests import world
from tests.storefront.account.people import Person


def page(person: Person, name: str, key: object) -> str:
    answer = person.browser().get(reverse(f"storefront:{name}", args=[key]))
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def test_an_invoice_says_why_this_much_and_why_then(anna: Person) -> None:
    text = page(anna, "invoice", anna.invoice.public_id)
    total = re.search(r"Why (€[\d.]+)\?", text)
    assert total is not None
    assert total[1] == f"€{anna.invoice.total_minor / 100:.2f}"
    assert "VAT included, line by line" in text
    assert f"19% of €{anna.invoice.net_minor / 100:.2f}" in text
    assert "14 days after the date of the invoice" in text
    assert anna.invoice.order is not None
    assert reverse("storefront:order", args=[anna.invoice.order.public_id]) in text
    told = Mail.objects.get(template="order_placed", customer=anna.customer)
    assert reverse("storefront:mail", args=[told.pk]) in text


def test_a_suspended_service_names_the_invoice_and_the_mail(anna: Person, now: datetime) -> None:
    assert "Why suspended?" not in page(anna, "service", anna.subscription.public_id)
    suspend(anna, at=now)
    text = page(anna, "service", anna.subscription.public_id)
    assert "Please ask us" in text, "no invoice is the reason"
    mail = Mail.objects.filter(customer=anna.customer).latest("pk")
    Invoice.objects.filter(pk=anna.invoice.pk).update(state=Invoice.State.OPEN, paid_minor=0)
    Notice.objects.create(
        invoice=anna.invoice,
        step=Notice.Step.SUSPENDED,
        on=now.date(),
        mail=mail,
        at=now,
        due_minor=128_00,
        days=14,
    )
    text = page(anna, "service", anna.subscription.public_id)
    assert f"Invoice {anna.invoice.number} was not paid 14 days after its due date." in text
    assert "€128.00" in text
    assert reverse("storefront:mail", args=[mail.pk]) in text


def test_the_checkout_says_why_before_anything_is_ordered(anna: Person) -> None:
    browser = anna.browser()
    browser.post(reverse("storefront:cart_add"), {"price": world.price("business").pk})
    text = re.sub(r"\s+", " ", browser.get(reverse("storefront:checkout")).content.decode())
    assert "Why €128.00?" in text
    assert "<dt>Business: set-up fee</dt><dd>€49.00</dd>" in text
    assert "as of the last day that is paid for" in text
    assert "<dt>19% of €107.56</dt><dd>€20.44</dd>" in text
    as_swiss = {"kind": "private", "country": "CH", "action": "update"}
    swiss = browser.post(reverse("storefront:checkout"), as_swiss).content.decode()
    assert "Why this VAT?" in swiss
    assert "<dd>CH</dd>" in swiss


def test_a_balance_says_what_it_is_made_of(anna: Person, now: datetime) -> None:
    credit_notes.issue(anna.invoice, reason="Outage", at=now, actor="staff:1")
    total = money_filter(anna.invoice.total)
    answer = anna.browser().get(reverse("storefront:balance"))
    text = re.sub(r"\s+", " ", answer.content.decode())
    assert f"Why {total}?" in text
    assert f"<dt>Credit notes</dt><dd>{total}</dd>" in text
    assert "Outage" in text


def suspend(person: Person, *, at: datetime) -> None:
    with transaction.atomic():
        row = Subscription.objects.select_for_update().get(pk=person.subscription.pk)
        row.next_invoice_on = None
        also = ("next_invoice_on",)
        row.move(Subscription.State.SUSPENDED, at=at, actor="test", reason="unpaid", also=also)
