"""Legal pages, appearance, currency; and that no form leads anywhere else."""

from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from billing.models import LegalText, Mail

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "\\\\evil.example/",
    "https:evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "http:///evil.example",
    " //evil.example",
]


@pytest.mark.parametrize("page", LegalText.Page.values)
def test_every_legal_page_is_there(now: datetime, page: str) -> None:
    assert Client().get(reverse("storefront:legal", args=[page])).status_code == 200


def test_the_right_of_withdrawal_is_told_from_the_withdrawal_itself(now: datetime) -> None:
    page = Client().get(reverse("storefront:legal", args=["withdrawal"])).content.decode()
    assert "<h1>Right of withdrawal</h1>" in page
    footer = page[page.index("<footer") :]
    assert ">Right of withdrawal</a>" in footer
    assert ">Withdraw from a contract</a>" in footer


def test_an_unknown_legal_page_is_not(now: datetime) -> None:
    assert Client().get(reverse("storefront:legal", args=["secrets"])).status_code == 404


def test_legal_texts_are_text(now: datetime) -> None:
    body = "# Scope & aim\n\n<script>alert(1)</script>\nsecond line\n\n<b>bold</b>"
    LegalText.objects.filter(page="terms").update(body_en=body)
    text = Client().get(reverse("storefront:legal", args=["terms"])).content.decode()
    assert "<h2>Scope &amp; aim</h2>" in text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;<br>second line" in text
    assert "&lt;b&gt;bold&lt;/b&gt;" in text


def test_a_missing_text_is_said_so(now: datetime) -> None:
    LegalText.objects.all().delete()
    text = Client().get(reverse("storefront:legal", args=["terms"])).content.decode()
    assert "This text is not available yet" in text


def test_a_request_that_is_not_understood_is_answered_in_the_readers_language(
    now: datetime,
) -> None:
    answer = Client().get("/", headers={"host": "elsewhere.example", "accept-language": "de"})
    assert answer.status_code == 400
    assert "Diese Anfrage haben wir nicht verstanden" in answer.content.decode()


@pytest.mark.parametrize("form", ["theme", "currency"])
@pytest.mark.parametrize("target", ELSEWHERE)
def test_no_form_leads_elsewhere(now: datetime, form: str, target: str) -> None:
    answer = Client().post(reverse(f"storefront:{form}"), {form: "dark", "next": target})
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_a_line_break_in_an_address_makes_no_header(now: datetime) -> None:
    target = "/account/\r\nSet-Cookie: x=y"
    answer = Client().post(reverse("storefront:theme"), {"theme": "dark", "next": target})
    assert set(answer.cookies) == {"theme"}
    assert not {"\r", "\n"} & set(answer["Location"])


def test_the_theme_is_remembered_for_a_year_and_forgotten_again(now: datetime) -> None:
    client, url = Client(), reverse("storefront:theme")
    answer = client.post(url, {"theme": "dark", "next": "/packages/"})
    cookie = answer.cookies["theme"]
    assert answer["Location"] == "/packages/"
    assert (cookie.value, cookie["samesite"], cookie["max-age"]) == ("dark", "Lax", 31_536_000)
    assert 'data-theme="dark"' in client.get("/legal/terms/").content.decode()
    client.post(url, {"theme": "system"})
    assert "data-theme" not in client.get("/legal/terms/").content.decode()


def test_only_the_shops_currencies_are_kept(now: datetime) -> None:
    client, url = Client(), reverse("storefront:currency")
    assert client.post(url, {"currency": "USD"}).cookies["currency"].value == "USD"
    for strange in ("XBT", "<b>", ""):
        assert client.post(url, {"currency": strange}).cookies["currency"].value == ""


@pytest.mark.parametrize("form", ["theme", "currency"])
def test_looking_at_a_form_address_changes_nothing(now: datetime, form: str) -> None:
    assert Client().get(reverse(f"storefront:{form}")).status_code == 405


def test_the_mailbox_exists_in_the_demo_only(now: datetime) -> None:
    assert Client().get(reverse("storefront:mailbox")).status_code == 404
    assert Client().get(reverse("storefront:mailbox_mail", args=[1])).status_code == 404


def test_the_demo_shows_mails_as_text_and_as_a_caged_document(
    anna: object, settings: Settings
) -> None:
    settings.DEMO = True
    mail = Mail.objects.latest("pk")
    listed = Client().get(reverse("storefront:mailbox")).content.decode()
    assert mail.recipient in listed
    url = reverse("storefront:mailbox_mail", args=[mail.pk])
    shown = Client().get(url)
    assert "unsafe-inline" not in shown["Content-Security-Policy"]
    html = Client().get(url, {"view": "html"})
    policy = html["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe-inline" not in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
