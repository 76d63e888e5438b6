"""While staff see the shop as a customer: their pages, and nothing that does anything.

The session says whom staff look at. Only the shop's pages are shown so; the desk and everything
about signing in stay the person's own. Pages are allowed by name, so a new one is closed at first.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from billing import viewing
from billing.models import Customer, User

KEY = "viewing"
LONGEST = timedelta(minutes=30)
RIGHT = "billing.change_customer"
SHOWN = {
    *("home", "packages", "package", "legal", "brand_css"),
    *("dashboard", "services", "service", "top_up", "service_exchange"),
    *("orders", "order", "order_status", "mails", "mail", "mail_design"),
    *("invoices", "invoice", "invoice_pdf", "invoice_xml", "balance", "methods", "profile"),
    *("tickets", "ticket", "ticket_file"),
}
# How staff themselves read the page, and the way out.
OWN = {"theme", "currency", "viewing_end"}


@dataclass(frozen=True, slots=True)
class Viewing:
    """Whose pages are shown, and to whom."""

    customer: Customer
    staff: User


def viewing_of(request: HttpRequest) -> Viewing | None:
    return getattr(request, KEY, None)


def shown(request: HttpRequest, *, at: datetime) -> HttpResponse | None:
    """Put the customer's user in the place of the person for pages that are shown.

    Returns the refusal for every other one; None where the page is to be answered. Whom the session
    names may not be seen any more by the person, or not for so long: then they see their own pages.
    """
    chosen, match = _chosen(request, at=at), request.resolver_match
    assert match is not None, "Asked when the address is resolved."
    if chosen is None:
        del request.session[KEY]
        return None
    setattr(request, KEY, chosen)
    if match.url_name in OWN:
        return None
    if match.url_name in SHOWN and request.method in ("GET", "HEAD"):
        request.user = viewing.eyes_of(chosen.customer)
        return None
    messages.warning(request, _("You only look at this customer's pages; nothing was done."))
    again = request.path if match.url_name in SHOWN else reverse("storefront:dashboard")
    return HttpResponseRedirect(again)


def _chosen(request: HttpRequest, *, at: datetime) -> Viewing | None:
    """Return what the session asks for, while the person may still see it and it is not old."""
    user, kept = request.user, request.session[KEY]
    if not isinstance(user, User) or not user.is_staff or not user.has_perm(RIGHT):
        return None
    if at - datetime.fromisoformat(kept["since"]) > LONGEST:
        return None
    customer = Customer.objects.filter(pk=kept["customer"]).first()
    try:
        if customer is not None:
            viewing.eyes_of(customer)
            return Viewing(customer, user)
    except viewing.NobodySees:
        pass
    return None
