"""Saved payment methods: kept when the customer agrees, charged by default, removed, given up."""

import hashlib
from datetime import date, datetime, timedelta

import structlog
from django.db import IntegrityError, transaction
from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat

from billing import charge_emails, gateways
from billing.gateways.base import (
    Forgets,
    GatewayRefused,
    NotConfigured,
    SavedMethod,
    Unavailable,
)
from billing.locks import take_methods
from billing.models import Customer, Mail, MethodSetup, Payment, PaymentMethod
from packages.states import record, record_change
from provisioning import vault

log = structlog.get_logger()

State = PaymentMethod.State
WARN_BEFORE = timedelta(days=25)


class NotUsable(Exception):
    """The method is removed, or was declined for good."""


def keep(
    source: Payment | MethodSetup, saved: SavedMethod, *, at: datetime, actor: str
) -> PaymentMethod:
    """Keep the method of a payment or visit whose customer agreed to it, and pay by it from now on.

    The customer's first one becomes the default; one that was kept before is brought back. Needs
    an open transaction; takes the locks of the customer's methods.
    """
    held = take_methods(source.customer_id)
    digest = _digest(saved)
    method = next((each for each in held if bytes(each.token_digest) == digest), None)
    if method is None:
        method = _added(source, saved, digest, at=at, actor=actor)
    elif method.state != State.ACTIVE:
        method.forgotten_at = None
        also = ("forgotten_at",)
        method.move(State.ACTIVE, at=at, actor=actor, reason="kept again", also=also)
    # A gateway may give a card a new token each time; the customer has one card.
    twins = [each for each in held if _is_twin(each, method)]
    for twin in twins:
        _retire(twin, State.REMOVED, at=at, actor=actor, reason="kept anew")
    if not any(each.is_default for each in held):
        _set_default(method)
    switch(source.customer, True, at=at, actor=actor)
    return method


def is_known(gateway_code: str, saved: SavedMethod) -> bool:
    """Say whether it was kept here before, also if it was removed since."""
    known = PaymentMethod.objects.filter(gateway=gateway_code, token_digest=_digest(saved))
    return known.exists()


def make_default(method: PaymentMethod, *, at: datetime, actor: str) -> None:
    """Charge this one from now on and no other; raises NotUsable unless it is active."""
    with transaction.atomic():
        held = {each.pk: each for each in take_methods(method.customer_id)}
        if held[method.pk].state != State.ACTIVE:
            raise NotUsable
        earlier = next((each for each in held.values() if each.is_default), None)
        if earlier is None or earlier.pk != method.pk:
            PaymentMethod.objects.filter(customer=method.customer_id).update(is_default=False)
            _set_default(held[method.pk])
            _note(method, State.ACTIVE, State.ACTIVE, at=at, actor=actor, reason="made the default")


def remove(method: PaymentMethod, *, reason: str, at: datetime, actor: str) -> None:
    """Never charge it again; what is on its way still counts. A repetition changes nothing."""
    with transaction.atomic():
        held = {each.pk: each for each in take_methods(method.customer_id)}
        _retire(held[method.pk], State.REMOVED, at=at, actor=actor, reason=reason)


def give_up(method: PaymentMethod, *, code: str, at: datetime, actor: str) -> None:
    """Call it declined for good; needs an open transaction. Nothing automatic uses it again."""
    held = {each.pk: each for each in take_methods(method.customer_id)}
    if held[method.pk].state == State.ACTIVE:
        _retire(held[method.pk], State.FAILED, at=at, actor=actor, reason=code)


def switch(customer: Customer, on: bool, *, at: datetime, actor: str) -> None:
    """Turn automatic payment on or off; who did it and when stays in the customer's history."""
    names = {True: "automatic", False: "by hand"}
    with transaction.atomic():
        changed = Customer.objects.filter(pk=customer.pk, pays_automatically=not on)
        if changed.update(pays_automatically=on):
            _note(customer, names[not on], names[on], at=at, actor=actor, reason="way of paying")
    customer.pays_automatically = on


def let_go(method: PaymentMethod, *, at: datetime) -> None:
    """Have the gateway forget a removed method. Speaks HTTP; unanswered, the sweep comes back.

    One of another mode or account, or whose token cannot be read, is forgotten here alone.
    """
    try:
        gateway = gateways.get(method.gateway, livemode=method.livemode)
        token = vault.unseal(method.token_sealed, purpose=method.purpose)
        if isinstance(gateway, Forgets) and gateway.account == method.account:
            gateway.forget_method(token)
    except Unavailable:
        return
    except (GatewayRefused, NotConfigured, vault.Unsealable, KeyError) as error:
        log.warning("method.not_let_go", method=method.pk, error=type(error).__name__)
    removed = PaymentMethod.objects.filter(pk=method.pk, state=State.REMOVED)
    removed.update(forgotten_at=at)


def to_let_go() -> QuerySet[PaymentMethod]:
    """Return the removed methods that the gateways still know."""
    return PaymentMethod.objects.filter(state=State.REMOVED, forgotten_at=None).order_by("pk")


def warn_of_expiry(on: date, *, at: datetime) -> None:
    """Tell whoever pays automatically, some days before the method expires, once for each."""
    for method in expiring(on):
        charge_emails.method_expiring(method, at=at)


def expiring(on: date) -> QuerySet[PaymentMethod]:
    """Return the methods that expire soon and that nobody was told of."""
    known = Mail.objects.filter(
        template="method_expiring",
        cause=Concat(Value("method-"), Cast(OuterRef("pk"), CharField())),
    )
    rows = PaymentMethod.objects.filter(
        ~Exists(known),
        is_default=True,
        customer__pays_automatically=True,
        expires_on__gte=on,
        expires_on__lte=on + WARN_BEFORE,
    )
    return rows.select_related("customer")


def default_of(customer: Customer) -> PaymentMethod | None:
    """Return what is charged automatically, None where nothing is."""
    return customer.methods.filter(is_default=True).first()


def _added(
    source: Payment | MethodSetup, saved: SavedMethod, digest: bytes, *, at: datetime, actor: str
) -> PaymentMethod:
    method = PaymentMethod(
        customer=source.customer,
        gateway=source.gateway,
        account=gateways.get(source.gateway).account,
        livemode=source.livemode,
        token_digest=digest,
        kind=saved.kind[:20],
        brand=saved.brand[:40],
        last4=saved.last4[-4:],
        expires_on=saved.expires_on,
        consent=source.consent,
        created_at=at,
    )
    method.token_sealed = vault.seal(saved.token, purpose=method.purpose)
    method.save(force_insert=True)
    record_change(
        method,
        before="",
        at=at,
        actor=actor,
        reason=f"kept from {source._meta.model_name} {source.pk or 'of the demo'}",
    )
    return method


def _digest(saved: SavedMethod) -> bytes:
    return hashlib.sha256(saved.token.encode()).digest()


def _is_twin(one: PaymentMethod, other: PaymentMethod) -> bool:
    names = ("gateway", "account", "livemode", "kind", "brand", "last4", "expires_on")
    same = all(getattr(one, name) == getattr(other, name) for name in names)
    return same and one.pk != other.pk and one.state == State.ACTIVE


def _set_default(method: PaymentMethod) -> None:
    """Make it the default unless another one has just become it: the unique key decides."""
    try:
        with transaction.atomic():
            method.is_default = True
            method.save(update_fields=["is_default"])
    except IntegrityError:
        method.is_default = False


def _retire(method: PaymentMethod, state: str, *, at: datetime, actor: str, reason: str) -> None:
    if method.state != state:
        method.is_default = False
        method.move(state, at=at, actor=actor, reason=reason, also=("is_default",))


def _note(
    row: Customer | PaymentMethod, before: str, after: str, *, at: datetime, actor: str, reason: str
) -> None:
    record(row._meta.model_name or "", row.pk, before, after, at=at, actor=actor, reason=reason)
