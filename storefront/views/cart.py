"""The basket. It belongs to the session; what a browser sends names rows, never prices."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from billing import carts, checkout, tax
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
    brand = current_brand()
    basket = cart_of(request)
    quote = _quote(request, basket, brand) if basket else None
    page = {"quote": quote, "terms": terms_of(quote, brand) if quote else []}
    return render(request, "storefront/cart.html", page)


@require_POST
def cart_add(request: HttpRequest) -> HttpResponse:
    price = _price(request.POST.get("price", ""))
    subscription = _subscription(request, request.POST.get("subscription", ""))
    before = cart_of(request)
    try:
        after = carts.add(before, price, subscription=subscription, at=clock.now())
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
    line = request.POST.get("line", "")
    if basket is not None and line.isascii() and line.isdecimal() and len(line) < 19:
        carts.remove(basket, int(line), at=clock.now())
    return redirect("storefront:cart")


def cart_of(request: HttpRequest) -> Cart | None:
    """Return the session's basket; an anonymous visitor without one costs no session."""
    token = request.session.get(SESSION_KEY)
    return carts.find(token) if token else None


def _price(text: str) -> Price:
    """Return a price of a package that the shop shows; raise Http404 for any other."""
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise Http404
    prices = Price.objects.filter(package__visible=True, package__archived=False, archived=False)
    found = prices.select_related("package").filter(pk=int(text)).first()
    if found is None:
        raise Http404
    return found


def _subscription(request: HttpRequest, public_id: str) -> Subscription | None:
    """Return the reader's own subscription with this id; a stranger's is the same as none."""
    if not public_id or not isinstance(request.user, User):
        return None
    mine = Subscription.objects.filter(customer__users=request.user)
    return next((each for each in mine if str(each.public_id) == public_id), None)


def _quote(request: HttpRequest, basket: Cart, brand: Brand) -> checkout.Quote | None:
    """Price the basket for who is reading; a visitor is priced as a consumer at home."""
    customer = customer_of(request.user) if isinstance(request.user, User) else None
    on = business_day(clock.now(), brand.zone)
    try:
        return checkout.quote(
            basket,
            customer or Customer(country=brand.country),
            brand,
            language=request.LANGUAGE_CODE,
            on=on,
        )
    except checkout.EmptyCart:
        return None
    except tax.NoRate:
        messages.error(request, _("Prices cannot be worked out just now. Please contact us."))
        return None
