"""The walk: a customer, staff, the world outside or time acts next, and every promise must hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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
from tests.walks import calendar, promises
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


class Walk:
    """Steps through a shop of its own; `done` counts those that found something to do."""

    def __init__(self, steps: list[Step]) -> None:
        self.done = 0
        self.steps = steps

    def go(self) -> None:
        """Do all steps, let everything end well, and compare with what really happened.

        Raises what it finds, with the steps that led there.
        """
        with Shop.open() as shop:
            for count, step in enumerate(self.steps, start=1):
                with _told(self.steps[:count]):
                    self._do(shop, step)
            with _told(self.steps):
                calendar.all_ends_well(shop)
                promises.at_the_end(shop, left=calendar.unfinished(shop))

    def _do(self, shop: Shop, step: Step) -> None:
        shop.wait()
        try:
            found = step.do(shop, **step.how)
        except REFUSALS:
            found = True
        if not found:
            return
        self.done += 1
        promises.at_each_step(shop)
        if self.done % EVERY == 0:
            promises.now_and_then(shop)


@contextmanager
def _told(steps: list[Step]) -> Iterator[None]:
    """Add the steps to what is raised."""
    try:
        yield
    except Exception as error:
        error.add_note("\n".join(map(repr, steps)))
        raise
