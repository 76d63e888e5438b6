"""The preview shows exactly what would be sent, without sending it, and without a secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provisioning.dialler import preview
from provisioning.dialler.base import Endpoint
from provisioning.dialler.http import HttpDialler
from provisioning.dialler.mapping import Mapping
from provisioning.simulator import Simulator
from tests.provisioning.dialler.conftest import PASSWORD, endpoint, spec


def shown(to: Endpoint) -> dict[str, preview.Preview]:
    return {each.operation: each for each in preview.of(to, spec())}


def test_it_shows_what_the_client_sends(simulator: Simulator, profile: str) -> None:
    to = endpoint(simulator.base_url(profile), profile=profile)
    previews = shown(to)
    assert simulator.log()["requests"] == []
    HttpDialler(to).create(spec(), password=preview.PASSWORD, marker=preview.MARKER)
    (sent,) = simulator.log()["requests"]
    (request,) = previews["create"].requests
    assert request.url == f"{to.base_url}/{sent['method']}"
    record = "user" if profile == "legacy" else "client"
    fields = dict(request.fields)
    shown_record, sent_record = json.loads(fields[record]), sent["arguments"][record]
    assert {**shown_record, "password": ""} == {**sent_record, "password": ""}
    assert preview.PASSWORD not in fields[record]
    assert fields["username"] == "admin"
    assert fields["password"] == preview.MASK


@pytest.mark.parametrize("auth", ["form", "form_legacy", "bearer"])
def test_no_secret_is_shown(auth: str) -> None:
    previews = shown(endpoint("http://127.0.0.1:9/rest", auth=auth))
    text = repr(previews)
    assert PASSWORD not in text
    assert preview.PASSWORD not in text
    assert preview.MASK in text
    headers = previews["get"].requests[0].headers
    assert headers == ((("Authorization", "Bearer •••"),) if auth == "bearer" else ())


def test_a_change_is_shown_with_its_readings_before_and_after() -> None:
    requests = shown(endpoint("http://127.0.0.1:9/rest"))["suspend"].requests
    names = [each.url.rsplit("/", 1)[1] for each in requests]
    assert names == ["User_Get", "User_Update", "User_Get"]
    assert '"active":"0"' in dict(requests[1].fields)["user"]


def test_what_is_left_to_people_is_said_instead_of_a_request() -> None:
    names: dict[str, Any] = {"capabilities": {"credit": "manual"}, "methods": {"list": ""}}
    mapping = Mapping.from_json(names, profile="legacy")
    previews = shown(endpoint("http://127.0.0.1:9/rest", mapping=mapping))
    assert previews["credit"].requests == ()
    assert previews["credit"].trouble == "On this server credit is done by hand."
    assert previews["list"].trouble == "The mapping names no method for this."
