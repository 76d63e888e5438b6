"""What the gateway and the customers' banks do beside being asked."""

from __future__ import annotations

from billing import gateways, inbox, tasks
from billing.gateways.simulator.payments import Refused, refunded_minor
from billing.gateways.simulator.signing import signed
from billing.models import Payment
from tests.walks.shop import Shop, one_of


def tells(shop: Shop, *, times: int, backwards: bool) -> bool:
    """Deliver what happened since the last time, perhaps twice, perhaps in the wrong order."""
    bodies = shop.webhooks()
    if not bodies:
        return False
    gateway, secret = gateways.get("simulated"), shop.gateway.machine.setup.secret
    for body in (bodies[::-1] if backwards else bodies) * times:
        headers = signed(body, secret, shop.now.timestamp())
        incoming = gateway.verify_webhook(body, headers, at=shop.now)
        inbox.store(incoming, "simulated", at=shop.now)
    tasks.sweep_events()
    return True


def is_disputed(shop: Shop, pick: int) -> bool:
    """Let a customer's bank contest a payment."""
    payment = _paid(pick)
    if payment is None:
        return False
    with shop.gateway.machine.rules() as machine:
        machine.dispute(str(payment.external_id))
    return True


def refunds_by_hand(shop: Shop, pick: int, *, percent: int) -> bool:
    """Let somebody refund a payment on the gateway's own page, past the shop."""
    payment = _paid(pick)
    if payment is None:
        return False
    left = payment.amount_minor - refunded_minor(
        shop.gateway.machine.store, str(payment.external_id)
    )
    amount = left * percent // 100
    if amount <= 0:
        return False
    try:
        with shop.gateway.machine.rules() as machine:
            machine.refund(str(payment.external_id), "by-hand", amount)
    except Refused:
        return False
    return True


def misbehaves(shop: Shop, *, path: str, method: str, apply: bool, answer: str) -> bool:
    """Spoil the next answer, whether or not the wish is fulfilled."""
    shop.gateway.machine.faults.set(
        [{"path": path, "method": method, "apply": apply, "answer": answer}]
    )
    return True


def changes_card(shop: Shop, pick: int, *, later: str | None, gone: bool) -> bool:
    """Change what a saved card does from now on."""
    tokens = shop.gateway.machine.store.rows(
        "SELECT token FROM method WHERE token <> 'pm_demo_4242' ORDER BY rowid"
    )
    if not tokens:
        return False
    token = tokens[pick % len(tokens)]["token"]
    change = "UPDATE method SET later = ?, gone = ? WHERE token = ?"
    shop.gateway.machine.store.run(change, later, int(gone), token)
    return True


def _paid(pick: int) -> Payment | None:
    return one_of(Payment.objects.filter(gateway="simulated", state="succeeded"), pick)
