"""One row of everything that a guard protects, written straight into the tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import models

from billing.models import (
    Allocation,
    Brand,
    BucketEntry,
    Cart,
    CartLine,
    CreditBucket,
    Customer,
    GatewayEvent,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    LedgerAccount,
    LedgerTransaction,
    LegalText,
    Mail,
    MailText,
    Membership,
    Notice,
    NumberSeries,
    Order,
    OrderLine,
    PackageTimetable,
    Pause,
    Payment,
    Posting,
    Refund,
    Run,
    Subscription,
    SubscriptionPeriod,
    TaxRate,
    Timetable,
    User,
    VatCheck,
)
from packages.models import Package, PackageGroup, Price, Rate, Tariff
from packages.states import StateChange, record_change
from provisioning.models import Account, Attempt, Job, OneTimeSecret
from tests.guards import (
    bank_rows,
    rows_of_audits,
    rows_of_offers,
    rows_of_payments,
    server_rows,
    top_up_rows,
)

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
ON = date(2026, 3, 2)

Rows = dict[str, models.Model]


def make() -> Rows:
    """Insert the rows and return them by the names that the table of guards uses."""
    rows: dict[str, Any] = {}
    for step in (_catalogue, _people, _dialler, _purchase):
        step(rows)
    rows_of_offers.coupon(rows, at=AT)
    _invoices(rows)
    _credit_note(rows)
    rows_of_offers.contract_changes(rows, at=AT)
    top_up_rows.make(rows, ON, AT)
    rows_of_audits.make(rows, at=AT)
    _money(rows)
    rows_of_payments.charge(rows, on=ON, at=AT)
    rows["mail"] = Mail.objects.create(
        template="receipt",
        cause="invoice-1",
        recipient="ada@example.com",
        language="en",
        sender="shop@example.com",
        subject="Paid",
        text="Paid.",
        created_at=AT,
        next_attempt_at=AT,
    )
    rows["mailtext"] = MailText.objects.create(
        mail="receipt", language="en", texts={"greeting": "Hello,"}, changed_at=AT
    )
    rows["notice"] = Notice.objects.create(
        invoice=rows["invoice"], step=Notice.Step.REMINDER, on=ON, mail=rows["mail"], at=AT
    )
    rows["timetable"] = Timetable.objects.get(is_default=True)
    rows["packagetimetable"] = PackageTimetable.objects.create(
        timetable=rows["timetable"], package=rows["package"]
    )
    rows["pause"] = Pause.objects.create(
        invoice=rows["invoice"], from_on=ON, until_on=ON, reason="talks", actor="test", at=AT
    )
    rows["run"] = Run.objects.create(on=ON, started_at=AT)
    bank_rows.make(rows, ON, AT)
    rows_of_offers.price_change(rows, on=ON)
    record_change(rows["mail"], before="", at=AT, actor="test", reason="queued")
    rows["statechange"] = StateChange.objects.get()
    return rows


def _catalogue(rows: dict[str, Any]) -> None:
    rows["tariff"] = Tariff.objects.create(name="Standard", remote_id="standard")
    rows["rate"] = Rate.objects.create(
        tariff=rows["tariff"],
        service="voice",
        destination="Germany",
        currency="EUR",
        price_micro=14_500,
    )
    rows["group"] = PackageGroup.objects.create(slug="group", name_en="Group")
    rows["package"] = Package.objects.create(
        slug="business",
        kind=Package.Kind.SUBSCRIPTION,
        group=rows["group"],
        name_en="Business",
        tariff=rows["tariff"],
    )
    rows["package"].exchange_targets.add(rows["package"])
    rows["target"] = Package.exchange_targets.through.objects.get()
    rows["price"] = Price.objects.create(
        package=rows["package"], currency="EUR", cycle="monthly", amount_minor=49_00
    )


def _people(rows: dict[str, Any]) -> None:
    rows["brand"] = Brand.objects.create(
        id=1,
        name="Nordcast",
        support_email="help@example.com",
        mail_sender="shop@example.com",
        company="Nordcast GmbH",
        street="Hafen 1",
        postcode="20457",
        city="Hamburg",
    )
    rows["legaltext"] = LegalText.objects.create(page=LegalText.Page.TERMS)
    rows["taxrate"] = TaxRate.objects.create(country="DE", rate_bp=1900, valid_from=ON)
    rows["vatcheck"] = VatCheck.objects.create(vat_id="ATU12345675", created_at=AT)
    rows["user"] = User.objects.create_user("ada@example.com", "correct-horse")
    rows["customer"] = Customer.objects.create(name="Ada", email="ada@example.com", created_at=AT)
    rows["membership"] = Membership.objects.create(user=rows["user"], customer=rows["customer"])


def _dialler(rows: dict[str, Any]) -> None:
    server_rows.make(rows, AT)
    rows["account"] = Account.objects.create(
        server=rows["server"], username="Ada-1", remote_id="7", person={}, limits={}, created_at=AT
    )
    rows["job"] = Job.objects.create(
        account=rows["account"],
        kind=Job.Kind.CREDIT,
        cause="order-line-1:credit",
        seq=1,
        amount_minor=20_00,
        currency="EUR",
        state=Job.State.RUNNING,
        fence=1,
        created_at=AT,
        run_at=AT,
        claimed_until=AT + timedelta(minutes=5),
    )
    rows["bucket"] = CreditBucket.objects.create(
        account=rows["account"],
        kind=CreditBucket.Kind.PAID,
        cause="order-line-1:credit",
        currency="EUR",
        granted_minor=20_00,
        left_minor=20_00,
        at=AT,
    )
    rows["bucket_entry"] = BucketEntry.objects.create(
        bucket=rows["bucket"],
        kind=BucketEntry.Kind.GRANTED,
        amount_minor=20_00,
        cause="order-line-1:credit",
        at=AT,
    )
    rows["attempt"] = Attempt.objects.create(
        job=rows["job"],
        number=1,
        fence=1,
        method="credit",
        sent_at=AT,
        deadline_at=AT + timedelta(minutes=1),
    )
    rows["secret"] = OneTimeSecret.objects.create(
        token_digest=b"digest",
        account=rows["account"],
        cause="account-1",
        ciphertext=b"text",
        expires_at=AT + timedelta(hours=72),
    )


def _purchase(rows: dict[str, Any]) -> None:
    rows["subscription"] = Subscription.objects.create(
        customer=rows["customer"],
        package=rows["package"],
        price=rows["price"],
        account=rows["account"],
        state=Subscription.State.ACTIVE,
        currency="EUR",
        cycle="monthly",
        amount_minor=49_00,
        limits={},
        allowance="persist",
        zone="Europe/Berlin",
        anchor_on=ON,
        paid_until=date(2026, 4, 2),
        created_at=AT,
    )
    rows["period"] = SubscriptionPeriod.objects.create(
        subscription=rows["subscription"],
        index=0,
        start_on=ON,
        end_on=date(2026, 4, 2),
        created_at=AT,
    )
    rows["cart"] = Cart.objects.create(currency="EUR", updated_at=AT)
    rows["cartline"] = CartLine.objects.create(cart=rows["cart"], price=rows["price"])
    rows["order"] = Order.objects.create(
        checkout_key="6f2a7a3e-0000-4000-8000-000000000001",
        customer=rows["customer"],
        currency="EUR",
        language="en",
        placed_at=AT,
    )
    rows["orderline"] = OrderLine.objects.create(
        order=rows["order"],
        kind=OrderLine.Kind.NEW,
        package=rows["package"],
        subscription=rows["subscription"],
        name="Business",
        cycle="monthly",
        amount_minor=49_00,
    )
    OrderLine.objects.create(
        order=rows["order"],
        kind=OrderLine.Kind.NEW,
        package=rows["package"],
        subscription=rows["subscription"],
        name="Business",
        cycle="monthly",
        amount_minor=49_00,
    )


def _invoices(rows: dict[str, Any]) -> None:
    """A draft with its parts, one issued for the order, and one issued that nothing points to."""
    rows["series"] = NumberSeries.objects.create(code="R", year=2026, last=2)
    for name, order in (("draft", None), ("invoice", rows["order"]), ("bare", None)):
        rows[name] = invoice = Invoice.objects.create(
            customer=rows["customer"],
            order=order,
            currency="EUR",
            language="en",
            net_minor=41_18,
            tax_minor=7_82,
            total_minor=49_00,
        )
        # A period is charged once, so only the draft's line has one.
        rows[f"{name}_line"] = InvoiceLine.objects.create(
            invoice=invoice,
            position=1,
            kind=InvoiceLine.Kind.RECURRING,
            description="Business",
            unit_minor=49_00,
            net_minor=41_18,
            tax_bp=1900,
            subscription=rows["subscription"],
            period_start_on=ON if name == "draft" else None,
        )
        rows[f"{name}_tax"] = InvoiceTax.objects.create(
            invoice=invoice, tax_bp=1900, net_minor=41_18, tax_minor=7_82
        )
    rows_of_offers.discount(rows, on=ON)
    # A bare invoice has no parts, so that only its own trigger keeps it from being deleted.
    InvoiceLine.objects.filter(invoice=rows["bare"]).delete()
    InvoiceTax.objects.filter(invoice=rows["bare"]).delete()
    for sequence, name in enumerate(("invoice", "bare"), start=1):
        Invoice.objects.filter(pk=rows[name].pk).update(
            state=Invoice.State.OPEN,
            series="R",
            year=2026,
            sequence=sequence,
            number=f"R-2026-{sequence:04d}",
            issued_at=AT,
            issued_on=ON,
            due_on=ON,
        )


def _credit_note(rows: dict[str, Any]) -> None:
    rows["note"] = Invoice.objects.create(
        customer=rows["customer"],
        kind=Invoice.Kind.CREDIT_NOTE,
        corrects=rows["invoice"],
        correction=1,
        state=Invoice.State.ISSUED,
        series="G",
        year=2026,
        sequence=1,
        number="G-2026-0001",
        currency="EUR",
        language="en",
        net_minor=41_18,
        tax_minor=7_82,
        total_minor=49_00,
        issued_at=AT,
        issued_on=ON,
        due_on=ON,
    )


def _money(rows: dict[str, Any]) -> None:
    rows["payment"] = payment = Payment.objects.create(
        customer=rows["customer"],
        invoice=rows["invoice"],
        gateway="simulated",
        amount_minor=49_00,
        currency="EUR",
        external_id="pay_1",
        created_at=AT,
    )
    rows["allocation"] = Allocation.objects.create(
        payment=payment, invoice=rows["invoice"], amount_minor=49_00, at=AT
    )
    rows["refund"] = Refund.objects.create(
        payment=payment,
        way=Refund.Way.GATEWAY,
        amount_minor=1_00,
        currency="EUR",
        reason="Outage",
        external_id="re_1",
        created_at=AT,
    )
    rows["use"] = Allocation.objects.create(
        invoice=rows["invoice"], use=1, amount_minor=1_00, at=AT
    )
    rows["event"] = GatewayEvent.objects.create(
        gateway="simulated",
        account="shop",
        livemode=False,
        external_id="evt_1",
        kind="payment.succeeded",
        body=b"{}",
        created_at=AT,
        received_at=AT,
    )
    rows["book"] = LedgerAccount.objects.create(kind=LedgerAccount.Kind.REVENUE, currency="EUR")
    rows["balance"] = LedgerAccount.objects.create(
        kind=LedgerAccount.Kind.CUSTOMER_CREDIT, customer=rows["customer"], currency="EUR"
    )
    owed = LedgerAccount.objects.create(
        kind=LedgerAccount.Kind.RECEIVABLE, customer=rows["customer"], currency="EUR"
    )
    rows["booking"] = LedgerTransaction.objects.create(cause="invoice-1:issued", at=AT)
    rows["empty_booking"] = LedgerTransaction.objects.create(cause="nothing", at=AT)
    rows["posting"], _ = Posting.objects.bulk_create(
        [
            Posting(transaction=rows["booking"], account=owed, amount_minor=49_00),
            Posting(transaction=rows["booking"], account=rows["book"], amount_minor=-49_00),
        ]
    )
