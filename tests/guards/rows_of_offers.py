"""Rows of what changes a contract: a coupon, a price change, an exchange, a declaration."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from billing.models import (
    CampaignPrice,
    Coupon,
    CouponAmount,
    DataExport,
    Declaration,
    DeletionRequest,
    Exchange,
    InboundMail,
    Invitation,
    Invoice,
    InvoiceLine,
    Mail,
    PriceCampaign,
    PriceChange,
    PriceNotice,
    Redemption,
    Ticket,
    TicketFile,
    TicketMessage,
)


def coupon(rows: dict[str, Any], *, at: datetime) -> None:
    rows["coupon"] = made = Coupon.objects.create(code="WELCOME10", percent_bp=1000)
    rows["coupon_package"] = Coupon.packages.through.objects.create(
        coupon=made, package=rows["package"]
    )
    rows["coupon_amount"] = CouponAmount.objects.create(coupon=made, currency="EUR")
    rows["redemption"] = Redemption.objects.create(
        coupon=made,
        customer=rows["customer"],
        order_line=rows["orderline"],
        subscription=rows["subscription"],
        currency="EUR",
        percent_bp=1000,
        created_at=at,
    )


def discount(rows: dict[str, Any], *, on: date) -> None:
    """A discount on the draft, and another draft for the second one."""
    rows["discount"] = InvoiceLine.objects.create(
        invoice=rows["draft"],
        position=5,
        kind=InvoiceLine.Kind.DISCOUNT,
        description="Discount",
        unit_minor=-4_90,
        net_minor=-4_12,
        tax_bp=1900,
        redemption=rows["redemption"],
        period_start_on=on,
    )
    rows["other_draft"] = Invoice.objects.create(
        customer=rows["customer"], currency="EUR", language="en"
    )


def _ticket(rows: dict[str, Any], *, at: datetime) -> None:
    rows["ticket"] = Ticket.objects.create(
        customer=rows["customer"],
        email="ada@example.com",
        subject="Echo",
        language="en",
        opened_at=at,
        changed_at=at,
    )
    rows["dataexport"] = DataExport.objects.create(
        customer=rows["customer"], asked_at=at, again_at=at
    )
    rows["deletionrequest"] = DeletionRequest.objects.create(customer=rows["customer"], asked_at=at)
    rows["invitation"] = Invitation.objects.create(
        customer=rows["customer"],
        email="bert@example.com",
        token_digest="0" * 64,
        sent_at=at,
        expires_at=at,
    )
    rows["ticketmessage"] = TicketMessage.objects.create(
        ticket=rows["ticket"], side=TicketMessage.Side.CUSTOMER, text="I hear one.", written_at=at
    )
    rows["inboundmail"] = InboundMail.objects.create(
        digest="0" * 64, raw=b"From: ada@example.com", message=rows["ticketmessage"], received_at=at
    )
    rows["ticketfile"] = TicketFile.objects.create(
        message=rows["ticketmessage"], name="echo.wav", size_bytes=4, content=b"RIFF"
    )


def price_change(rows: dict[str, Any], *, on: date) -> None:
    rows["campaign"] = campaign = PriceCampaign.objects.create(name="Spring", effective_on=on)
    rows["campaign_price"] = CampaignPrice.objects.create(
        campaign=campaign, price=rows["price"], percent_bp=500
    )
    rows["price_change"] = change = PriceChange.objects.create(
        price=rows["price"], amount_minor=59_00, effective_on=on, campaign=campaign
    )
    PriceChange.objects.create(price=rows["price"], amount_minor=69_00, effective_on=on)
    PriceCampaign.objects.create(name="Autumn", effective_on=on)
    other = Mail.objects.get(pk=rows["mail"].pk)
    other.pk, other.cause = None, "price-change-1:1"
    other.save(force_insert=True)
    rows["price_notice"] = PriceNotice.objects.create(
        change=change,
        subscription=rows["subscription"],
        mail=rows["mail"],
        starts_on=on,
        days=42,
    )


def contract_changes(rows: dict[str, Any], *, at: datetime) -> None:
    """A declaration, and an exchange at once with its credit note."""
    _declaration(rows, at=at)
    _ticket(rows, at=at)
    _exchange(rows, at=at)


def _declaration(rows: dict[str, Any], *, at: datetime) -> None:
    rows["declaration"] = Declaration.objects.create(
        key=uuid.uuid4(),
        kind=Declaration.Kind.CANCELLATION,
        name="Ada Muster",
        email="ada@example.com",
        contract="R-2026-0001",
        language="de",
        received_at=at,
        subscription=rows["subscription"],
    )


def _exchange(rows: dict[str, Any], *, at: datetime) -> None:
    rows["exchange"] = Exchange.objects.create(
        subscription=rows["subscription"],
        mode=Exchange.Mode.NOW,
        replaced=rows["package"],
        package=rows["package"],
        cycle="monthly",
        amount_minor=49_00,
        limits={},
        allowance="persist",
        on=date(2026, 3, 2),
        end_on=date(2026, 4, 2),
        order_line=rows["orderline"],
        created_at=at,
    )
    rows["exchange"].credit_notes.add(rows["note"])
    rows["exchange_note"] = Exchange.credit_notes.through.objects.get()
