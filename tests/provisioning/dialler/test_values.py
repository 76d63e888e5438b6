from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from provisioning.dialler.base import AccountSpec, Limits, NotSent, Refused, Unknown
from tests.provisioning.dialler.conftest import endpoint, spec


def test_a_spec_survives_json() -> None:
    assert AccountSpec.from_json(json.loads(json.dumps(spec().to_json()))) == spec()


def test_limits_survive_json() -> None:
    limits = Limits(tariff="Standard", channels=0, services=("fax",), units=(("fax", 20),))
    assert Limits.from_json(json.loads(json.dumps(limits.to_json()))) == limits


def test_limits_are_the_package_s_part_of_a_spec() -> None:
    wanted = Limits(
        tariff="Standard", channels=5, services=("voice", "sms"), units=(("voice", 100),)
    )
    assert spec().limits() == wanted


@pytest.mark.parametrize(
    "wrong", [{"services": ("telex",)}, {"channels": -1}, {"units": (("voice", -5),)}]
)
def test_impossible_limits_cannot_be_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"service|negative"):
        spec(**wrong)


def test_no_repr_shows_the_secret() -> None:
    assert "hunter2" not in repr(endpoint("https://dial.test/rest", secret="hunter2"))


@pytest.mark.parametrize(
    "address",
    [
        "ftp://dial.test/rest",
        "dial.test/rest",
        "https://a:b@dial.test/rest",
        "https://dial.test/?x",
    ],
)
def test_strange_addresses_are_not_accepted(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        endpoint(address)


def test_an_operation_may_take_three_exchanges() -> None:
    there = endpoint("https://dial.test", connect_timeout_seconds=3, read_timeout_seconds=15)
    assert (there.exchange_timeout_seconds, there.operation_timeout_seconds) == (18, 54)


def test_hostile_text_is_capped_and_cannot_steer_a_terminal_or_a_reader() -> None:
    error = Unknown("a\x1b[31mb\u202ec\r\nd", "x" * 10_000)
    assert error.reason == "a [31mb c d"
    assert len(error.excerpt) == 300


def test_errors_say_whether_something_may_have_happened() -> None:
    assert Unknown("?").effect_possible
    assert not NotSent("?").effect_possible
    assert not Refused("?").effect_possible


def test_errors_survive_a_process_border() -> None:
    error = pickle.loads(pickle.dumps(Unknown("why", "what")))
    assert (type(error), error.reason, error.excerpt) == (Unknown, "why", "what")
