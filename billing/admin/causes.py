"""What the causes mean that billing makes, for staff who read them: its jobs, bookings, mails."""

from django.utils.translation import gettext_lazy as _

from billing.models import (
    Allocation,
    AutoPurchase,
    CreditBucket,
    DataExport,
    Declaration,
    DeletionRequest,
    Exchange,
    Invoice,
    InvoiceLine,
    Movement,
    Notice,
    OrderLine,
    Payment,
    PaymentMethod,
    PriceChange,
    Refund,
    Subscription,
    SubscriptionPeriod,
    TicketMessage,
    TopUpRefund,
    VatCheck,
)
from billing.models import Order as OrderRow
from packages.desk.causes import UUID, Cause, know

ASKED_AGAIN = "(:again)?"
STEPS = "|".join(Notice.Step.values)
OF_SERVICE = ("package", "customer")
SERVICE = ("subscription__package", "subscription__customer")

# Work at the dialler, and the mails that go with it.
know(
    Cause(
        r"order-line-(?P<row>\d+)(:create|:limits|:credit)?",
        _("order %(row)s"),
        OrderLine,
        via="order",
    ),
    Cause(
        r"order-line-(?P<row>\d+):unsuspend",
        _("returned by order %(row)s"),
        OrderLine,
        via="order",
    ),
    Cause(
        r"invoice-line-(?P<row>\d+):(credit|take-back|units)",
        _("renewal, invoice %(row)s"),
        InvoiceLine,
        via="invoice",
    ),
    Cause(
        r"invoice-line-(?P<row>\d+):restore",
        _("invoice %(row)s was paid"),
        InvoiceLine,
        via="invoice",
    ),
    Cause(
        rf"invoice-(?P<row>\d+):({STEPS}):(\d+(:suspend|:delete)?)?",
        _("invoice %(row)s was not paid"),
        Invoice,
    ),
    Cause(
        r"subscription-(?P<row>\d+):end-\d+(:suspend|:delete)?",
        _("end of the service %(row)s"),
        Subscription,
        beside=OF_SERVICE,
    ),
    Cause(
        r"subscription-(?P<row>\d+):end-\d+:reopened",
        _("the service %(row)s goes on"),
        Subscription,
        beside=OF_SERVICE,
    ),
    Cause(
        r"exchange-(?P<row>\d+)(:limits|:credit)?",
        _("package exchanged: %(row)s"),
        Exchange,
        via="subscription",
        beside=SERVICE,
    ),
    Cause(rf"dispute-(?P<row>\d+){ASKED_AGAIN}", _("dispute about payment %(row)s"), Payment),
    Cause(r"dispute-(?P<row>\d+):over", _("the dispute about payment %(row)s is over"), Payment),
    Cause(rf"gift-{UUID}", _("credit given by staff")),
    Cause(
        r"bucket-(?P<row>\d+):expired",
        _("credit of account %(row)s expired"),
        CreditBucket,
        via="account",
    ),
    Cause(
        r"bucket-\d+:refund-(?P<row>\d+)",
        _("bought credit is given back: %(row)s"),
        TopUpRefund,
        beside=("line",),
    ),
)

# The ledger.
know(
    Cause(r"invoice-(?P<row>\d+):issued", _("%(row)s issued"), Invoice),
    Cause(r"invoice-(?P<row>\d+):written-off", _("%(row)s written off"), Invoice),
    Cause(r"payment-(?P<row>\d+):succeeded", _("payment %(row)s"), Payment),
    Cause(
        r"allocation-(?P<row>\d+):used",
        _("balance used for %(row)s"),
        Allocation,
        via="invoice",
    ),
    Cause(r"refund-(?P<row>\d+):requested", _("refund %(row)s asked for"), Refund),
    Cause(r"refund-(?P<row>\d+):succeeded", _("refund %(row)s paid out"), Refund),
    Cause(r"refund-(?P<row>\d+):failed", _("refund %(row)s failed"), Refund),
    Cause(r"refund-(?P<row>\d+):returned", _("refund %(row)s came back"), Refund),
    Cause(r"movement-(?P<row>\d+)", _("at the gateway: %(row)s"), Movement),
)

# Mails alone.
know(
    Cause(r"order-(?P<row>\d+)", _("order %(row)s"), OrderRow),
    Cause(r"invoice-(?P<row>\d+)(-subscription-\d+)?", _("invoice %(row)s"), Invoice),
    Cause(r"payment-(?P<row>\d+)", _("payment %(row)s"), Payment),
    Cause(r"refund-(?P<row>\d+)", _("refund %(row)s"), Refund),
    Cause(r"subscription-(?P<row>\d+)", _("trial of %(row)s"), Subscription, beside=OF_SERVICE),
    Cause(
        r"period-(?P<row>\d+):\w+-\d+",
        _("usage of %(row)s"),
        SubscriptionPeriod,
        via="subscription",
        beside=SERVICE,
    ),
    Cause(
        r"price-change-(?P<row>\d+):\d+",
        _("price change %(row)s"),
        PriceChange,
        beside=("price__package",),
    ),
    Cause(r"method-(?P<row>\d+)", _("saved payment method %(row)s"), PaymentMethod),
    Cause(
        r"auto-purchase-(?P<row>\d+)",
        _("automatic top-up of %(row)s"),
        AutoPurchase,
        via="auto",
        beside=("auto__subscription__package", "auto__subscription__customer"),
    ),
    Cause(r"vat-check-(?P<row>\d+)-\d+", _("check of the VAT number %(row)s"), VatCheck),
    Cause(r"declaration-(?P<row>\d+)", "%(row)s", Declaration),
    Cause(
        r"ticket-message-(?P<row>\d+)", _("support request %(row)s"), TicketMessage, via="ticket"
    ),
    Cause(
        r"data-export-(?P<row>\d+)", _("copy of data: %(row)s"), DataExport, beside=("customer",)
    ),
    Cause(
        r"deletion-(?P<row>\d+)",
        _("deletion request of %(row)s"),
        DeletionRequest,
        beside=("customer",),
    ),
    Cause(r"invitation-\d+", _("a colleague was invited")),
    Cause(r"at-.+", _("test of the sending of mails")),
)
