"""What happens in a batch of runs, thrown from a seed: the same seed is the same plan.

A run is an account with what is asked of it and what goes wrong around it. Ten of them share a
batch, as accounts share workers: what kills a worker in the middle of one delays the others.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

RUNS_IN_A_BATCH = 10
ROUNDS = 6
# Answers after which nobody knows what happened, and such as are strange but clear.
UNCLEAR = (
    *("500", "html", "truncated", "empty", "wrong_type", "redirect", "reset_before", "reset_after"),
    *("errorcode_200", "errorcode_500", "giant"),
)
STRANGE = ("double_json", "notice_before_json", "strings", "ok")
DENIED = ("401", "405", "refused", "null_reason")
# Longer than these tests wait for an answer (`house.py`); it costs real seconds, so it is rare.
TOO_LONG = "hang:5"
READS = ("Client_Get",)
COMMANDS = ("Client_Create", "Client_Update", "Client_Payment_Create", "Client_Delete", "mutating")
WISHES = (
    *("credit", "credit", "credit", "suspend", "suspend_at_once"),
    *("unsuspend", "limit", "password"),
)
MOST_POINTS = 70


@dataclass(frozen=True)
class Worker:
    """One forked worker; `act` (see `points.ACTS`) happens to it at its nth point."""

    act: str = ""
    point: int | None = None
    broker: bool = True


@dataclass(frozen=True)
class Round:
    """So many seconds pass, things are asked and go wrong, then these workers run at once."""

    seconds: float
    wishes: Sequence[tuple[int, str]]
    faults: Sequence[tuple[int, dict[str, Any]]]
    burns: Sequence[tuple[int, str]]
    workers: Sequence[Worker]
    # The dialler: "" answers, "down" refuses connections, "drop" ends them at once.
    dialler: str = ""


def thrown(seed: str) -> list[Round]:
    """Return the plan of the batch with this seed."""
    dice = random.Random(seed)
    wishes = _wishes(dice)
    return [
        Round(
            seconds=dice.choice((0.5, 3, 10, 25, 60)),
            wishes=[each for at, *each in wishes if at == number],  # type: ignore[misc]
            faults=list(_faults(dice)),
            burns=[
                (dice.randrange(RUNS_IN_A_BATCH), f"{dice.uniform(0.01, 25):.2f}")
                for _ in range(dice.choice((0, 0, 1, 2)))
            ],
            workers=_workers(dice),
            dialler=dice.choices(("", "down", "drop"), (85, 8, 7))[0],
        )
        for number in range(ROUNDS)
    ]


def _wishes(dice: random.Random) -> list[tuple[int, int, str]]:
    """One to three wishes for each run, in any round; a few end with the account."""
    found = []
    for run in range(RUNS_IN_A_BATCH):
        rounds = sorted(dice.randrange(ROUNDS) for _ in range(dice.randint(1, 3)))
        kinds = [dice.choice(WISHES) for _ in rounds]
        if dice.random() < 0.15:
            kinds[-1] = "terminate"
        found += [(at, run, kind) for at, kind in zip(rounds, kinds, strict=True)]
    return found


def _faults(dice: random.Random) -> Iterator[tuple[int, dict[str, Any]]]:
    for run in range(RUNS_IN_A_BATCH):
        if dice.random() < 0.3:
            yield run, _fault(dice)


def _fault(dice: random.Random) -> dict[str, Any]:
    kind = dice.choices(("unclear", "strange", "denied", "stale", "hang"), (70, 13, 6, 10, 1))[0]
    if kind == "stale":
        return {"method": dice.choice(READS), "answer": "stale", "times": dice.randint(1, 3)}
    if kind == "denied":
        return {"method": dice.choice(COMMANDS), "answer": dice.choice(DENIED)}
    answers = {"unclear": UNCLEAR, "strange": STRANGE, "hang": (TOO_LONG,)}[kind]
    method = dice.choice((*COMMANDS, *COMMANDS, *READS, "*"))
    apply = dice.choices(("yes", "no", "late:0.05"), (45, 40, 15))[0]
    # A clear yes is believed, so it must be true.
    apply = "yes" if kind == "strange" else apply
    return {"method": method, "answer": dice.choice(answers), "apply": apply}


def _workers(dice: random.Random) -> list[Worker]:
    count = dice.choices((0, 1, 2), (10, 65, 25))[0]
    return [_worker(dice) for _ in range(count)]


def _worker(dice: random.Random) -> Worker:
    act = dice.choices(("", "kill", "stop", "cut", "lose"), (30, 35, 10, 15, 10))[0]
    point = dice.randrange(MOST_POINTS) if act else None
    return Worker(act, point, broker=dice.random() > 0.1)
