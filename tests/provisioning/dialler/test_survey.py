"""A survey finds out how a server names things, whatever it names them, and cleans up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from packages.money import Money
from provisioning.dialler import transport
from provisioning.dialler.http import HttpDialler
from provisioning.dialler.mapping import Mapping, beyond_defaults, defaults, simulator_mapping
from provisioning.dialler.survey.api import Api, Entry, Hopeless, Interrupted
from provisioning.dialler.survey.draft import Draft, begin
from provisioning.dialler.survey.steps import LAST, STEPS
from provisioning.dialler.survey.surveyor import Finding, Stopped, Surveyor, Throwaway
from provisioning.simulator import Simulator
from tests.provisioning.dialler.conftest import PASSWORD, endpoint, spec

ACCOUNT = Throwaway(
    username="survey-4f21", email="survey-4f21@example.com", password="S3cret-x9", tariff="business"
)


class Made:
    """A survey that was made: what it found, its transcript, and the mapping it comes to."""

    def __init__(self, simulator: Simulator, profile: str, **names: Any) -> None:
        self.profile = profile
        self.entries: list[Entry] = []
        self.findings: dict[str, list[Finding]] = {}
        self.stopped = ""
        mapping = Mapping.from_json(names, profile=profile)
        self.draft: Draft = begin(mapping)
        to = endpoint(simulator.base_url(profile), profile=profile, mapping=mapping)
        api = Api(to, transport.post, self.entries.append)
        self.surveyor = Surveyor(api, self.draft, ACCOUNT, "EUR", lambda: None)
        for step in self._steps():
            try:
                self.findings[step] = STEPS[step](self.surveyor)
            except Stopped as stop:
                self.stopped = str(stop)

    def _steps(self) -> Iterator[str]:
        for step in STEPS:
            if not self.stopped or (step == LAST and self.draft.may_exist):
                yield step

    @property
    def mapping(self) -> Mapping:
        return Mapping.from_json(self.draft.mapping, profile=self.profile)

    def told(self, step: str) -> list[str]:
        return [f"{each.verdict} {each.about}".strip() for each in self.findings[step]]

    def manual(self) -> set[str]:
        capabilities = self.draft.mapping["capabilities"]
        return {name for name, who in capabilities.items() if who == "manual"}


def works_for_real(simulator: Simulator, made: Made) -> None:
    """The mapping does everything: create, limits, suspend, credit, read, delete."""
    to = endpoint(simulator.base_url(made.profile), profile=made.profile, mapping=made.mapping)
    dialler = HttpDialler(to)
    wanted = spec("real-1")
    dialler.create(wanted, password="Pass-word-1", marker="m-1")
    account = dialler.find("real-1")
    assert account is not None
    dialler.credit(account.remote_id, Money(25_00, "EUR"), reference="r")
    dialler.set_active(account.remote_id, active=False)
    dialler.update_limits(account.remote_id, wanted.limits())
    shown = dialler.get(account.remote_id)
    assert shown is not None
    assert (shown.active, shown.balance_minor, shown.channels) == (False, 25_00, wanted.channels)
    assert (shown.tariff, set(shown.services or ())) == (wanted.tariff, set(wanted.services))
    dialler.delete(account.remote_id)
    assert dialler.find("real-1") is None


def test_it_finds_every_name_of_the_simulator_by_itself(simulator: Simulator, profile: str) -> None:
    made = Made(simulator, profile)
    assert made.stopped == ""
    assert made.manual() == {"read_usage"}
    best, found = simulator_mapping(profile), made.mapping
    assert found.methods == best.methods
    assert found.fields == best.fields
    assert found.services == best.services
    assert found.units == best.units
    assert (found.credit.method, found.role) == (best.credit.method, best.role)
    assert simulator.accounts() == []
    works_for_real(simulator, made)


def test_the_transcript_has_every_request_and_no_secret(simulator: Simulator, profile: str) -> None:
    made = Made(simulator, profile)
    logged = [each["method"] for each in simulator.log()["requests"]]
    assert [each.method for each in made.entries] == logged
    text = repr(made.entries)
    for secret in (PASSWORD, "admin-Pass", ACCOUNT.password, ACCOUNT.password[::-1]):
        assert secret not in text
    assert "•••" in text
    assert ACCOUNT.username in text


def test_credit_of_a_hundredth_is_taken_back(simulator: Simulator) -> None:
    made = Made(simulator, "current")
    assert [each["amount"] for each in simulator.effects("credit")] == ["0.01", "-0.01"]
    assert made.told("credit")[-1] == "works balance: credit"
    assert made.told("debit") == ["works Client_Payment_Create -0.01"]


QUIRKS: list[tuple[str, dict[str, Any]]] = [
    ("other keys", {"renamed_fields": "phone=mobile_no,channels=max_channels,rate_plan=tariff_id"}),
    ("a nested balance", {"renamed_fields": "credit=wallet.amount"}),
    ("numbers", {"numbers_as_strings": False}),
    ("resets", {"update_resets_missing_fields": True}),
    ("an id alone", {"id_payload": "scalar"}),
    ("no id", {"id_payload": "none"}),
    ("JSON in JSON", {"id_payload": "json_string"}),
    ("another id", {"id_key": "usr_id"}),
    ("not there in words", {"not_found_shape": "false_reason"}),
    ("not there as true", {"not_found_shape": "true_empty"}),
    ("a bare boolean", {"bare_boolean_on_delete": True}),
]


@pytest.mark.parametrize("switches", [each for _, each in QUIRKS], ids=[name for name, _ in QUIRKS])
def test_a_server_with_a_quirk_is_mapped_all_the_same(
    simulator: Simulator, switches: dict[str, Any]
) -> None:
    simulator.switch(**switches)
    made = Made(simulator, "current")
    assert (made.stopped, made.manual()) == ("", {"read_usage"})
    assert simulator.accounts() == []
    works_for_real(simulator, made)


def test_what_an_update_resets_is_sent_back_with_each(simulator: Simulator) -> None:
    simulator.switch(update_resets_missing_fields=True)
    made = Made(simulator, "current")
    assert any(each.verdict == "resets" for each in made.findings["fields"])


def test_a_balance_that_is_not_shown_leaves_credit_to_people(simulator: Simulator) -> None:
    simulator.switch(hide_balance=True)
    made = Made(simulator, "legacy")
    assert made.manual() == {"credit", "debit", "read_balance", "read_usage"}
    assert made.told("credit") == ["unseen User_Payment_Create"]
    assert made.mapping.fields.balance == ""


MISSING: list[tuple[str, set[str]]] = [
    ("Client_Payment_Create", {"credit", "debit", "read_balance"}),
    ("Client_Update", {"set_limits", "suspend", "set_password"}),
    ("User_Role_List,Client_List", set()),
]


@pytest.mark.parametrize(("methods", "manual"), MISSING)
def test_a_method_that_is_missing_becomes_a_task_for_staff(
    simulator: Simulator, methods: str, manual: set[str]
) -> None:
    simulator.switch(missing_methods=methods)
    made = Made(simulator, "current")
    assert (made.stopped, made.manual()) == ("", manual | {"read_usage"})
    assert simulator.accounts() == []
    assert made.mapping.capabilities.create == "api"


def test_an_account_that_cannot_be_deleted_is_reported(simulator: Simulator) -> None:
    simulator.switch(missing_methods="Client_Delete")
    made = Made(simulator, "current")
    assert made.told(LAST) == ["missing Client_Delete", "left"]
    assert made.draft.may_exist
    assert [each["username"] for each in simulator.accounts()] == [ACCOUNT.username]


def test_where_nothing_creates_accounts_nothing_is_left_behind(simulator: Simulator) -> None:
    simulator.switch(missing_methods="Client_Create,User_Create")
    made = Made(simulator, "current")
    assert made.stopped == "no method creates accounts: Client_Create, User_Create"
    assert "create" in made.manual()
    assert not made.draft.may_exist


def test_the_other_generations_methods_are_found_too(simulator: Simulator) -> None:
    simulator.switch(missing_methods="Client_Create,Client_Get,Client_Update,Client_Delete")
    made = Made(simulator, "current")
    assert made.mapping.methods.create == "User_Create"
    assert made.mapping.arguments.record == "user"
    assert made.manual() == {"read_usage"}
    assert simulator.accounts() == []


def test_names_that_the_operator_knows_are_tried_first(simulator: Simulator) -> None:
    simulator.switch(client_prefix="Tenant", missing_methods="User_Get,User_Create")
    names = {verb: f"Tenant_{verb.capitalize()}" for verb in ("create", "update", "get", "delete")}
    made = Made(
        simulator, "current", methods=names, arguments={"record": "tenant", "id": "tenant_id"}
    )
    assert made.stopped == ""
    assert made.mapping.credit.method == "Tenant_Payment_Create"
    assert made.manual() == {"read_usage"}


@pytest.mark.parametrize("apply", ["yes", "no"])
def test_a_create_without_an_answer_is_looked_for_when_the_step_is_made_again(
    simulator: Simulator, apply: str
) -> None:
    simulator.faults.add("Client_Create", times=1, answer="reset_after", apply=apply)
    with pytest.raises(Interrupted):
        Made(simulator, "current")
    made = Made(simulator, "current")
    assert made.stopped == ""
    assert len(simulator.effects("create")) == 1
    assert simulator.accounts() == []


def test_a_login_that_is_refused_ends_it_before_anything_is_made(simulator: Simulator) -> None:
    simulator.switch(auth_variants="bearer")
    with pytest.raises(Hopeless):
        Made(simulator, "current")
    assert simulator.effects("create") == []


@pytest.mark.parametrize("name", ["legacy", "current"])
def test_a_mapping_is_stored_by_what_differs(name: str) -> None:
    assert beyond_defaults(defaults(name), name) == {}
    whole = simulator_mapping(name)
    short = beyond_defaults(whole, name)
    assert Mapping.from_json(short, profile=name) == whole
    assert "username" not in short["fields"]
    fixed = Mapping.from_json({"create_fields": {"timezone_id": "4"}}, profile=name)
    assert beyond_defaults(fixed, name) == {"create_fields": {"timezone_id": "4"}}
