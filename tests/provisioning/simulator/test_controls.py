"""Behind the scenes: the truth log, faults, switches, and that nobody else may touch them."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from provisioning.simulator import Simulator
from provisioning.simulator.controls import respond
from provisioning.simulator.machine import Machine
from provisioning.simulator.store import Store
from provisioning.simulator.web import Arrival
from tests.provisioning.simulator.conftest import LOGIN, Api, user
from tests.provisioning.simulator.waiting import eventually


def order(simulator: Simulator, path: str, body: Any) -> requests.Response:
    return requests.post(f"{simulator.url}/_sim/{path}", json=body, timeout=5)


def test_the_log_tells_who_asked_what_and_what_came_of_it(simulator: Simulator, api: Api) -> None:
    api("User_Create", user=user(external_ref="m-1"))
    api("User_Payment_Create", user_id="2", value="5.00", description="job-1")
    log = requests.get(f"{simulator.url}/_sim/log", timeout=5).json()
    create, credit = log["requests"]
    assert (create["method"], create["username"], create["reference"]) == (
        "User_Create",
        "acme",
        "m-1",
    )
    assert (credit["username"], credit["reference"], credit["amount"]) == ("acme", "job-1", "5.00")
    assert (credit["caller"], credit["effect"], credit["answer"]) == ("admin", "yes", "ok")
    assert [each["verb"] for each in log["effects"]] == ["create", "credit"]
    assert "S3cret!1" not in str(log)
    assert "'pw'" not in str(log)


def test_the_log_can_be_read_from_a_certain_call_on(simulator: Simulator, api: Api) -> None:
    api("User_Role_List")
    api("User_Role_List")
    log = requests.get(f"{simulator.url}/_sim/log?after=1", timeout=5).json()
    assert [each["id"] for each in log["requests"]] == [2]


def test_a_repetition_that_changes_nothing_is_marked(simulator: Simulator, api: Api) -> None:
    api("User_Create", user=user())
    for _ in range(2):
        api("User_Update", user_id="2", user={"channels": "9"})
    assert [each["changed"] for each in simulator.effects("update")] == [True, False]


def test_faults_hit_the_method_and_account_they_name_so_often(
    simulator: Simulator, api: Api
) -> None:
    fault = {"method": "User_Get", "username": "acme", "times": 2, "answer": "500"}
    assert order(simulator, "faults", [fault]).status_code == 200
    api("User_Create", user=user())
    assert api("User_Get", search="username", value="other").status_code == 200
    statuses = [api("User_Get", search="username", value="acme").status_code for _ in range(3)]
    assert statuses == [500, 500, 200]


def test_faults_for_changes_leave_reads_alone(simulator: Simulator, api: Api) -> None:
    simulator.faults.add("mutating", answer="500")
    assert api("User_Role_List").status_code == 200
    assert api("User_Create", user=user()).status_code == 500
    assert api("User_Create", user=user("b")).status_code == 200


def test_faults_are_taken_back(simulator: Simulator, api: Api) -> None:
    order(simulator, "faults", {"method": "*", "times": -1, "answer": "html"})
    assert requests.delete(f"{simulator.url}/_sim/faults", timeout=5).json() == []
    assert api("User_Role_List").json()[0] is True


def test_an_effect_can_come_after_the_answer(simulator: Simulator, api: Api) -> None:
    simulator.faults.add("mutating", apply="late:0.1", answer="500")
    assert api("User_Create", user=user()).status_code == 500
    assert simulator.account("acme") is None
    assert eventually(lambda: simulator.account("acme") is not None)
    assert simulator.log()["requests"][0]["effect"] == "yes"


def test_a_late_effect_that_is_refused_never_comes(simulator: Simulator, api: Api) -> None:
    api("User_Create", user=user())
    simulator.faults.add("mutating", apply="late:0.05", answer="500")
    api("User_Create", user=user())
    assert eventually(lambda: simulator.log()["requests"][1]["effect"] == "no")
    assert len(simulator.effects("create")) == 1


def test_a_late_reading_changes_nothing_and_is_over(simulator: Simulator, api: Api) -> None:
    simulator.faults.add("*", apply="late:0.05", answer="500")
    api("User_Role_List")
    assert eventually(lambda: simulator.log()["requests"][0]["effect"] == "no")


def test_a_stale_answer_is_the_last_one_to_the_same_question(
    simulator: Simulator, api: Api
) -> None:
    identity = api("User_Create", user=user()).json()[1]["user_id"]
    before = api("User_Get", user_id=identity).json()
    api("User_Payment_Create", user_id=identity, value="5.00", description="r")
    simulator.faults.add("User_Get", answer="stale")
    assert api("User_Get", user_id=identity).json() == before
    assert api("User_Get", user_id=identity).json()[1]["credit"] == "5.0000"


def test_the_whole_state_can_be_put_back(simulator: Simulator, api: Api) -> None:
    api("User_Create", user=user())
    image = simulator.image()
    api("User_Create", user=user("other"))
    simulator.restore(image)
    assert [each["username"] for each in simulator.accounts()] == ["acme"]
    assert len(simulator.effects("create")) == 1


def test_an_answer_that_hangs_is_given_up_when_the_server_stops(simulator: Simulator) -> None:
    simulator.faults.add("*", answer="hang:30")
    seen: list[bool] = []

    def ask() -> None:
        try:
            requests.post(f"{simulator.base_url()}/User_Role_List", data=LOGIN, timeout=20)
        except requests.ConnectionError:
            seen.append(True)

    asking = threading.Thread(target=ask)
    asking.start()
    assert eventually(lambda: len(simulator.log()["requests"]) == 1)
    simulator.stop()
    asking.join(timeout=5)
    assert seen == [True]


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"method": "*", "answer": "explode"},
        {"method": "*", "apply": "late"},
        {"method": "*", "color": "red"},
        {"method": "*", "times": "often"},
        {"method": "*", "answer": "hang:soon"},
    ],
)
def test_impossible_faults_are_turned_down(simulator: Simulator, fault: dict[str, Any]) -> None:
    assert order(simulator, "faults", fault).status_code == 400
    assert simulator.faults.waiting() == []


@pytest.mark.parametrize(
    "switch", [{"colour": "red"}, {"unique_email": "yes"}, {"id_payload": "xml"}, [1]]
)
def test_impossible_switches_are_turned_down(simulator: Simulator, switch: Any) -> None:
    assert order(simulator, "switches", switch).status_code == 400


def test_switches_stay_through_a_reset(simulator: Simulator, api: Api) -> None:
    order(simulator, "switches", {"unique_email": True})
    api("User_Create", user=user())
    order(simulator, "reset", {})
    assert simulator.accounts() == []
    assert simulator.log() == {"requests": [], "effects": []}
    switches = requests.get(f"{simulator.url}/_sim/switches", timeout=5).json()
    assert switches["unique_email"] is True
    assert api("User_Create", user=user()).json()[0] is True


def test_burning_spends_down_to_zero_and_no_further(simulator: Simulator, api: Api) -> None:
    api("User_Create", user=user())
    api("User_Payment_Create", user_id="2", value="5.00", description="")
    first = order(simulator, "burn", {"username": "acme", "amount": "1.2345"}).json()
    second = order(simulator, "burn", {"username": "acme", "amount": "99"}).json()
    assert (first["spent"], first["balance"]) == ("1.2345", "3.7655")
    assert (second["spent"], second["balance"]) == ("3.7655", "0.0000")


def test_a_token_is_issued_for_anyone(simulator: Simulator, api: Api) -> None:
    api("User_Create", user=user())
    token = order(simulator, "token", {"username": "acme"}).json()["token"]
    answer = requests.post(
        f"{simulator.base_url()}/Campaign_List",
        headers={"Authorization": f"Bearer {token}"},
        timeout=5,
    )
    assert answer.json() == [True, []]


def test_down_drops_the_api_and_leaves_the_controls(simulator: Simulator, api: Api) -> None:
    order(simulator, "down", {"down": True})
    with pytest.raises(requests.ConnectionError):
        api("User_Role_List")
    order(simulator, "down", {"down": False})
    assert api("User_Role_List").status_code == 200


def test_unknown_controls_say_which_there_are(simulator: Simulator) -> None:
    answer = requests.get(f"{simulator.url}/_sim/nothing", timeout=5)
    assert answer.status_code == 404
    assert "GET /_sim/log" in answer.json()["known"]


def test_controls_answer_this_machine_only() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    machine = Machine(Store(":memory:"), password="pw", currency="EUR", now=lambda: at)
    here = Arrival("POST", "/_sim/reset", {}, b"{}", "", "", "", loopback=True)
    assert respond(machine, here, at=at).status == 200
    assert respond(machine, replace(here, loopback=False), at=at).status == 403
    machine.close()
