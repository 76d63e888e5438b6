"""Customers as gateways know them: one object for each customer and account of a gateway."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from billing.gateways.base import CustomerRequest, Gateway, PayerGone, Wallet
from billing.models import Customer, Payer


def at_gateway(customer: Customer, gateway: Gateway, *, at: datetime) -> str:
    """Return the customer's id at the gateway, "" where it knows no customers.

    The first time it is made there: the row first, then HTTP, so hold no lock. A lost answer is
    asked for again with the row's key. Raises Unavailable, GatewayRefused.
    """
    if not isinstance(gateway, Wallet):
        return ""
    payer, _ = Payer.objects.get_or_create(
        customer=customer,
        gateway=gateway.code,
        account=gateway.account,
        livemode=gateway.livemode,
        defaults={"created_at": at},
    )
    if payer.external_id is None:
        request = CustomerRequest(payer.key.hex, customer.email, customer.name, customer.language)
        payer.external_id = gateway.create_customer(request)
        Payer.objects.filter(pk=payer.pk).update(external_id=payer.external_id)
    return payer.external_id


@contextmanager
def forgotten_if_gone(customer: Customer, gateway: Gateway) -> Iterator[None]:
    """Where the gateway says that it knows the customer no more, forget the id, and pass that on.

    Whoever asks next has the customer made anew; the key is another, for the gateway would answer
    the old one with the object that is gone.
    """
    try:
        yield
    except PayerGone:
        ours = Payer.objects.filter(
            customer=customer,
            gateway=gateway.code,
            account=gateway.account,
            livemode=gateway.livemode,
        )
        ours.update(external_id=None, key=uuid.uuid4())
        raise
