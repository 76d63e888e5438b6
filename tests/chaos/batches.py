"""Plays a batch of runs, heals it, and says what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import transaction

from provisioning.models import Account
from tests import world
from tests.billing import orders
from tests.chaos import judging
from tests.chaos.deeds import Stage
from tests.chaos.forks import Child
from tests.chaos.house import House
from tests.chaos.plans import RUNS_IN_A_BATCH, Round, Worker
from tests.chaos.work import wishes
from tests.clock import Clock

HEALED_WITHIN_SECONDS = 120
# So many of a batch's accounts run already; the others are paid, and nothing else has happened.
LIVE = 8


@dataclass(frozen=True)
class Outcome:
    seconds: float | None
    problems: Sequence[str]
    parked: int


def prepare(house: House, clock: Clock) -> None:
    """Open a shop with a batch's customers, and keep the moment."""
    stage = Stage(house.gateway, clock)
    for number in range(RUNS_IN_A_BATCH):
        if number == LIVE:
            clock.work()
        at = clock.now()
        user, customer = world.customer(f"customer-{number}@example.com", at=at)
        stage.paid(orders.place(user, customer, "business", at=at).invoice)
    house.keep()
    house.forks.warm_up("work", at=clock.now())
    house.go_back()


class Batch:
    """The runs of one plan, each an account."""

    def __init__(self, house: House, clock: Clock, seed: str) -> None:
        self._house = house
        self._clock = clock
        self._seed = seed
        self._zombies: list[Child] = []
        self._wished = 0
        house.go_back()

    def play(self, plan: Sequence[Round]) -> Outcome:
        for each in plan:
            self._live(each)
        return self._heal()

    def _live(self, plan: Round) -> None:
        self._clock.shift(seconds=plan.seconds)
        for run, wish in plan.wishes:
            self._wish(run, wish)
        for run, fault in plan.faults:
            for account in self._account(run):
                self._house.dialler.faults.add(username=account.username, **fault)
        for run, amount in plan.burns:
            for account in self._account(run):
                self._burn(account, amount)
        with self._house.trouble(plan.dialler):
            self._work(plan.workers)

    def _work(self, workers: Sequence[Worker]) -> None:
        children = [
            self._house.forks.start(
                "work",
                at=self._clock.now(),
                act_at=each.point,
                act=each.act,
                seed=self._seed,
                broker=each.broker,
            )
            for each in workers
        ]
        for each, child in zip(workers, children, strict=True):
            if each.act == "stop" and child.stopped():
                self._zombies.append(child)
            elif each.act != "stop":
                child.wait()
        self._house.let_late_effects_come()

    def _wish(self, run: int, wish: str) -> None:
        for account in self._account(run):
            self._wished += 1
            with transaction.atomic():
                wishes[wish](account, f"wish-{self._wished}", self._clock.now())

    def _burn(self, account: Account, amount: str) -> None:
        """Let the customer spend, who can once they have the password, and unless suspended."""
        remote = self._house.dialler.account(account.username)
        if remote is not None and remote["active"] and account.password_sealed is None:
            self._house.dialler.burn(account.username, amount)

    def _account(self, run: int) -> Iterator[Account]:
        """Return the run's account; none while a worker has not yet planned it."""
        person = {"person__email": f"customer-{run}@example.com"}
        yield from Account.objects.filter(**person)

    def _heal(self) -> Outcome:
        house = self._house
        house.dialler.faults.clear()
        for child in self._zombies:
            child.wake(self._clock.now())
            child.wait()
        healer = house.forks.start("heal", HEALED_WITHIN_SECONDS, at=self._clock.now())
        assert healer.wait() == 0, house.forks.said()
        seconds = healer.result()["returned"]
        return Outcome(seconds, judging.problems(house.dialler, house.post), judging.parked())
