"""One day of the calendar: renewals, balances, charges, ends, dunning; as often as you like."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from billing import (
    allowances,
    cancellations,
    changes,
    collections,
    credits,
    dunning,
    exchanges,
    locks,
    methods,
    price_changes,
    renewals,
    settlements,
    trials,
)
from billing.models import Mail, Subscription, current_brand
from packages.periods import start_of_day
from packages.sweeping import Quarantine, which_among

# So many services may be suspended or ended in a run before staff are asked.
ALWAYS_FINE = 5
FINE_PERCENT = 20
# A transaction's own table hides the shared one of the same name until it is rolled back.
OWN_NUMBERS = """
SET LOCAL lock_timeout = '1s';
CREATE TEMP TABLE own_numbers ON COMMIT DROP AS TABLE billing_numberseries;
CREATE TEMP TABLE billing_numberseries (LIKE billing_numberseries INCLUDING ALL) ON COMMIT DROP;
ALTER TABLE billing_numberseries ALTER COLUMN id RESTART WITH 1000000000;
INSERT INTO billing_numberseries TABLE own_numbers;
"""
# What the circuit breaker counts, beside what collections.weigh says: services that a run would
# suspend or end.
SERVICES = "services"
WORDS = {SERVICES: "services would be suspended or ended"}
# Says how many of each kind a run may do.
Most = Callable[[], Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Day:
    """What a run did, or would do; `faults` are the items that failed and held nobody up."""

    on: date
    invoices: list[renewals.Issued] = field(default_factory=list)
    charges: list[collections.Planned] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    steps: list[dunning.Taken] = field(default_factory=list)
    trials: list[str] = field(default_factory=list)
    faults: list[dict[str, str]] = field(default_factory=list)
    # Who was told of a new price.
    told: list[str] = field(default_factory=list)

    @property
    def is_quiet(self) -> bool:
        parts = (self.invoices, self.charges, self.ended, self.steps, self.trials, self.told)
        return not any(parts)

    @property
    def severe(self) -> int:
        """Return how many services were suspended or ended."""
        return len(self.ended) + sum(each.severe for each in self.steps)

    @property
    def weight(self) -> dict[str, int]:
        """Return what the circuit breaker compares with the usual, by its kinds."""
        return {SERVICES: self.severe, **collections.weigh(self.charges)}

    @property
    def counts(self) -> dict[str, int]:
        """Return how many of each kind were done, as the run's record keeps them."""
        steps = [each.code.value for each in self.steps]
        named = {code: steps.count(code) for code in dict.fromkeys(steps)}
        done = {"invoices": len(self.invoices), "charges": len(self.charges)}
        done |= {"trial_ending": len(self.trials), "cancelled": len(self.ended)}
        told = {"price_notices": len(self.told)} if self.told else {}
        return {**done, **named, **told}


class TooMany(Exception):
    """A run would do far more than usual of a kind; `day` is what was done before it stopped."""

    def __init__(self, planned: Mapping[str, int], usual: Mapping[str, int], day: Day) -> None:
        self.planned, self.usual, self.day = dict(planned), dict(usual), day
        parts = [
            f"{collections.worded(WORDS.get(kind, kind), count)}, "
            f"{collections.worded(kind, usual[kind])} at most are usual."
            for kind, count in planned.items()
            if count > usual.get(kind, count)
        ]
        super().__init__(f"{' '.join(parts)} Nothing but the invoices was done.")


def run(on: date, *, at: datetime, most: Most | None) -> Day:
    """Do what the calendar says for that day: issue invoices, tell of trials that end, charge,
    end what was cancelled, dun.

    A second run on the same day changes nothing. An item that fails is logged, kept in `faults`
    and holds up no other. With `most` it raises TooMany before more of a kind would be done; it is
    asked only when there is something to do. None is staff's word that all is right.

    One question tells which steps have something to do; it is asked again after the two that may
    give work to those behind them.
    """
    quarantine, due = Quarantine(), _due(on)
    told, invoices, ending = list[str](), list[renewals.Issued](), list[str]()
    if "new prices" in due:
        with quarantine.item("new prices"):
            told = price_changes.run(on, at=at)
    if due & {"late orders", "void orders", "exchanges"}:
        with quarantine.item("exchanges"):
            exchanges.lapse(on, at=at)
            exchanges.carry_out(on, at=at)
        due = _due(on)
    if "renewals" in due:
        invoices = renewals.bill(on, at=at, quarantine=quarantine)
        due = _due(on)
    if "balances" in due:
        with quarantine.item("balances"):
            settlements.use_balances(on, at=at)
    if "trials" in due:
        ending = trials.announce(on, at=at, quarantine=quarantine)
    if due & {"allowances", "gifts"}:
        with quarantine.item("allowances"):
            allowances.run(on, at=at)
            credits.expire(on, at=at)
    over = cancellations.due(on) if "ends" in due else []
    planned = dunning.plan(on, at=at) if "dunning" in due else []
    charges = collections.plan(on) if "charges" in due else []
    severe = len(over) + sum(each.step.severe for each in planned if each.step)
    foreseen = {SERVICES: severe, **collections.weigh(charges)}
    allowed = most() if most is not None and any(foreseen.values()) else foreseen
    if any(n > allowed.get(kind, n) for kind, n in foreseen.items()):
        done = Day(on, invoices, trials=ending, faults=quarantine.faults, told=told)
        raise TooMany(foreseen, allowed, done)
    charged = collections.run(on, charges, at=at, quarantine=quarantine)
    ended = cancellations.end(over, on=on, at=at, quarantine=quarantine)
    steps = dunning.run(on, planned, at=at, quarantine=quarantine)
    if "expiring methods" in due:
        with quarantine.item("expiring methods"):
            methods.warn_of_expiry(on, at=at)
    return Day(on, invoices, charged, ended, steps, ending, quarantine.faults, told)


@which_among
def _due(on: date) -> Mapping[str, QuerySet[Any]]:
    return {
        "new prices": price_changes.confirmed(),
        "late orders": exchanges.late(on),
        "void orders": exchanges.void(),
        "exchanges": changes.begun(on),
        "renewals": locks.due(on),
        "balances": settlements.due(on),
        "trials": trials.ending(on),
        "allowances": locks.allowances_due(on),
        "gifts": credits.expired(on),
        "ends": cancellations.over(on),
        "dunning": dunning.due(on),
        "charges": collections.in_question(on),
        "expiring methods": methods.expiring(on),
    }


def usual() -> dict[str, int]:
    """Return how much of each kind a run may do without being asked about it."""
    active = Subscription.objects.filter(state=Subscription.State.ACTIVE).count()
    services = max(ALWAYS_FINE, active * FINE_PERCENT // 100)
    return {SERVICES: services, **collections.usual()}


def preview(on: date, *, days: int) -> list[Day]:
    """Run these days through the same code and take everything back; nothing is written or sent.

    Supposes that nobody pays and every mail arrives. It draws its numbers from a copy, so nobody
    who orders waits for it; the rows it changes are locked until it ends, and what meets them is
    tried again by the sweeps. A row that the shop holds for more than a second ends it with
    OperationalError.
    """
    zone = current_brand().zone
    dates = [on + timedelta(days=count) for count in range(days)]
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(OWN_NUMBERS)
        seen = [_foreseen(each, zone) for each in dates]
        transaction.set_rollback(True)
    return seen


def _foreseen(on: date, zone: str) -> Day:
    at = _noon(on, zone)
    day = run(on, at=at, most=None)
    Mail.objects.filter(state=Mail.State.QUEUED).update(state=Mail.State.SENT, sent_at=at)
    return day


def _noon(on: date, zone: str) -> datetime:
    return start_of_day(on, zone) + timedelta(hours=12)
