"""Servers, and what hangs on them alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from provisioning.models import Circuit, Server


def make(rows: dict[str, Any], at: datetime) -> None:
    for row, name in (("server", "One"), ("other_server", "Two")):
        rows[row] = Server.objects.create(
            name=name,
            base_url="http://127.0.0.1:9/rest",
            login_url="http://127.0.0.1:9/",
            currency="EUR",
            profile=Server.Profile.CURRENT,
            auth=Server.Auth.FORM,
            secret_sealed=b"",
        )
    rows["circuit"] = Circuit.objects.create(
        server=rows["server"], state=Circuit.State.OPEN, opened_at=at, probe_at=at
    )
