"""Cancel or withdraw without signing in (§ 312k and § 356a BGB), and the receipt for it."""

import uuid

from allauth.core import ratelimit
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from billing import declarations
from billing.models import Declaration, User
from packages import clock
from storefront.context import current_brand_or_blank
from storefront.declaration_forms import FORMS, WithdrawalForm

Kind = Declaration.Kind


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def cancel_contract(request: HttpRequest) -> HttpResponse:
    """Receive a cancellation from anybody."""
    return _declare(request, Kind.CANCELLATION)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw_contract(request: HttpRequest) -> HttpResponse:
    """Receive a withdrawal from anybody."""
    return _declare(request, Kind.WITHDRAWAL)


@never_cache
@require_safe
def declared(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Show what was received and when, to keep; the address is known to the declarer alone."""
    row = get_object_or_404(Declaration, public_id=public_id)
    return render(request, "storefront/declared.html", {"declaration": row})


def _declare(request: HttpRequest, kind: Declaration.Kind) -> HttpResponse:
    if not current_brand_or_blank().german_consumers:
        raise Http404
    form = FORMS[kind](request.POST or None, initial=_known(request))
    if not form.is_valid():
        return _form(request, form)
    # Each receipt is a mail to whatever address was typed.
    if not ratelimit.consume(request, action="declaration", key=form.cleaned_data["email"].lower()):
        return render(request, "429.html", status=429)
    row = declarations.receive(
        form.said(),
        key=form.cleaned_data["key"],
        language=(get_language() or "de").split("-")[0],
        at=clock.now(),
    )
    return redirect("storefront:declared", row.public_id)


def _form(request: HttpRequest, form: WithdrawalForm) -> HttpResponse:
    page = {"form": form, "is_cancellation": form.kind == Kind.CANCELLATION}
    status = 422 if form.errors else 200
    return render(request, "storefront/declaration.html", page, status=status)


def _known(request: HttpRequest) -> dict[str, object]:
    """Fill in what we know of who is signed in, and the contract that a link names."""
    user = request.user
    known: dict[str, object] = {"key": uuid.uuid4(), "contract": request.GET.get("contract", "")}
    if isinstance(user, User):
        known |= {"name": user.name, "email": user.email}
    return known
