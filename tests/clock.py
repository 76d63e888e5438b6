"""The tests' clock, and what the running system would have done by then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import time_machine

from billing import demo_days
from billing import tasks as billing


class Clock:
    """Moves time, and does the work that workers would do: sweeps, until nothing is due."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self._traveller = traveller

    @classmethod
    @contextmanager
    def at(cls, moment: str) -> Iterator[Clock]:
        """Start the clock at a UTC moment like `2026-03-02 09:00`; it ticks on from there."""
        begin = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        with time_machine.travel(begin, tick=True) as traveller:
            yield cls(traveller)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def shift(self, **by: float) -> None:
        """Move on by e.g. `minutes=5`; nothing is done by then."""
        self._traveller.shift(timedelta(**by))

    def advance(self, **by: float) -> None:
        """Move on by e.g. `minutes=5` and do what is due then."""
        self.shift(**by)
        self.work()

    def pass_by(self, **by: float) -> None:
        """Move on in steps of a minute at most, working at each, as a running system does."""
        end = self.now() + timedelta(**by)
        while self.now() < end:
            self.advance(seconds=min(60.0, (end - self.now()).total_seconds() + 0.001))

    @contextmanager
    def detour(self) -> Iterator[None]:
        """Return afterwards to the instant at which this began."""
        begin = self.now()
        yield
        self._traveller.move_to(begin)

    def live(self, days: int) -> None:
        """Live so many days, each with its run of the calendar and the work that follows."""
        for _ in range(days):
            self._traveller.shift(timedelta(days=1))
            billing.bill_due()
            self.work()

    def work(self) -> None:
        """Do everything that is due now. No doorbell is needed: the rows are the queue."""
        demo_days.work()
