"""Whoever may write a dialler's address cannot make our servers call what is near them."""

from __future__ import annotations

import socket
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from provisioning.dialler.base import Endpoint, NotAllowed, NotSent
from provisioning.dialler.reach import Reach
from provisioning.dialler.transport import post
from tests.provisioning.dialler.certificates import self_signed
from tests.provisioning.dialler.conftest import HERE, endpoint
from tests.provisioning.dialler.raw import RawServer, http

YES = http(b"[true, 1]")
PUBLIC_ONLY = Reach(plain_http=True)
# Names of one address: dotted, decimal, hexadecimal, octal, short, and carried by IPv6.
LOOPBACK = [
    "127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]",
    "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "0.0.0.0",
]  # fmt: skip
ELSEWHERE = [
    "10.0.0.5", "172.16.9.9", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
    "240.0.0.1", "[fe80::1]", "[fd00::1]", "[ff02::1]", "[::]",
]  # fmt: skip


def send(to: Endpoint) -> str:
    return post(to, "User_Role_List", {}, secrets=()).text


@pytest.mark.parametrize("host", LOOPBACK)
def test_no_spelling_of_this_machine_is_reached(host: str) -> None:
    with RawServer(YES) as server:
        port = server.url.rsplit(":", 1)[1]
        with pytest.raises(NotAllowed, match="not public|not reached"):
            send(endpoint(f"http://{host}:{port}", reach=PUBLIC_ONLY))
        assert server.requests == []


@pytest.mark.parametrize("host", ELSEWHERE)
def test_no_private_or_special_address_is_asked(host: str) -> None:
    with pytest.raises(NotAllowed, match="not public"):
        send(endpoint(f"http://{host}:9/rest", reach=PUBLIC_ONLY))


def test_a_network_that_the_operator_names_is_reached() -> None:
    with RawServer(YES) as server:
        assert send(endpoint(server.url, reach=HERE)) == "[true, 1]"
        other = Reach(networks=(ip_network("127.9.0.0/16"),), plain_http=True)
        with pytest.raises(NotAllowed):
            send(endpoint(server.url, reach=other))
        assert len(server.requests) == 1


def test_a_name_with_one_address_that_is_not_allowed_is_not_asked_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = resolving(monkeypatch, "127.0.0.1", "10.0.0.5")
    with RawServer(YES) as server:
        port = server.url.rsplit(":", 1)[1].split("/")[0]
        with pytest.raises(NotAllowed):
            send(endpoint(f"http://dialler.example:{port}/rest", reach=HERE))
        assert server.requests == []
    assert answers == ["dialler.example"]


def test_the_name_is_resolved_once_and_its_address_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A second answer of the name server (rebinding) would never be asked for."""
    answers = resolving(monkeypatch, "127.0.0.1")
    with RawServer(YES) as server:
        port = server.url.rsplit(":", 1)[1].split("/")[0]
        assert send(endpoint(f"http://dialler.example:{port}/rest", reach=HERE)) == "[true, 1]"
        assert f"Host: dialler.example:{port}".encode() in server.requests[0]
    assert answers == ["dialler.example"]


def test_the_next_address_of_a_name_is_tried_when_one_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolving(monkeypatch, "127.0.0.2", "127.0.0.1")
    with RawServer(YES) as server:
        port = server.url.rsplit(":", 1)[1].split("/")[0]
        assert send(endpoint(f"http://dialler.example:{port}/rest", reach=HERE)) == "[true, 1]"
    resolving(monkeypatch, "127.0.0.2", "127.0.0.3")
    with pytest.raises(NotSent):
        send(endpoint(f"http://dialler.example:{port}/rest", reach=HERE))


def test_the_certificate_must_be_the_names_not_the_addresss(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    resolving(monkeypatch, "127.0.0.1")
    context, trusted = self_signed(tmp_path)
    with RawServer(YES, context) as server:
        port = server.url.rsplit(":", 1)[1].split("/")[0]
        to: dict[str, Any] = {"ca_file": trusted, "reach": HERE}
        assert send(endpoint(f"https://127.0.0.1:{port}/rest", **to)) == "[true, 1]"
        with pytest.raises(NotSent):
            send(endpoint(f"https://dialler.example:{port}/rest", **to))


def test_plain_http_and_other_names_are_refused_without_a_question() -> None:
    with pytest.raises(NotAllowed, match="https"):
        send(endpoint("http://dial.example.com/rest", reach=Reach()))
    only = Reach(hosts=("dial.example.com",))
    only.demand_url("https://dial.example.com/rest")
    only.demand_url("https://DIAL.example.com./rest")
    for other in ("https://example.com/rest", "https://dial.example.com.evil.example/rest"):
        with pytest.raises(NotAllowed, match="not among the allowed"):
            only.demand_url(other)


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Stand in for the name server: every name has these addresses. Returns who was asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def answer(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        if not host.endswith(".example"):
            return list(real(host, port, *args, **kwargs))
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked
