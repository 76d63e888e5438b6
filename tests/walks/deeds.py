"""All that may happen, how often, and how: the table from which a walk's steps are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.walks import calendar, customers, gateway, staff

PICK = st.integers(0, 11)
YES_OR_NO = st.booleans()
CODES = st.sampled_from(["", "", "", "HALF", "ALL", "FIFTEEN"])
CYCLES = st.sampled_from(["monthly", "monthly", "monthly", "quarterly", "yearly"])
BASKETS = st.sampled_from(
    [
        *(["business"], ["starter"], ["scale"], ["flex"], ["fax-office"], ["message-reach"]),
        *(["starter", "flex"], ["business", "message-reach"]),
    ]
)
CARDS = st.sampled_from(
    [
        *[customers.GOOD_CARD] * 8,
        *("4000000000000002", "4000002500003155", "4000000000000077", "4000000000000259"),
    ]
)
LATER = st.sampled_from(
    [None, None, "insufficient_funds", "card_declined", "authentication_required"]
)


@dataclass(frozen=True)
class Step:
    """One deed with what was drawn for it."""

    do: Callable[..., bool]
    how: dict[str, Any]

    def __repr__(self) -> str:
        return f"{self.do.__name__}({', '.join(f'{k}={v!r}' for k, v in self.how.items())})"


def some(*deeds: tuple[int, Callable[..., bool], dict[str, Any]]) -> st.SearchStrategy[Step]:
    """Draw one of the deeds, each as often as its weight says, and its arguments."""
    each = [st.builds(Step, st.just(do), st.fixed_dictionaries(how)) for _weight, do, how in deeds]
    places = [place for place, (weight, *_) in enumerate(deeds) for _ in range(weight)]
    return st.sampled_from(places).flatmap(each.__getitem__)


CUSTOMERS = some(
    (14, customers.uses_credit, {"pick": PICK, "cents": st.sampled_from([1, 250, 1999, 100_00])}),
    (
        3,
        customers.orders_packages,
        {
            "pick": PICK,
            "slugs": BASKETS,
            "cycle": CYCLES,
            "quantity": st.sampled_from([1, 1, 1, 3]),
            "code": CODES,
        },
    ),
    (3, customers.tops_up, {"pick": PICK, "code": CODES, "euros": st.sampled_from([0, 20])}),
    (
        9,
        customers.pays,
        {"pick": PICK, "card": CARDS, "keeps": YES_OR_NO, "comes_back": YES_OR_NO},
    ),
    (3, customers.begins_to_pay, {"pick": PICK}),
    (3, customers.pays_on_an_old_page, {"pick": PICK}),
    (1, customers.pays_with_one_click, {"pick": PICK}),
    (
        4,
        customers.changes_methods,
        {"pick": PICK, "how": st.sampled_from(["on", "off", "default", "remove"])},
    ),
    (3, customers.cancels, {"pick": PICK}),
    (3, customers.withdraws, {"pick": PICK}),
    (2, customers.brings_back, {"pick": PICK}),
    (
        6,
        customers.exchanges_package,
        {"pick": PICK, "target": PICK, "at_end": YES_OR_NO, "staff": YES_OR_NO},
    ),
    (3, customers.takes_exchange_back, {"pick": PICK}),
    (4, customers.orders_automatically, {"pick": PICK, "on": st.sampled_from([True, True, False])}),
)

STAFF = some(
    (
        4,
        staff.books_transfer,
        {"pick": PICK, "percent": st.sampled_from([100, 100, 50, 1, 130, 250])},
    ),
    (
        4,
        staff.credits_invoice,
        {"pick": PICK, "part": st.sampled_from([0, 0, 100, 33, 50]), "refunded": YES_OR_NO},
    ),
    (2, staff.writes_off, {"pick": PICK}),
    (2, staff.refunds_balance, {"pick": PICK, "percent": st.sampled_from([100, 40])}),
    (2, staff.ends_transfers, {"pick": PICK, "sent": YES_OR_NO}),
    (2, staff.refunds_credit, {"pick": PICK}),
    (
        4,
        staff.gives_credit,
        {"pick": PICK, "cents": st.sampled_from([500, 1]), "days": st.sampled_from([0, 3, 30])},
    ),
    (4, staff.pauses_dunning, {"pick": PICK, "days": st.sampled_from([2, 10, 60])}),
    (3, staff.lifts_pause, {"pick": PICK}),
    (
        1,
        staff.changes_price,
        {
            "slug": st.sampled_from(["starter", "business"]),
            "euros": st.sampled_from([5, -10, 30]),
            "days": st.sampled_from([1, 20, 45]),
            "existing": YES_OR_NO,
        },
    ),
    (2, staff.ends_dispute, {"pick": PICK}),
    (3, staff.decides_on_parked_jobs, {"pick": PICK}),
    (3, staff.looks_into_inbox, {"pick": PICK, "closes": YES_OR_NO}),
)

OUTSIDE = some(
    (5, gateway.tells, {"times": st.sampled_from([1, 2]), "backwards": YES_OR_NO}),
    (1, gateway.is_disputed, {"pick": PICK}),
    (1, gateway.refunds_by_hand, {"pick": PICK, "percent": st.sampled_from([100, 30])}),
    (
        4,
        gateway.misbehaves,
        {
            "path": st.sampled_from(["/v1/payments", "/v1/charges", "/v1/payments/*"]),
            "method": st.sampled_from(["POST", "GET"]),
            "apply": YES_OR_NO,
            "answer": st.sampled_from(["500", "html", "reset"]),
        },
    ),
    (3, gateway.changes_card, {"pick": PICK, "later": LATER, "gone": YES_OR_NO}),
    (
        4,
        calendar.dialler_misbehaves,
        {
            "apply": st.sampled_from(["yes", "no"]),
            "answer": st.sampled_from(["500", "html", "reset_after", "empty", "strings"]),
            "times": st.sampled_from([1, 1, 2]),
        },
    ),
    (2, calendar.dialler_is_cut_off, {"cut": YES_OR_NO}),
)

TIME = some(
    (14, calendar.hours_pass, {"hours": st.sampled_from([1, 12, 30])}),
    (4, calendar.workers_work, {"minutes": st.sampled_from([0, 2, 30])}),
    (4, calendar.days_pass, {"days": st.sampled_from([1, 1, 2])}),
    (1, calendar.nothing_runs, {"days": st.sampled_from([3, 7, 20, 40])}),
)
