"""The walk: a customer, staff, the world outside or time acts next, and every promise must hold."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from billing import (
    cancellations,
    carts,
    checkout,
    coupons,
    credit_notes,
    methods,
    payments,
    price_changes,
    quotes,
    refunds,
    returns,
    settlements,
    top_up_limits,
    top_ups,
)
from billing.gateways.base import GatewayError
from packages.desk import Impossible
from tests.walks import calendar, customers, deeds, promises
from tests.walks.deeds import Step
from tests.walks.shop import Shop

# What a flow says when it will not do something; whatever else is raised fails the walk.
REFUSALS = (
    cancellations.NotCancellable,
    carts.NotForSale,
    checkout.Changed,
    coupons.Refused,
    credit_notes.NotCreditable,
    methods.NotUsable,
    payments.MethodGone,
    payments.NotPayable,
    price_changes.NotPossible,
    quotes.NotExchangeable,
    refunds.NotRefundable,
    returns.NotReturnable,
    settlements.NotOpen,
    top_up_limits.Refused,
    top_ups.NotForSale,
    top_ups.OutOfRange,
    GatewayError,
    Impossible,
)
# All invariants together take as long as several steps.
EVERY = 50
NOTHING = "nothing to do"


class Walk(RuleBasedStateMachine):
    """Every step is one deed of the table; each walk has a shop of its own."""

    # How often each deed was done, refused, or found nothing to do; all walks together.
    outcomes: Counter[tuple[str, str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()
        self._shop = self._open.enter_context(Shop.open())
        self._steps, self._whole = 0, True

    @classmethod
    def steps(cls) -> int:
        """Return how many deeds were done or refused; what found nothing to do is no step."""
        return sum(count for (_, outcome), count in cls.outcomes.items() if outcome != NOTHING)

    @initialize(slugs=st.lists(st.sampled_from(["business", "starter", "flex"]), max_size=2))
    def some_have_bought(self, slugs: list[str]) -> None:
        for pick, slug in enumerate(slugs):
            order: dict[str, Any] = {"slugs": [slug], "cycle": "monthly", "quantity": 1, "code": ""}
            pay: dict[str, Any] = {"card": customers.GOOD_CARD, "keeps": True, "comes_back": True}
            self._do(Step(customers.orders_packages, {"pick": pick, **order}))
            self._do(Step(customers.pays, {"pick": 0, **pay}))
        self._do(Step(calendar.workers_work, {"minutes": 0}))

    @rule(step=deeds.CUSTOMERS)
    def customer(self, step: Step) -> None:
        self._do(step)

    @rule(step=deeds.CUSTOMERS)
    def customer_again(self, step: Step) -> None:
        """As often again: there are more customers than staff."""
        self._do(step)

    @rule(step=deeds.OUTSIDE)
    def outside(self, step: Step) -> None:
        self._do(step)

    @rule(step=deeds.STAFF)
    def staff(self, step: Step) -> None:
        self._do(step)

    @rule(step=deeds.TIME)
    def time(self, step: Step) -> None:
        self._do(step)

    def teardown(self) -> None:
        """Let everything end well, and compare with what really happened."""
        try:
            if self._whole:
                calendar.all_ends_well(self._shop)
                promises.at_the_end(self._shop)
        finally:
            self._open.close()

    def _do(self, step: Step) -> None:
        self._whole = False
        self._shop.wait()
        try:
            outcome = "done" if step.do(self._shop, **step.how) else NOTHING
        except REFUSALS as refusal:
            outcome = f"refused, {type(refusal).__name__}"
        self.outcomes[step.do.__name__, outcome] += 1
        promises.at_each_step(self._shop)
        self._steps += outcome != NOTHING
        if outcome != NOTHING and self._steps % EVERY == 0:
            promises.now_and_then(self._shop)
        self._whole = True
