"""The API as a stranger's client would meet it, byte for byte what is known of real servers."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import requests

from provisioning.simulator import Simulator
from tests.provisioning.simulator.conftest import LOGIN, Api, user


def test_an_account_is_created_and_shown_with_numbers_as_text(api: Api) -> None:
    assert api("User_Create", user=user()).json() == [True, {"user_id": "2", "username": "acme"}]
    shown = api("User_Get", user_id="2").json()[1]
    assert (shown["user_id"], shown["channels"], shown["active"]) == ("2", "2", "1")
    assert shown["credit"] == "0.0000"
    assert shown["role"] == "Tenant"
    assert not {"password", "folded"} & shown.keys()


def test_get_urlencoded_and_multipart_answer_the_same(simulator: Simulator, api: Api) -> None:
    api("User_Create", user=user())
    url, fields = f"{simulator.base_url()}/User_Get", {**LOGIN, "user_id": "2"}
    answers = [
        requests.get(url, params=fields, timeout=5),
        requests.post(url, data=fields, timeout=5),
        requests.post(url, files={key: (None, each) for key, each in fields.items()}, timeout=5),
    ]
    assert [each.status_code for each in answers] == [200, 200, 200]
    assert len({each.content for each in answers}) == 1


@pytest.mark.parametrize("record", ["{", "[]", "", '"x"', '{"username": "no-password"}'])
def test_a_field_that_is_no_account_is_refused(api: Api, record: str) -> None:
    assert api("User_Create", user=record).json()[0] is False


def test_names_fold_as_mysql_folds_them(api: Api) -> None:
    api("User_Create", user=user("Müller"))
    for name in ("müller", "MULLER", "Muller "):
        assert api("User_Create", user=user(name)).json()[0] is False
    found = api("User_Get", search="username", value="MULLER").json()[1]
    assert found["username"] == "Müller"


def test_mail_addresses_are_unique_only_when_switched(simulator: Simulator, api: Api) -> None:
    api("User_Create", user=user("one", email="a@b.test"))
    assert api("User_Create", user=user("two", email="A@b.test")).json()[0] is True
    simulator.switch(unique_email=True)
    assert api("User_Create", user=user("three", email="A@B.test")).json()[0] is False


def test_the_same_payment_twice_credits_twice(simulator: Simulator, api: Api) -> None:
    api("User_Create", user=user())
    for _ in range(2):
        answer = api("User_Payment_Create", user_id="2", value="10.50", description="r-1")
        assert answer.json()[0] is True
    account = simulator.account("acme")
    assert account is not None
    assert account["balance"] == "21.0000"
    assert len(simulator.effects("credit", username="acme")) == 2


@pytest.mark.parametrize("amount", ["", "ten", "1,50", "1e3", "0.00001"])
def test_amounts_that_are_none_are_refused(api: Api, amount: str) -> None:
    api("User_Create", user=user())
    answer = api("User_Payment_Create", user_id="2", value=amount, description="r")
    assert answer.json()[0] is False


@pytest.mark.parametrize("method", ["User_Payment_Create", "User_Extension_Create"])
def test_moved_methods_fail_on_current_servers(api: Api, method: str) -> None:
    api("User_Create", user=user())
    arguments = {"value": "1", "description": "", "extension": {"phone": "100"}}
    assert api(method, user_id="2", **arguments).json()[0] is True
    answer = api(method, "current", user_id="2", **arguments)
    assert answer.status_code == 500
    assert set(answer.json()) == {"ErrorCode", "ErrorMessage"}


def test_client_methods_exist_on_current_servers_alone(api: Api) -> None:
    created = api("Client_Create", "current", client=user())
    assert created.json() == [True, {"client_id": "2", "username": "acme"}]
    assert api("Client_Get", client_id="2").status_code == 500


def test_the_new_names_can_be_other_ones(simulator: Simulator, api: Api) -> None:
    simulator.switch(client_prefix="Tenant")
    assert api("Tenant_Create", "current", tenant=user()).json()[0] is True
    assert api("Client_Create", "current", client=user("b")).status_code == 500


def test_a_method_not_opened_for_the_api_is_not_allowed(api: Api) -> None:
    assert api("Campaign_Filter", "current").status_code == 405


def test_basic_authentication_is_never_taken(simulator: Simulator) -> None:
    url = f"{simulator.base_url()}/User_Role_List"
    assert requests.post(url, auth=("admin", "pw"), timeout=5).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
def test_a_token_that_is_not_ours_is_not_taken(simulator: Simulator, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{simulator.base_url()}/User_Role_List"
    assert requests.post(url, headers=headers, timeout=5).status_code == 401


def test_tokens_carry_the_known_claims_and_end(simulator: Simulator, clock: Any) -> None:
    token = simulator.token(days=720)
    claims = _claims(token)
    assert claims["aud"] == "ICTBroadcast API Clients"
    assert (claims["iss"], claims["user_id"]) == (None, "1")
    assert claims["exp"] - claims["iat"] == 720 * 86400
    url = f"{simulator.base_url()}/User_Role_List"
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.post(url, headers=headers, timeout=5).status_code == 200
    clock.advance(days=721)
    assert requests.post(url, headers=headers, timeout=5).status_code == 401


def test_customers_may_not_manage_accounts(simulator: Simulator, api: Api) -> None:
    api("User_Create", user=user())
    fields = {"username": "acme", "password": "S3cret!1", "user": json.dumps(user("other"))}
    answer = requests.post(f"{simulator.base_url()}/User_Create", data=fields, timeout=5)
    assert (answer.status_code, answer.json()[0]) == (200, False)
    assert simulator.account("other") is None


def test_a_suspended_account_may_not_log_in_to_the_api(simulator: Simulator, api: Api) -> None:
    api("User_Create", user=user())
    fields = {"username": "acme", "password": "S3cret!1"}
    url = f"{simulator.base_url()}/Campaign_List"
    assert requests.post(url, data=fields, timeout=5).json() == [True, []]
    api("User_Update", user_id="2", user={"active": "0"})
    assert requests.post(url, data=fields, timeout=5).status_code == 401


def test_an_update_keeps_what_it_does_not_carry_unless_switched(
    simulator: Simulator, api: Api
) -> None:
    api("User_Create", user=user())
    api("User_Update", user_id="2", user={"channels": "9"})
    kept = simulator.account("acme")
    simulator.switch(update_resets_missing_fields=True)
    api("User_Update", user_id="2", user={"channels": "9"})
    reset = simulator.account("acme")
    assert kept is not None
    assert reset is not None
    assert (kept["rate_plan"], kept["role_id"]) == ("Standard", "2")
    assert (reset["rate_plan"], reset["role_id"]) == ("", "3")


def test_refusals_change_their_wording(api: Api) -> None:
    api("User_Create", user=user())
    answers = {api("User_Create", user=user()).text for _ in range(4)}
    assert len(answers) == 4


def test_an_unknown_tariff_is_refused_only_when_switched(simulator: Simulator, api: Api) -> None:
    assert api("User_Create", user=user("a", rate_plan="New")).json()[0] is True
    simulator.switch(strict_tariffs=True)
    assert api("User_Create", user=user("b", rate_plan="Newer")).json()[0] is False


def _claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims
