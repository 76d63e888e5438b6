"""A customer with one of everything who does not exist: rows that are never stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext as _

from billing.models import (
    Brand,
    Customer,
    Declaration,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    Order,
    OrderLine,
    Payment,
    PaymentMethod,
    Subscription,
    Ticket,
)
from packages.models import Cycle, Package
from packages.money import Money
from packages.periods import business_day
from provisioning.models import Account, Server

ID = 1
ADDRESS = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Sample:
    """The customer in a language, as of an instant."""

    brand: Brand
    language: str
    at: datetime

    @property
    def currency(self) -> str:
        return self.brand.currency_list[0]

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)

    @property
    def customer(self) -> Customer:
        name = _("Sample Customer")
        return Customer(pk=ID, name=name, email="customer@example.com", language=self.language)

    @property
    def package(self) -> Package:
        return Package(name_en="Business", name_de="Business")

    @property
    def server(self) -> Server:
        return Server(name="dialler-1", login_url="https://dialler.example.com/")

    @property
    def account(self) -> Account:
        return Account(username="sample-1042", server=self.server)

    @property
    def subscription(self) -> Subscription:
        return Subscription(
            public_id=ADDRESS,
            customer=self.customer,
            package=self.package,
            currency=self.currency,
            cycle=Cycle.MONTHLY,
            amount_minor=3900,
            limits={
                "tariff": "standard",
                "channels": 20,
                "services": ["voice", "sms"],
                "units": {"voice": 2000},
            },
        )

    def invoice(
        self, *, paid: bool = False, number: str = "R-2026-0042", due_in: int = 14
    ) -> Invoice:
        """Return an invoice, due in that many days; it was issued fourteen days before that."""
        on = self.day(due_in - 14)
        row = Invoice(
            pk=ID,
            public_id=ADDRESS,
            customer=self.customer,
            number=number,
            currency=self.currency,
            language=self.language,
            issued_on=on,
            due_on=on + timedelta(days=14),
            seller=self.brand.seller,
            prices_include_tax=True,
            net_minor=3900,
            tax_minor=741,
            total_minor=4641,
            paid_minor=4641 if paid else 0,
            paid_at=self.at if paid else None,
        )
        line = InvoiceLine(
            invoice=row,
            kind=InvoiceLine.Kind.RECURRING,
            description=self.package.text("name"),
            unit_minor=4641,
            net_minor=3900,
            subscription=self.subscription,
            order_line=OrderLine(subscription=self.subscription, cycle=Cycle.MONTHLY),
        )
        tax = InvoiceTax(invoice=row, tax_bp=1900, net_minor=3900, tax_minor=741)
        # Where Django keeps what it has read of a row's relations: it asks for nothing more.
        row._prefetched_objects_cache = {"lines": [line], "taxes": [tax]}  # type: ignore[attr-defined]
        return row

    @property
    def order(self) -> Order:
        consent = {"terms": {"text": _("I accept the terms.")}}
        return Order(pk=1042, customer=self.customer, placed_at=self.at, consents=consent)

    @property
    def method(self) -> PaymentMethod:
        on = business_day(self.at, self.brand.zone)
        return PaymentMethod(brand="Visa", last4="4242", expires_on=on + timedelta(days=30))

    def payment(self, minor: int = 4641) -> Payment:
        return Payment(
            pk=ID,
            invoice=self.invoice(),
            customer=self.customer,
            amount_minor=minor,
            currency=self.currency,
        )

    @property
    def declaration(self) -> Declaration:
        return Declaration(
            kind=Declaration.Kind.CANCELLATION,
            name=self.customer.name,
            email=self.customer.email,
            contract=self.package.text("name"),
            received_at=self.at,
        )

    @property
    def ticket(self) -> Ticket:
        subject = _("Which number do the people I call see?")
        return Ticket(customer=self.customer, subject=subject, email=self.customer.email)

    def day(self, days: int) -> date:
        return business_day(self.at, self.brand.zone) + timedelta(days=days)
