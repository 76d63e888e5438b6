"""Which right each page needs, to look and to do something. The tables are the whole of it.

storefront/owned.py asks here, whatever row a view fetches, so no view checks rights by itself.
"""

from django.http import HttpRequest

from billing.models import Membership

SEE, PAY, ASK, MANAGE = Membership.Right
LOOKING = ("GET", "HEAD", "OPTIONS")
# Pages about a customer: what it takes to look, and to press a button there.
TO_LOOK_AND_DO = {
    "dashboard": (SEE, SEE),
    "services": (SEE, SEE),
    "service": (SEE, PAY),
    "service_cancel": (SEE, PAY),
    "service_withdraw": (SEE, PAY),
    "service_end": (PAY, PAY),
    "service_exchange": (PAY, PAY),
    "service_exchange_withdraw": (SEE, PAY),
    "service_return": (SEE, PAY),
    "top_up": (PAY, PAY),
    "auto_top_up": (PAY, PAY),
    "orders": (SEE, SEE),
    "order": (SEE, SEE),
    "order_status": (SEE, SEE),
    "api_order": (SEE, SEE),
    "invoices": (SEE, SEE),
    "invoice": (SEE, SEE),
    "invoice_pdf": (SEE, SEE),
    "invoice_xml": (SEE, SEE),
    # The gateway sends whoever pays back here.
    "pay": (SEE, PAY),
    "payment": (SEE, SEE),
    "pay_together": (SEE, PAY),
    "checkout": (PAY, PAY),
    "payments": (SEE, SEE),
    "balance": (SEE, SEE),
    "methods": (SEE, SEE),
    "method_new": (SEE, PAY),
    "method_back": (SEE, SEE),
    "method_default": (SEE, PAY),
    "method_remove": (SEE, PAY),
    "automatic": (SEE, PAY),
    "mails": (SEE, SEE),
    "mail": (SEE, SEE),
    "mail_design": (SEE, SEE),
    "tickets": (SEE, SEE),
    "ticket_new": (ASK, ASK),
    "ticket": (SEE, ASK),
    "ticket_close": (SEE, ASK),
    "ticket_file": (SEE, SEE),
    "profile": (SEE, MANAGE),
    "data": (MANAGE, MANAGE),
    "data_download": (MANAGE, MANAGE),
    "colleagues": (SEE, MANAGE),
    "colleague": (SEE, MANAGE),
    "colleague_leave": (SEE, SEE),
    "invitation_withdraw": (SEE, MANAGE),
}
# Pages for anybody, or for a user whatever customers they act for.
OPEN = frozenset(
    {
        *("home", "packages", "package", "legal", "brand_css", "theme", "currency"),
        *("cart", "cart_add", "cart_remove", "cart_change", "cart_coupon"),
        *("secret", "cancel_contract", "withdraw_contract", "declared", "invitation"),
        *("act_for", "viewing_end", "api_packages", "api_schema", "mailbox", "mailbox_mail"),
    }
)


def needed(request: HttpRequest) -> Membership.Right:
    """Return the right that this page needs for what is asked of it."""
    match = request.resolver_match
    name = match.url_name if match else None
    to_look, to_do = TO_LOOK_AND_DO.get(name or "", (SEE, SEE))
    return to_look if request.method in LOOKING else to_do
