"""Servers, and what hangs on them alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from provisioning.models import Circuit, Pool, PoolPackage, Server, Survey


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
            capacity_accounts=100,
        )
    rows["pool"] = Pool.objects.get(is_default=True)
    rows["pool"].servers.add(rows["server"])
    rows["pool_server"] = Server.pools.through.objects.get()
    rows["pool_package"] = PoolPackage.objects.create(pool=rows["pool"], package=rows["package"])
    rows["survey"] = Survey.objects.create(
        server=rows["server"],
        username="survey-1",
        mapping_before={},
        mapping={},
        actor="staff:1",
        created_at=at,
        run_at=at,
    )
    rows["circuit"] = Circuit.objects.create(
        server=rows["server"], state=Circuit.State.OPEN, opened_at=at, probe_at=at
    )
