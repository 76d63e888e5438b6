"""Taking the money of what a customer approved at a gateway, and closing the page of what is not
to be paid any more.
"""

from billing.gateways.base import Captures, Closes, Gateway, PaymentSnapshot
from billing.models import Invoice, Payment


def take(gateway: Gateway, snapshot: PaymentSnapshot, *, approval: str = "") -> PaymentSnapshot:
    """Take the money of a payment that the customer approved, while we still want it.

    One that was given up here, or whose invoice was paid meanwhile, is closed at the gateway where
    that can be; what is returned is what it is afterwards. Whatever else the gateway said is
    returned as it is. The row's key makes it once. Speaks HTTP; hold no lock. Raises as
    `Captures.capture` and `Closes.close_page` do.

    A gateway may answer the same to the same key for hours, also a decline. So after one, whoever
    tells of another `approval` names it, and that makes another key: an order is taken once anyhow.
    """
    if snapshot.state not in ("open", "approved"):
        return snapshot
    ours = Payment.objects.filter(
        gateway=gateway.code, livemode=gateway.livemode, external_id=snapshot.external_id
    ).first()
    if ours is None:
        return snapshot
    if not _is_wanted(ours):
        return gateway.close_page(snapshot.external_id) if isinstance(gateway, Closes) else snapshot
    if snapshot.state == "open" or not isinstance(gateway, Captures):
        return snapshot
    again = f"-{approval}" if ours.failure_code and approval else ""
    return gateway.capture(snapshot.external_id, key=f"{ours.key.hex}{again}")


def _is_wanted(payment: Payment) -> bool:
    is_open = payment.state in Payment.OPEN
    return is_open and all(each.state == Invoice.State.OPEN for each in payment.invoices)
