"""Why? Each amount, due date and suspension names its rule, its inputs and the event behind it."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.urls import reverse

from billing import cancellations, credit_notes, disputes, locks, subscriptions
from billing.models import Brand, Invoice, Mail, Notice, Subscription
from packages.models import Price
from packages.money import Money
from storefront.templatetags.money import day, moment, money_filter
from tests import world
from tests.storefront.account import people
from tests.storefront.account.people import Person


def page(person: Person, name: str, *keys: object) -> str:
    answer = person.browser().get(reverse(f"storefront:{name}", args=keys))
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


def test_an_order_says_why_and_does_not_lead_to_itself(anna: Person) -> None:
    assert anna.invoice.order is not None
    text = page(anna, "order", anna.invoice.order.public_id)
    assert f"Why {money_filter(anna.invoice.total)}?" in text
    address = reverse("storefront:order", args=[anna.invoice.order.public_id])
    assert f'<a href="{address}">' not in text


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
    assert "<dd>Switzerland</dd>" in swiss


def test_a_balance_says_what_it_is_made_of(anna: Person, now: datetime) -> None:
    credit_notes.issue(anna.invoice, reason="Outage", at=now, actor="staff:1")
    total = money_filter(anna.invoice.total)
    answer = anna.browser().get(reverse("storefront:balance"))
    text = re.sub(r"\s+", " ", answer.content.decode())
    assert f"Why {total}?" in text
    assert f"<dt>Credit notes</dt><dd>{total}</dd>" in text
    assert "Outage" in text


def suspend(person: Person, *, at: datetime, reason: str = "unpaid") -> None:
    with transaction.atomic():
        row = Subscription.objects.select_for_update().get(pk=person.subscription.pk)
        row.next_invoice_on = None
        also = ("next_invoice_on",)
        row.move(Subscription.State.SUSPENDED, at=at, actor="test", reason=reason, also=also)


def test_a_credit_note_says_why_it_gives_this_much(anna: Person, now: datetime) -> None:
    note = credit_notes.issue(anna.invoice, reason="Outage", at=now, actor="staff:1")
    text = page(anna, "invoice", note.public_id)
    assert f"Why {money_filter(anna.invoice.total)}?" in text
    assert f"So much of invoice {anna.invoice.number} is taken back" in text
    assert "The rates of the invoice that it corrects." in text
    assert re.search(r"Credited .+: Outage", text)


def test_the_first_screen_names_what_each_number_is_made_of(anna: Person, now: datetime) -> None:
    people.order(anna.user, anna.customer, "business", at=now)
    (owed,) = Invoice.objects.filter(customer=anna.customer, state=Invoice.State.OPEN)
    text = page(anna, "dashboard")
    link = reverse("storefront:invoice", args=[owed.public_id])
    assert f'<dt><a href="{link}">{owed.number}</a></dt>' in text
    assert f"<dd>{money_filter(owed.due)}, due on {day(owed.due_on)}</dd>" in text
    read = f"{money_filter(Money(18_20, 'EUR'))} as of {moment(anna.account.balance_at)}"
    assert f"<dd>{read}</dd>" in text
    assert f"<dd>{money_filter(anna.subscription.amount)}</dd>" in text
    assert "paid for: Paid; at the dialler: Running" in text


def test_a_service_says_why_it_renews_then_and_what_its_credit_is(anna: Person) -> None:
    text = page(anna, "service", anna.subscription.public_id)
    assert f"Why is the next payment on {day(anna.subscription.paid_until)}?" in text
    assert f"Paid by invoice {anna.invoice.number}" in text
    balance = re.search(r'Why €18.20\?.*?<dl class="facts facts--wide">(.*?)</dl>', text)
    assert balance is not None
    amounts = re.findall(r"<dd>(-?)€([\d.]+)</dd>", balance[1])
    assert sum(Decimal(sign + amount) for sign, amount in amounts) == Decimal("18.20")


def test_a_cancelled_service_says_why_it_ends_then(anna: Person, now: datetime) -> None:
    held = cancellations.cancel(anna.subscription, at=now, actor="test")
    text = page(anna, "service", held.public_id)
    assert f"Why does it end on {day(held.ends_on)}?" in text
    assert f"Cancelled {moment(now)}" in text
    assert "Why is the next payment" not in text
    with transaction.atomic():
        row = locks.take(subscriptions=[held.pk]).subscriptions[held.pk]
        subscriptions.end(row, cause="test", reason="cancelled", at=now, actor="test")
    text = page(anna, "service", held.public_id)
    assert "Why ended?" in text
    assert day(now + subscriptions.KEPT_FOR) in text


def test_a_disputed_payment_is_named_as_the_reason(anna: Person, now: datetime) -> None:
    suspend(anna, at=now, reason=disputes.REASON)
    assert "Its payment is disputed" in page(anna, "service", anna.subscription.public_id)


def test_an_exchange_shows_how_its_days_make_the_sum(anna: Person) -> None:
    target = Price.objects.get(
        package__slug="scale", currency="EUR", cycle=anna.subscription.cycle, archived=False
    )
    anna.subscription.package.exchange_targets.add(target.package)
    query = f"?price={target.pk}&mode=now"
    address = reverse("storefront:service_exchange", args=[anna.subscription.public_id]) + query
    text = re.sub(r"\s+", " ", anna.browser().get(address).content.decode())
    held = re.search(r"<dt>Scale: (€[\d.]+) × (\d+) ÷ (\d+)</dt><dd>€([\d.]+)</dd>", text)
    assert held is not None
    worth = target.amount.fraction(int(held[2]), int(held[3]))
    assert (held[1], Decimal(held[4])) == (money_filter(target.amount), worth.decimal())


def test_an_end_at_once_names_the_invoices_it_gives_back_of(anna: Person) -> None:
    Brand.objects.update(cancel_now=Brand.CancelNow.CREDIT)
    text = page(anna, "service_end", anna.subscription.public_id)
    assert f">Invoice {anna.invoice.number}</a></dt>" in text
    assert "Why deleted on" in text


def test_each_small_why_leads_to_its_answer(anna: Person, now: datetime) -> None:
    assert anna.invoice.order is not None
    cancellations.cancel(anna.subscription, at=now, actor="test")
    credit_notes.issue(anna.invoice, reason="Outage", at=now, actor="staff:1")
    texts = [
        page(anna, "dashboard"),
        page(anna, "balance"),
        page(anna, "service", anna.subscription.public_id),
        page(anna, "invoice", anna.invoice.public_id),
        page(anna, "order", anna.invoice.order.public_id),
    ]
    for text in texts:
        asked = re.findall(r'class="why" href="#([\w-]+)"', text)
        assert asked
        assert set(asked) <= set(re.findall(r' id="([\w-]+)"', text))
