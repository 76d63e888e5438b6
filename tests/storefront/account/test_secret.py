"""The login is shown once, after a click, and what is stored opens nothing."""

import re
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import reverse

from provisioning import secrets
from tests.storefront.account.people import Person

PASSWORD = "canary-7Qm-password"


@pytest.fixture
def token(anna: Person, now: datetime) -> str:
    return secrets.create(anna.account, PASSWORD, cause="test", at=now)


def words(answer: HttpResponseBase, token: str) -> str:
    """The page without what is drawn anew for each request."""
    assert isinstance(answer, HttpResponse)
    text = answer.content.decode().replace(token, "")
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)


def address(token: str) -> str:
    return reverse("storefront:secret", args=[token])


def test_looking_does_not_open(token: str) -> None:
    for _ in range(3):
        page = Client().get(address(token))
        assert page.status_code == 200
        assert PASSWORD not in page.content.decode()
        assert Client().head(address(token)).status_code == 200
    assert PASSWORD in Client().post(address(token)).content.decode()


def test_it_opens_once(token: str, anna: Person) -> None:
    first = Client().post(address(token))
    text = first.content.decode()
    assert (first.status_code, PASSWORD in text, anna.account.username in text) == (200, True, True)
    for method in ("post", "get", "head"):
        again = getattr(Client(), method)(address(token))
        assert again.status_code == 410
        assert PASSWORD not in again.content.decode()


def test_it_expires(token: str, now: datetime) -> None:
    with time_machine.travel(now + secrets.VALID_FOR + timedelta(seconds=1)):
        assert Client().get(address(token)).status_code == 410
        assert PASSWORD not in Client().post(address(token)).content.decode()


def test_an_unknown_link_looks_like_a_used_one(token: str) -> None:
    Client().post(address(token))
    used, unknown = (Client().get(address(each)) for each in (token, "x" * 43))
    assert used.status_code == unknown.status_code == 410
    assert words(used, token) == words(unknown, "x" * 43)


def test_the_answers_are_not_kept_and_the_address_does_not_leave(token: str) -> None:
    asked, shown = Client().get(address(token)), Client().post(address(token))
    assert (asked["Referrer-Policy"], shown["Referrer-Policy"]) == ("strict-origin", "no-referrer")
    for answer in (asked, shown, Client().get(address(token))):
        assert "no-store" in answer["Cache-Control"]


def test_no_log_line_holds_the_link(token: str, caplog: pytest.LogCaptureFixture) -> None:
    for method in ("get", "post", "post", "get"):
        getattr(Client(), method)(address(token))
    assert token not in caplog.text


def test_opening_needs_the_form(token: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(address(token)).status_code == 403
    assert secrets.exists(token, at=datetime.now().astimezone())


def test_the_database_holds_neither_link_nor_password(token: str) -> None:
    dump = everything()
    assert PASSWORD not in dump
    assert token not in dump


def everything() -> str:
    """Every row of every table as text, binary columns as they are and in hexadecimal."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        found = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')
            found += [row[0] for row in cursor.fetchall()]
    text = "\n".join(found)
    return text + bytes.fromhex("".join(_hexes(text))).decode(errors="replace")


def _hexes(text: str) -> list[str]:
    parts = text.split("\\x")[1:]
    digits = ["".join(c for c in _leading(part)) for part in parts]
    return [each[: len(each) // 2 * 2] for each in digits]


def _leading(part: str) -> str:
    end = next((i for i, c in enumerate(part) if c not in "0123456789abcdef"), len(part))
    return part[:end]
