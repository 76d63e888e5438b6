"""One day of the calendar: renewals, balances, ends, dunning. Any day, as often as you like."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db import transaction

from billing import cancellations, dunning, renewals, settlements
from billing.models import Subscription, current_brand
from packages.periods import start_of_day

# So many services may be suspended or ended in a run before staff are asked.
ALWAYS_FINE = 5
FINE_PERCENT = 20


class TooMany(Exception):
    """A run would suspend or end far more services than usual; it has done nothing of that."""

    def __init__(self, planned: int, usual: int) -> None:
        super().__init__(
            f"{planned} services would be suspended or ended, {usual} at most are usual. "
            "None was: nothing but the invoices was done."
        )


@dataclass(frozen=True, slots=True)
class Day:
    """What a run did, or would do."""

    on: date
    invoices: list[renewals.Issued] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    steps: list[dunning.Taken] = field(default_factory=list)

    @property
    def severe(self) -> int:
        """Return how many services were suspended or ended."""
        codes = {step.code for step in dunning.TIMETABLE if step.severe}
        return len(self.ended) + sum(each.code in codes for each in self.steps)


def run(on: date, *, at: datetime, most: int | None) -> Day:
    """Do what the calendar says for that day: issue invoices, end what was cancelled, dun.

    A second run on the same day changes nothing. With `most` it raises TooMany before more than so
    many services would be suspended or ended; None is staff's word that all is right.
    """
    invoices = renewals.bill(on, at=at)
    settlements.use_balances(on, at=at)
    over, planned = cancellations.due(on), dunning.plan(on)
    severe = len(over) + sum(each.step.severe for each in planned)
    if most is not None and severe > most:
        raise TooMany(severe, most)
    ended = cancellations.end(over, on=on, at=at)
    return Day(on, invoices, ended, dunning.run(on, planned, at=at))


def usual() -> int:
    """Return how many services a run may suspend or end without being asked about it."""
    active = Subscription.objects.filter(state=Subscription.State.ACTIVE).count()
    return max(ALWAYS_FINE, active * FINE_PERCENT // 100)


def preview(on: date, *, days: int) -> list[Day]:
    """Run these days through the same code and take everything back; nothing is written or sent.

    It holds the locks of what it touches until it ends, as a real run does.
    """
    zone = current_brand().zone
    dates = [on + timedelta(days=count) for count in range(days)]
    with transaction.atomic():
        seen = [run(each, at=_noon(each, zone), most=None) for each in dates]
        transaction.set_rollback(True)
    return seen


def _noon(on: date, zone: str) -> datetime:
    return start_of_day(on, zone) + timedelta(hours=12)
