"""All that may happen, how often, and how: the table from which a walk's steps are drawn."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.walks import calendar, customers, gateway, staff

PICK = range(12)
YES_OR_NO = (False, True)
CODES = ("", "", "", "HALF", "ALL", "FIFTEEN")
CYCLES = ("monthly", "monthly", "monthly", "quarterly", "yearly")
BASKETS = (
    *(["business"], ["starter"], ["scale"], ["flex"], ["fax-office"], ["message-reach"]),
    *(["starter", "flex"], ["business", "message-reach"]),
)
CARDS = (
    *[customers.GOOD_CARD] * 8,
    *("4000000000000002", "4000002500003155", "4000000000000077", "4000000000000259"),
)
LATER = (None, None, "insufficient_funds", "card_declined", "authentication_required")


@dataclass(frozen=True)
class Step:
    """One deed with what was drawn for it."""

    do: Callable[..., bool]
    how: dict[str, Any]

    def __repr__(self) -> str:
        return f"{self.do.__name__}({', '.join(f'{k}={v!r}' for k, v in self.how.items())})"


class Deed:
    """What may be done, how often beside the others, and what may be drawn for it."""

    def __init__(self, weight: int, do: Callable[..., bool], **how: Sequence[Any]) -> None:
        self.weight, self.do, self.how = weight, do, how

    def step(self, dice: random.Random) -> Step:
        return Step(self.do, {name: dice.choice(values) for name, values in self.how.items()})


CUSTOMERS = (
    Deed(14, customers.uses_credit, pick=PICK, cents=(1, 250, 1999, 100_00)),
    Deed(
        3,
        customers.orders_packages,
        pick=PICK,
        slugs=BASKETS,
        cycle=CYCLES,
        quantity=(1, 1, 1, 3),
        code=CODES,
    ),
    Deed(3, customers.tops_up, pick=PICK, code=CODES, euros=(0, 20)),
    Deed(9, customers.pays, pick=PICK, card=CARDS, keeps=YES_OR_NO, comes_back=YES_OR_NO),
    Deed(3, customers.begins_to_pay, pick=PICK),
    Deed(3, customers.pays_on_an_old_page, pick=PICK),
    Deed(1, customers.pays_with_one_click, pick=PICK),
    Deed(4, customers.changes_methods, pick=PICK, how=("on", "off", "default", "remove")),
    Deed(3, customers.cancels, pick=PICK),
    Deed(3, customers.withdraws, pick=PICK),
    Deed(2, customers.brings_back, pick=PICK),
    Deed(6, customers.exchanges_package, pick=PICK, target=PICK, at_end=YES_OR_NO, staff=YES_OR_NO),
    Deed(3, customers.takes_exchange_back, pick=PICK),
    Deed(4, customers.orders_automatically, pick=PICK, on=(True, True, False)),
)

STAFF = (
    Deed(4, staff.books_transfer, pick=PICK, percent=(100, 100, 50, 1, 130, 250)),
    Deed(4, staff.credits_invoice, pick=PICK, part=(0, 0, 100, 33, 50), refunded=YES_OR_NO),
    Deed(2, staff.writes_off, pick=PICK),
    Deed(2, staff.refunds_balance, pick=PICK, percent=(100, 40)),
    Deed(2, staff.ends_transfers, pick=PICK, sent=YES_OR_NO),
    Deed(2, staff.refunds_credit, pick=PICK),
    Deed(4, staff.gives_credit, pick=PICK, cents=(500, 1), days=(0, 3, 30)),
    Deed(4, staff.pauses_dunning, pick=PICK, days=(2, 10, 60)),
    Deed(3, staff.lifts_pause, pick=PICK),
    Deed(
        1,
        staff.changes_price,
        slug=("starter", "business"),
        euros=(5, -10, 30),
        days=(1, 20, 45),
        existing=YES_OR_NO,
    ),
    Deed(1, staff.runs_campaign, percent=(5, -10), days=(1, 20, 45), existing=YES_OR_NO),
    Deed(1, staff.takes_prices_back, pick=PICK),
    Deed(2, staff.ends_dispute, pick=PICK),
    Deed(3, staff.decides_on_parked_jobs, pick=PICK),
    Deed(3, staff.looks_into_inbox, pick=PICK, closes=YES_OR_NO),
)

OUTSIDE = (
    Deed(5, gateway.tells, times=(1, 2), backwards=YES_OR_NO),
    Deed(1, gateway.is_disputed, pick=PICK),
    Deed(1, gateway.refunds_by_hand, pick=PICK, percent=(100, 30)),
    Deed(
        4,
        gateway.misbehaves,
        path=("/v1/payments", "/v1/charges", "/v1/payments/*"),
        method=("POST", "GET"),
        apply=YES_OR_NO,
        answer=("500", "html", "reset"),
    ),
    Deed(3, gateway.changes_card, pick=PICK, later=LATER, gone=YES_OR_NO),
    Deed(
        4,
        calendar.dialler_misbehaves,
        apply=("yes", "no"),
        answer=("500", "html", "reset_after", "empty", "strings"),
        times=(1, 1, 2),
    ),
    Deed(2, calendar.dialler_is_cut_off, cut=YES_OR_NO),
)

TIME = (
    Deed(14, calendar.hours_pass, hours=(1, 12, 30)),
    Deed(4, calendar.workers_work, minutes=(0, 2, 30)),
    Deed(4, calendar.days_pass, days=(1, 1, 2)),
    Deed(1, calendar.nothing_runs, days=(3, 7, 20, 40)),
)

# There are more customers than staff.
GROUPS = (CUSTOMERS, CUSTOMERS, OUTSIDE, STAFF)
# Without the others what is left goes further: nobody pays, nobody cancels, nothing fails.
LEFT_OUT = 0.2


def drawn(seed: int, count: int) -> list[Step]:
    """Draw a walk's steps, always the same from a seed; each leaves some deeds out, but no time."""
    dice = random.Random(seed)
    steps = [step for pick in range(dice.choice((0, 1, 2))) for step in bought(pick, dice)]
    kept = [[deed for deed in group if dice.random() >= LEFT_OUT] for group in GROUPS]
    for _ in range(count):
        group = dice.choice([*kept, TIME])
        (deed,) = dice.choices(group, [each.weight for each in group])
        steps.append(deed.step(dice))
    return steps


def bought(pick: int, dice: random.Random) -> list[Step]:
    """What makes a customer with a service that runs and a card that is kept."""
    slugs = [dice.choice(("business", "starter", "flex"))]
    order = {"slugs": slugs, "cycle": "monthly", "quantity": 1, "code": ""}
    pay = {"card": customers.GOOD_CARD, "keeps": True, "comes_back": True}
    return [
        Step(customers.orders_packages, {"pick": pick, **order}),
        Step(customers.pays, {"pick": 0, **pay}),
        Step(calendar.workers_work, {"minutes": 0}),
    ]
