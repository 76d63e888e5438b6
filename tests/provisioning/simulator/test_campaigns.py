from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from provisioning.simulator import Simulator
from tests.provisioning.simulator.conftest import Api, Clock, user


@pytest.fixture
def own(simulator: Simulator, api: Api) -> Any:
    """Call a campaign method as the customer, who has 10.00 and two channels."""
    api("User_Create", user=user())
    api("User_Payment_Create", user_id="2", value="10.00", description="r")

    def call(method: str, **fields: str) -> Any:
        login = {"username": "acme", "password": "S3cret!1"}
        url = f"{simulator.base_url()}/{method}"
        return requests.post(url, data={**login, **fields}, timeout=5).json()

    return call


def balance(simulator: Simulator) -> str:
    account = simulator.account("acme")
    assert account is not None
    return str(account["balance"])


def test_a_running_campaign_costs_by_the_clock_until_it_stops(
    simulator: Simulator, own: Any, clock: Clock
) -> None:
    _, campaign_id = own("Campaign_Create", campaign=json.dumps({"name": "Spring"}))
    own("Campaign_Start", campaign_id=str(campaign_id))
    clock.advance(minutes=10)
    assert balance(simulator) == "9.5000"  # 10 minutes on 2 channels at 0.0250
    own("Campaign_Stop", campaign_id=str(campaign_id))
    clock.advance(minutes=10)
    assert balance(simulator) == "9.5000"
    assert own("Campaign_Status", campaign_id=str(campaign_id)) == [True, "stopped"]
    assert own("Campaign_Summary", campaign_id=str(campaign_id))[1]["total"] == 20
    assert len(own("Campaign_Result", campaign_id=str(campaign_id))[1]) == 20


def test_the_longest_matching_prefix_sets_the_price(
    simulator: Simulator, own: Any, clock: Clock
) -> None:
    record = json.dumps({"name": "Germany", "prefix": "+4930"})
    _, campaign_id = own("Campaign_Create", campaign=record)
    own("Campaign_Start", campaign_id=str(campaign_id))
    clock.advance(minutes=10)
    assert balance(simulator) == "9.6000"  # 0.0200 to +49


def test_included_units_are_used_before_credit(
    simulator: Simulator, api: Api, own: Any, clock: Clock
) -> None:
    api("User_Update", user_id="2", user={"unit_voice": "15"})
    _, campaign_id = own("Campaign_Create", campaign="{}")
    own("Campaign_Start", campaign_id=str(campaign_id))
    clock.advance(minutes=10)
    assert balance(simulator) == "9.8750"  # 20 minutes, 15 of them included
    account = simulator.account("acme")
    assert account is not None
    assert account["unit_voice"] == 0


def test_an_empty_balance_stops_the_campaign(simulator: Simulator, own: Any, clock: Clock) -> None:
    _, campaign_id = own("Campaign_Create", campaign="{}")
    own("Campaign_Start", campaign_id=str(campaign_id))
    clock.advance(days=30)
    assert balance(simulator) == "0.0000"
    assert own("Campaign_Status", campaign_id=str(campaign_id)) == [True, "stopped"]
    assert own("Campaign_Start", campaign_id=str(campaign_id))[0] is False


def test_suspension_stops_campaigns_and_keeps_the_balance(
    simulator: Simulator, api: Api, own: Any, clock: Clock
) -> None:
    _, campaign_id = own("Campaign_Create", campaign="{}")
    own("Campaign_Start", campaign_id=str(campaign_id))
    api("User_Update", user_id="2", user={"active": "0"})
    clock.advance(days=1)
    assert balance(simulator) == "10.0000"
    api("User_Update", user_id="2", user={"active": "1"})
    assert own("Campaign_Status", campaign_id=str(campaign_id)) == [True, "stopped"]


def test_a_service_that_is_not_allowed_is_refused(own: Any) -> None:
    _, campaign_id = own("Campaign_Create", campaign='{"service": "fax"}')
    assert own("Campaign_Start", campaign_id=str(campaign_id))[0] is False


def test_a_stranger_s_campaign_is_not_found(simulator: Simulator, api: Api, own: Any) -> None:
    _, campaign_id = own("Campaign_Create", campaign="{}")
    assert api("Campaign_Status", campaign_id=campaign_id).json()[0] is False
    assert api("Campaign_Status", campaign_id=campaign_id, usr_id="2").json()[0] is True
