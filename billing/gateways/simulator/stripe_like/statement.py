"""The lines of Stripe's own statement of the balance there: what moved, and what it cost.

docs.stripe.com/reports/balance-transaction-types and /reporting-categories (read November 2026). A
debit is there from the day that it is asked for; one that fails is taken back by a line of its own.
"""

from .books import Thing

FEE_BP, FEE_FIXED = 150, 25
CATEGORIES = {"payment": "charge", "payment_failure_refund": "charge_failure"}


def fee_of(amount: int) -> int:
    """What Stripe keeps of a payment."""
    return amount * FEE_BP // 10_000 + FEE_FIXED


def line(kind: str, amount: int, *, currency: str, source: str, fee: int, at: float) -> Thing:
    """A balance transaction without its id."""
    return {
        "type": kind,
        "reporting_category": _category(kind, amount),
        "amount": amount,
        "fee": fee,
        "net": amount - fee,
        "currency": currency,
        "source": source,
        "status": "available",
        "available_on": int(at),
        "exchange_rate": None,
        "description": None,
    }


def _category(kind: str, amount: int) -> str:
    if kind == "adjustment":
        return "dispute" if amount < 0 else "dispute_reversal"
    return CATEGORIES.get(kind, kind)
