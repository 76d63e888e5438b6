"""Keep a method without a payment: on the gateway's page, with the customer's consent."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction

from billing import gateways, methods, payers
from billing.gateways.base import (
    GatewayRefused,
    NotConfigured,
    SetupRequest,
    SetupSnapshot,
    Unavailable,
    Wallet,
)
from billing.models import Customer, MethodSetup
from packages.states import record_change

log = structlog.get_logger()

State = MethodSetup.State
FIRST_CHECK = timedelta(minutes=5)
# No gateway keeps an unused page open for longer.
GIVE_UP_AFTER = timedelta(hours=25)


def start(
    customer: Customer,
    gateway_code: str,
    *,
    currency: str,
    consent: dict[str, Any],
    language: str,
    return_url: str,
    at: datetime,
    actor: str,
) -> MethodSetup:
    """Begin to keep a method, and return the visit with the page to go to.

    The row first, then HTTP, so hold no lock. Nothing is charged. Raises GatewayRefused (also for a
    gateway that keeps nothing), Unavailable, NotConfigured.
    """
    gateway = gateways.get(gateway_code)
    if not isinstance(gateway, Wallet) or not consent:
        raise GatewayRefused("no page to keep a method, or no consent")
    with transaction.atomic():
        setup = MethodSetup.objects.create(
            customer=customer,
            gateway=gateway.code,
            livemode=gateway.livemode,
            currency=currency,
            consent=consent,
            created_at=at,
        )
        record_change(setup, before="", at=at, actor=actor, reason="begun")
    payer = payers.at_gateway(customer, gateway, at=at)
    request = SetupRequest(setup.key.hex, payer, currency, language, return_url)
    with payers.forgotten_if_gone(customer, gateway):
        begun = gateway.start_setup(request)
    setup.external_id, setup.redirect_url = begun.external_id, begun.redirect_url or ""
    setup.next_check_at = at + FIRST_CHECK
    setup.save(update_fields=["external_id", "redirect_url", "next_check_at"])
    return setup


def check(setup: MethodSetup, *, at: datetime, actor: str) -> None:
    """Ask the gateway what became of a visit; keep the method, once. Speaks HTTP before its lock.

    The return page, the webhook and the sweep call this. Raises Unavailable, GatewayRefused,
    NotConfigured, KeyError.
    """
    gateway = gateways.get(setup.gateway, livemode=setup.livemode)
    if not isinstance(gateway, Wallet) or setup.external_id is None:
        return
    _record(setup, gateway.fetch_setup(setup.external_id), at=at, actor=actor)


def check_due(setup: MethodSetup, *, at: datetime, actor: str) -> None:
    """Check a visit whose time has come; plan the next time before asking."""
    later = at + FIRST_CHECK * 6
    over = at > setup.created_at + GIVE_UP_AFTER
    planned = MethodSetup.objects.filter(pk=setup.pk, next_check_at__isnull=False)
    planned.update(next_check_at=None if over else later)
    try:
        check(setup, at=at, actor=actor)
    except (Unavailable, GatewayRefused, NotConfigured, KeyError) as error:
        log.warning("setup.unchecked", setup=setup.pk, error=type(error).__name__)


def _record(setup: MethodSetup, snapshot: SetupSnapshot, *, at: datetime, actor: str) -> None:
    with transaction.atomic():
        held = MethodSetup.objects.select_for_update().get(pk=setup.pk)
        target = {"succeeded": State.SUCCEEDED, "cancelled": State.CANCELLED}.get(snapshot.state)
        if target is None or target not in MethodSetup.MOVES.get(State(held.state), ()):
            return
        held.next_check_at = None
        also = ("next_check_at",)
        held.move(target, at=at, actor=actor, reason="told by the gateway", also=also)
        if snapshot.method is not None and target == State.SUCCEEDED:
            methods.keep(held, snapshot.method, at=at, actor=actor)
