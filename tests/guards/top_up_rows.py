"""The rows of top-ups that a guard protects."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from billing.models import (
    AutoPurchase,
    AutoTopUp,
    Order,
    Subscription,
    TopUpLimit,
    TopUpRefund,
    TopUpTerms,
)


def make(rows: dict[str, Any], on: date, at: datetime) -> None:
    """Insert the rows beside those of the purchase."""
    rows["topupterms"] = TopUpTerms.objects.create(
        currency="EUR",
        min_minor=10_00,
        max_minor=500_00,
        balance_minor=1_000_00,
        new_day_minor=100_00,
        new_month_minor=200_00,
        new_balance_minor=300_00,
    )
    rows["autotopup"] = AutoTopUp.objects.create(
        subscription=rows["subscription"],
        below_minor=10_00,
        amount_minor=50_00,
        month_minor=100_00,
        consent={},
        agreed_at=at,
    )
    rows["autopurchase"] = AutoPurchase.objects.create(
        auto=rows["autotopup"],
        order=rows["order"],
        read_at=at,
        on=on,
        amount_minor=50_00,
        month_minor=100_00,
    )
    # Another service and order, for a second standing order and purchase.
    Subscription.objects.create(
        customer=rows["customer"],
        package=rows["package"],
        currency="EUR",
        cycle="monthly",
        amount_minor=49_00,
        limits={},
        allowance="persist",
        zone="Europe/Berlin",
        created_at=at,
    )
    Order.objects.create(
        checkout_key="6f2a7a3e-0000-4000-8000-000000000002",
        customer=rows["customer"],
        currency="EUR",
        language="en",
        placed_at=at,
    )
    rows["topuplimit"] = TopUpLimit.objects.create(
        customer=rows["customer"],
        currency="EUR",
        day_minor=1,
        month_minor=1,
        balance_minor=1,
        reason="known",
        actor="staff:1",
        at=at,
    )
    _refunds(rows, at)


def _refunds(rows: dict[str, Any], at: datetime) -> None:
    """Insert a refund that is over, with its credit note, and one that is under way."""
    line, reason = rows["orderline"], "not needed"
    rows["openrefund"] = TopUpRefund.objects.create(
        line=line, most_minor=20_00, reason=reason, at=at
    )
    rows["topuprefund"] = TopUpRefund.objects.create(
        line=line,
        state=TopUpRefund.State.CREDITED,
        most_minor=20_00,
        taken_minor=10_00,
        reason=reason,
        note=rows["note"],
        at=at,
    )
