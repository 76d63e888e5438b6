"""Every operation against the simulator: both generations, all logins, what holds afterwards."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import requests

from packages.money import Money
from provisioning.dialler.base import (
    CAPABILITIES,
    Dialler,
    Limits,
    Misconfigured,
    Refused,
    Unknown,
    Usage,
)
from provisioning.dialler.http import HttpDialler
from provisioning.dialler.mapping import defaults, simulator_mapping
from provisioning.simulator import Simulator
from tests.provisioning.dialler.conftest import PASSWORD, Connect, spec

BUSINESS = Limits(tariff="Business", channels=20, services=("fax",), units=(("fax", 50),))
EUROS_25 = Money(2500, "EUR")


def made(dialler: HttpDialler, username: str = "nc-7") -> str:
    remote_id = dialler.create(spec(username), password="S3cret!1", marker="m-1")
    assert remote_id is not None
    return remote_id


def test_the_client_is_a_dialler(dialler: HttpDialler) -> None:
    as_protocol: Dialler = dialler
    assert tuple(as_protocol.capabilities) == CAPABILITIES


@pytest.mark.parametrize("auth", ["form", "form_legacy", "bearer"])
def test_every_login_is_taken_by_both_generations(
    connect: Connect, simulator: Simulator, profile: str, auth: str
) -> None:
    secret = simulator.token() if auth == "bearer" else PASSWORD
    simulator.switch(auth_variants=auth)
    roles = connect(profile, auth=auth, secret=secret).check()
    assert ("2", "Tenant") in [(role.remote_id, role.name) for role in roles]


@pytest.mark.parametrize("auth", ["form", "form_legacy"])
def test_a_wrong_password_needs_a_person(connect: Connect, auth: str) -> None:
    with pytest.raises(Misconfigured):
        connect(auth=auth, secret="wrong").check()


def test_an_ended_token_needs_a_person(connect: Connect, simulator: Simulator) -> None:
    with pytest.raises(Misconfigured):
        connect(auth="bearer", secret=simulator.token(days=-1)).check()


def test_a_login_without_rights_is_refused(connect: Connect, dialler: HttpDialler) -> None:
    made(dialler)
    mere_customer = connect(username="nc-7", secret="S3cret!1")
    with pytest.raises(Refused):
        mere_customer.check()


def test_a_created_account_is_found_with_all_it_was_given(dialler: HttpDialler) -> None:
    remote_id = made(dialler)
    account = dialler.find("nc-7")
    assert account is not None
    assert account == dialler.get(remote_id)
    assert (account.username, account.email) == ("nc-7", "ann@acme.test")
    assert (account.active, account.balance_minor, account.marker) == (True, 0, "m-1")
    assert (account.tariff, account.channels) == ("Standard", 5)
    assert account.services == ("voice", "sms")
    assert account.units == (("voice", 100), ("fax", 0), ("sms", 0), ("email", 0))


def test_nobody_is_found_before(dialler: HttpDialler) -> None:
    assert dialler.find("nc-7") is None
    assert dialler.get("4711") is None


@pytest.mark.parametrize("shape", ["false", "false_null", "true_false", "true_empty", "true_null"])
def test_every_way_to_say_not_there(dialler: HttpDialler, simulator: Simulator, shape: str) -> None:
    simulator.switch(not_found_shape=shape)
    assert dialler.find("nc-7") is None


def test_a_refusal_with_words_means_absence_only_where_the_operator_said_so(
    connect: Connect, simulator: Simulator
) -> None:
    simulator.switch(not_found_shape="false_reason")
    with pytest.raises(Unknown):
        connect().find("nc-7")
    mapping = simulator_mapping("legacy")
    seen = replace(mapping, lookup=replace(mapping.lookup, refusal_means_absent=True))
    assert connect(mapping=seen).find("nc-7") is None


def test_somebody_else_s_account_in_other_letters_is_shown_as_theirs(dialler: HttpDialler) -> None:
    made(dialler, "NC-7")
    account = dialler.find("nc-7")
    assert account is not None
    assert account.username == "NC-7"


@pytest.mark.parametrize(
    ("shape", "told"),
    [("object", True), ("scalar", True), ("json_string", True), ("none", False)],
)
def test_the_new_id_is_taken_from_every_shape(
    dialler: HttpDialler, simulator: Simulator, shape: str, told: bool
) -> None:
    simulator.switch(id_payload=shape)
    remote_id = dialler.create(spec(), password="S3cret!1", marker="m")
    account = dialler.find("nc-7")
    assert account is not None
    assert remote_id == (account.remote_id if told else None)


@pytest.mark.parametrize("key", ["user_id", "usr_id", "client_id", "id"])
@pytest.mark.parametrize("as_text", [True, False])
def test_ids_are_read_under_every_key_as_text_or_number(
    dialler: HttpDialler, simulator: Simulator, key: str, as_text: bool
) -> None:
    simulator.switch(id_key=key, numbers_as_strings=as_text)
    remote_id = made(dialler)
    dialler.update_limits(remote_id, BUSINESS)
    account = dialler.get(remote_id)
    assert account is not None
    assert (account.remote_id, account.channels, account.active) == (remote_id, 20, True)


def test_a_taken_name_is_refused(dialler: HttpDialler, simulator: Simulator) -> None:
    made(dialler)
    with pytest.raises(Refused):
        made(dialler)
    assert len(simulator.effects("create")) == 1


def test_a_taken_name_may_be_a_database_error_and_so_unclear(
    dialler: HttpDialler, simulator: Simulator
) -> None:
    simulator.switch(duplicates="error", error_status="200")
    made(dialler)
    with pytest.raises(Unknown) as caught:
        made(dialler)
    assert "Duplicate entry" in caught.value.excerpt


def test_limits_are_set_absolutely_and_repeatably(dialler: HttpDialler) -> None:
    remote_id = made(dialler)
    for _ in range(2):
        dialler.update_limits(remote_id, BUSINESS)
    account = dialler.get(remote_id)
    assert account is not None
    assert (account.tariff, account.channels, account.services) == ("Business", 20, ("fax",))
    assert account.units == (("voice", 0), ("fax", 50), ("sms", 0), ("email", 0))


def test_an_update_resets_nothing_even_where_the_server_would(
    dialler: HttpDialler, simulator: Simulator
) -> None:
    remote_id = made(dialler)
    dialler.credit(remote_id, EUROS_25, reference="r")
    dialler.set_active(remote_id, active=False)
    before = simulator.account("nc-7")
    simulator.switch(update_resets_missing_fields=True)
    dialler.update_limits(remote_id, BUSINESS)
    after = simulator.account("nc-7")
    assert before is not None
    assert after is not None
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {"rate_plan", "channels", "services", "unit_voice", "unit_fax"}


def test_suspension_and_resumption_are_shown(dialler: HttpDialler, simulator: Simulator) -> None:
    remote_id = made(dialler)
    for active in (False, False, True):
        dialler.set_active(remote_id, active=active)
        account = dialler.get(remote_id)
        assert account is not None
        assert account.active is active
    assert len(simulator.effects("suspend")) == 1


def test_a_changed_password_is_the_one_that_logs_in(connect: Connect, profile: str) -> None:
    dialler = connect(profile)
    dialler.set_password(made(dialler), password="N3w & better")
    with pytest.raises(Misconfigured):
        connect(username="nc-7", secret="S3cret!1").check()
    with pytest.raises(Refused):
        connect(username="nc-7", secret="N3w & better").check()


def test_credit_adds_up_and_carries_our_reference(
    dialler: HttpDialler, simulator: Simulator
) -> None:
    remote_id = made(dialler)
    dialler.credit(remote_id, EUROS_25, reference="job-1")
    dialler.credit(remote_id, EUROS_25, reference="job-1")
    dialler.credit(remote_id, Money(-1005, "EUR"), reference="job-2")
    account = dialler.get(remote_id)
    assert account is not None
    assert account.balance_minor == 3995
    effects = [(each["reference"], each["amount"]) for each in simulator.effects("credit")]
    assert effects == [("job-1", "25.00"), ("job-1", "25.00"), ("job-2", "-10.05")]


def test_credit_in_another_currency_is_not_even_sent(
    dialler: HttpDialler, simulator: Simulator
) -> None:
    remote_id = made(dialler)
    with pytest.raises(Misconfigured):
        dialler.credit(remote_id, Money(2500, "USD"), reference="r")
    with pytest.raises(ValueError, match="nothing"):
        dialler.credit(remote_id, Money(0, "EUR"), reference="r")
    assert simulator.effects("credit") == []


def test_a_deleted_account_is_gone(dialler: HttpDialler, simulator: Simulator) -> None:
    simulator.switch(bare_boolean_on_delete=True)
    remote_id = made(dialler)
    dialler.delete(remote_id)
    assert dialler.get(remote_id) is None
    with pytest.raises(Refused):
        dialler.delete(remote_id)


def test_all_accounts_are_listed(dialler: HttpDialler) -> None:
    made(dialler, "nc-1")
    made(dialler, "nc-2")
    assert [each.username for each in dialler.list_accounts()] == ["nc-1", "nc-2"]


def test_a_hidden_balance_is_unknown(dialler: HttpDialler, simulator: Simulator) -> None:
    simulator.switch(hide_balance=True)
    account = dialler.get(made(dialler))
    assert account is not None
    assert account.balance_minor is None


def test_campaigns_are_added_up_with_their_cost(
    dialler: HttpDialler, simulator: Simulator, profile: str
) -> None:
    remote_id = made(dialler)
    dialler.credit(remote_id, EUROS_25, reference="r")
    assert dialler.usage(remote_id) == Usage((), 0)
    login = {"username": "admin", "password": PASSWORD, "usr_id": remote_id}
    url = simulator.base_url(profile)
    for service in ("voice", "sms", "sms"):
        record = json.dumps({"service": service})
        requests.post(f"{url}/Campaign_Create", {**login, "campaign": record}, timeout=5)
    usage = dialler.usage(remote_id)
    assert usage == Usage((("voice", 0), ("sms", 0)), 0)


@pytest.mark.parametrize("answer", ["wrong_type", "500", "html"])
def test_campaigns_that_cannot_be_read_are_unknown(
    dialler: HttpDialler, simulator: Simulator, answer: str
) -> None:
    simulator.faults.add("Campaign_List", answer=answer, times=1)
    with pytest.raises(Unknown):
        dialler.usage(made(dialler))


def test_changing_an_account_that_is_not_there_is_refused(dialler: HttpDialler) -> None:
    with pytest.raises(Refused):
        dialler.update_limits("4711", BUSINESS)


def test_what_is_done_by_hand_sends_nothing(
    connect: Connect, simulator: Simulator, profile: str
) -> None:
    by_hand = connect(profile, mapping=defaults("current"))
    assert by_hand.capabilities["credit"] == "manual"
    with pytest.raises(Misconfigured):
        by_hand.credit("2", EUROS_25, reference="r")
    with pytest.raises(Misconfigured):
        by_hand.update_limits("2", BUSINESS)
    with pytest.raises(Misconfigured):
        by_hand.list_accounts()
    assert simulator.log()["requests"] == []


def test_a_moved_method_is_unclear_because_an_error_may_follow_the_effect(
    connect: Connect, dialler: HttpDialler, simulator: Simulator
) -> None:
    moved = connect("current", mapping=simulator_mapping("legacy"))
    with pytest.raises(Unknown):
        moved.credit(made(dialler), EUROS_25, reference="r")
    assert simulator.effects("credit") == []
