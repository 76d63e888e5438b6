"""Accounts that a dialler had before the shop become services: nothing is changed there, nothing is
charged for the past, and each is taken over once.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
import requests
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from billing import demo, imports, invariants
from billing.imports import Found
from billing.models import CreditBucket, Customer, Invoice, Mail, Subscription, User
from billing.tasks import bill_due
from packages.desk import Impossible
from provisioning import audits, tasks
from provisioning.models import Account, Drift, Server, UnknownAccount
from provisioning.simulator.simulator import Simulator
from tests import world
from tests.clock import Clock
from tests.desk import pages

PAGE = "admin:sheet_import_accounts"
USUAL = {"package": "business", "cycle": "monthly", "start": "2026-01-31"}
CSV = """username;email;package;cycle;start
acme;anna@example.com;business;monthly;2025-12-15
Dora;;;;
nobody;;;;
bert;bert@example.com;;;
"""


def there(shop: Simulator, username: str, *, email: str, credit: str = "") -> None:
    """An account that the operator made by hand, as the package `business` has it."""
    fields = {
        **{"username": username, "password": "Secret-123", "email": email},
        **{"channels": "20", "active": "1"},
    }
    made = _asked(shop, "Client_Create", client=json.dumps(fields))
    if credit:
        _asked(shop, "Client_Payment_Create", client_id=made["client_id"], value=credit)


def _asked(shop: Simulator, method: str, **fields: str) -> dict[str, str]:
    login = {"username": "admin", "password": world.SIMULATOR_PASSWORD}
    url = f"{shop.base_url('current')}/{method}"
    answer = requests.post(url, data={**login, **fields}, timeout=5).json()
    assert answer[0] is True, answer
    return answer[1] if isinstance(answer[1], dict) else {}


@pytest.fixture
def server(shop: Simulator, clock: Clock) -> Server:
    """Two accounts of customers, one of nobody, and one of somebody with two customers."""
    for name in ("anna", "dora"):
        world.customer(f"{name}@example.com", at=clock.now())
    Customer.objects.create(name="Dora", email="bert@example.com", created_at=clock.now())
    Customer.objects.create(name="Bert", email="BERT@example.com", created_at=clock.now())
    there(shop, "acme", email="other@example.com", credit="12.34")
    there(shop, "dora", email="dora@example.com")
    there(shop, "bert", email="bert@example.com")
    return Server.objects.get(currency="EUR")


def checked(server: Server, clock: Clock, text: str = CSV) -> list[Found]:
    return list(imports.check(imports.read(text, USUAL), server, at=clock.now()))


def audited(server: Server, clock: Clock) -> None:
    tasks.audit(audits.begin(server, None, cause="", at=clock.now(), actor="staff:1").pk)


def test_a_check_says_of_each_what_it_would_become_and_changes_nothing(
    server: Server, shop: Simulator, clock: Clock
) -> None:
    before = shop.log()["effects"]
    acme, dora, nobody, bert = checked(server, clock)
    assert (str(acme.customer), acme.row.start_on) == ("Ada Muster", date(2025, 12, 15))
    assert (dora.problem, dora.row.start_on) == ("", date(2026, 1, 31))
    assert nobody.problem == "The dialler has no such account."
    assert bert.problem == "2 customers have this address."
    assert not Account.objects.exists()
    assert not Subscription.objects.exists()
    assert shop.log()["effects"] == before


def test_a_service_goes_on_where_the_account_was(
    server: Server, shop: Simulator, clock: Clock
) -> None:
    """Today is 2 March: the period from 15 February is paid, that from 15 March is invoiced."""
    audited(server, clock)
    assert UnknownAccount.objects.filter(gone_at=None, username="acme").exists()
    effects = shop.log()["effects"]
    service = imports.adopt(checked(server, clock)[0], server, at=clock.now(), actor="staff:1")
    service.refresh_from_db()
    assert service.account is not None
    assert (service.state, service.account.state) == ("active", "live")
    assert (service.paid_until, service.next_invoice_on) == (date(2026, 3, 15), date(2026, 3, 8))
    assert service.account.balance_minor == 12_34
    bucket = CreditBucket.objects.get()
    assert (bucket.kind, bucket.left_minor) == (CreditBucket.Kind.PAID, 12_34)
    assert not UnknownAccount.objects.filter(gone_at=None, username="acme").exists()
    clock.shift(days=6)
    bill_due()
    clock.work()
    (line,) = Invoice.objects.get().lines.filter(kind="recurring")
    assert (line.period_start_on, line.period_end_on) == (date(2026, 3, 15), date(2026, 4, 15))
    assert shop.log()["effects"] == effects
    assert not Mail.objects.filter(template="account_ready").exists()
    assert invariants.violations() == []


def test_again_it_is_ours_already(server: Server, clock: Clock) -> None:
    first, second = checked(server, clock)[0], checked(server, clock)[0]
    imports.adopt(first, server, at=clock.now(), actor="staff:1")
    with pytest.raises(Impossible, match="ours already"):
        imports.adopt(second, server, at=clock.now(), actor="staff:1")
    assert Subscription.objects.count() == Account.objects.count() == 1
    assert checked(server, clock)[0].problem == "The account is ours already."


def test_the_command_imports_what_it_can_and_says_the_rest(
    server: Server, clock: Clock, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "accounts.csv"
    file.write_text(CSV)
    given = {"server": server.name, **USUAL}
    with pytest.raises(CommandError, match="cannot be imported"):
        call_command("import_accounts", file, dry_run=True, **given)
    assert "2 of 4 would be imported." in capsys.readouterr().out
    assert not Subscription.objects.exists()
    with pytest.raises(CommandError, match="cannot be imported"):
        call_command("import_accounts", file, **given)
    assert "nobody: The dialler has no such account.\n" in capsys.readouterr().out
    assert Subscription.objects.count() == 2


def test_staff_check_a_list_and_then_import_it(
    server: Server, clock: Clock, client: Client, shop: Simulator
) -> None:
    client.force_login(User.objects.get(email=demo.STAFF[0]))
    form = {**USUAL, "server": server.pk, "lines": "dora\nbert\n"}
    said = pages.text(client.post(reverse(PAGE), form))
    assert "1 of 2 accounts can be imported; nothing was changed" in said
    assert not Subscription.objects.exists()
    said = pages.text(client.post(reverse(PAGE), {**form, "import": ""}))
    assert "1 of 2 accounts were imported" in said
    assert "2 customers have this address." in said
    assert Subscription.objects.get().account is not None
    shop.faults.add("*", answer="500")
    said = pages.text(client.post(reverse(PAGE), form))
    assert "The dialler gave no list" in said


def test_what_differs_from_the_package_is_told_and_becomes_drift(
    server: Server, clock: Clock
) -> None:
    """The account of `scale` has more channels than this one."""
    (found,) = checked(server, clock, "username,package\ndora,scale\n")
    assert "channels" in found.differs
    imports.adopt(found, server, at=clock.now(), actor="staff:1")
    audited(server, clock)
    assert "channels" in {each["field"] for each in Drift.objects.get().diffs}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("username;start\nacme;soon\n", "Line 2: “soon” is no day"),
        ("username,cycle\n\nacme,weekly\n", "Line 3: the cycle is one of"),
        ("username,email\n,anna@example.com\n", "Line 2: username is missing"),
    ],
)
def test_a_list_with_a_bad_line_is_refused_as_a_whole(text: str, why: str) -> None:
    with pytest.raises(imports.Unreadable, match=why):
        imports.read(text, USUAL)


def test_a_list_may_be_of_usernames_alone() -> None:
    rows = imports.read('\ufeffacme\r\n\r\n"dora"\r\n', USUAL)
    assert [each.username for each in rows] == ["acme", "dora"]
    assert {each.package for each in rows} == {"business"}
