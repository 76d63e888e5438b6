"""Whoever is signed in sees where, and ends it everywhere else."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from storefront.browsers import name_of
from tests.storefront.account.people import Person
from tests.storefront.account.test_signing_in import PASSWORD

LIST = "usersessions_list"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML,"
    " like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)


def signed_in(person: Person, browser: str) -> Client:
    """Sign in by the form, as a browser does."""
    person.user.set_password(PASSWORD)
    person.user.save()
    client = Client(headers={"user-agent": browser})
    known = {"login": person.user.email, "password": PASSWORD}
    assert client.post(reverse("account_login"), known).status_code == 302
    return client


def test_one_sees_every_browser_and_signs_the_others_out(anna: Person) -> None:
    desk = signed_in(anna, FIREFOX)
    person = Client(headers={"user-agent": PHONE})
    known = {"login": anna.user.email, "password": PASSWORD}
    person.post(reverse("account_login"), known)
    html = desk.get(reverse(LIST)).content.decode()
    assert html.count("This browser") == 1
    assert "Firefox, Windows" in html
    assert "Safari, iPhone" in html
    assert person.get(reverse("storefront:dashboard")).status_code == 200

    page = desk.post(reverse(LIST), follow=True).content.decode()
    assert "You are signed out everywhere else." in page
    assert "Safari, iPhone" not in page
    assert "Sign out everywhere else" not in page
    assert desk.get(reverse("storefront:dashboard")).status_code == 200
    assert person.get(reverse("storefront:dashboard")).status_code == 302


def test_a_session_that_was_left_is_not_listed_any_more(anna: Person) -> None:
    left = signed_in(anna, PHONE)
    left.post(reverse("account_logout"))
    html = signed_in(anna, FIREFOX).get(reverse(LIST)).content.decode()
    assert "Safari, iPhone" not in html


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (FIREFOX, "Firefox, Windows"),
        (PHONE, "Safari, iPhone"),
        (FIREFOX.replace("Firefox/145.0", "Chrome/142.0 Safari/537.36 Edg/142.0"), "Edge, Windows"),
        ("curl/8.9", "curl/8.9"),
        ("", "–"),
    ],
)
def test_a_browser_is_called_as_its_owner_calls_it(said: str, name: str) -> None:
    assert name_of(said) == name
