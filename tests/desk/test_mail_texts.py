"""Staff look at every mail and write its texts anew, with placeholders and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from billing import dunning_emails, emails, mail_texts
from billing.mail_kinds import Kind
from billing.models import Brand, Mail, MailText, User
from packages.states import StateChange
from storefront.mail_kinds import KINDS
from tests.billing import orders
from tests.clock import Clock
from tests.desk import pages
from tests.second_factor import person, shows_again

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SHEET, LIST, DESIGN = "admin:sheet_mail_text", "admin:sheet_mail_texts", "admin:sheet_mail_design"
HOSTILE = "{{ 7|add:7 }}{% now 'Y' %}"
pytestmark = pytest.mark.django_db


@pytest.fixture
def brand() -> Brand:
    return orders.seeded(at=AT)


def _person(role: str) -> Client:
    client = Client()
    client.force_login(person(role))
    return client


@pytest.fixture
def owner(brand: Brand) -> Client:
    return _person("owner")


def _address(mail: str, language: str = "en", situation: str = "", page: str = SHEET) -> str:
    return f"{reverse(page)}?mail={mail}&language={language}&situation={situation}"


def _sent(mail: str, language: str = "en", **texts: str) -> dict[str, str]:
    """The form as it is shown, with some texts written anew."""
    shown = {each.code.replace(".", "-"): each.standard(language) for each in KINDS[mail].passages}
    return {**shown, **texts}


def _write(owner: Client, mail: str, language: str = "en", do: str = "save", **texts: str) -> str:
    sent = {**_sent(mail, language, **texts), "do": do}
    return pages.text(owner.post(_address(mail, language), sent, follow=True))


def _samples() -> Iterator[tuple[Kind, str]]:
    for kind in KINDS.values():
        yield from ((kind, situation) for situation in ("", *kind.situations))


def test_every_template_has_its_kind_and_every_kind_its_sample(brand: Brand) -> None:
    folder = Path(settings.BASE_DIR) / "templates" / "billing" / "email"
    templates = {path.name.split(".")[0] for path in folder.iterdir() if path.name[0] != "_"}
    assert templates == {code for code, kind in KINDS.items() if type(kind) is Kind}
    with CaptureQueriesContext(connection) as asked:
        for kind, situation in _samples():
            for language in ("en", "de"):
                mail = kind.sample(situation, {}, brand=brand, language=language, at=AT)
                assert mail.subject, kind
                for text in (mail.subject, mail.text, mail.html):
                    left = re.search(r"\{[{%#]|[%}]\}|%\(\w+\)s|\bNone\b|\{\w+\}", text)
                    assert left is None, (kind.code, left)
                for text in (mail.subject, mail.text):
                    torn = re.search(r"\n{3,}|[ \t]\n(?<!\n-- \n)|&#?\w+;|\?:\n", text)
                    assert torn is None, (kind.code, torn)
    assert asked.captured_queries == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("password_reset_key", "Somebody, probably you, asked for a new password"),
        ("exchange_done", "Your service is now Professional instead of Business."),
        ("receipt", "€46.41 for invoice R-2026-0042"),
    ],
)
def test_a_list_of_mails_shows_what_a_mail_says(brand: Brand, code: str, words: str) -> None:
    html = KINDS[code].sample("", {}, brand=brand, language="en", at=AT).html
    hidden = re.search(r'<div style="display:none;[^"]*">(.*?)</div>', html)
    assert hidden is not None
    assert words in hidden[1]


def test_a_mail_asks_for_a_payment_only_where_one_is_to_be_made(brand: Brand) -> None:
    for situation, label in (("", "View and pay the invoice"), ("charged", "View the invoice")):
        mail = KINDS["invoice_issued"].sample(situation, {}, brand=brand, language="en", at=AT)
        assert f"\n{label}:\n" in mail.text
        assert f"-->{label}<!--" in mail.html


def test_a_passage_is_the_same_in_text_and_html_and_its_situation_has_a_sample() -> None:
    for kind in KINDS.values():
        codes = [each.code for each in kind.passages]
        assert len(codes) == len(set(codes))
        assert {each.situation for each in kind.passages} <= {"", *kind.situations}, kind
        if type(kind) is Kind and codes:
            texts = {each.code: each.message for each in kind.passages}
            nodes = mail_texts._passages(mail_texts._nodes(f"billing/email/{kind.code}.html"))
            html = {node.code: node.message for node in nodes}
            assert html == {code: text for code, text in texts.items() if code[:7] != "subject"}


def test_the_list_names_every_mail_and_opens_each_in_both_languages(owner: Client) -> None:
    html = owner.get(reverse(LIST)).content.decode()
    for code in KINDS:
        for language in ("en", "de"):
            assert f"?mail={code}&amp;language={language}" in html
    assert pages.blocked(html) == []


def test_a_preview_shows_the_mail_under_a_policy_that_lets_nothing_else_in(owner: Client) -> None:
    response = owner.get(_address("reminder", "de"))
    html = response.content.decode()
    frame = re.search(r'sandbox="allow-same-origin" srcdoc="([^"]*)"', html)
    assert frame is not None
    document = unescape(frame[1])
    assert "Guten Tag Beispielkunde," in document
    assert " style=" not in document
    (source,) = re.findall(r"style-src ([^;]*)", response.headers["Content-Security-Policy"])
    assert re.fullmatch(r"'self' 'sha256-[\w+/]{43}='", source)
    alone = owner.get(_address("reminder", "de", page=DESIGN))
    assert source.split()[1] in alone.headers["Content-Security-Policy"]
    assert "unsafe" not in alone.headers["Content-Security-Policy"]
    assert pages.blocked(html) == []
    assert (Mail.objects.count(), MailText.objects.count()) == (0, 0)


def test_what_staff_write_is_sent_in_its_language_alone(owner: Client, brand: Brand) -> None:
    text = "{due} für {number} sind am {date} fällig.\n\n<b>Danke</b>, {{name}}"
    told = _write(owner, "reminder", "de", text=text)
    assert "Braces are for placeholders only" in told
    text = "{due} für {number} sind am {date} fällig.\n\n<b>Danke</b>"
    _write(owner, "reminder", "de", subject="{number}: {due} bis {date}", text=text)
    user, buyer = orders.buyer(at=AT, language="de")
    invoice = orders.place(user, buyer, "message-reach", "flex", at=AT).invoice
    said = dunning_emails.reminder(invoice, at=AT)
    assert said.subject == "R-2026-0001: 20,00\xa0€ bis 16. März 2026"
    assert "für R-2026-0001 sind am 16. März 2026 fällig.\n\n<b>Danke</b>\n" in said.text
    assert "fällig.</p>\n<p>&lt;b&gt;Danke&lt;/b&gt;</p>" in said.html
    assert mail_texts.written("reminder", KINDS["reminder"].passages, language="en") == {}


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ({"text": HOSTILE}, "Braces are for placeholders only."),
        ({"text": "{number} {due} {date} {iban}"}, "Nothing is known here for {iban}."),
        ({"text": "{number} is due."}, "The text has to say {due}, {date}."),
        ({"subject": "{due}"}, "The text has to say {number}, {date}."),
        ({"text": "[[sealed]] {number} {due} {date}"}, "Braces are for placeholders only."),
        ({"text": "{number} {due} {date}" + "x" * 2000}, "2000 characters at most"),
    ],
)
def test_a_text_that_does_not_fit_is_refused_with_what_is_allowed(
    owner: Client, texts: dict[str, str], told: str
) -> None:
    page = _write(owner, "reminder", **texts)
    assert told in page
    assert "2000" in told or "Allowed: {number}, {due}, {date}." in page
    assert "Nothing was changed." in page
    assert not MailText.objects.exists()


def test_a_text_is_previewed_before_it_is_saved_and_led_back_to_the_standard(
    owner: Client, brand: Brand
) -> None:
    assert "Good morning Sample Customer" in _write(
        owner, "topped_up", do="preview", greeting="Good morning {name}"
    )
    assert not MailText.objects.exists()
    _write(owner, "topped_up", greeting="Good morning {name}")
    assert MailText.objects.get().texts == {"greeting": "Good morning {name}"}
    assert "Good morning Sample" in pages.text(owner.get(_address("topped_up")))
    assert "your text" in pages.text(owner.get(reverse(LIST)))
    assert "Hello Sample" in _write(owner, "topped_up", do="standard")
    steps = StateChange.objects.filter(subject="mailtext").values_list("after", "reason")
    assert list(steps) == [
        ("written", "topped_up (en): greeting"),
        ("standard_text", "topped_up (en)"),
    ]


def test_a_text_that_an_upgrade_has_outrun_is_not_sent_and_is_reported(
    owner: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {"text": "{gone}", "subject": "{number} {due} {date}", "nowhere": "x"}
    MailText.objects.create(mail="reminder", language="en", texts=texts, changed_at=AT)
    page = pages.text(owner.get(_address("reminder")))
    assert "These texts no longer fit the mail" in page
    assert "R-2026-0042 €46.41" in page
    assert "{gone}" not in page
    call_command("check", databases=["default"])
    said = capsys.readouterr().err
    assert "The text “text” of the mail reminder (en) is not used." in said
    assert "“nowhere”" in said
    assert "“subject”" not in said


def test_a_letter_about_signing_in_says_what_staff_wrote(owner: Client, brand: Brand) -> None:
    _write(owner, "password_reset_key", subject="A new key", text="Take it, {email}.\n\nBye")
    User.objects.create_user("anna@example.com", "x" * 20)
    Client().post(reverse("account_reset_password"), {"email": "anna@example.com"})
    mail = Mail.objects.get(recipient="anna@example.com")
    assert mail.subject == "A new key"
    assert "Take it, anna@example.com.\n\nBye\n" in mail.text
    assert "<p>Take it, anna@example.com.</p><p>Bye</p>" in mail.html
    assert emails.SEALED in mail.text


def test_others_look_and_write_nothing(brand: Brand) -> None:
    support = _person("support")
    page = support.get(_address("reminder"))
    assert page.status_code == 200
    assert b"<textarea" not in page.content
    sent = {**_sent("reminder", greeting="Hi"), "do": "save"}
    assert support.post(_address("reminder"), sent).status_code == 403
    assert not MailText.objects.exists()


def test_to_save_a_text_staff_show_again_who_they_are_and_to_look_they_need_not(
    brand: Brand, clock: Clock, settings: Settings
) -> None:
    settings.STAFF_GUARDED = True
    owner = shows_again(person("owner"))
    clock.pass_by(minutes=10)
    sent = _sent("reminder", greeting="Hi {name}")
    assert owner.post(_address("reminder"), {**sent, "do": "preview"}).status_code == 200
    answer = owner.post(_address("reminder"), {**sent, "do": "save"})
    assert "reauthenticate" in answer.headers["Location"]
    assert not MailText.objects.exists()


def test_what_the_law_wants_told_is_not_for_staff_to_write(owner: Client) -> None:
    codes = {"price_changed": {"subject", "heading", "greeting"}, "declaration_received": set()}
    for mail, allowed in codes.items():
        assert {each.code for each in KINDS[mail].passages} == allowed
    assert "text.floor" not in {each.code for each in KINDS["overdue_second"].passages}
    page = pages.text(owner.get(_address("declaration_received")))
    assert "The text of this mail is fixed" in page
