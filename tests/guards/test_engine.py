"""Every guard of the job engine carries weight: with it once, without it twice.

Each scenario is played as it is, and again with one guard taken out; then the check of the chaos
suite must find what went wrong. Keys and row locks are taken out in the modules beside this one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.db import transaction

from packages.states import IllegalMove
from provisioning import circuits, outcomes, runner, servers
from provisioning.dialler.base import Dialler
from provisioning.models import Account, Attempt, Job, Server
from provisioning.runner import Claim
from provisioning.simulator.simulator import Simulator
from tests import world
from tests.chaos import judging
from tests.clock import Clock
from tests.processes import wait_until
from tests.provisioning.conftest import after_each_attempt, ordered, topped_up

CREDIT, GET = "Client_Payment_Create", "Client_Get"
Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Scene:
    """A running account that has just been sold credit."""

    dialler: Simulator
    clock: Clock
    account: Account

    def credit(self) -> Job:
        return Job.objects.filter(kind=Job.Kind.CREDIT).latest("seq")


@dataclass(frozen=True)
class Guard:
    name: str
    play: Callable[[Scene], None]
    remove: Callable[[Patch], None]

    def __str__(self) -> str:
        return self.name


def lose_the_answer(scene: Scene) -> None:
    """The credit arrives, and nobody hears of it."""
    scene.dialler.faults.add(CREDIT, answer="500", apply="yes")
    scene.clock.work()
    scene.clock.pass_by(minutes=5)


def send_again_unread(patch: Patch) -> None:
    def forget(claim: Claim, dialler: Dialler, attempt: Attempt) -> None:
        outcomes.settle(attempt, claim.fence, Attempt.Outcome.ABSENT, at=claim.at)
        with outcomes.held(claim.job.pk, claim.fence) as job:
            outcomes.wait(job, claim.at, "sent again", at=claim.at)

    patch.setattr(runner, "_find_out", forget)
    # Nor look before a command is sent.
    patch.setattr(runner, "_begin", lambda claim, dialler: runner._send(claim, dialler, NOTHING))


NOTHING: Any = type("Nothing", (), {"remote": None})()


def take_effect_late(scene: Scene) -> None:
    """The command is carried out a quarter of a minute after its answer was lost."""
    scene.dialler.faults.add(CREDIT, answer="500", apply="no")
    scene.clock.work()
    for _ in range(3):
        scene.clock.advance(seconds=5.5)
    credit_as_asked_before(scene)
    scene.clock.pass_by(minutes=5)


def credit_as_asked_before(scene: Scene) -> None:
    asked = [each for each in scene.dialler.log()["requests"] if each["fault"]][0]
    login = {"username": "admin", "password": world.SIMULATOR_PASSWORD}
    endpoint = f"{scene.dialler.base_url('current')}/{CREDIT}"
    fields = {**asked["arguments"], **login}
    assert requests.post(endpoint, data=fields, timeout=5).json()[0] is True


def wait_for_nothing(patch: Patch) -> None:
    patch.setattr(Server, "quiet_seconds", property(lambda server: -server.work_seconds, no_value))


def no_value(server: Server, value: float) -> None:
    """Take no notice of what the row says."""


def read_a_stale_balance(scene: Scene) -> None:
    """The credit arrives unheard, and two readings in a row show the balance before it.

    After two that agree one more look precedes the command, so both must be believed at once.
    """
    scene.dialler.faults.add(CREDIT, answer="500", apply="yes")
    scene.clock.work()
    scene.dialler.faults.add(GET, answer="stale", times=2)
    scene.clock.pass_by(minutes=5)


def believe_one_reading(patch: Patch) -> None:
    patch.setattr(outcomes, "agreed", lambda *_, **__: True)


def wake_before_the_note(scene: Scene) -> None:
    """A worker stands still before it notes its command; another does the job meanwhile."""
    claim = runner._claim(scene.account.pk, at=scene.clock.now(), worker="zombie")
    assert claim is not None
    scene.clock.pass_by(minutes=5)
    with suppress(outcomes.Fenced, IllegalMove):
        runner._begin(claim, servers.connect(scene.account.server))


def forget_the_fence(patch: Patch) -> None:
    @contextmanager
    def unfenced(job_id: int, _: int) -> Iterator[Job]:
        with transaction.atomic():
            yield Job.objects.select_related("account__server").get(pk=job_id)

    patch.setattr(outcomes, "held", unfenced)


def wake_before_the_first_byte(scene: Scene) -> None:
    """A worker stands still between its note and the first byte; another finds nothing, sends."""
    Server.objects.update(connect_timeout_seconds=0.1, read_timeout_seconds=0.1)
    stopped: list[Attempt] = []

    def stop(attempt: Attempt) -> None:
        if stopped:
            return
        stopped.append(attempt)
        wakes_at = time.monotonic() + attempt.job.account.server.work_seconds
        wait_until(lambda: time.monotonic() > wakes_at, what="the claim's time is over")
        Server.objects.update(connect_timeout_seconds=3, read_timeout_seconds=3)
        scene.clock.pass_by(minutes=5)

    with after_each_attempt(stop):
        runner.run_next(scene.account.pk, at=scene.clock.now(), worker="zombie")


def send_whenever(patch: Patch) -> None:
    connect = servers.connect
    patch.setattr(servers, "connect", lambda server, **_: connect(server))


GUARDS = (
    Guard("verify before resend", lose_the_answer, send_again_unread),
    Guard("quiet time", take_effect_late, wait_for_nothing),
    Guard("two readings that agree", read_a_stale_balance, believe_one_reading),
    Guard("fence", wake_before_the_note, forget_the_fence),
    Guard("end of a claim's time", wake_before_the_first_byte, send_whenever),
)


@pytest.fixture
def scene(transactional_db: None, dialler: Simulator, clock: Clock) -> Scene:
    """The shop without its last check, since the books are to go wrong here."""
    world.settle_in(dialler.url, at=clock.now())
    account = ordered("business", at=clock.now())
    clock.work()
    account.refresh_from_db()
    topped_up(account, at=clock.now())
    return Scene(dialler, clock, account)


@pytest.mark.parametrize("guard", GUARDS, ids=str)
def test_with_its_guard_the_credit_arrives_once(guard: Guard, scene: Scene) -> None:
    guard.play(scene)
    assert list(judging.twice(scene.dialler)) == []
    assert scene.credit().state == Job.State.DONE
    assert len(scene.dialler.effects("credit")) == 2


@pytest.mark.parametrize("guard", GUARDS, ids=str)
def test_without_its_guard_the_credit_arrives_twice(
    guard: Guard, scene: Scene, monkeypatch: Patch
) -> None:
    guard.remove(monkeypatch)
    guard.play(scene)
    cause = scene.credit().cause
    assert list(judging.twice(scene.dialler)) == [f"duplicate: ('credit', '{cause}'), 2 times"]


def outage(scene: Scene) -> int:
    """Let the dialler answer nonsense for ten minutes; return how often it was asked."""
    scene.dialler.faults.add("*", times=-1, answer="500", apply="no")
    before = len(scene.dialler.log()["requests"])
    for _ in range(20):
        scene.clock.advance(seconds=30)
    return len(scene.dialler.log()["requests"]) - before


def test_with_the_breaker_a_server_in_trouble_is_left_alone(scene: Scene) -> None:
    most_probes = timedelta(minutes=10) / circuits.FIRST_PAUSE
    assert outage(scene) < circuits.TROUBLES_IN_A_ROW + most_probes / 2
    assert scene.credit().tries <= circuits.TROUBLES_IN_A_ROW


def test_without_the_breaker_it_is_asked_on_and_on(scene: Scene, monkeypatch: Patch) -> None:
    monkeypatch.setattr(circuits, "_is_too_much", lambda _: False)
    assert outage(scene) > circuits.TROUBLES_IN_A_ROW
    assert scene.credit().tries > circuits.TROUBLES_IN_A_ROW
