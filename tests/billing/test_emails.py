"""What the shop writes to its customers: complete, in their language, and safe to show."""

from __future__ import annotations

import inspect
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from billing import (
    change_mails,
    charge_emails,
    colleague_emails,
    colours,
    credit_notes,
    data_emails,
    deliveries,
    dunning_emails,
    emails,
    service_emails,
    ticket_emails,
    top_up_emails,
    usage_emails,
)
from billing.formats import in_fours
from billing.models import Brand, LegalText, Mail, Order
from tests import payments
from tests.billing import orders

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FOLDER = Path(settings.BASE_DIR) / "templates" / "billing" / "email"
PASSWORD = "k7Qm2vXp9LtRz8wB"
NOT_MAILS = {"about_service", "link", "queue", "receipts", "to_customer"}
HOSTILE = "Eve</p><script>alert(1)</script>\r\nBcc: all@example.com"
pytestmark = pytest.mark.django_db


@pytest.fixture
def brand() -> Brand:
    return orders.seeded(at=AT)


def _everything(language: str, **customer: str | bool) -> tuple[Order, dict[str, Mail]]:
    """Let one customer get every mail there is; return the order and the mails by template."""
    user, buyer = orders.buyer(at=AT, language=language, **customer)
    order = orders.place(user, buyer, "business", "message-reach", "flex", at=AT)
    payments.pay(order.invoice, at=AT)
    account = orders.account_of(order)
    service_emails.account_ready(account, buyer, PASSWORD, at=AT)
    service_emails.topped_up(account, buyer, orders.euros(2500), cause="job-1", at=AT)
    credit_notes.issue(order.invoice, reason="Grund", at=AT, actor="test")
    return order, {mail.template: mail for mail in Mail.objects.all()}


def test_every_mail_has_its_three_templates_and_every_template_its_mail() -> None:
    named = {
        name
        for module in (
            change_mails,
            charge_emails,
            colleague_emails,
            data_emails,
            dunning_emails,
            emails,
            service_emails,
            ticket_emails,
            top_up_emails,
            usage_emails,
        )
        for name, each in inspect.getmembers(module, inspect.isfunction)
        if each.__module__ == module.__name__ and not name.startswith("_")
    }
    # Declarations are received and confirmed by one flow.
    named |= {"declaration_received", "declaration_waits"}
    # A notice of a new price is made for many at once, by the run that tells it.
    named.add("price_changed")
    wanted = {
        f"{name}{ending}"
        for name in named - NOT_MAILS
        for ending in (".subject.txt", ".txt", ".html")
    }
    assert {path.name for path in FOLDER.iterdir() if not path.name.startswith("_")} == wanted


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_mail_is_rendered_without_leftovers(brand: Brand, language: str) -> None:
    _, mails = _everything(language)
    assert set(mails) == {"order_placed", "receipt", "account_ready", "topped_up", "credit_note"}
    for mail in mails.values():
        assert mail.subject
        for text in (mail.subject, mail.text, mail.html):
            assert not re.search(r"\{[{%#]|[%}]\}|%\(\w+\)s|\bNone\b|string_if_invalid", text)
        assert not re.search(r"\n{3,}|[ \t]+\n(?!-- )", mail.text.replace("-- \n", ""))


def test_a_mail_is_in_the_customers_language(brand: Brand) -> None:
    _, mails = _everything("de")
    assert mails["order_placed"].subject == (
        "Bestellbestätigung und Rechnung R-2026-0001 über 148,00\xa0€, fällig am 16. März 2026"
    )
    assert "Zahlung über 148,00\xa0€" in mails["receipt"].subject
    assert '<html lang="de">' in mails["receipt"].html
    words = " ".join(mail.text for mail in mails.values()).replace(
        orders.CONSENTS["terms"]["text"], ""
    )
    assert not re.search(r"\b(the|your|please|invoice)\b", words, re.IGNORECASE)


def test_the_order_confirmation_repeats_what_was_agreed(brand: Brand) -> None:
    order, mails = _everything("en")
    mail = mails["order_placed"]
    line = order.lines.select_related("subscription").first()
    assert line is not None
    said = [
        *(str(each.description) for each in order.invoice.lines.all()),
        *("€79.00", "€49.00", "€20.00", "20 channels", "Included minutes: 2,000"),
        *("Runs for one month at a time", "Afterwards €", "No term and no renewal"),
        *("Total: €", "VAT 19%", "Please pay €", in_fours(brand.iban), str(order.invoice.number)),
        *(str(orders.CONSENTS["terms"]["text"]), brand.company, brand.street),
    ]
    for words in said:
        assert words in mail.text
        assert words.removeprefix("Total: ") in mail.html


def test_the_order_confirmation_has_terms_and_withdrawal_in_full(brand: Brand) -> None:
    bodies = {"terms": "# Scope\n\nAll <b>orders</b>.", "withdrawal": "# Right\n\nFourteen days."}
    for page, body in bodies.items():
        LegalText.objects.filter(page=page).update(body_en=body)
    _, mails = _everything("en")
    mail = mails["order_placed"]
    assert "\n\nTerms\n\nScope\n\nAll <b>orders</b>.\n" in mail.text
    assert "\n\nWithdrawal\n\nRight\n\nFourteen days.\n\n-- \n" in mail.text
    assert "All &lt;b&gt;orders&lt;/b&gt;." in mail.html
    assert "<p>Fourteen days.</p>" in mail.html
    # What a customer was told stays when the page changes.
    LegalText.objects.all().update(body_en="Something else.")
    assert "Fourteen days." in deliveries.opened(Mail.objects.get(pk=mail.pk))[0]


def test_a_business_has_no_right_of_withdrawal(brand: Brand) -> None:
    LegalText.objects.filter(page="withdrawal").update(body_en="Fourteen days.")
    LegalText.objects.filter(page="terms").update(body_en="Our terms.")
    _, mails = _everything("en", is_business=True)
    mail = mails["order_placed"]
    assert "Our terms." in mail.text
    assert "Fourteen days." not in mail.text + mail.html


def test_without_legal_texts_an_order_is_confirmed_all_the_same(brand: Brand) -> None:
    LegalText.objects.all().delete()
    _, mails = _everything("de")
    assert "Gesamtbetrag" in mails["order_placed"].text


def test_an_order_over_nothing_asks_for_no_payment(brand: Brand) -> None:
    user, buyer = orders.buyer(at=AT)
    orders.place(user, buyer, "message-reach", at=AT)
    (mail,) = Mail.objects.filter(template="order_placed")
    assert "Please pay" not in mail.text
    assert in_fours(brand.iban) not in mail.text
    assert not Mail.objects.filter(template="receipt").exists()


def test_the_login_mail_says_all_one_needs(brand: Brand) -> None:
    order, mails = _everything("en")
    account = orders.account_of(order)
    for body in deliveries.opened(mails["account_ready"]):
        assert account.server.login_url in body
        assert account.username in body
        assert brand.support_email in body
        assert "72 hours" in body
        assert f"{settings.SITE_URL}/login-details/" in body
        assert PASSWORD not in body


def test_the_operator_may_have_the_password_itself_mailed(brand: Brand) -> None:
    Brand.objects.update(login_by=Brand.Login.PASSWORD)
    order, mails = _everything("en")
    for body in deliveries.opened(mails["account_ready"]):
        assert PASSWORD in body
        assert orders.account_of(order).server.login_url in body
        assert "login-details" not in body


@pytest.mark.parametrize("login_by", list(Brand.Login))
def test_the_stored_mail_holds_no_secret(brand: Brand, login_by: str) -> None:
    Brand.objects.update(login_by=login_by)
    _, mails = _everything("en")
    mail = mails["account_ready"]
    text, _ = deliveries.opened(mail)
    found = re.search(r"login-details/([\w-]+)/", text)
    secret = found.group(1) if found else PASSWORD
    assert secret in text
    with connection.cursor() as cursor:
        cursor.execute("SELECT billing_mail::text FROM billing_mail WHERE id = %s", [mail.pk])
        (row,) = cursor.fetchone()
    assert emails.SEALED in row
    for kept in (secret, secret.encode().hex()):
        assert kept not in row


def test_a_password_with_markup_stays_text_in_the_page(brand: Brand) -> None:
    Brand.objects.update(login_by=Brand.Login.PASSWORD)
    user, buyer = orders.buyer(at=AT)
    order = orders.place(user, buyer, "business", at=AT)
    payments.pay(order.invoice, at=AT)
    service_emails.account_ready(orders.account_of(order), buyer, "a<b>&c", at=AT)
    text, html = deliveries.opened(Mail.objects.get(template="account_ready"))
    assert "a<b>&c" in text
    assert "a&lt;b&gt;&amp;c" in html


def test_a_hostile_name_adds_no_header_and_no_markup(brand: Brand) -> None:
    _, mails = _everything("en", name=HOSTILE)
    for mail in mails.values():
        headers = deliveries._message(mail).message()
        assert headers["Bcc"] is None
        assert "\n" not in mail.subject
        assert "\r" not in mail.subject
        assert "<script>" not in mail.html
        assert "&lt;script&gt;" in mail.html


def test_a_mail_has_the_brands_colours_by_day_and_by_night(brand: Brand) -> None:
    Brand.objects.update(accent="#ff9900")
    shades = colours.palette("#ff9900")
    _, mails = _everything("en")
    html = mails["receipt"].html
    assert f".content a {{ color: {shades.accent}; }}" in html
    assert f".content a {{ color: {shades.accent_dark} !important; }}" in html
    assert f"background:{shades.accent};color:{shades.on_accent}" in html


def test_an_answer_reaches_support_and_not_the_sender(brand: Brand) -> None:
    _, mails = _everything("en")
    for mail in mails.values():
        headers = deliveries._message(mail).message()
        assert headers["Reply-To"] == brand.support_email
        assert brand.mail_sender in headers["From"]
        assert headers["Auto-Submitted"] == "auto-generated"
        assert headers["X-Auto-Response-Suppress"] == "OOF, AutoReply"


def test_no_mail_names_its_own_sender_for_answers(brand: Brand) -> None:
    Brand.objects.update(support_email=brand.mail_sender)
    _, mails = _everything("en")
    assert {mail.reply_to for mail in mails.values()} == {""}


def test_a_brand_with_quotes_makes_a_sound_sender(brand: Brand) -> None:
    brand.name = 'Nord"cast\\'
    brand.save()
    _, mails = _everything("en")
    for mail in mails.values():
        assert deliveries._message(mail).message()["From"] == f'"Nordcast" <{brand.mail_sender}>'


def test_a_mail_links_only_to_the_shop_and_the_dialler_and_loads_nothing(brand: Brand) -> None:
    order, mails = _everything("en")
    ours = (f"{settings.SITE_URL}/", orders.account_of(order).server.login_url)
    for mail in mails.values():
        text, html = deliveries.opened(mail)
        page = _Page()
        page.feed(html)
        for address in [*page.links, *re.findall(r"https?://\S+", text)]:
            assert address.startswith(ours)
        assert page.loaded == []
        assert "url(" not in html
        assert len(page.deeds) == 1


def test_the_same_cause_is_mailed_once(brand: Brand) -> None:
    order, _ = _everything("en")
    account = orders.account_of(order)
    service_emails.topped_up(account, order.customer, orders.euros(2500), cause="job-1", at=AT)
    emails.receipt(order.invoice, at=AT)
    assert Mail.objects.count() == 5


class _Page(HTMLParser):
    """Collects where a page leads, what it would load, and its buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.deeds: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.links.append(values["href"])
            if "deed" in values.get("class", "").split():
                self.deeds.append(values["href"])
        if tag in {"img", "script", "link", "iframe", "object", "embed", "video", "audio"}:
            self.loaded.append(tag)
        self.loaded += [values[name] for name in ("src", "background") if name in values]
