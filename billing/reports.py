"""Days of the calendar as lines of text, for commands."""

from collections.abc import Iterable, Iterator, Sequence

from billing.days import Day
from billing.models import Notice
from packages.money import Money, total

HEADINGS = {
    Notice.Step.SUSPENDED: "suspended",
    Notice.Step.ENDED: "ended, not paid",
}


def of_days(days: Sequence[Day]) -> Iterator[str]:
    """Yield each day's invoices, ends and steps, a line for each, then the sums of all days."""
    for day in days:
        yield f"{day.on}"
        for issued in day.invoices:
            due = f"due {issued.due_on}"
            yield _line("invoice", issued.number, issued.customer, _text(issued.total), due)
        for charge in day.charges:
            turn = f"attempt {charge.turn}"
            cells = (_text(charge.due), charge.method, turn)
            yield _line("charge", charge.number, charge.customer, *cells)
        for name in day.trials:
            yield _line("trial ends soon", "", name)
        for name in day.ended:
            yield _line("ended, cancelled", "", name)
        for name in day.told:
            yield _line("told of a new price", "", name)
        for step in day.steps:
            heading = HEADINGS.get(step.code, f"notice {step.code}")
            yield _line(heading, step.number, step.customer, _text(step.due))
        for fault in day.faults:
            yield _line("failed", "", fault["item"], fault["error"])
    yield from _sums(days)


def _sums(days: Sequence[Day]) -> Iterator[str]:
    steps = [step for day in days for step in day.steps]
    issued = [each for day in days for each in day.invoices]
    yield f"invoices {len(issued)}{_sum(each.total for each in issued)}"
    asked = [each for day in days for each in day.charges]
    yield f"charges {len(asked)}{_sum(each.due for each in asked)}"
    severe = {code: [each for each in steps if each.code == code] for code in HEADINGS}
    notices = [each for each in steps if each.code not in HEADINGS]
    yield f"notices {len(notices)}{_sum(each.due for each in notices)}"
    suspended, ended = severe[Notice.Step.SUSPENDED], severe[Notice.Step.ENDED]
    yield f"suspensions {len(suspended)}{_sum(each.due for each in suspended)}"
    cancelled = sum(len(day.ended) for day in days)
    yield f"terminations {len(ended) + cancelled}{_sum(each.due for each in ended)}"


def _sum(amounts: Iterable[Money]) -> str:
    by_currency: dict[str, list[Money]] = {}
    for each in amounts:
        by_currency.setdefault(each.currency, []).append(each)
    sums = [_text(total(each, currency)) for currency, each in sorted(by_currency.items())]
    return "".join(f", {each}" for each in sums)


def _line(*cells: str) -> str:
    heading, number, name, *rest = cells
    return f"  {heading:<26} {number:<12} {name:<30} {'  '.join(rest)}".rstrip()


def _text(amount: Money) -> str:
    return f"{amount.decimal()} {amount.currency}"
