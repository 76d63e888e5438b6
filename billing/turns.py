"""The timetable of automatic charges: when the next attempt for an invoice is, and whether any."""

from collections.abc import Sequence
from datetime import date, timedelta

from billing.gateways.failures import VERDICTS, Verdict
from billing.models import Payment, PaymentMethod

# Days after the due date: the first attempt, and one for each that failed in a way that may pass.
TURNS = (0, 3, 5, 7)


def next_turn(
    due_on: date, taken: Sequence[Payment], method: PaymentMethod | None
) -> tuple[int, date] | None:
    """Return number and day of the next attempt with the method; None when there is to be none.

    After an outage attempts stay as far apart as in the timetable. A method that was declined for
    good, or that the bank wants confirmed, is not tried again for this invoice; another one is.
    """
    last = max(taken, key=lambda each: each.turn or 0, default=None)
    number = ((last.turn or 0) if last else 0) + 1
    if method is None or number > len(TURNS):
        return None
    ready_on = due_on + timedelta(days=TURNS[number - 1])
    if last is None or last.turn_on is None:
        return number, ready_on
    verdict = VERDICTS.get(last.failure_code, Verdict.LATER)
    if last.method_id == method.pk and verdict != Verdict.LATER:
        return None
    pause = timedelta(days=TURNS[number - 1] - TURNS[number - 2])
    return number, max(ready_on, last.turn_on + pause)
