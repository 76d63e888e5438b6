"""What is known of a request without a proper answer: certainly not sent, or anybody's guess."""

from __future__ import annotations

import gzip
import socket
import time
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from provisioning.dialler.base import (
    DiallerError,
    Endpoint,
    Misconfigured,
    NotSent,
    Refused,
    Unknown,
)
from provisioning.dialler.http import HttpDialler
from provisioning.dialler.transport import Answer, post
from tests.provisioning.dialler.certificates import self_signed
from tests.provisioning.dialler.conftest import endpoint, spec
from tests.provisioning.dialler.raw import RawServer, dripping, http

YES = http(b"[true, 1]")
QUICK: dict[str, Any] = {"connect_timeout_seconds": 0.2, "read_timeout_seconds": 0.3}


def send(to: Endpoint, **arguments: str) -> Answer:
    return post(to, "User_Create", arguments, secrets=("S3cret!",))


def test_a_call_is_one_post_of_form_fields_on_a_connection_of_its_own() -> None:
    with RawServer(YES) as server:
        send(endpoint(server.url, secret="p&w"), user='{"a":"ü"}')
        send(endpoint(server.url))
        first, second = server.requests
    head, body = first.split(b"\r\n\r\n")
    assert head.startswith(b"POST /rest/User_Create HTTP/1.1")
    assert b"application/x-www-form-urlencoded" in head
    assert b"Connection: close" in head
    assert parse_qs(body.decode()) == {
        "username": ["admin"],
        "password": ["p&w"],
        "user": ['{"a":"ü"}'],
    }


def test_the_older_form_names_its_login_differently() -> None:
    with RawServer(YES) as server:
        send(endpoint(server.url, auth="form_legacy", secret="pw"))
        body = server.requests[0].split(b"\r\n\r\n")[1]
    assert parse_qs(body.decode()) == {"api_username": ["admin"], "api_password": ["pw"]}


def test_a_token_travels_in_the_header_alone() -> None:
    with RawServer(YES) as server:
        send(endpoint(server.url, auth="bearer", secret="t.o.k"), user_id="4")
        head, body = server.requests[0].split(b"\r\n\r\n")
    assert b"Authorization: Bearer t.o.k" in head
    assert body == b"user_id=4"


def test_a_refused_connection_is_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        port = closing.getsockname()[1]
    with pytest.raises(NotSent):
        send(endpoint(f"http://127.0.0.1:{port}/rest"))


def test_a_name_that_does_not_resolve_is_not_sent() -> None:
    with pytest.raises(NotSent):
        send(endpoint("http://dialler.invalid/rest"))


def test_a_connection_that_is_never_taken_is_not_sent() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        with pytest.raises(NotSent):
            send(endpoint(f"http://127.0.0.1:{full.getsockname()[1]}/rest", **QUICK))
        for each in waiting:
            each.close()


def test_a_certificate_nobody_vouches_for_is_not_sent(tmp_path: Path) -> None:
    context, _ = self_signed(tmp_path)
    with RawServer(YES, context) as server, pytest.raises(NotSent):
        send(endpoint(server.url))
    assert server.requests == []


def test_a_certificate_the_operator_trusts_is_accepted(tmp_path: Path) -> None:
    context, ca_file = self_signed(tmp_path)
    with RawServer(YES, context) as server:
        assert send(endpoint(server.url, ca_file=ca_file)).text == "[true, 1]"


def test_a_missing_ca_file_needs_a_person(tmp_path: Path) -> None:
    with RawServer(YES) as server, pytest.raises(Misconfigured):
        send(endpoint(server.url.replace("http:", "https:"), ca_file=str(tmp_path / "none.pem")))


@pytest.mark.parametrize("token", ["line\nbreak", "\u2603"])
def test_a_token_that_fits_in_no_header_needs_a_person(token: str) -> None:
    with RawServer(YES) as server, pytest.raises(Misconfigured) as caught:
        send(endpoint(server.url, auth="bearer", secret=token))
    assert server.requests == []
    assert token not in str(caught.value)


def test_an_answer_in_another_character_set_is_unknown_but_a_status_still_counts() -> None:
    latin = '[true, {"last_name": "Löwe"}]'.encode("latin-1")
    with RawServer(http(latin)) as server, pytest.raises(Unknown):
        send(endpoint(server.url))
    with RawServer(http(latin, "401 Unauthorized")) as server:
        assert send(endpoint(server.url)).status == 401


def test_a_handshake_that_is_dripped_ends_in_time_and_is_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/rest"
        began = time.monotonic()
        with pytest.raises(NotSent):
            send(endpoint(url, **QUICK))
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 500, id="headers"),
        pytest.param(YES[:-4] + b" " * 500, id="body"),
        pytest.param(http(b"[true]" + b" " * 500), id="spaces after the answer"),
    ],
)
def test_a_slow_drip_is_cut_at_the_deadline(data: bytes) -> None:
    with RawServer(dripping(data, 0.02)) as server:
        began = time.monotonic()
        with pytest.raises(Unknown):
            send(endpoint(server.url, **QUICK))
    assert 0.4 < time.monotonic() - began < 2


def test_silence_after_the_request_is_unknown() -> None:
    with RawServer(dripping(b" ", 5)) as server, pytest.raises(Unknown):
        send(endpoint(server.url, **QUICK))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"garbage\r\n\r\n", id="no HTTP"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[true, 1]", id="shorter"),
        pytest.param(http(b"[true, 1]", "200 OK", "Content-Encoding: gzip"), id="no gzip"),
        pytest.param(http(b"[true, " + b'"x"' * 600_000 + b"]"), id="giant"),
        pytest.param(
            http(gzip.compress(b" " * 40_000_000), "200 OK", "Content-Encoding: gzip"), id="bomb"
        ),
    ],
)
def test_half_an_answer_is_unknown(answer: bytes) -> None:
    with RawServer(answer) as server, pytest.raises(Unknown):
        send(endpoint(server.url))


def test_a_compressed_answer_is_read_though_none_was_asked_for() -> None:
    packed = http(gzip.compress(b"[true, 1]"), "200 OK", "Content-Encoding: gzip")
    with RawServer(packed) as server:
        assert send(endpoint(server.url)).text == "[true, 1]"


def test_a_redirect_is_not_followed() -> None:
    with RawServer(YES) as target:
        moved = http(b"moved", "307 Temporary Redirect", f"Location: {target.url}/User_Create")
        with RawServer(moved) as server:
            answer = send(endpoint(server.url))
        assert (answer.status, target.requests) == (307, [])


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with RawServer(YES) as server:
        assert send(endpoint(server.url)).status == 200


@pytest.mark.parametrize("secret", ["hunter2&<3", 'qu"ote', "line\nbreak"])
@pytest.mark.parametrize("auth", ["form", "bearer"])
def test_no_error_shows_a_secret(auth: str, secret: str) -> None:
    urls = ["http://127.0.0.1:9/rest", "http://dialler.invalid/rest"]
    with RawServer(b"") as server:
        for url in [*urls, server.url]:
            with pytest.raises(DiallerError) as caught:
                send(endpoint(url, auth=auth, secret=secret))
            told = "".join(traceback.format_exception(caught.value))
            assert secret not in told + caught.value.excerpt
            assert caught.value.__context__ is None


def test_a_secret_the_server_repeats_is_hidden() -> None:
    answer = Answer(200, 'pw=hunter2&pw2=S3cret%21 "S3cret!"', ("hunter2", "S3cret!"))
    assert answer.quote() == 'pw=•••&pw2=••• "•••"'
    assert "secrets" not in repr(answer)


def test_refusals_hide_the_password_they_repeat() -> None:
    with RawServer(http(b'[false, "password new-S3cret is too short"]')) as server:
        dialler = HttpDialler(endpoint(server.url))
        with pytest.raises(Refused) as caught:
            dialler.create(spec(), password="new-S3cret", marker="m")
    assert caught.value.reason == "password ••• is too short"
    assert "new-S3cret" not in caught.value.excerpt
