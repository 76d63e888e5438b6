"""Rows of how a customer pays: a payer, saved methods, an automatic charge."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from billing.models import (
    Customer,
    Difference,
    MethodSetup,
    Movement,
    Payer,
    Payment,
    PaymentMethod,
    PaymentPart,
)


def charge(rows: dict[str, Any], *, on: date, at: datetime) -> None:
    """A payer; a saved method with a charge that was declined, and one of another customer."""
    other = Customer.objects.create(name="Bo", email="bo@example.com", created_at=at)
    rows["payer"] = Payer.objects.create(
        customer=rows["customer"],
        gateway="stripe",
        account="acct_1",
        livemode=False,
        external_id="cus_1",
        created_at=at,
    )
    rows["setup"] = MethodSetup.objects.create(
        customer=rows["customer"],
        gateway="stripe",
        livemode=False,
        currency="EUR",
        external_id="cs_1",
        consent={},
        created_at=at,
    )
    rows["part"] = PaymentPart.objects.create(payment=rows["payment"], invoice=rows["invoice"])
    rows["movement"] = Movement.objects.create(
        gateway="stripe",
        livemode=False,
        external_id="txn_1",
        kind="other",
        amount_minor=0,
        fee_minor=0,
        currency="EUR",
        at=at,
    )
    rows["difference"] = Difference.objects.create(
        gateway="stripe", kind="unknown", subject="pi_1", text="?", found_at=at, seen_at=at
    )
    for name, customer in (("method", rows["customer"]), ("spare_method", other)):
        rows[name] = PaymentMethod.objects.create(
            customer=customer,
            gateway="simulated",
            account="demo",
            token_sealed=b"",
            token_digest=name.encode(),
            kind="card",
            brand="Visa",
            last4="4242",
            is_default=name == "method",
            created_at=at,
        )
    rows["charge"] = Payment.objects.create(
        customer=rows["customer"],
        invoice=rows["invoice"],
        gateway="simulated",
        state=Payment.State.FAILED,
        method=rows["method"],
        turn=1,
        turn_on=on,
        amount_minor=49_00,
        currency="EUR",
        created_at=at,
    )
