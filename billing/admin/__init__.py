"""The staff's pages of billing. Money is looked at here; the flows alone write it."""

from billing.admin import (
    brand,
    coupons,
    customers,
    events,
    invoices,
    ledger,
    mails,
    orders,
    payments,
    refunds,
    runs,
    shop_clock,
    subscriptions,
    tax,
    top_ups,
    users,
)

__all__ = [
    "brand",
    "coupons",
    "customers",
    "events",
    "invoices",
    "ledger",
    "mails",
    "orders",
    "payments",
    "runs",
    "refunds",
    "shop_clock",
    "subscriptions",
    "tax",
    "top_ups",
    "users",
]
