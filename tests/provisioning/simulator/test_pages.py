from __future__ import annotations

from typing import Any

import pytest
import requests

from provisioning.simulator import Simulator
from tests.provisioning.simulator.conftest import Api, user

HOSTILE = "<script>alert(1)</script>\"'&"


def log_in(simulator: Simulator, password: str = "S3cret!1", **headers: str) -> requests.Response:
    form = {"username": "acme", "password": password}
    return requests.post(f"{simulator.url}/login", data=form, headers=headers, timeout=5)


@pytest.fixture(autouse=True)
def customer(api: Api) -> None:
    api("User_Create", user=user(company=HOSTILE, email=""))
    api("User_Payment_Create", user_id="2", value="12.50", description=HOSTILE)


def test_the_overview_shows_accounts_payments_and_calls(simulator: Simulator) -> None:
    page = requests.get(f"{simulator.url}/", timeout=5)
    assert page.status_code == 200
    for text in ("acme", "12.50 EUR", "Voice, SMS", "Standard", "User_Payment_Create", "applied"):
        assert text in page.text


@pytest.mark.parametrize("path", ["/", "/login", "/_sim/style.css"])
def test_pages_allow_no_script(simulator: Simulator, path: str) -> None:
    page = requests.get(f"{simulator.url}{path}", timeout=5)
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "<script" not in page.text
    assert "style=" not in page.text


def test_what_a_client_sent_is_shown_and_not_obeyed(simulator: Simulator, api: Api) -> None:
    api("User_Get", search="username", value=HOSTILE)
    api("User_Create", user=user(HOSTILE))
    page = requests.get(f"{simulator.url}/", timeout=5).text
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "S3cret!1" not in page


def test_a_customer_logs_in_with_the_mailed_password(simulator: Simulator) -> None:
    page = log_in(simulator)
    assert page.status_code == 200
    assert "You are logged in" in page.text
    assert "12.50 EUR" in page.text
    assert "HttpOnly" in page.headers["Set-Cookie"]


def test_a_program_learns_the_same_as_json(simulator: Simulator) -> None:
    answer: Any = log_in(simulator, Accept="application/json").json()
    assert (answer["username"], answer["balance"], answer["currency"]) == ("acme", "12.5000", "EUR")
    assert (answer["channels"], answer["services"]) == (2, "voice,sms")
    denied = log_in(simulator, "wrong", Accept="application/json")
    assert (denied.status_code, list(denied.json())) == (403, ["error"])


def test_a_wrong_password_and_a_suspended_account_are_turned_away_alike(
    simulator: Simulator, api: Api
) -> None:
    wrong = log_in(simulator, "wrong")
    api("User_Update", user_id="2", user={"active": "0"})
    suspended = log_in(simulator)
    assert (wrong.status_code, suspended.status_code) == (403, 403)
    assert wrong.text == suspended.text


def test_a_login_in_the_address_is_not_taken(simulator: Simulator) -> None:
    url = f"{simulator.url}/login?username=acme&password=S3cret!1"
    assert requests.post(url, timeout=5).status_code == 403


def test_a_logged_in_customer_starts_and_stops_a_test_campaign(simulator: Simulator) -> None:
    with requests.Session() as browser:
        form = {"username": "acme", "password": "S3cret!1"}
        browser.post(f"{simulator.url}/login", data=form, timeout=5)
        started = browser.post(f"{simulator.url}/campaigns/start", timeout=5)
        assert "running" in started.text
        assert "calling" in requests.get(f"{simulator.url}/", timeout=5).text
        stopped = browser.post(f"{simulator.url}/campaigns/stop", timeout=5)
        assert "running" not in stopped.text
        browser.post(f"{simulator.url}/logout", timeout=5)
        again = browser.post(f"{simulator.url}/campaigns/start", timeout=5)
        assert again.status_code == 403


def test_a_campaign_without_credit_is_explained(simulator: Simulator) -> None:
    simulator.burn("acme", "99")
    with requests.Session() as browser:
        form = {"username": "acme", "password": "S3cret!1"}
        browser.post(f"{simulator.url}/login", data=form, timeout=5)
        page = browser.post(f"{simulator.url}/campaigns/start", timeout=5)
    assert page.status_code == 409
    assert "Insufficient credit" in page.text


def test_a_session_ends_with_suspension(simulator: Simulator, api: Api) -> None:
    with requests.Session() as browser:
        form = {"username": "acme", "password": "S3cret!1"}
        browser.post(f"{simulator.url}/login", data=form, timeout=5)
        api("User_Update", user_id="2", user={"active": "0"})
        page = browser.get(f"{simulator.url}/account", timeout=5)
    assert page.url == f"{simulator.url}/login"


def test_there_is_nothing_elsewhere(simulator: Simulator) -> None:
    assert requests.get(f"{simulator.url}/wp-admin", timeout=5).status_code == 404
