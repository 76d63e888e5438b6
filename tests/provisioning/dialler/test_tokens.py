from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from provisioning.dialler.tokens import token_expires_at
from provisioning.simulator import Simulator


def test_a_token_says_when_it_ends(simulator: Simulator) -> None:
    ends_at = token_expires_at(simulator.token(days=10))
    assert ends_at is not None
    assert abs(ends_at - datetime.now(UTC) - timedelta(days=10)) < timedelta(minutes=1)


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "a.e30.c", "a.eyJleHAiOiJ4In0.c", "ä.ö.ü"])
def test_what_is_no_token_says_nothing(token: str) -> None:
    assert token_expires_at(token) is None
