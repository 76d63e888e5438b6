"""When the next automatic attempt for an invoice is, by its timetable, and whether any."""

from collections.abc import Sequence
from datetime import date, timedelta

from billing.gateways.failures import VERDICTS, Verdict
from billing.models import Payment, PaymentMethod


def next_turn(
    due_on: date,
    taken: Sequence[Payment],
    method: PaymentMethod | None,
    days: Sequence[int],
) -> tuple[int, date] | None:
    """Return number and day of the next attempt with the method; None when there is to be none.

    `days` after the due date they are made: the first, and one for each that failed in a way that
    may pass. After an outage they stay as far apart. A method that was declined for
    good, or that the bank wants confirmed, is not tried again for this invoice; another one is.
    """
    last = max(taken, key=lambda each: each.turn or 0, default=None)
    number = ((last.turn or 0) if last else 0) + 1
    if method is None or number > len(days):
        return None
    ready_on = due_on + timedelta(days=days[number - 1])
    if last is None or last.turn_on is None:
        return number, ready_on
    verdict = VERDICTS.get(last.failure_code, Verdict.LATER)
    if last.method_id == method.pk and verdict != Verdict.LATER:
        return None
    pause = timedelta(days=days[number - 1] - days[number - 2])
    return number, max(ready_on, last.turn_on + pause)
