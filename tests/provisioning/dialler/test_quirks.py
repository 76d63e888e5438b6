"""What real servers were seen to do: docs/dialler-api.md names a test for each of it.

What had none elsewhere has one below.
"""

from __future__ import annotations

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest

from packages.money import Money
from provisioning.dialler.base import Auth, DiallerError, Misconfigured, NotSent, Refused, Unknown
from provisioning.dialler.http import HttpDialler
from provisioning.simulator import Simulator
from tests import source
from tests.provisioning.dialler.certificates import self_signed
from tests.provisioning.dialler.conftest import Connect, endpoint, spec
from tests.provisioning.dialler.raw import RawServer, http

HERE = Path(__file__)
ROWS = re.findall(
    r"^\| (.*) \| `(\S+)::(\w+)` \|$",
    (source.BASE / "docs/dialler-api.md").read_text(),
    flags=re.MULTILINE,
)
# What a test has that speaks to a server over HTTP.
WIRES = {"dialler", "connect", "simulator", "api", "RawServer", "over_http"}


@pytest.mark.parametrize(("quirk", "module", "name"), ROWS)
def test_every_quirk_has_a_test_over_http(quirk: str, module: str, name: str) -> None:
    found = {each.name: each for each in source.functions(HERE.parent.parent / module)}
    words = {each.arg for each in found[name].args.args}
    words |= {each.id for each in ast.walk(found[name]) if isinstance(each, ast.Name)}
    assert words & WIRES, f"{name} speaks to nobody."


def test_every_test_of_this_module_is_in_the_table() -> None:
    mine = {each.name for each in source.functions(HERE) if "dialler" in ast.unparse(each.args)}
    assert mine <= {name for _, _, name in ROWS}


@pytest.mark.parametrize("auth", ["form", "form_legacy", "bearer"])
def test_no_login_is_ever_sent_as_http_basic(auth: Auth) -> None:
    with RawServer(http(b"[true, 1]")) as server:
        dialler = HttpDialler(endpoint(server.url, auth=auth, secret="t.o.k"))
        dialler.credit("41", Money(1, "EUR"), reference="r")
        head = server.requests[0].split(b"\r\n\r\n")[0].lower()
    assert b"authorization: basic" not in head
    assert (b"authorization: bearer t.o.k" in head) is (auth == "bearer")


def test_our_login_is_suspended_meanwhile(
    dialler: HttpDialler, connect: Connect, simulator: Simulator, profile: str
) -> None:
    """A login of ours that is an account itself stops being taken, with every variant alike."""
    own = dialler.create(spec("billing"), password="S3cret!1", marker="m")
    dialler.set_active(own or "", active=False)
    for auth in ("form", "form_legacy"):
        suspended = connect(profile, auth=auth, username="billing", secret="S3cret!1")
        with pytest.raises(Misconfigured):
            suspended.check()
    with pytest.raises(Misconfigured):
        connect(profile, auth="bearer", secret=simulator.token("billing")).check()


def test_an_expired_certificate_is_not_sent(tmp_path: Path) -> None:
    context, ca_file = self_signed(tmp_path, age=timedelta(days=400))
    with RawServer(http(b"[true, 1]"), context) as server, pytest.raises(NotSent):
        HttpDialler(endpoint(server.url, ca_file=ca_file)).check()
    assert server.requests == []


@pytest.mark.parametrize("kind", ["text/html", "application/json", "image/png", "nonsense"])
def test_the_content_type_is_not_believed(kind: str) -> None:
    answer = http(b"[true, 1]", "200 OK", f"Content-Type: {kind}; charset=latin1")
    with RawServer(answer) as server:
        HttpDialler(endpoint(server.url)).credit("41", Money(1, "EUR"), reference="r")


@pytest.mark.parametrize(("duplicates", "error"), [("refused", Refused), ("error", Unknown)])
def test_an_email_that_is_taken(
    dialler: HttpDialler, simulator: Simulator, duplicates: str, error: type[DiallerError]
) -> None:
    simulator.switch(unique_email=True, duplicates=duplicates)
    dialler.create(spec("one"), password="S3cret!1", marker="1")
    with pytest.raises(error):
        dialler.create(spec("two"), password="S3cret!1", marker="2")
    assert dialler.find("two") is None


@pytest.mark.parametrize("answer", ["errorcode_200", "errorcode_500", "500", "html", "truncated"])
def test_a_list_that_fails_is_no_empty_list(
    dialler: HttpDialler, simulator: Simulator, answer: str
) -> None:
    simulator.faults.add("*", answer=answer)
    with pytest.raises(Unknown):
        dialler.list_accounts()


def test_a_balance_that_moves_is_read_as_it_is(dialler: HttpDialler, simulator: Simulator) -> None:
    remote_id = dialler.create(spec(), password="S3cret!1", marker="m") or ""
    dialler.credit(remote_id, Money(2500, "EUR"), reference="r")
    seen = []
    for amount in ("0.01", "4.99", "20.00"):
        simulator.burn("nc-7", amount)
        account = dialler.get(remote_id)
        assert account is not None
        seen.append(account.balance_minor)
    assert seen == [2499, 2000, 0]
