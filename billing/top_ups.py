"""Credit of any amount for a running service: the same order, invoice and job as a package's."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from billing import emails, invoices, locks, top_up_limits
from billing.models import (
    Brand,
    InvoiceLine,
    Order,
    OrderLine,
    Subscription,
    TopUpTerms,
    User,
)
from packages.models import Cycle
from packages.money import Money
from packages.states import record_change


class NotForSale(Exception):
    """The service does not run, or nothing is sold so in its currency."""


class OutOfRange(Exception):
    """The amount is smaller or larger than one top-up may be."""


class Changed(Exception):
    """It costs another sum than the customer saw; nothing was ordered."""


@dataclass(frozen=True, slots=True)
class Wish:
    """So much credit for a service. It costs its amount, net or gross by the brand's price mode."""

    subscription: Subscription
    amount: Money

    @property
    def account(self) -> str:
        account = self.subscription.account
        return account.username if account else ""


@dataclass(frozen=True, slots=True)
class Quote:
    """What a top-up costs this customer today. Nothing of it is stored."""

    wish: Wish
    priced: invoices.Priced

    @property
    def total(self) -> Money:
        return self.priced.sums.total

    @property
    def fingerprint(self) -> str:
        """Name what the customer sees; the form sends it back, so that nothing else is ordered."""
        return f"{self.wish.amount.minor}:{self.total.minor}{self.total.currency}"


def terms_of(subscription: Subscription) -> TopUpTerms | None:
    """Return what is sold for the service in free amounts, None while nothing is."""
    if subscription.state != Subscription.State.ACTIVE or subscription.account is None:
        return None
    return TopUpTerms.objects.filter(currency=subscription.currency).first()


def quote(wish: Wish, brand: Brand, *, language: str, on: date) -> Quote:
    """Price a top-up with its tax. Raises NotForSale, OutOfRange, tax.NoRate."""
    terms = terms_of(wish.subscription)
    if terms is None:
        raise NotForSale
    if not terms.smallest <= wish.amount <= terms.largest:
        raise OutOfRange
    with translation.override(language):
        draft = _draft(wish, language)
    return Quote(wish, invoices.price(draft, brand, on=on))


def order(
    wish: Wish,
    brand: Brand,
    *,
    key: uuid.UUID,
    placed_by: User | None,
    language: str,
    consents: dict[str, Any],
    seen: str,
    on: date,
    at: datetime,
    actor: str,
) -> Order:
    """Order the credit with its issued invoice, all or nothing; once per `key`.

    Who orders in person gets a confirmation by mail; a standing order (no `placed_by`) ends in
    the receipt. `seen` is the fingerprint of the quote that the customer agreed to. Locks the
    customer's subscriptions, so that two orders cannot pass a limit together. Raises NotForSale,
    OutOfRange, Changed, top_up_limits.Refused, tax.NoRate.
    """
    try:
        with transaction.atomic(), translation.override(language):
            placed = Order.objects.create(
                checkout_key=key,
                customer=wish.subscription.customer,
                placed_by=placed_by,
                currency=wish.amount.currency,
                language=language,
                consents=consents,
                placed_at=at,
            )
            record_change(placed, before="", at=at, actor=actor, reason="placed")
            _fill(placed, wish, brand, seen=seen, on=on, at=at, actor=actor)
    except IntegrityError:
        # A double click: the first one's order; any other broken rule is not this one's business.
        earlier = Order.objects.filter(checkout_key=key, customer=wish.subscription.customer)
        placed_before = earlier.first()
        if placed_before is None:
            raise
        return placed_before
    return placed


def _fill(
    placed: Order, wish: Wish, brand: Brand, *, seen: str, on: date, at: datetime, actor: str
) -> None:
    held = locks.take_of_customer(placed.customer)
    wish = Wish(held.subscriptions[wish.subscription.pk], wish.amount)
    if quote(wish, brand, language=placed.language, on=on).fingerprint != seen:
        raise Changed
    top_up_limits.admit(wish.subscription, wish.amount, at=at)
    line = OrderLine.objects.create(
        order=placed,
        kind=OrderLine.Kind.TOP_UP,
        subscription=wish.subscription,
        name=_("Credit"),
        cycle=Cycle.ONE_TIME,
        amount_minor=wish.amount.minor,
        credit_minor=wish.amount.minor,
    )
    draft = _draft(wish, placed.language, placed, line)
    (invoice,) = invoices.issue([draft], brand, at=at, actor=actor)
    if placed.placed_by_id is not None:
        emails.order_placed(placed, invoice, at=at)


def _draft(
    wish: Wish, language: str, placed: Order | None = None, line: OrderLine | None = None
) -> invoices.Draft:
    charge = invoices.Line(
        InvoiceLine.Kind.CREDIT,
        _("Credit for account %(account)s") % {"account": wish.account},
        wish.amount,
        wish.subscription,
        line,
    )
    customer = wish.subscription.customer
    return invoices.Draft(customer, wish.amount.currency, language, (charge,), placed)
