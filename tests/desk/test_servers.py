"""Servers at the desk: the secret goes in and never out, the mapping is checked, the test tells."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from packages.models import Package
from provisioning import circuits, servers, vault
from provisioning.models import Account, Circuit, Server
from provisioning.simulator.simulator import Simulator
from tests.desk import pages

SECRET = "a-very-secret-word-4711"


def fields(server: Server, **changes: Any) -> dict[str, Any]:
    """What the form of a server sends when nothing is touched."""
    names = ("name", "currency", "login_url", "base_url", "profile", "auth", "username")
    numbers = ("connect_timeout_seconds", "read_timeout_seconds", "quiet_seconds")
    readings = (
        "read_gap_seconds",
        "reading_minutes",
        "readings_a_minute",
        "take_back",
        "by_hand_hours",
    )
    pace = ("runs_at_once", "requests_a_second")
    sent = {name: getattr(server, name) for name in (*names, *numbers, *readings, *pace)}
    pools = list(server.pools.values_list("pk", flat=True))
    room = {"pools": pools, "capacity_accounts": "", "capacity_channels": "", "weight": 1}
    return {
        **sent,
        **room,
        "active": "on",
        "secret": "",
        "mapping": json.dumps(server.mapping),
        **changes,
    }


@pytest.fixture
def server(shop: Simulator) -> Server:
    return Server.objects.get(name="Dialler EU")


def secret_of(server: Server) -> str:
    server.refresh_from_db()
    return vault.unseal(server.secret_sealed, purpose=servers.SECRET)


def test_the_secret_is_kept_when_left_empty_and_never_shown(staff: Client, server: Server) -> None:
    staff.post(pages.address(server), fields(server, secret=SECRET))
    assert secret_of(server) == SECRET
    staff.post(pages.address(server), fields(server, name="Renamed"))
    assert secret_of(server) == SECRET
    assert server.name == "Renamed"
    pages_of_it = [pages.address(server), pages.address(server, "history")]
    wrong = staff.post(pages.address(server), fields(server, secret=SECRET, currency="?"))
    shown = [staff.get(each).content.decode() for each in pages_of_it]
    assert all(SECRET not in html for html in [*shown, wrong.content.decode()])
    assert all(SECRET[-4:] not in html for html in shown)
    assert SECRET.encode() not in bytes(server.secret_sealed)


def test_a_new_server_needs_a_secret(staff: Client, server: Server) -> None:
    response = staff.post("/admin/provisioning/server/add/", fields(server, name="Another"))
    assert "Enter the password or API key" in pages.text(response)
    assert not Server.objects.filter(name="Another").exists()
    sent = fields(server, name="Another", secret=SECRET)
    staff.post("/admin/provisioning/server/add/", sent)
    assert secret_of(Server.objects.get(name="Another")) == SECRET


def test_nothing_is_said_of_a_server_that_is_not_there_yet(staff: Client, shop: Simulator) -> None:
    html = staff.get("/admin/provisioning/server/add/").content.decode()
    assert "Never shown again." in html
    assert "keeps the stored one" not in html
    assert str(Circuit.State.CLOSED.label) not in html
    assert "no server" not in staff.get("/admin/provisioning/pool/add/").content.decode()


def test_the_list_counts_the_accounts_that_its_filling_counts(
    staff: Client, account: Account, server: Server
) -> None:
    html = staff.get("/admin/provisioning/server/").content.decode()
    held = re.search(r'field-load[^>]*><a href="([^"]+)">(\d+) account</a>', html)
    assert held is not None
    assert staff.get(unescape(held[1])).context["cl"].result_count == int(held[2]) == 1
    before = account.state
    Account.objects.update(state=Account.State.CLOSED)
    assert f'{held[1]}">' not in staff.get("/admin/provisioning/server/").content.decode()
    Account.objects.update(state=before)


def test_the_administrators_role_is_the_default_only_when_staff_trust_in_words(
    staff: Client, server: Server
) -> None:
    pages.press(staff, server, "test")
    server.refresh_from_db()
    names = {name: role for role, name in server.roles}
    page = staff.get(pages.address(server)).content.decode()
    assert f'<option value="{names["Tenant"]}">Tenant ({names["Tenant"]})</option>' in page
    warning = "With the role “Administrator” each buyer can see and change every customer's account"
    ruling = fields(server, default_role=names["Administrator"])
    told = staff.post(pages.address(server), ruling)
    assert warning in pages.text(told)
    assert 'type="checkbox" name="trusts_role"' in told.content.decode()
    server.refresh_from_db()
    assert server.default_role == ""
    staff.post(pages.address(server), {**ruling, "trusts_role": "on"})
    server.refresh_from_db()
    assert server.default_role == names["Administrator"]
    # It stays a warning wherever it matters: at the server, and at a package without a role.
    assert "New accounts get the role “Administrator”" in pages.text(
        staff.get("/admin/provisioning/server/")
    )
    package = Package.objects.get(slug="starter")
    assert warning in pages.text(staff.get(pages.address(package)))
    Package.objects.filter(pk=package.pk).update(role=names["Tenant"])
    assert warning not in pages.text(staff.get(pages.address(package)))


def test_every_problem_of_a_mapping_is_told(staff: Client, server: Server) -> None:
    mapping = {"colour": "blue", "fields": {"email": 7}, "write_only": "tariff"}
    response = staff.post(pages.address(server), fields(server, mapping=json.dumps(mapping)))
    told = pages.text(response)
    assert "There is no setting colour." in told
    assert "fields.email must be text." in told
    assert "write_only must be a list of texts." in told
    before = server.mapping
    server.refresh_from_db()
    assert server.mapping == before


def test_a_connection_that_works_says_so(staff: Client, server: Server) -> None:
    response = pages.press(staff, server, "test")
    assert "Dialler EU works," in pages.text(response)
    server.refresh_from_db()
    assert server.check_note.startswith("works")


def test_a_server_that_is_down_says_what_to_check(
    staff: Client, server: Server, shop: Simulator
) -> None:
    shop.stop()
    response = pages.press(staff, server, "test")
    assert "cannot be reached: check address, network and certificate" in pages.text(response)
    server.refresh_from_db()
    assert server.check_note == "NotSent"
    shop.start_again()


def test_a_wrong_secret_says_so(staff: Client, server: Server) -> None:
    staff.post(pages.address(server), fields(server, secret="wrong"))
    response = pages.press(staff, server, "test")
    assert "check user, secret, mapping" in pages.text(response)


def test_an_open_circuit_is_shown_with_its_reason_and_staff_can_close_it(
    staff: Client, server: Server, shop: Simulator
) -> None:
    assert "ask-again" not in pages.offered(staff, server)
    shop.stop()
    for _ in range(circuits.TROUBLES_IN_A_ROW):
        servers.check(server, at=timezone.now())
    shop.start_again()
    shown = pages.text(staff.get(pages.address(server)))
    assert "Is not asked since " in shown
    assert "next probe " in shown
    assert "The server was not reached" in shown
    listed = pages.text(staff.get("/admin/provisioning/server/"))
    assert "Is not asked since " in listed
    response = pages.press(staff, server, "ask-again", reason="cable plugged in")
    assert "The server is asked again." in pages.text(response)
    assert circuits.is_closed(server.pk)
    last = pages.last_change(Circuit.objects.get(server=server))
    assert (last.actor[:6], last.reason) == ("staff:", "cable plugged in")
    again = pages.submit(staff, server, "ask-again", {"reason": "once more"})
    assert "This is not possible now" in pages.text(again)
