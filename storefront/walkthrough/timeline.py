"""What happened when, with the three figures that must agree: owed, paid, and on the dialler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, sleep
from typing import TypeVar

from django.db.models import F, Sum

from billing.models import Customer, Invoice, Payment, Subscription
from packages.money import Money

T = TypeVar("T")


class Differs(Exception):
    """Something is not as it should be; the walkthrough ends here."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a customer stands in one currency."""

    owed: Money
    paid: Money
    on_dialler: Money | None


def standing(email: str, currency: str, on_dialler: Money | None) -> Standing:
    """Read what the books say about the customer; zero before there is one."""
    customer = Customer.objects.filter(email=email).first()
    invoices = Invoice.objects.filter(
        customer=customer, currency=currency, kind=Invoice.Kind.INVOICE
    )
    left = F("total_minor") - F("paid_minor") - F("credited_minor")
    owed = invoices.aggregate(sum=Sum(left))["sum"] or 0
    paid = Payment.objects.filter(
        customer=customer, currency=currency, state=Payment.State.SUCCEEDED
    ).aggregate(sum=Sum("amount_minor"))["sum"]
    return Standing(Money(owed, currency), Money(paid or 0, currency), on_dialler)


def subscription_of(email: str) -> Subscription | None:
    """Return the customer's subscription, with its account."""
    found = Subscription.objects.select_related("account__server", "package")
    return found.filter(customer__email=email).first()


class Timeline:
    """Prints a line for each step, and stops the walk at the first difference."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._begun = monotonic()

    def title(self, text: str) -> None:
        self._write("")
        self._write(text)
        self._write(f"  {'time':>7}  {'step':<58}{'owed':>10}{'paid':>10}{'dialler':>10}")

    def step(self, text: str, now: Standing) -> None:
        seconds = f"{monotonic() - self._begun:.1f} s"
        amounts = (now.owed, now.paid, now.on_dialler)
        figures = "".join(f"{each.decimal() if each is not None else '–':>10}" for each in amounts)
        self._write(f"  {seconds:>7}  {text:<58}{figures}")

    def must(self, what: str, actual: object, expected: object) -> None:
        """Raise Differs unless both are equal."""
        if actual != expected:
            raise Differs(f"{what}: {actual} instead of {expected}")


def wait_for(what: str, look: Callable[[], T | None], *, seconds: float = 30) -> T:
    """Look until there is something, or raise Differs when the time is over."""
    limit = monotonic() + seconds
    while (found := look()) is None:
        if monotonic() > limit:
            raise Differs(f"{what}: not there after {seconds:g} s")
        sleep(0.2)
    return found
