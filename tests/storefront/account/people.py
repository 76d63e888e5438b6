"""Customers in the states that the client area must tell apart, made by the product's own flows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.test import Client

from billing import carts, checkout
from billing.models import Customer, Invoice, Subscription, User
from packages.periods import business_day
from provisioning.models import Account, Job, Reading
from tests import world
from tests.payments import pay


@dataclass(frozen=True, slots=True)
class Person:
    """A customer with one service."""

    user: User
    customer: Customer
    subscription: Subscription
    invoice: Invoice

    def browser(self) -> Client:
        """Return a browser that is signed in as this person."""
        client = Client()
        client.force_login(self.user)
        return client

    @property
    def account(self) -> Account:
        return Account.objects.get(subscription=self.subscription)


def waiting(email: str, *, at: datetime) -> Person:
    """Someone who has ordered and not paid."""
    user, customer = world.customer(email, at=at)
    invoice, subscription = order(user, customer, "starter", at=at)
    return Person(user, customer, subscription, invoice)


def running(email: str, *, at: datetime, balance_minor: int | None = 18_20) -> Person:
    """Someone whose paid service runs at the dialler."""
    person = waiting(email, at=at)
    pay(person.invoice, at=at)
    person.subscription.refresh_from_db()
    person.invoice.refresh_from_db()
    _finish(person.account, balance_minor=balance_minor, at=at)
    return person


def known(email: str) -> Person:
    """Return who was made before."""
    subscription = Subscription.objects.get(customer__email=email)
    customer = Customer.objects.get(email=email)
    invoice = Invoice.objects.get(customer=customer)
    return Person(customer.users.get(), customer, subscription, invoice)


def order(
    user: User, customer: Customer, slug: str, *, at: datetime
) -> tuple[Invoice, Subscription]:
    brand = world.brand()
    on = business_day(at, brand.zone)
    cart = carts.add(None, world.price(slug), subscription=None, at=at)
    quote = checkout.quote(cart, customer, brand, language="en", on=on)
    placed = checkout.place(
        cart,
        customer,
        brand,
        placed_by=user,
        language="en",
        consents={},
        seen=quote.fingerprint,
        on=on,
        at=at,
    )
    line = placed.lines.select_related("subscription").get()
    return Invoice.objects.get(order=placed), line.subscription


def read(person: Person, *, at: datetime) -> None:
    """Let the dialler have been read three times in four days."""
    for day, minor in ((4, 20_00), (2, 19_20), (0, 18_20)):
        read_at = at - timedelta(days=day)
        Reading.objects.create(
            account=person.account,
            slot=read_at,
            at=read_at,
            balance_minor=minor,
            units={"voice": 40, "email": 0},
            used={"voice": 260},
            cost_minor=1_80,
        )


def _finish(account: Account, *, balance_minor: int | None, at: datetime) -> None:
    """Stand where a worker leaves an account whose jobs are done."""
    with transaction.atomic():
        for job in account.jobs.order_by("seq"):
            job.move(Job.State.RUNNING, at=at, actor="test", reason="taken")
            job.finished_at = at
            job.move(Job.State.DONE, at=at, actor="test", reason="done", also=("finished_at",))
        account.move(Account.State.LIVE, at=at, actor="test", reason="created")
        account.password_sealed, account.remote_id = None, f"remote-{account.pk}"
        account.balance_minor = balance_minor
        account.balance_at = None if balance_minor is None else at
        account.save()
