"""What the client makes of each fault: the effect on one side, our belief on the other."""

from __future__ import annotations

import time
from typing import Any

import pytest

from packages.money import Money
from provisioning.dialler.base import DiallerError, Limits, Misconfigured, NotSent, Refused, Unknown
from provisioning.dialler.http import HttpDialler
from provisioning.simulator import Simulator
from tests.provisioning.dialler.conftest import Connect, spec

EUROS_25 = Money(2500, "EUR")
LIMITS = Limits(tariff="Business", channels=20, services=("fax",))
PATIENCE: dict[str, Any] = {"connect_timeout_seconds": 0.5, "read_timeout_seconds": 0.5}


@pytest.fixture
def remote_id(dialler: HttpDialler) -> str:
    made = dialler.create(spec(), password="S3cret!1", marker="m")
    assert made is not None
    return made


UNCLEAR = (
    *("500", "html", "truncated", "empty", "wrong_type", "redirect", "reset_before"),
    *("reset_after", "errorcode_200", "errorcode_500", "giant"),
)


@pytest.mark.parametrize("answer", UNCLEAR)
@pytest.mark.parametrize(("apply", "effects"), [("yes", 1), ("no", 0)])
def test_an_unclear_answer_is_unknown_whether_it_had_its_effect_or_not(
    dialler: HttpDialler,
    simulator: Simulator,
    remote_id: str,
    answer: str,
    apply: str,
    effects: int,
) -> None:
    simulator.faults.add("mutating", apply=apply, answer=answer)
    with pytest.raises(Unknown):
        dialler.credit(remote_id, EUROS_25, reference="r")
    assert len(simulator.effects("credit")) == effects


@pytest.mark.parametrize("answer", UNCLEAR)
def test_an_unclear_reading_is_not_an_absence(
    dialler: HttpDialler, simulator: Simulator, remote_id: str, answer: str
) -> None:
    simulator.faults.add("*", answer=answer)
    with pytest.raises(Unknown):
        dialler.find("nc-7")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("refused", Refused),
        ("null_reason", Refused),
        ("401", Misconfigured),
        ("405", Misconfigured),
    ],
)
def test_a_denial_is_believed(
    dialler: HttpDialler,
    simulator: Simulator,
    remote_id: str,
    answer: str,
    error: type[DiallerError],
) -> None:
    simulator.faults.add("mutating", answer=answer)
    with pytest.raises(error):
        dialler.credit(remote_id, EUROS_25, reference="r")
    assert simulator.effects("credit") == []


@pytest.mark.parametrize("answer", ["double_json", "notice_before_json", "strings", "ok"])
def test_a_quirk_is_tolerated(
    dialler: HttpDialler, simulator: Simulator, remote_id: str, answer: str
) -> None:
    simulator.faults.add("*", times=-1, answer=answer)
    dialler.credit(remote_id, EUROS_25, reference="r")
    dialler.update_limits(remote_id, LIMITS)
    account = dialler.find("nc-7")
    assert account is not None
    assert (account.balance_minor, account.channels) == (2500, 20)


@pytest.mark.parametrize(("apply", "effects"), [("yes", 1), ("no", 0)])
@pytest.mark.parametrize("answer", ["hang:5", "drip:0.3"])
def test_an_answer_that_takes_too_long_is_unknown_in_time(
    connect: Connect,
    simulator: Simulator,
    remote_id: str,
    profile: str,
    answer: str,
    apply: str,
    effects: int,
) -> None:
    simulator.faults.add("mutating", apply=apply, answer=answer)
    began = time.monotonic()
    with pytest.raises(Unknown):
        connect(profile, **PATIENCE).credit(remote_id, EUROS_25, reference="r")
    assert time.monotonic() - began < 1.5
    assert len(simulator.effects("credit")) == effects


def test_a_server_that_is_down_was_not_sent_anything(
    dialler: HttpDialler, simulator: Simulator, remote_id: str
) -> None:
    simulator.stop()
    with pytest.raises(NotSent):
        dialler.credit(remote_id, EUROS_25, reference="r")
    simulator.start_again()
    dialler.credit(remote_id, EUROS_25, reference="r")
    assert len(simulator.effects("credit")) == 1


def test_a_connection_dropped_at_once_is_unknown(
    dialler: HttpDialler, simulator: Simulator, remote_id: str
) -> None:
    simulator.down(down=True)
    with pytest.raises(Unknown):
        dialler.credit(remote_id, EUROS_25, reference="r")
    simulator.down(down=False)
    dialler.check()


def test_a_change_whose_first_reading_fails_was_not_sent(
    dialler: HttpDialler, simulator: Simulator, remote_id: str
) -> None:
    simulator.faults.add("*", answer="html")
    with pytest.raises(NotSent):
        dialler.update_limits(remote_id, LIMITS)
    assert simulator.effects("update") == []


def test_a_change_whose_last_reading_fails_is_unknown(
    dialler: HttpDialler, simulator: Simulator, remote_id: str
) -> None:
    simulator.faults.add("*")
    simulator.faults.add("*")
    simulator.faults.add("*", answer="html")
    with pytest.raises(Unknown):
        dialler.update_limits(remote_id, LIMITS)
    assert len(simulator.effects("update")) == 1


def test_a_yes_that_changed_nothing_is_found_out(
    dialler: HttpDialler, simulator: Simulator, remote_id: str
) -> None:
    simulator.faults.add("mutating", apply="no", answer="ok")
    with pytest.raises(Unknown) as caught:
        dialler.set_active(remote_id, active=False)
    assert caught.value.reason == "The server said yes but does not show: active."


def test_a_lost_account_after_a_change_is_unknown(
    dialler: HttpDialler, simulator: Simulator, remote_id: str
) -> None:
    simulator.faults.add("*")
    simulator.faults.add("*")
    simulator.faults.add("*", apply="no")
    with pytest.raises(Unknown):
        dialler.update_limits(remote_id, LIMITS)
