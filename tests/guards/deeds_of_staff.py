"""What staff do to prices under a row's lock."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from billing import locks
from packages import prices
from tests.guards import rows


def take_price_change(world: rows.Rows) -> None:
    with transaction.atomic():
        locks.take_price_change(world["price_change"].pk)


def take_price_campaign(world: rows.Rows) -> None:
    with transaction.atomic():
        locks.take_price_campaign(world["campaign"].pk)


def write_price(world: rows.Rows) -> None:
    price: Any = world["price"]
    wanted = {(price.cycle, price.currency): {"credit_minor": 1}}
    with transaction.atomic():
        prices.write(price.package, wanted, at=rows.AT, actor="staff:1")
