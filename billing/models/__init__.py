"""Who owes what. One file per thing; import the thing from here."""

from billing.models.alert import Alert, AlertMessage, AlertSettings
from billing.models.auto_top_up import AutoPurchase, AutoTopUp
from billing.models.bank import BankEntry, StatementFile, StatementLayout
from billing.models.brand import Brand, LegalText, brand_if_any, current_brand
from billing.models.coupon import Coupon, CouponAmount, Redemption
from billing.models.credit import BucketEntry, CreditBucket
from billing.models.customer import Customer, Membership, User
from billing.models.data_request import DataExport, DeletionRequest
from billing.models.datev import DatevAccount, DatevSettings
from billing.models.declaration import Declaration
from billing.models.exchange import Exchange
from billing.models.inbound_mail import InboundMail
from billing.models.invitation import Invitation
from billing.models.invoice import Invoice, InvoiceLine, InvoiceTax, NumberSeries, TaxRate
from billing.models.ledger import LedgerAccount, LedgerTransaction, Posting
from billing.models.mail import Mail
from billing.models.mail_text import MailText
from billing.models.method import PaymentMethod
from billing.models.movement import Difference, Movement
from billing.models.notice import Notice
from billing.models.order import Cart, CartLine, Order, OrderLine
from billing.models.pause import Pause
from billing.models.payer import Payer
from billing.models.payment import Allocation, GatewayEvent, Payment, PaymentPart, paying
from billing.models.price_campaign import CampaignPrice, PriceCampaign
from billing.models.price_change import PriceChange, PriceNotice
from billing.models.refund import Refund
from billing.models.remark import Remark
from billing.models.run import Run
from billing.models.setup import MethodSetup
from billing.models.subscription import Subscription, SubscriptionPeriod
from billing.models.ticket import Ticket, TicketFile, TicketMessage
from billing.models.timetable import PackageTimetable, Timetable
from billing.models.top_up import TopUpLimit, TopUpTerms
from billing.models.top_up_refund import TopUpRefund
from billing.models.vat_check import VatCheck

__all__ = [
    "Alert",
    "AlertMessage",
    "AlertSettings",
    "Allocation",
    "AutoPurchase",
    "AutoTopUp",
    "BankEntry",
    "Brand",
    "BucketEntry",
    "CampaignPrice",
    "Cart",
    "CartLine",
    "Coupon",
    "CouponAmount",
    "CreditBucket",
    "Customer",
    "DatevAccount",
    "DatevSettings",
    "DataExport",
    "Declaration",
    "DeletionRequest",
    "Difference",
    "Exchange",
    "GatewayEvent",
    "InboundMail",
    "Invitation",
    "Invoice",
    "InvoiceLine",
    "InvoiceTax",
    "LedgerAccount",
    "LedgerTransaction",
    "LegalText",
    "Mail",
    "MailText",
    "Membership",
    "MethodSetup",
    "Movement",
    "Notice",
    "NumberSeries",
    "Order",
    "OrderLine",
    "PackageTimetable",
    "Pause",
    "Payer",
    "Payment",
    "PaymentMethod",
    "PaymentPart",
    "Posting",
    "PriceCampaign",
    "PriceChange",
    "PriceNotice",
    "Redemption",
    "Remark",
    "Run",
    "Refund",
    "StatementFile",
    "StatementLayout",
    "Subscription",
    "SubscriptionPeriod",
    "TaxRate",
    "Ticket",
    "TicketFile",
    "TicketMessage",
    "Timetable",
    "TopUpLimit",
    "TopUpRefund",
    "TopUpTerms",
    "User",
    "VatCheck",
    "brand_if_any",
    "current_brand",
    "paying",
]
