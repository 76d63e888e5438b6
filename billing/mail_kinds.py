"""Every mail that billing sends: its name and when it is sent, for staff who look them up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing import mail_samples, mail_texts, rendering
from billing.mail_texts import Passage, Texts
from billing.models import Brand, Mail

Text = str | Promise

ORDERS, MONEY, DUNNING = _("Orders and credit"), _("Payments"), _("Unpaid invoices")
SERVICES, PEOPLE, STAFF = _("Services"), _("Data and colleagues"), _("To staff")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of mail. `code` is its template; `situations` are what else it is sent in."""

    code: str
    group: Text
    name: Text
    when: Text
    situations: tuple[str, ...] = ()

    @property
    def passages(self) -> tuple[Passage, ...]:
        """Return what staff may write; what only staff read stays as it is."""
        return () if self.group is STAFF else mail_texts.of_template(self.code)

    def sample(
        self, situation: str, own: Texts, *, brand: Brand, language: str, at: datetime
    ) -> Mail:
        """Return the mail as a sample customer would get it; `own` is what staff wrote in it.

        It is not stored.
        """
        mail = Mail(template=self.code, language=language)
        said = mail_samples.of(self.code, situation, brand=brand, language=language, at=at)
        rendering.render(mail, {**said, "written": own}, brand=brand)
        return mail


# What a situation is called beside the usual one.
SITUATIONS: dict[str, Text] = {
    "": _("usually"),
    "all": _("when all is used"),
    "balance": _("when the balance paid"),
    "by_staff": _("when staff ended it"),
    "charged": _("when it is charged automatically"),
    "final": _("when an end is set"),
    "floor": _("where the law sets a least sum of arrears"),
    "free": _("when nothing is to be paid"),
    "last": _("when it is not tried again"),
    "open": _("when nothing is suspended"),
    "paid": _("when it is paid already"),
    "part": _("when the balance paid a part"),
    "password": _("when the password is in the mail"),
    "transfer": _("when it is sent by bank transfer"),
    "unpaid": _("when an invoice was not paid"),
    "withdrawal": _("for a withdrawal"),
}

KINDS = (
    Kind(
        "order_placed",
        ORDERS,
        _("Order confirmation"),
        _("At once after an order, with its invoice."),
        ("paid", "free"),
    ),
    Kind(
        "account_ready",
        ORDERS,
        _("Account is ready"),
        _("As soon as the account exists on the dialler."),
        ("password",),
    ),
    Kind(
        "topped_up", ORDERS, _("Credit added"), _("When bought credit has arrived on the account.")
    ),
    Kind(
        "low_balance",
        ORDERS,
        _("Credit is running low"),
        _("When a balance falls below what the customer chose."),
    ),
    Kind(
        "auto_top_up_stopped",
        ORDERS,
        _("Automatic top-up stopped"),
        _("When the payment of an automatic top-up was declined."),
    ),
    Kind(
        "units_used",
        ORDERS,
        _("Included units used"),
        _("At 80 and 100 percent of a period's units."),
        ("all",),
    ),
    Kind(
        "credit_used",
        ORDERS,
        _("Included credit used"),
        _("At 80 and 100 percent of a period's credit."),
        ("all",),
    ),
    Kind(
        "receipt", MONEY, _("Receipt"), _("When an invoice is paid in full."), ("balance", "part")
    ),
    Kind("part_paid", MONEY, _("Part payment"), _("When a payment covers a part of an invoice.")),
    Kind(
        "kept_on_balance",
        MONEY,
        _("Money on the balance"),
        _("When money comes for an invoice on which nothing is due any more."),
    ),
    Kind(
        "charge_failed",
        MONEY,
        _("Charge failed"),
        _("When an automatic charge was declined."),
        ("last",),
    ),
    Kind(
        "needs_authentication",
        MONEY,
        _("Confirmation needed"),
        _("When the bank wants the customer to confirm a charge."),
    ),
    Kind(
        "method_expiring",
        MONEY,
        _("Card expires"),
        _("Before the card that pays automatically expires."),
    ),
    Kind("credit_note", MONEY, _("Credit note"), _("When a credit note is issued.")),
    Kind("refund", MONEY, _("Refund"), _("When money was given back."), ("transfer",)),
    Kind(
        "refund_returned",
        MONEY,
        _("Refund came back"),
        _("When a refund that was announced could not be credited by the customer's bank."),
    ),
    Kind(
        "disputed",
        MONEY,
        _("Payment disputed"),
        _("When a dispute suspends what the payment paid for."),
    ),
    Kind(
        "vat_id_invalid",
        MONEY,
        _("VAT number not confirmed"),
        _("When the tax offices' register does not know a VAT number."),
    ),
    Kind(
        "invoice_issued", DUNNING, _("Next invoice"), _("When a renewal is invoiced."), ("charged",)
    ),
    Kind(
        "reminder",
        DUNNING,
        _("Reminder"),
        _("Some days before an invoice is due, by the timetable."),
        ("charged",),
    ),
    Kind(
        "overdue_first",
        DUNNING,
        _("First overdue notice"),
        _("After the due date, by the timetable."),
    ),
    Kind(
        "overdue_second",
        DUNNING,
        _("Second overdue notice"),
        _("Before the suspension, by the timetable."),
        ("open", "floor"),
    ),
    Kind(
        "suspended",
        DUNNING,
        _("Service suspended"),
        _("When a service is suspended for an unpaid invoice."),
        ("final",),
    ),
    Kind(
        "revocation_warning",
        DUNNING,
        _("Warning of the end"),
        _("Before an unpaid service ends, by the timetable."),
    ),
    Kind("restored", SERVICES, _("Service runs again"), _("When a payment ends a suspension.")),
    Kind(
        "ended",
        SERVICES,
        _("Service ended"),
        _("When a service ends, for whatever reason."),
        ("unpaid", "by_staff"),
    ),
    Kind(
        "returned",
        SERVICES,
        _("Service is back"),
        _("When an ended service is brought back."),
        ("free",),
    ),
    Kind(
        "trial_ending", SERVICES, _("Trial ends"), _("Some days before a trial ends."), ("charged",)
    ),
    Kind("exchange_done", SERVICES, _("Package changed"), _("When a service has its new package.")),
    Kind(
        "exchange_scheduled",
        SERVICES,
        _("Package change planned"),
        _("When another package is ordered for a later day."),
    ),
    Kind(
        "price_changed",
        SERVICES,
        _("Price change"),
        _("When staff announce a new price, with the right to cancel."),
    ),
    Kind(
        "declaration_received",
        SERVICES,
        _("Receipt of a cancellation or withdrawal"),
        _("At once, as the law demands, with content and time."),
        ("withdrawal",),
    ),
    Kind(
        "ticket_answered",
        PEOPLE,
        _("Answer to a support request"),
        _("When staff answer; it is the answer, word for word."),
    ),
    Kind(
        "colleague_invited",
        PEOPLE,
        _("Invitation of a colleague"),
        _("When a customer invites somebody to act for them."),
    ),
    Kind(
        "data_ready",
        PEOPLE,
        _("Copy of data ready"),
        _("When the copy that a customer asked for is made."),
    ),
    Kind(
        "deletion_received",
        PEOPLE,
        _("Deletion asked for"),
        _("When a customer asks for the deletion of their data."),
    ),
    Kind("ticket_waits", STAFF, _("A support request waits"), _("When a customer writes.")),
    Kind(
        "declaration_waits",
        STAFF,
        _("A declaration waits"),
        _("When a cancellation or withdrawal is for staff to decide."),
    ),
    Kind(
        "deletion_waits",
        STAFF,
        _("A deletion waits"),
        _("When a customer asks for the deletion of their data."),
    ),
    Kind(
        "paid_after_end",
        STAFF,
        _("Paid after the end"),
        _("When somebody pays for a service that has ended."),
    ),
    Kind("mail_test", STAFF, _("Test mail"), _("When staff test the mail server.")),
)


def named(code: str) -> Text:
    """Return what staff call mails of the kind; those about signing in have no other kind here."""
    names = {each.code: each.name for each in KINDS}
    return names.get(code, _("about signing in"))
