from __future__ import annotations

import json
from typing import Any

import pytest

from provisioning.dialler.mapping import Mapping, MappingError, defaults, simulator_mapping


def test_nothing_given_means_the_defaults(profile: str) -> None:
    assert Mapping.from_json({}, profile=profile) == defaults(profile)


def test_a_mapping_survives_json(profile: str) -> None:
    mapping = simulator_mapping(profile)
    text = json.dumps(mapping.to_json())
    assert Mapping.from_json(text, profile=profile) == mapping


def test_given_values_lie_over_the_defaults() -> None:
    given = {
        "methods": {"get": "Tenant_Get"},
        "credit": {"method": "Tenant_Payment_Create", "fixed_args": {"type": "credit"}},
        "ids": ["tenant_id"],
        "capabilities": {"credit": "api"},
    }
    mapping = Mapping.from_json(given, profile="current")
    assert mapping.methods.get == "Tenant_Get"
    assert mapping.methods.create == defaults("current").methods.create
    assert mapping.credit.fixed_args == (("type", "credit"),)
    assert mapping.ids == ("tenant_id",)


def test_the_method_nobody_has_published_is_done_by_hand() -> None:
    mapping = defaults("current")
    assert (mapping.credit.method, mapping.capabilities.credit) == ("", "manual")


def test_every_problem_is_named_in_one_sentence() -> None:
    given = {"colour": "red", "methods": {"create": 3}, "capabilities": {"credit": "perhaps"}}
    with pytest.raises(MappingError) as caught:
        Mapping.from_json(given)
    assert caught.value.problems == (
        "There is no setting colour.",
        "methods.create must be text.",
        "capabilities.credit must be api or manual.",
    )


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("{", "This is not JSON"),
        ([], "The mapping must be an object."),
        ({"credit": []}, "credit must be an object."),
        ({"credit": {"fixed_args": {"type": 1}}}, "credit.fixed_args must be an object of texts."),
        ({"keep": "timezone_id"}, "keep must be a list of texts."),
        ({"lookup": {"refusal_means_absent": 1}}, "must be true or false."),
        ({"methods": {"get": "../User_Get"}}, "methods.get is not a method name: '../User_Get'."),
        ({"fields": {"tariff": "a b"}}, "fields.tariff is not a name: 'a b'."),
        ({"arguments": {"id": "password"}}, "our own login travels under that name."),
        ({"credit": {"fixed_args": {"username": "x"}}}, "credit.fixed_args.username must not be"),
        ({"capabilities": {"read_balance": "api"}}, "read_balance is api but fields.balance is"),
        ({"credit": {"method": ""}}, "capabilities.credit is api but credit.method is empty."),
        ({"active": {"on": "0"}}, "active.on and active.off must differ."),
        (
            {"services": {"encoding": "list"}},
            "services.encoding is list but services.key is empty.",
        ),
        ({"write_only": ["name"]}, "write_only knows no 'name'"),
        ({"ids": []}, "ids, arguments.record and arguments.id must not be empty."),
        ({"methods": {"get": ""}}, "methods.get, lookup.username_key and fields.username"),
    ],
)
def test_unusable_mappings_are_explained(given: Any, problem: str) -> None:
    with pytest.raises(MappingError, match=".") as caught:
        Mapping.from_json(given)
    assert problem in str(caught.value)


def test_there_are_two_profiles() -> None:
    with pytest.raises(MappingError, match="no profile"):
        Mapping.from_json({}, profile="future")
