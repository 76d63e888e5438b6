"""Every shape of an answer, over HTTP: what is a yes, what a no, and what proves nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

import pytest

from packages.money import Money
from provisioning.dialler.base import DiallerError, Misconfigured, Refused, RemoteAccount, Unknown
from provisioning.dialler.http import HttpDialler
from tests.provisioning.dialler.conftest import endpoint
from tests.provisioning.dialler.raw import RawServer, http

ACCOUNT = {"user_id": "41", "username": "nc-7", "active": "1", "credit": "12.50"}
NOTICE = (
    b"<br />\n<b>Notice</b>:  Undefined index: plan in <b>/x/[api].php</b> on line <b>4</b><br />\n"
)

T = TypeVar("T")


def over_http(answer: bytes, ask: Callable[[HttpDialler], T]) -> T:
    with RawServer(answer) as server:
        return ask(HttpDialler(endpoint(server.url)))


def credited(dialler: HttpDialler) -> None:
    dialler.credit("41", Money(2500, "EUR"), reference="r")


def found(dialler: HttpDialler) -> RemoteAccount | None:
    return dialler.find("nc-7")


@pytest.mark.parametrize(
    "body",
    [
        b"[true]",
        b"[true, null]",
        b'[true, "41"]',
        b"true",
        b'"[true, 41]"',
        b"\xef\xbb\xbf  \r\n[true, 1]\n\n",
        NOTICE + b"[true, 1]",
        b"PHP Warning:  mysqli_query() in /x.php on line 3\n" + NOTICE + b"[true, {}]",
        b'[true, "{\\"user_id\\": 41}"]',
    ],
)
def test_clear_yes(body: bytes) -> None:
    over_http(http(body), credited)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'[false, "No such rate"]', "No such rate"),
        (b"[false]", "The server refused without giving a reason."),
        (b"[false, null]", "The server refused without giving a reason."),
        (b'[false, ""]', "The server refused without giving a reason."),
        (b"false", "The server refused without giving a reason."),
        (b'"[false, \\"no\\"]"', "no"),
        (b'[false, {"field": "value"}]', '{"field": "value"}'),
    ],
)
def test_clear_no(body: bytes, reason: str) -> None:
    with pytest.raises(Refused) as caught:
        over_http(http(body), credited)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"<!DOCTYPE html><title>Login</title>",
        b"<b>Fatal error</b>: Uncaught Exception in api.php\n[true, 1]",
        b'[true, {"user_id": "4',
        b"[true, 1][true, 1]",
        b"[true, 1, 2]",
        b"[]",
        b'["true", 1]',
        b"[1, 1]",
        b"[null, 1]",
        b"1",
        b"null",
        b'"ok"',
        b'{"status": "done"}',
        b'{"ErrorCode": 500, "ErrorMessage": "Duplicate entry"}',
        b'{"ErrorMessage": null}',
        b"[true, false]",
        b'[true, {"ErrorCode": 1, "ErrorMessage": "x"}]',
        b"[true, NaN]",
        b"[" * 100_000,
        b"\xff\xfe\x00",
        b"OK",
    ],
)
def test_anything_else_proves_nothing(body: bytes) -> None:
    with pytest.raises(Unknown):
        over_http(http(body), credited)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("401 Unauthorized", Misconfigured),
        ("403 Forbidden", Misconfigured),
        ("405 Method Not Allowed", Misconfigured),
        ("500 Internal Server Error", Unknown),
        ("502 Bad Gateway", Unknown),
        ("404 Not Found", Unknown),
        ("201 Created", Unknown),
        ("302 Found", Unknown),
    ],
)
def test_the_status_comes_before_the_body(status: str, error: type[DiallerError]) -> None:
    with pytest.raises(error):
        over_http(http(b"[true, 1]", status), credited)


@pytest.mark.parametrize(
    "body",
    [
        b"[false]",
        b"[false, null]",
        b"false",
        b"[true, false]",
        b"[true, null]",
        b"[true, []]",
        b"[true, {}]",
    ],
)
def test_clearly_not_there(body: bytes) -> None:
    assert over_http(http(body), found) is None


@pytest.mark.parametrize(
    "body",
    [
        b"[true]",
        b"true",
        b'[false, "Permission denied"]',
        b'[true, "nc-7"]',
        b"[true, 0]",
        b'[true, {"user_id": "1", "username": "admin"}]',
        b'[true, {"user_id": "1"}]',
        b'[true, {"username": "nc-7"}]',
        b'[true, [{"user_id": "1", "username": "nc-7"}, {"user_id": "2", "username": "nc-7"}]]',
        b"[true, [1, 2]]",
        b'{"ErrorCode": 500, "ErrorMessage": "gone away"}',
    ],
)
def test_an_unclear_lookup_is_not_an_absence(body: bytes) -> None:
    with pytest.raises(Unknown):
        over_http(http(body), found)


@pytest.mark.parametrize(
    "payload",
    [
        ACCOUNT,
        [ACCOUNT],
        json.dumps(ACCOUNT),
        [{"user_id": "1", "username": "nc-70"}, ACCOUNT],
        {**ACCOUNT, "user_id": 41, "active": True, "credit": 12.5},
        {"usr_id": "41", "username": "nc-7", "active": 1, "credit": "12.5000"},
    ],
)
def test_the_account_is_read_from_every_shape(payload: object) -> None:
    account = over_http(http(json.dumps([True, payload]).encode()), found)
    assert account is not None
    assert (account.remote_id, account.active, account.balance_minor) == ("41", True, 1250)


@pytest.mark.parametrize("name", ["NC-7", "nc-7 ", "ñc-7"])
def test_a_name_that_mysql_takes_for_ours_is_returned_as_it_is(name: str) -> None:
    body = json.dumps([True, {"user_id": "9", "username": name}]).encode()
    account = over_http(http(body), found)
    assert account is not None
    assert account.username == name


@pytest.mark.parametrize(
    "value", [None, "", "a lot", "1,234.50", "1e3", True, "12.5 EUR", [], "9" * 40]
)
def test_an_unreadable_balance_is_unknown_and_not_zero(value: object) -> None:
    body = json.dumps([True, {**ACCOUNT, "credit": value}]).encode()
    account = over_http(http(body), found)
    assert account is not None
    assert account.balance_minor is None


def test_what_is_not_shown_is_unknown() -> None:
    account = over_http(http(b'[true, {"user_id": 41, "username": "nc-7"}]'), found)
    assert account == RemoteAccount(
        remote_id="41", username="nc-7", raw_keys=("user_id", "username")
    )


@pytest.mark.parametrize(
    "body",
    [
        b'[true, [{"role_id": "2", "name": "Tenant"}]]',
        b'[true, {"2": "Tenant"}]',
        b'[true, "[{\\"id\\": 2, \\"role\\": \\"Tenant\\"}]"]',
    ],
)
def test_roles_are_read_from_every_shape(body: bytes) -> None:
    roles = over_http(http(body), lambda dialler: dialler.check())
    assert [(role.remote_id, role.name) for role in roles] == [("2", "Tenant")]


def test_roles_that_are_none_prove_nothing() -> None:
    with pytest.raises(Unknown):
        over_http(http(b'[true, "yes"]'), lambda dialler: dialler.check())
