"""Orders, invoices by filter, and the mails one was sent: complete, one's own, without secrets."""

import re
from datetime import date, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse

from billing import credit_notes, emails, refunds
from billing.models import Mail, OrderLine, Payment, PaymentPart, Refund, Subscription
from packages.money import Money
from provisioning.models import Account
from tests import payments
from tests.storefront.account import people
from tests.storefront.account.people import Person

URL = "https://shop.test/accounts/password/reset/key/1-token/"


def page(person: Person, name: str, *args: object, **query: str) -> str:
    answer = person.browser().get(reverse(f"storefront:{name}", args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def letter(to: str, *, at: datetime) -> Mail:
    """Queue a mail about signing in, whose link is sealed."""
    values = {"subject": "Choose a new password", "button_url": emails.SEALED}
    mail = emails.queue(
        "letter",
        f"reset-{to}",
        to,
        {**values, "button_label": "Choose", "paragraphs": [], "facts": []},
        language="en",
        at=at,
        sealed=URL,
        folder="account/email",
    )
    assert mail is not None
    return mail


def test_an_order_is_listed_with_what_became_of_it(anna: Person, now: datetime) -> None:
    second, _ = people.order(anna.user, anna.customer, "starter", at=now)
    text = page(anna, "orders")
    for invoice, word in ((anna.invoice, "Paid"), (second, "Waiting for payment")):
        assert invoice.order is not None
        assert reverse("storefront:order", args=[invoice.order.public_id]) in text
        assert word in text


def test_an_order_whose_service_has_ended_is_not_called_ready(anna: Person) -> None:
    assert anna.invoice.order is not None
    address = reverse("storefront:order", args=[anna.invoice.order.public_id])
    assert "Your service is ready" in anna.browser().get(address).content.decode()
    state, on = Subscription.State.ENDED, date(2026, 1, 2)
    Subscription.objects.update(state=state, next_invoice_on=None, ends_on=on)
    text = anna.browser().get(address).content.decode()
    assert "This order is completed" in text
    assert "is ready" not in text


def test_an_order_of_several_leads_to_each_by_its_line(anna: Person, now: datetime) -> None:
    second, other = people.order(anna.user, anna.customer, "starter", at=now)
    assert anna.invoice.order is not None
    OrderLine.objects.filter(order=second.order).update(order=anna.invoice.order)
    text = anna.browser().get(reverse("storefront:order", args=[anna.invoice.order.public_id]))
    for service in (anna.subscription, other):
        link = reverse("storefront:service", args=[service.public_id])
        assert text.content.decode().count(link) == 1


def test_a_service_that_is_gone_says_what_is_next(anna: Person) -> None:
    state, on = Subscription.State.ENDED, date(2026, 1, 2)
    Subscription.objects.update(state=state, next_invoice_on=None, ends_on=on)
    Account.objects.update(state=Account.State.CLOSED)
    text = page(anna, "service", anna.subscription.public_id)
    assert "This service has ended" in text
    assert f'href="{reverse("storefront:packages")}">See packages</a>' in text


def test_an_invoice_says_when_what_has_no_days_takes_place(anna: Person) -> None:
    address = reverse("storefront:invoice", args=[anna.invoice.public_id])
    assert "from activation" in anna.browser().get(address).content.decode()


def test_invoices_are_found_by_state_and_year(anna: Person, now: datetime) -> None:
    old = now - timedelta(days=400)
    second, _ = people.order(anna.user, anna.customer, "starter", at=old)
    paid, late = str(anna.invoice.number), str(second.number)
    for query, found in (
        ({"show": "paid"}, {paid}),
        ({"show": "open"}, {late}),
        ({"show": "overdue"}, {late}),
        ({"show": "credit"}, set()),
        ({"year": str(old.year)}, {late}),
        ({"show": "all of them", "year": "soon"}, {paid, late}),
    ):
        text = page(anna, "invoices", **query)
        assert {each for each in (paid, late) if f">{each}</a>" in text} == found, query
    assert "No such invoices" in page(anna, "invoices", show="credit")


def test_a_mail_is_shown_word_for_word_to_who_got_it_and_nobody_else(
    anna: Person, bert: Person
) -> None:
    mail = Mail.objects.filter(customer=anna.customer, template="receipt").get()
    assert mail.subject in page(anna, "mails")
    text = page(anna, "mail", mail.pk)
    assert str(anna.invoice.number) in text
    designed = anna.browser().get(reverse("storefront:mail_design", args=[mail.pk]))
    assert mail.text.splitlines()[0] in designed.content.decode()
    assert " style=" not in designed.content.decode()
    policy = designed["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "unsafe" not in policy
    for name in ("mail", "mail_design"):
        theirs = bert.browser().get(reverse(f"storefront:{name}", args=[mail.pk]))
        assert theirs.status_code == 404


def test_a_link_that_still_works_is_shown_to_nobody(anna: Person, now: datetime) -> None:
    EmailAddress.objects.create(user=anna.user, email=anna.user.email, verified=True, primary=True)
    mail = letter(anna.user.email, at=now)
    text = page(anna, "mail", mail.pk)
    assert "opens once" in text
    assert URL not in text
    assert emails.SEALED not in text
    url = reverse("storefront:mail_design", args=[mail.pk])
    assert anna.browser().get(url).status_code == 404


@pytest.mark.parametrize("verified", [True, False])
def test_mails_to_an_address_are_for_who_confirmed_it(
    anna: Person, now: datetime, verified: bool
) -> None:
    EmailAddress.objects.create(user=anna.user, email="info@example.com", verified=verified)
    mail = letter("info@example.com", at=now)
    answer = anna.browser().get(reverse("storefront:mail", args=[mail.pk]))
    assert answer.status_code == (200 if verified else 404)


def test_an_invoice_says_that_its_payment_is_disputed(anna: Person) -> None:
    said = "Your bank has asked for this money back."
    assert said not in page(anna, "invoice", anna.invoice.public_id)
    Payment.objects.filter(invoice=anna.invoice).update(dispute="open")
    assert said in page(anna, "invoice", anna.invoice.public_id)
    Payment.objects.filter(invoice=anna.invoice).update(dispute="won")
    assert said not in page(anna, "invoice", anna.invoice.public_id)


def test_payments_are_listed_with_what_they_paid_and_what_went_back(
    anna: Person, bert: Person, now: datetime
) -> None:
    second, _ = people.order(anna.user, anna.customer, "starter", at=now)
    begun = payments.begin(second, at=now)
    text = page(anna, "payments")
    assert str(second.number) in text
    assert "Transfer announced" in text
    payment = Payment.objects.get(invoice=anna.invoice)
    PaymentPart.objects.create(payment=payment, invoice=second)
    payments.arrive(begun, at=now)
    ours = refunds.credit(
        payment.invoice, way=Refund.Way.TRANSFER, reason="Outage", at=now, actor="staff:1"
    )
    text = page(anna, "payments")
    assert text.count(f">{second.number}</a>") == 2, "Paid by itself, and with the other one."
    assert "is on its way back to you" in text
    assert "is on its way back to you" in page(anna, "invoice", anna.invoice.public_id)
    for each in ours[1]:
        refunds.confirm(each, reference="TX 1", at=now, actor="staff:1")
    text = page(anna, "payments")
    assert "refunded on" in text
    assert "refunded on" in page(anna, "invoice", anna.invoice.public_id)
    assert text.count("Received") == 2
    assert str(second.number) not in page(bert, "payments")


def test_a_payment_says_how_much_of_it_paid_what(anna: Person, now: datetime) -> None:
    """All of it, part of it, or nothing: the rest is on the balance with us."""
    second, _ = people.order(anna.user, anna.customer, "starter", at=now)
    begun = payments.begin(second, at=now)
    less = {line.pk: Money(10_00, "EUR") for line in second.lines.all()}
    credit_notes.issue(second, less, reason="Discount", at=now, actor="staff:1")
    payments.arrive(begun, at=now)
    text = re.sub(r"\s+", " ", page(anna, "payments"))
    assert f'>{second.number}</a> · <span class="amount">€19.00</span>' in text
    assert re.search(r'>Balance with us</a> · <span class="amount">€10.00</span>', text)
    assert f">{anna.invoice.number}</a></td>" in text, "It paid one, and all of it."


def test_each_invoice_of_the_list_has_its_paper_beside_it(anna: Person) -> None:
    paper = reverse("storefront:invoice_pdf", args=[anna.invoice.public_id])
    assert f'href="{paper}" aria-label="Download PDF: {anna.invoice.number}"' in page(
        anna, "invoices"
    )
    assert anna.account.username in page(anna, "services")
