"""The basket. It belongs to the session; what a browser sends names rows, never prices."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from billing import carts, checkout, coupons, tax
from billing.models import Brand, Cart, Customer, Subscription, User, current_brand
from packages import clock
from packages.models import Price
from packages.periods import business_day
from storefront.owned import customer_of
from storefront.terms import terms_of

SESSION_KEY = "cart"


@never_cache
@require_safe
def cart(request: HttpRequest) -> HttpResponse:
    return _page(request, cart_of(request), current_brand(), {})


@require_POST
def cart_add(request: HttpRequest) -> HttpResponse:
    price = _price(request.POST.get("price", ""))
    subscription = _subscription(request, request.POST.get("subscription", ""))
    quantity = _number(request.POST.get("quantity", "")) or 1
    before = cart_of(request)
    try:
        after = carts.add(
            before, price, subscription=subscription, quantity=quantity, at=clock.now()
        )
    except carts.NotForSale:
        messages.error(request, _("That cannot be ordered. Please choose a package and a service."))
        return redirect(price.package)
    request.session[SESSION_KEY] = str(after.token)
    if before is not None and before.currency != after.currency:
        messages.info(request, _("Your cart now has another currency, so it was emptied before."))
    return redirect("storefront:cart")


@require_POST
def cart_remove(request: HttpRequest) -> HttpResponse:
    basket = cart_of(request)
    line = _number(request.POST.get("line", ""))
    if basket is not None and line is not None:
        carts.remove(basket, line, at=clock.now())
    return redirect("storefront:cart")


@require_POST
def cart_change(request: HttpRequest) -> HttpResponse:
    """Set the quantity of a line; what is no number changes nothing."""
    basket = cart_of(request)
    line = _number(request.POST.get("line", ""))
    quantity = _number(request.POST.get("quantity", ""))
    if basket is not None and line is not None and quantity is not None:
        carts.change(basket, line, quantity, at=clock.now())
    return redirect("storefront:cart")


@require_POST
def cart_coupon(request: HttpRequest) -> HttpResponse:
    """Put a coupon into the basket, or take it out; say why where it is of no use."""
    basket, at = cart_of(request), clock.now()
    if basket is None:
        return redirect("storefront:cart")
    if request.POST.get("action") == "remove":
        coupons.remove(basket, at=at)
        return redirect("storefront:cart")
    brand, code = current_brand(), request.POST.get("code", "")
    try:
        on = business_day(at, brand.zone)
        coupons.enter(basket, code, _reader(request, brand), on=on, at=at)
    except coupons.Refused as refused:
        return _page(request, basket, brand, {"code": code, "refusal": str(refused)}, status=422)
    return redirect("storefront:cart")


def cart_of(request: HttpRequest) -> Cart | None:
    """Return the session's basket; an anonymous visitor without one costs no session."""
    token = request.session.get(SESSION_KEY)
    return carts.find(token) if token else None


def _page(
    request: HttpRequest,
    basket: Cart | None,
    brand: Brand,
    typed: dict[str, str],
    *,
    status: int = 200,
) -> HttpResponse:
    quote = _quote(request, basket, brand) if basket else None
    page = {"quote": quote, "terms": terms_of(quote, brand) if quote else [], **typed}
    return render(request, "storefront/cart.html", page, status=status)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _reader(request: HttpRequest, brand: Brand) -> Customer:
    """Return who is reading; a visitor counts as a consumer at home."""
    customer = customer_of(request) if isinstance(request.user, User) else None
    return customer or Customer(country=brand.country)


def _price(text: str) -> Price:
    """Return a price of a package that the shop shows; raise Http404 for any other."""
    number = _number(text)
    if number is None:
        raise Http404
    prices = Price.objects.filter(package__visible=True, package__archived=False, archived=False)
    found = prices.select_related("package").filter(pk=number).first()
    if found is None:
        raise Http404
    return found


def _subscription(request: HttpRequest, public_id: str) -> Subscription | None:
    """Return the reader's own subscription with this id; a stranger's is the same as none."""
    if not public_id or not isinstance(request.user, User):
        return None
    mine = Subscription.objects.filter(customer=customer_of(request))
    return next((each for each in mine if str(each.public_id) == public_id), None)


def _quote(request: HttpRequest, basket: Cart, brand: Brand) -> checkout.Quote | None:
    """Price the basket for who is reading."""
    on = business_day(clock.now(), brand.zone)
    try:
        return checkout.quote(
            basket,
            _reader(request, brand),
            brand,
            language=request.LANGUAGE_CODE,
            on=on,
        )
    except checkout.EmptyCart:
        return None
    except tax.NoRate:
        messages.error(request, _("Prices cannot be worked out just now. Please contact us."))
        return None
