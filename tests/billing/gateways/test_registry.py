"""Which gateways there are, which are offered, and what stops the start."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_django import Settings

from billing import gateways
from billing.gateways import bank_transfer, failures
from billing.gateways.base import BadWebhook, Declined, GatewayRefused, NotConfigured
from billing.gateways.checks import check_gateways, check_real_money
from packages.money import Money
from tests.billing.gateways.world import KEY, SECRET, payment_request

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SIMULATED = {"url": "http://gateway.example", "key": KEY, "secrets": [SECRET], "account": "demo"}


@pytest.fixture(autouse=True)
def _configured(settings: Settings) -> None:
    settings.SIMULATED_GATEWAY = SIMULATED
    settings.BANK_TRANSFER = True


def test_configured_gateways_are_offered() -> None:
    assert [gateway.code for gateway in gateways.offered()] == ["simulated", "bank_transfer"]
    assert check_gateways() == []


def test_gateways_without_settings_are_not_offered(settings: Settings) -> None:
    settings.SIMULATED_GATEWAY = SIMULATED | {"url": ""}
    settings.BANK_TRANSFER = False
    assert gateways.offered() == []
    assert check_gateways() == []
    with pytest.raises(NotConfigured):
        gateways.get("simulated")


def test_gateway_with_half_its_settings_stops_the_start(settings: Settings) -> None:
    settings.SIMULATED_GATEWAY = SIMULATED | {"secrets": []}
    assert [error.id for error in check_gateways()] == ["billing.E003"]


@pytest.mark.parametrize(
    ("path", "error_id"),
    [
        ("billing.gateways.nowhere.Nothing", "billing.E001"),
        ("packages.money.Money", "billing.E002"),
    ],
)
def test_gateway_that_cannot_be_used_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, path: str, error_id: str
) -> None:
    monkeypatch.setitem(gateways.GATEWAYS, "broken", path)
    assert [error.id for error in check_gateways()] == [error_id]


def test_deployment_with_the_simulated_gateway_is_warned(settings: Settings) -> None:
    assert [warning.id for warning in check_real_money()] == ["billing.W001"]
    settings.SIMULATED_GATEWAY = None
    assert check_real_money() == []


class Accountable(bank_transfer.BankTransfer):
    """A kind of gateway of which there may be several accounts."""

    def __init__(self, code: str, config: dict[str, Any]) -> None:
        super().__init__()
        self.code, self.livemode = code, config["live"]
        self.currencies = config["currencies"]


@pytest.fixture
def two_accounts(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{Accountable.__module__}.Accountable"
    monkeypatch.setitem(gateways.GATEWAYS, "many", path)
    settings.GATEWAY_ACCOUNTS = {
        "many": {"kind": "many", "live": True, "currencies": None},
        "many_ch": {"kind": "many", "live": False, "currencies": frozenset({"CHF"})},
        "many_left": {"kind": "many", "live": True, "currencies": frozenset()},
    }


def test_each_account_is_a_gateway_of_its_own(two_accounts: None) -> None:
    known = [gateway.code for gateway in gateways.configured()]
    assert known == ["simulated", "bank_transfer", "many", "many_ch", "many_left"]
    assert check_gateways() == []
    assert "billing.W002" in [warning.id for warning in check_real_money()]


def test_an_account_takes_its_currencies_and_one_that_is_left_nothing_new(
    two_accounts: None,
) -> None:
    def codes(currency: str) -> list[str]:
        return [gateway.code for gateway in gateways.offered(currency)]

    assert codes("EUR") == ["simulated", "bank_transfer", "many"]
    assert codes("CHF") == ["simulated", "bank_transfer", "many", "many_ch"]
    assert codes("") == codes("CHF")


def test_what_one_mode_knows_the_other_is_not_asked_for(two_accounts: None) -> None:
    assert gateways.get("many", livemode=True).livemode
    with pytest.raises(NotConfigured, match="other mode"):
        gateways.get("many", livemode=False)


def test_bank_transfer_waits_for_staff() -> None:
    gateway, request = gateways.get("bank_transfer"), payment_request()
    start = gateway.start_payment(request)
    assert (start.external_id, start.redirect_url) == (request.key, None)
    assert gateway.fetch_payment(start.external_id).state == "open"
    assert gateway.list_payments(AT) == []
    snapshot = bank_transfer.confirmed(request.key, Money(49_00, "EUR"), AT)
    assert (snapshot.external_id, snapshot.state) == (start.external_id, "succeeded")
    assert (snapshot.amount, snapshot.succeeded_at) == (Money(49_00, "EUR"), AT)


def test_bank_transfer_neither_pulls_nor_gives_back_nor_believes_webhooks() -> None:
    gateway = gateways.get("bank_transfer")
    with pytest.raises(Declined):
        gateway.charge_saved(payment_request(), "token")
    with pytest.raises(GatewayRefused):
        gateway.refund("id", Money(1, "EUR"), key="refund-1")
    with pytest.raises(BadWebhook):
        gateway.verify_webhook(b"{}", {}, at=AT)


def test_unknown_failure_gets_the_general_sentence() -> None:
    assert failures.known("do_not_honour") == "payment_failed"
    assert failures.message("do_not_honour") == failures.message("payment_failed")
    assert failures.message(None) is failures.known("") is None
