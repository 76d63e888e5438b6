"""Who lives the three years: subscriptions, each with its package, its first day and its habits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import QuerySet

from billing import cancellations, carts, coupons, methods
from billing.models import Customer, Invoice, PaymentMethod, Subscription
from packages.models import Price
from packages.money import Money
from tests import payments, world
from tests.billing import orders, saved
from tests.story import Gateway

Deed = Callable[["Life", datetime], object]


@dataclass
class Life:
    """A customer with one subscription, who pays each invoice so many days after it is due."""

    name: str
    slug: str
    cycle: str
    begins_on: date
    pays_after: int = 0
    # What is due after this day is not paid any more.
    pays_until: date = date.max
    # A habit of every so many invoices: then it is paid as late as this.
    late: tuple[int, int] = (0, 0)
    deeds: Mapping[date, Deed] = field(default_factory=dict)
    # Who saves a card at this gateway is charged on the due date, and pays nothing by hand.
    gateway: Gateway | None = None
    coupon: str = ""
    customer: Customer | None = None

    def __str__(self) -> str:
        return f"{self.name}: {self.slug}, {self.cycle}, from {self.begins_on}"

    def lives(self, on: date, at: datetime, open_invoices: Sequence[Invoice]) -> None:
        """Do what this customer does on that day."""
        if on == self.begins_on:
            self._buys(at)
        if on in self.deeds:
            self.deeds[on](self, at)
        for invoice in open_invoices if self.gateway is None else ():
            mine = self.customer is not None and invoice.customer_id == self.customer.pk
            if mine and invoice.due_on is not None and self._pays_on(invoice, invoice.due_on) <= on:
                payments.pay(invoice, at=at)

    def subscription(self) -> Subscription:
        return Subscription.objects.get(customer=self.customer)

    def invoices(self) -> QuerySet[Invoice]:
        """Return what this customer was billed, credit notes too, the oldest first."""
        return Invoice.objects.filter(customer=self.customer).order_by("issued_at", "pk")

    def price(self) -> Price:
        return world.price(self.slug, cycle=self.cycle)

    def _buys(self, at: datetime) -> None:
        email = f"{self.name.lower().replace(' ', '-')}@example.com"
        user, self.customer = world.customer(email, at=at)
        cart = carts.add(None, self.price(), subscription=None, at=at)
        if self.coupon:
            coupons.enter(cart, self.coupon, self.customer, on=self.begins_on, at=at)
        order = orders.order(cart, user, self.customer, at=at)
        if self.gateway is not None:
            saved.pay_and_keep(order.invoice, self.gateway, at=at)
            methods.switch(self.customer, True, at=at, actor="user:1")
        elif order.invoice.due:
            payments.pay(order.invoice, at=at)

    def _pays_on(self, invoice: Invoice, due_on: date) -> date:
        if due_on > self.pays_until:
            return date.max
        every, days = self.late
        is_late = every and self.invoices().filter(pk__lte=invoice.pk).count() % every == 0
        return due_on + timedelta(days=days if is_late else self.pays_after)


def cancels(life: Life, at: datetime) -> None:
    cancellations.cancel(life.subscription(), at=at, actor="user:1")


def withdraws(life: Life, at: datetime) -> None:
    cancellations.withdraw(life.subscription(), at=at, actor="user:1")


def tops_up(life: Life, at: datetime) -> None:
    assert life.customer is not None
    subscription, user = life.subscription(), life.customer.users.get()
    order = orders.place_prices(
        user, life.customer, world.price("credit-100"), subscription=subscription, at=at
    )
    payments.pay(order.invoice, at=at)


def declines(life: Life, at: datetime) -> None:
    _card_says(life, "insufficient_funds")


def accepts(life: Life, at: datetime) -> None:
    _card_says(life, None)


def _card_says(life: Life, code: str | None) -> None:
    assert life.gateway is not None
    saved.later(life.gateway, PaymentMethod.objects.get(customer=life.customer), code)


def cast(gateway: Gateway) -> list[Life]:
    """Return the lives. What is special about each is its name."""
    return [
        Life("Anchor 31", "business", "monthly", date(2027, 1, 31)),
        Life("Leap Day", "starter", "monthly", date(2028, 2, 29), pays_after=-3),
        Life("Every Quarter", "business", "quarterly", date(2027, 11, 30), pays_after=-5),
        Life("Half Years", "scale", "half_yearly", date(2027, 8, 31), pays_after=2),
        Life("Every Year", "scale", "yearly", date(2027, 3, 1), pays_after=-10),
        Life("Two Years", "fax-office", "two_yearly", date(2027, 2, 28)),
        Life("On Trial", "message-reach", "monthly", date(2027, 4, 17)),
        # The fourth, eighth … invoice is paid twelve days late: two after the suspension.
        Life("Often Late", "business", "monthly", date(2027, 5, 5), late=(4, 12)),
        Life("Stops Paying", "starter", "monthly", date(2027, 6, 30), pays_until=date(2028, 1, 1)),
        Life(
            "Cancels", "fax-office", "monthly", date(2027, 3, 15),
            deeds={
                date(2027, 9, 20): cancels,
                date(2027, 9, 25): withdraws,
                date(2028, 5, 14): cancels,
            },
        ),
        Life(
            "Tops Up", "flex", "one_time", date(2027, 2, 10),
            deeds={date(2027, 7, 1): tops_up, date(2029, 2, 28): tops_up},
        ),
        Life("Resets", "starter", "monthly", date(2027, 7, 29), pays_after=1),
        # The charge of 30 May 2028 is declined; the second retry, five days later, goes through.
        Life(
            "By Card", "business", "monthly", date(2027, 10, 30), gateway=gateway,
            deeds={date(2028, 5, 29): declines, date(2028, 6, 3): accepts},
        ),
        Life("Coupon", "business", "monthly", date(2028, 1, 12), coupon="THREE"),
    ]  # fmt: skip


def balance_of(life: Life, accounts: list[dict[str, str]]) -> Money | None:
    """Return what the dialler says, None when the account is gone."""
    account = life.subscription().account
    assert account is not None
    for remote in accounts:
        if remote["username"] == account.username:
            return Money.rounded(Decimal(remote["balance"]), "EUR")
    return None
