"""Taking the money of what a customer approved at a gateway, where that is a step of its own."""

from billing.gateways.base import Captures, Gateway, PaymentSnapshot
from billing.models import Invoice, Payment


def take(gateway: Gateway, snapshot: PaymentSnapshot) -> PaymentSnapshot:
    """Take the money of a payment that the customer approved, while we still want it.

    Whatever else the gateway said is returned as it is; so is an approved payment that was given up
    here, or whose invoice was paid meanwhile. The row's key makes it once. Speaks HTTP; hold no
    lock. Raises as `Captures.capture` does.
    """
    if snapshot.state != "approved" or not isinstance(gateway, Captures):
        return snapshot
    ours = Payment.objects.filter(gateway=gateway.code, external_id=snapshot.external_id)
    wanted = ours.filter(state__in=Payment.OPEN).first()
    if wanted is None or any(each.state != Invoice.State.OPEN for each in wanted.invoices):
        return snapshot
    return gateway.capture(snapshot.external_id, key=wanted.key.hex)
