"""What customers do. A deed returns False when there was nothing to do it to."""

from __future__ import annotations

import uuid

from billing import (
    auto_top_ups,
    cancellations,
    carts,
    charges,
    coupons,
    exchanges,
    methods,
    payment_checks,
    payments,
    quotes,
    returns,
    top_ups,
)
from billing.gateways.simulator import cards
from billing.models import (
    Customer,
    Exchange,
    Invoice,
    Payment,
    PaymentMethod,
    Subscription,
    User,
)
from packages.models import Cycle, Price
from packages.money import Money
from tests import world
from tests.billing import orders, saved
from tests.walks.shop import Shop, one_of

GOOD_CARD = "4242424242424242"
LIVING = (Subscription.State.ACTIVE, Subscription.State.SUSPENDED)
ACTOR = "user:1"
# Each of them makes every day of a walk longer.
MOST_SERVICES = 4


def open_invoices() -> list[Invoice]:
    return list(Invoice.objects.filter(state=Invoice.State.OPEN).order_by("-pk")[:12])


def orders_packages(
    shop: Shop, pick: int, slugs: list[str], *, cycle: str, quantity: int, code: str
) -> bool:
    """Put packages into a basket, perhaps with a coupon, and order them; not too many in all."""
    if Subscription.objects.exclude(state=Subscription.State.ENDED).count() >= MOST_SERVICES:
        return False
    user, customer = shop.person(pick)
    cart = None
    for slug in slugs:
        cycles = {each.cycle for each in Price.objects.filter(package__slug=slug, currency="EUR")}
        price = world.price(slug, cycle=cycle if cycle in cycles else "")
        cart = carts.add(cart, price, subscription=None, at=shop.now, quantity=quantity)
    assert cart is not None
    if code:
        coupons.enter(cart, code, customer, on=shop.on, at=shop.now)
    orders.order(cart, user, customer, at=shop.now)
    return True


def tops_up(shop: Shop, pick: int, *, code: str, euros: int) -> bool:
    """Buy credit for a running service: a package of it, or a free amount."""
    service = one_of(Subscription.objects.filter(state="active"), pick)
    if service is None:
        return False
    user, customer = _owner(service)
    if euros:
        return _buys_amount(shop, service, user, Money(euros * 100, "EUR"))
    price = world.price(("credit-25", "credit-100")[pick % 2])
    cart = carts.add(None, price, subscription=service, at=shop.now)
    if code:
        coupons.enter(cart, code, customer, on=shop.on, at=shop.now)
    orders.order(cart, user, customer, at=shop.now)
    return True


def _buys_amount(shop: Shop, service: Subscription, user: User, amount: Money) -> bool:
    wish, brand = top_ups.Wish(service, amount), world.brand()
    quoted = top_ups.quote(wish, brand, language="en", on=shop.on)
    top_ups.order(
        wish,
        brand,
        key=uuid.uuid4(),
        placed_by=user,
        language="en",
        consents=orders.CONSENTS,
        seen=quoted.fingerprint,
        on=shop.on,
        at=shop.now,
        actor=ACTOR,
    )
    return True


def pays(shop: Shop, pick: int, *, card: str, keeps: bool, comes_back: bool) -> bool:
    """Pay an open invoice on the gateway's page; the shop may hear of it only later."""
    invoice = one_of(open_invoices(), pick)
    if invoice is None:
        return False
    payment = payments.start(
        invoice,
        "simulated",
        return_url="http://shop.test/",
        at=shop.now,
        actor=ACTOR,
        consent=saved.CONSENT if keeps else None,
    )
    _acts_on_page(shop, payment, card)
    if comes_back:
        payment_checks.check(payment, at=shop.now, actor=ACTOR)
    return True


def begins_to_pay(shop: Shop, pick: int) -> bool:
    """Open the gateway's page and leave it."""
    invoice = one_of(open_invoices(), pick)
    if invoice is None:
        return False
    payments.start(invoice, "simulated", return_url="http://shop.test/", at=shop.now, actor=ACTOR)
    return True


def pays_on_an_old_page(shop: Shop, pick: int) -> bool:
    """Pay on any page that was opened before, also of a payment that the shop has given up."""
    pages = Payment.objects.filter(gateway="simulated", external_id__isnull=False, method=None)
    payment = one_of(pages, pick)
    if payment is None:
        return False
    _acts_on_page(shop, payment, GOOD_CARD)
    return True


def _acts_on_page(shop: Shop, payment: Payment, number: str) -> None:
    card = cards.find(number)
    assert card is not None
    assert payment.external_id is not None
    with shop.gateway.machine.rules() as desk:
        desk.pay(payment.external_id, card)
        if desk.get(payment.external_id)["pending_card"]:
            desk.confirm(payment.external_id)


def pays_with_one_click(shop: Shop, pick: int) -> bool:
    """Let a saved method be charged for an open invoice now."""
    invoice = one_of(open_invoices(), pick)
    method = methods.default_of(invoice.customer) if invoice else None
    if invoice is None or method is None:
        return False
    charges.charge(invoice, method, at=shop.now, actor=ACTOR)
    return True


def changes_methods(shop: Shop, pick: int, *, how: str) -> bool:
    """Remove a saved method, make it the default, or switch automatic payment."""
    method = one_of(PaymentMethod.objects.all(), pick)
    if method is None:
        return False
    if how == "remove":
        methods.remove(method, reason="removed", at=shop.now, actor=ACTOR)
    elif how == "default":
        methods.make_default(method, at=shop.now, actor=ACTOR)
    else:
        methods.switch(method.customer, how == "on", at=shop.now, actor=ACTOR)
    return True


def cancels(shop: Shop, pick: int) -> bool:
    service = one_of(Subscription.objects.filter(state__in=LIVING), pick)
    if service is None:
        return False
    cancellations.cancel(service, at=shop.now, actor=ACTOR)
    return True


def withdraws(shop: Shop, pick: int) -> bool:
    service = one_of(Subscription.objects.filter(state__in=LIVING, ends_on__isnull=False), pick)
    if service is None:
        return False
    cancellations.withdraw(service, at=shop.now, actor=ACTOR)
    return True


def brings_back(shop: Shop, pick: int) -> bool:
    """Order the return of a service that has ended."""
    service = one_of(Subscription.objects.filter(state="ended", account__isnull=False), pick)
    if service is None:
        return False
    priced = returns.quote(service, on=shop.on)
    user, _customer = _owner(service)
    seen = returns.seen(priced)
    returns.place(service, seen=seen, placed_by=user, language="en", at=shop.now, actor=ACTOR)
    return True


def exchanges_package(shop: Shop, pick: int, *, target: int, at_end: bool, staff: bool) -> bool:
    """Exchange a service's package for one that is allowed, or any other where staff do it."""
    running = Subscription.objects.filter(state="active").exclude(cycle=Cycle.ONE_TIME)
    service = one_of(running, pick)
    if service is None:
        return False
    price = one_of(quotes.any_target(service) if staff else quotes.targets(service), target)
    if price is None:
        return False
    mode = Exchange.Mode.AT_END if at_end else Exchange.Mode.NOW
    quoted = quotes.quote(service, price, on=shop.on, mode=mode)
    exchanges.place(
        quoted,
        seen=quoted.fingerprint,
        placed_by=_owner(service)[0],
        language="en",
        at=shop.now,
        actor="staff:1" if staff else ACTOR,
    )
    return True


def takes_exchange_back(shop: Shop, pick: int) -> bool:
    exchange = one_of(Exchange.objects.filter(state=Exchange.State.PENDING), pick)
    if exchange is None:
        return False
    exchanges.withdraw(exchange, at=shop.now, actor=ACTOR)
    return True


def orders_automatically(shop: Shop, pick: int, *, on: bool) -> bool:
    """Switch the automatic top-up of a running service on or off."""
    service = one_of(Subscription.objects.filter(state="active"), pick)
    if service is None:
        return False
    if not on:
        auto_top_ups.switch_off(service, reason="by hand", at=shop.now, actor=ACTOR)
        return True
    auto_top_ups.switch_on(
        service,
        below=Money(15_00, "EUR"),
        amount=Money(20_00, "EUR"),
        month=Money(50_00, "EUR"),
        consent={"text": "Buy it."},
        at=shop.now,
        actor=ACTOR,
    )
    return True


def uses_credit(shop: Shop, pick: int, *, cents: int) -> bool:
    """Send campaigns that cost so much; nobody can before the password was mailed."""
    owned = Subscription.objects.filter(account__state="live", account__password_sealed=None)
    service = one_of(owned, pick)
    if service is None or service.account is None:
        return False
    return shop.burn(service.account.username, cents) > 0


def _owner(service: Subscription) -> tuple[User, Customer]:
    customer = Customer.objects.get(pk=service.customer_id)
    return customer.users.get(), customer
