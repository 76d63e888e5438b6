"""The checkout: one page from the basket to the binding order."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing import balances, carts, pro_formas, tax, top_up_limits, vat_ids
from billing import checkout as flow
from billing.models import Brand, Cart, Customer, Order, User, current_brand
from packages import clock
from packages.money import Money
from packages.periods import business_day
from provisioning import pools
from storefront import buyers, reasons, refusals
from storefront.consents import agreed, sentences
from storefront.forms import BUSINESS, PRIVATE, CheckoutForm
from storefront.owned import customer_of, user_of
from storefront.terms import terms_of
from storefront.views.cart import SESSION_KEY, cart_of
from storefront.views.payment import begin, page_of


@dataclass(frozen=True, slots=True)
class Visit:
    """What one request to the checkout works with."""

    request: HttpRequest
    user: User
    customer: Customer | None
    basket: Cart
    brand: Brand
    on: date
    at: datetime

    @property
    def language(self) -> str:
        return self.request.LANGUAGE_CODE.split("-")[0]

    def form(self, **values: Any) -> CheckoutForm:
        return CheckoutForm(**values, consents=sentences(self.brand), currency=self.basket.currency)

    def quote(self, values: dict[str, Any]) -> flow.Quote:
        """Price the basket for what is typed so far; empty values mean the customer as known."""
        buyer = buyers.described(values, self.customer, home=self.brand.country)
        # Asked while the buyer still reads, so that the answer is there when they order.
        vat_ids.ask(buyer, self.brand, at=self.at)
        return flow.quote(self.basket, buyer, self.brand, language=self.language, on=self.on)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    """GET shows the form, POST with `action=update` reprices it, with `action=pro_forma` returns
    the PDF, any other POST orders.
    """
    user, basket, at = user_of(request), cart_of(request), clock.now()
    if basket is None or not basket.lines.exists():
        return _placed_before(request, user, at=at)
    brand = current_brand()
    on = business_day(at, brand.zone)
    visit = Visit(request, user, customer_of(request), basket, brand, on, at)
    if request.method != "POST":
        return _show(visit, visit.form(initial=_known(visit)), values={})
    if request.POST.get("action") == "pro_forma":
        return _pro_forma(visit, visit.form(data=request.POST, binding=False))
    typed = visit.form(data=request.POST)
    valid = typed.is_valid()
    if request.POST.get("action") == "update":
        return _show(visit, visit.form(initial=request.POST.dict()), values=typed.cleaned_data)
    if not valid:
        return _show(visit, typed, values=typed.cleaned_data, status=422)
    return _order(visit, typed)


def _pro_forma(visit: Visit, typed: CheckoutForm) -> HttpResponse:
    """Return the order that is not placed as a PDF for the buyer's approval; nothing is stored."""
    valid, values = typed.is_valid(), typed.cleaned_data
    if not valid or not pro_formas.offered(values["is_business"], visit.brand):
        return _show(visit, typed, values=values, status=422)
    try:
        priced = visit.quote(values).priced
    except (flow.EmptyCart, tax.NoRate):
        return _show(visit, typed, values=values, status=409)
    file = pro_formas.pdf(priced, visit.brand, at=visit.at)
    name = _("pro-forma-invoice-%(date)s.pdf") % {"date": visit.on.isoformat()}
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(file, content_type="application/pdf", headers=headers)


def _order(visit: Visit, typed: CheckoutForm) -> HttpResponse:
    values = typed.cleaned_data
    customer = buyers.save(visit.request, values, language=visit.language, at=visit.at)
    try:
        order = flow.place(
            visit.basket,
            customer,
            visit.brand,
            placed_by=visit.user,
            language=visit.language,
            consents=agreed(values, visit.brand, at=visit.at),
            seen=visit.request.POST.get("seen", ""),
            on=visit.on,
            at=visit.at,
        )
    except flow.EmptyCart:
        return _placed_before(visit.request, visit.user, at=visit.at)
    except (carts.NotForSale, pools.NoServer):
        text = _("Something in your cart cannot be ordered just now. Nothing was ordered.")
        messages.error(visit.request, text)
        return redirect("storefront:cart")
    except top_up_limits.Refused as refused:
        messages.error(visit.request, refusals.words(refused, visit.brand))
        return redirect("storefront:cart")
    except (flow.Changed, tax.NoRate):
        return _show(visit, typed, values=values, changed=True, status=409)
    return _pay(visit.request, order, at=visit.at)


def _placed_before(request: HttpRequest, user: User, *, at: datetime) -> HttpResponse:
    """Answer a second tab or a click back: the order is there, so go on with that one."""
    token = request.session.get(SESSION_KEY)
    mine = Order.objects.filter(customer__users=user).select_related("invoice")
    order = mine.filter(checkout_key=token).first() if token else None
    if order is None:
        messages.info(request, _("Your cart is empty. Nothing was ordered."))
        return redirect("storefront:cart")
    if request.method == "POST":
        return _pay(request, order, at=at)
    return page_of(order.invoice)


def _pay(request: HttpRequest, order: Order, *, at: datetime) -> HttpResponse:
    if not order.invoice.due:
        return page_of(order.invoice)
    return begin(request, order.invoice, request.POST.get("gateway", ""), at=at)


def _show(
    visit: Visit,
    form: CheckoutForm,
    *,
    values: dict[str, Any],
    changed: bool = False,
    status: int = 200,
) -> HttpResponse:
    """Show the form with the basket priced for what is typed; to htmx only the priced parts."""
    try:
        quote = visit.quote(values)
    except flow.EmptyCart:
        return _placed_before(visit.request, visit.user, at=visit.at)
    except tax.NoRate:
        messages.error(visit.request, _("Prices cannot be worked out just now. Please contact us."))
        return redirect("storefront:cart")
    is_business = form["kind"].value() == BUSINESS
    page = {
        "form": form,
        "quote": quote,
        "vat_id_waits": _waits(quote),
        "from_balance": _from_balance(visit.customer, quote),
        "terms": terms_of(quote, visit.brand),
        "reasons": reasons.of_priced(quote.priced, visit.brand),
        "changed": changed,
        "is_business": is_business,
        "pro_forma": pro_formas.offered(is_business, visit.brand),
        # With JavaScript a private buyer has no company field, so its presence tells what is shown.
        "kind_changed": is_business != ("company" in visit.request.POST),
    }
    partly = visit.request.headers.get("HX-Request") == "true"
    template = "storefront/_checkout_priced.html" if partly else "storefront/checkout.html"
    return render(visit.request, template, page, status=status)


def _waits(quote: flow.Quote) -> bool:
    """Say whether VAT is charged only because nobody has confirmed the buyer's VAT id yet."""
    buyer, brand = quote.priced.draft.customer, current_brand()
    charged = quote.priced.treatment.note != tax.REVERSE_CHARGE
    return charged and vat_ids.matters(buyer, brand)


def _from_balance(customer: Customer | None, quote: flow.Quote) -> Money | None:
    """Return what the balance will pay of the order, None where there is nothing on it."""
    if customer is None:
        return None
    return min(balances.of(customer, quote.total.currency), quote.total) or None


def _known(visit: Visit) -> dict[str, Any]:
    customer = visit.customer
    if customer is None:
        return {"kind": PRIVATE, "name": visit.user.name, "country": visit.brand.country}
    known = {name: getattr(customer, name) for name in buyers.FIELDS}
    return {**known, "kind": BUSINESS if customer.is_business else PRIVATE}
