"""Signing up and in: its mails, its pages, and what it does not give away."""

import re
from datetime import datetime
from pathlib import Path

import allauth
import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation

from billing import deliveries, emails
from billing.models import Mail, User
from storefront import letters
from storefront.accounts import AccountAdapter
from tests.storefront.account.people import Person

PASSWORD = "correct-horse-battery"
ENTRANCE = ("account_login", "account_signup", "account_reset_password")
MANAGE = (
    "storefront:profile",
    "account_change_password",
    "account_email",
    "account_logout",
    "account_reauthenticate",
    "mfa_index",
    "mfa_reauthenticate",
    "usersessions_list",
)
INLINE = re.compile(
    r"\sstyle=|<style|\son[a-z]+=|javascript:|<script(?![^>]*(src=|application/json))"
)


def mail_to(address: str) -> Mail:
    return Mail.objects.filter(recipient=address).latest("pk")


def link_in(mail: Mail) -> str:
    text, _html = deliveries.opened(mail)
    (link,) = re.findall(rf"{re.escape(settings.SITE_URL)}(\S+)", text)
    return str(link)


def test_signing_up_mails_a_link_that_confirms(now: datetime) -> None:
    browser = Client()
    browser.post(reverse("account_signup"), {"email": "new@example.com", "password1": PASSWORD})
    mail = mail_to("new@example.com")
    assert "confirm-email" not in mail.text + mail.html
    assert emails.SEALED in mail.text
    assert emails.SEALED in mail.html
    link = link_in(mail)
    banner = browser.get(reverse("storefront:dashboard")).content.decode()
    assert "Please confirm your e-mail address" in banner
    assert "Is this your address?" in browser.get(link).content.decode()
    browser.post(link)
    banner = browser.get(reverse("storefront:dashboard")).content.decode()
    assert "Please confirm your e-mail address" not in banner


def test_a_new_password_has_one_short_rule_until_it_breaks_one(now: datetime) -> None:
    browser = Client()
    here = reverse("account_signup")
    asked = browser.get(here).content.decode()
    assert "At least 12 characters." in asked
    assert "similar to your other" not in asked
    refused = browser.post(here, {"email": "bo@example.org", "password1": "bo@example.o"})
    assert "too similar to the" in refused.content.decode()


def test_who_has_no_password_yet_reads_the_same_rule(anna: Person) -> None:
    anna.user.set_unusable_password()
    anna.user.save()
    asked = anna.browser().get(reverse("account_set_password")).content.decode()
    assert "At least 12 characters." in asked
    assert "similar to your other" not in asked
    assert "New password, again" in asked


def test_what_is_wrong_is_said_in_the_shops_own_words(anna: Person) -> None:
    browser = Client()
    signing_in = {"login": "nobody@example.org", "password": "wrong"}
    refused = browser.post(reverse("account_login"), signing_in).content.decode()
    assert "<p>The e-mail address or the password is wrong.</p>" in refused
    taken = {"email": anna.user.email, "password1": PASSWORD}
    refused = browser.post(reverse("account_signup"), taken).content.decode()
    assert "There is an account with this e-mail address already." in refused
    browser.cookies["django_language"] = "de"
    wrong = browser.post(reverse("account_signup"), {"email": "anna@", "password1": PASSWORD})
    assert "Bitte geben Sie eine gültige E-Mail-Adresse ein." in wrong.content.decode()


def test_a_forgotten_password_can_be_replaced_once(anna: Person) -> None:
    Client().post(reverse("account_reset_password"), {"email": anna.user.email})
    link = link_in(mail_to(anna.user.email))
    browser = Client()
    form = browser.get(link)["Location"]
    chosen = {"password1": "another-Tanne-2026", "password2": "another-Tanne-2026"}
    assert browser.post(form, chosen).status_code == 302
    assert Client().login(email=anna.user.email, password="another-Tanne-2026")
    assert "This link no longer opens" in Client().get(link).content.decode()


def test_links_in_mails_lead_to_our_address_whatever_the_request_says(anna: Person) -> None:
    Client().post(
        reverse("account_reset_password"),
        {"email": anna.user.email},
        headers={"host": "127.0.0.1:9999"},
    )
    text, html = deliveries.opened(mail_to(anna.user.email))
    assert "127.0.0.1:9999" not in text + html
    assert link_in(mail_to(anna.user.email)).startswith("/accounts/password/reset/key/")


def test_a_reset_does_not_tell_who_is_a_customer(anna: Person) -> None:
    answers = [
        Client().post(reverse("account_reset_password"), {"email": email})
        for email in (anna.user.email, "nobody@example.com")
    ]
    assert {each.status_code for each in answers} == {302}
    assert len({each["Location"] for each in answers}) == 1


def test_a_failed_sign_in_does_not_tell_who_is_a_customer(anna: Person) -> None:
    answers = [
        Client().post(reverse("account_login"), {"login": email, "password": "wrong"})
        for email in (anna.user.email, "nobody@example.com")
    ]
    texts = {
        re.sub(r'value="[^"]*"', "", each.content.decode().replace(anna.user.email, ""))
        for each in answers
    }
    assert {each.status_code for each in answers} == {200}
    assert len(texts) == 1


def test_guessing_a_password_is_stopped(anna: Person) -> None:
    url = reverse("account_login")
    for _ in range(6):
        Client().post(url, {"login": anna.user.email, "password": "wrong"})
    browser = Client()
    browser.post(url, {"login": anna.user.email, "password": PASSWORD})
    assert "_auth_user_id" not in browser.session


def test_the_session_changes_at_sign_in(anna: Person) -> None:
    browser = Client()
    browser.get(reverse("account_login"))
    browser.cookies[settings.SESSION_COOKIE_NAME] = "planted-by-somebody-else"
    browser.post(reverse("account_login"), {"login": anna.user.email, "password": PASSWORD})
    assert browser.cookies[settings.SESSION_COOKIE_NAME].value != "planted-by-somebody-else"
    assert browser.get(reverse("storefront:dashboard")).status_code == 200


def test_signing_out_ends_the_session_on_the_server(anna: Person) -> None:
    browser = anna.browser()
    old = browser.cookies[settings.SESSION_COOKIE_NAME].value
    browser.post(reverse("account_logout"))
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = old
    assert thief.get(reverse("storefront:dashboard")).status_code == 302


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_signing_in_leads_nowhere_else(anna: Person, target: str) -> None:
    answer = Client().post(
        reverse("account_login"),
        {"login": anna.user.email, "password": PASSWORD, "next": target},
    )
    assert answer.status_code == 302
    assert "evil" not in answer["Location"]


@pytest.mark.parametrize("name", ENTRANCE)
def test_entrance_pages_are_ours_and_hold_nothing_inline(now: datetime, name: str) -> None:
    check_page(Client(), name)


@pytest.mark.parametrize("name", MANAGE)
def test_pages_about_the_sign_in_are_ours_and_hold_nothing_inline(anna: Person, name: str) -> None:
    browser = Client()
    browser.post(reverse("account_login"), {"login": anna.user.email, "password": PASSWORD})
    check_page(browser, name)


@pytest.mark.parametrize("name", ["mfa_activate_totp", "mfa_add_webauthn", "mfa_list_webauthn"])
def test_second_factor_pages_are_ours_too(anna: Person, name: str) -> None:
    browser = Client()
    browser.post(reverse("account_login"), {"login": anna.user.email, "password": PASSWORD})
    check_page(browser, name)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("account_signup", ["E-mail address", "Password"]),
        ("account_reset_password", ["E-mail address"]),
        ("account_change_password", ["Current password", "New password", "New password, again"]),
        ("account_email", ["E-mail address"]),
    ],
)
def test_fields_have_the_shops_own_names(anna: Person, name: str, fields: list[str]) -> None:
    browser = Client() if name in ENTRANCE else anna.browser()
    page = browser.get(reverse(name)).content.decode()
    labels = re.findall(r'<label class="field__label"[^>]*>([^<]+)', page)
    assert [label.strip() for label in labels] == fields


@pytest.mark.parametrize("name", ["account_login", "account_signup"])
def test_who_comes_from_the_cart_sees_how_far_it_is(now: datetime, name: str) -> None:
    steps = 'class="steps"'
    on_the_way = {"next": reverse("storefront:checkout")}
    assert steps in Client().get(reverse(name), on_the_way).content.decode()
    assert steps not in Client().get(reverse(name)).content.decode()


def test_the_only_address_can_be_confirmed_but_not_removed(anna: Person) -> None:
    def acts() -> list[str]:
        page = anna.browser().get(reverse("account_email")).content.decode()
        return re.findall(r'name="action_(primary|send|remove)"', page)

    address, _made = EmailAddress.objects.get_or_create(
        user=anna.user, email=anna.user.email, defaults={"primary": True}
    )
    assert acts() == ["send"]
    EmailAddress.objects.create(user=anna.user, email="second@shop.test")
    assert acts() == ["primary", "send", "remove"]
    EmailAddress.objects.exclude(pk=address.pk).delete()
    EmailAddress.objects.update(verified=True)
    assert acts() == []


def check_page(browser: Client, name: str) -> None:
    answer = browser.get(reverse(name), follow=True)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert 'class="site-header"' in text
    assert text.count("<h1") == 1
    assert INLINE.findall(text) == []
    assert "unsafe" not in answer["Content-Security-Policy"]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("name", letters.LETTERS)
def test_every_letter_has_a_subject_a_text_and_a_page(
    now: datetime, name: str, language: str
) -> None:
    user = User.objects.create_user("reader@example.com", None, language=language)
    context = {
        "user": user,
        "activate_url": "http://x/confirm/key/",
        "password_reset_url": "http://x/reset/key/",
        "signup_url": "http://x/signup/",
        "from_email": "old@example.com",
        "to_email": "new@example.com",
        "deleted_email": "old@example.com",
        "ip": "192.0.2.1",
        "user_agent": "<b>Browser</b>",
    }
    with translation.override("en"):
        AccountAdapter().send_mail(f"account/email/{name}", user.email, context)
    mail = mail_to(user.email)
    text, html = deliveries.opened(mail)
    assert mail.language == language
    assert (mail.subject == letters.LETTERS[name].subject) == (language == "en")
    assert "\n" not in mail.subject
    assert "%(" not in mail.subject + text + html
    assert "http://x/" not in text + html
    assert "<b>Browser" not in html
    assert mail.subject in text


def test_every_mail_of_the_sign_in_has_a_letter() -> None:
    """allauth's own templates name its mails; codes and phones are not used here. One is ours."""
    unused = {"login_code", "password_reset_code"}
    root = allauth.__path__[0]
    names = {
        path.name.removesuffix("_subject.txt")
        for app in ("account", "mfa")
        for path in Path(root, "templates", app, "email").glob("*_subject.txt")
    }
    assert names - unused | {"second_factor_removed"} == set(letters.LETTERS)
