"""After a backup was restored nothing is done twice that was done since it was taken."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from provisioning.dialler.mapping import simulator_mapping
from provisioning.models import Account, Job, Server
from provisioning.simulator.simulator import Simulator
from tests import snapshots
from tests.clock import Clock
from tests.provisioning.conftest import ordered


@pytest.fixture
def unmarked(shop: Simulator) -> None:
    """Diallers that keep no mark of ours, as most may."""
    for server in Server.objects.all():
        mapping = simulator_mapping(server.profile).to_json()
        mapping["fields"] = {**mapping["fields"], "marker": ""}
        Server.objects.filter(pk=server.pk).update(mapping=mapping)


def credited(dialler: Simulator) -> list[str]:
    return [effect["amount"] for effect in dialler.effects("credit")]


def restored(shop: Simulator, clock: Clock) -> None:
    """Take a backup of a paid order, let everything be done for it, and restore the backup."""
    ordered("business", at=clock.now())
    snapshots.keep_as("backup")
    clock.work()
    assert credited(shop) == ["20.00"]
    snapshots.put_back("backup")


def test_after_a_restore_nothing_is_done_twice(
    unmarked: None, shop: Simulator, clock: Clock
) -> None:
    restored(shop, clock)
    call_command("after_restore", stdout=StringIO())
    clock.pass_by(minutes=10)
    assert credited(shop) == ["20.00"]
    assert len(shop.effects("create")) == 1
    parked = Job.objects.get(kind=Job.Kind.CREDIT)
    assert (parked.state, len(parked.attempts.get().readings)) == (Job.State.PARKED, 5)
    assert Account.objects.get().state == Account.State.LIVE


def test_without_that_command_it_would_be(unmarked: None, shop: Simulator, clock: Clock) -> None:
    restored(shop, clock)
    clock.pass_by(minutes=10)
    assert credited(shop) == ["20.00", "20.00"]
    assert len(shop.effects("create")) == 2
