"""docs/dialler-api.md names what there is."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from provisioning.dialler.errors import DiallerError
from provisioning.dialler.mapping import Mapping
from provisioning.simulator.controls import ROUTES
from provisioning.simulator.faults import ANSWERS
from provisioning.simulator.switches import Switches

TEXT = (Path(__file__).parents[3] / "docs" / "dialler-api.md").read_text(encoding="utf-8")
WORDS = set(re.findall(r"[A-Za-z_0-9/]+", TEXT))


@pytest.mark.parametrize("part", list(Mapping().to_json()))
def test_every_mapping_key_is_described(part: str) -> None:
    inner: Any = Mapping().to_json()[part]
    assert {part, *(inner if isinstance(inner, dict) else ())} <= WORDS


@pytest.mark.parametrize("error", DiallerError.__subclasses__())
def test_every_error_is_described(error: type[DiallerError]) -> None:
    assert f"`{error.__name__}`" in TEXT


@pytest.mark.parametrize("answer", ANSWERS)
def test_every_fault_is_described(answer: str) -> None:
    assert answer in WORDS


@pytest.mark.parametrize("switch", [each.name for each in fields(Switches)])
def test_every_switch_is_described(switch: str) -> None:
    assert f"`{switch}`" in TEXT


@pytest.mark.parametrize("path", sorted({path for _, path in ROUTES}))
def test_every_control_is_described(path: str) -> None:
    assert path in WORDS
