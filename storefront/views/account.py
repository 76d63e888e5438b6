"""The client area: everything a customer has with us. Rows come from storefront/owned.py only."""

import re
import uuid
from datetime import date, datetime

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from billing import (
    balances,
    collections,
    documents,
    einvoice,
    explanations,
    gateways,
    tax,
    vat_ids,
)
from billing.gateways.bank_transfer import BankTransfer
from billing.gateways.base import Gateway
from billing.models import (
    Brand,
    Customer,
    Invoice,
    InvoiceLine,
    Membership,
    Payment,
    PaymentMethod,
    Subscription,
    User,
    current_brand,
    paying,
)
from packages import clock
from packages.money import total
from packages.periods import Period, business_day
from storefront import invoice_filters, next_steps, overview, reasons, standings
from storefront.consents import to_keep
from storefront.owned import customer_of, owned_invoice, rights_of, user_of
from storefront.profile_forms import ProfileForm
from storefront.views.payments import went_back
from storefront.views.services import service as service

PAGE_SIZE = 20


@never_cache
@login_required
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Answer, in this order: does it run, what credit is left, do I owe anything, what is next."""
    user, brand, at = user_of(request), current_brand(), clock.now()
    context: dict[str, object] = {
        "brand": brand,
        "unconfirmed": _unconfirmed(user),
        "services": [],
    }
    customer = customer_of(request)
    if customer is not None:
        on, may_pay = business_day(at, brand.zone), Membership.Right.PAY in rights_of(request)
        context |= _dashboard(customer, brand, may_pay=may_pay, on=on, at=at)
    return render(request, "storefront/account/dashboard.html", context)


@never_cache
@login_required
@require_safe
def services(request: HttpRequest) -> HttpResponse:
    customer = customer_of(request)
    on = _today(clock.now())
    rows = overview.services_of(customer, on=on) if customer else []
    return render(request, "storefront/account/services.html", {"services": rows})


@never_cache
@login_required
@require_safe
def invoices(request: HttpRequest) -> HttpResponse:
    customer, on = customer_of(request), _today(clock.now())
    issued = Invoice.objects.filter(customer=customer).exclude(state=Invoice.State.DRAFT)
    chosen = invoice_filters.read(request.GET, issued)
    found = chosen.of(issued, on=on).order_by("-id")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    together = overview.payable_together(customer) if customer else []
    context = {
        "page": page,
        "chosen": chosen,
        "rows": overview.invoice_rows(list(page), on=on),
        "together": together,
        "sum": total((each.due for each in together), together[0].currency) if together else None,
        "gateways": _with_pages(together[0].currency) if together else [],
        "methods": active_methods(customer, on=on) if customer else [],
    }
    return render(request, "storefront/account/invoices.html", context)


@never_cache
@login_required
@require_safe
def invoice(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    row = owned_invoice(request, public_id)
    theirs = Payment.objects.filter(paying(row)).exclude(state=Payment.State.CANCELLED)
    payments = list(theirs.prefetch_related(went_back()).distinct().order_by("-id"))
    brand = current_brand()
    on = business_day(clock.now(), brand.zone)
    (standing,) = overview.invoice_rows([row], on=on)
    offered = gateways.offered(row.currency) if row.state == Invoice.State.OPEN else []
    context = {
        "invoice": row,
        "standing": standing.standing,
        "lines": [(line, _period(line), documents.without_days(line)) for line in row.lines.all()],
        "taxes": row.taxes.all(),
        "is_small": row.tax_note == tax.SMALL_BUSINESS,
        "why": _why(row),
        "reasons": reasons.of_invoice(row),
        "notes": row.credit_notes.order_by("id"),
        "payments": payments,
        "from_balance": balances.used_for(row),
        "confirming": any(each.state == Payment.State.PROCESSING for each in payments),
        "gateways": offered,
        "overdue": row.due_on is not None and row.due_on < on,
        "charged": collections.upcoming(row, zone=brand.zone, on=on) if offered else None,
        "transfer": bool(offered) and any(_announces_transfer(each) for each in payments),
        "methods": active_methods(row.customer, on=on),
        "to_keep": to_keep(brand) if any(x.keeps_methods for x in offered) else "",
    }
    return render(request, "storefront/account/invoice.html", context)


def _with_pages(currency: str) -> list[Gateway]:
    """The gateways that take one sum for several invoices; a transfer names its own invoice."""
    return [each for each in gateways.offered(currency) if each.code != BankTransfer.code]


def active_methods(customer: Customer, *, on: date) -> QuerySet[PaymentMethod]:
    """The methods that can be charged on that day, the default first."""
    lasts = Q(expires_on__isnull=True) | Q(expires_on__gte=on)
    active = customer.methods.filter(lasts, state=PaymentMethod.State.ACTIVE)
    return active.order_by("-is_default", "-id")


@never_cache
@login_required
@require_safe
def invoice_pdf(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Download the invoice; it is a file to keep, so no browser or proxy keeps another."""
    row = owned_invoice(request, public_id)
    return _download(row, documents.invoice_pdf(row), "pdf")


@never_cache
@login_required
@require_safe
def invoice_xml(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Download the invoice as data (EN 16931), the same that its PDF carries."""
    row = owned_invoice(request, public_id)
    return _download(row, einvoice.xml(row), "xml")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Show and change who is billed; the language is also the reader's own from then on."""
    user, at = user_of(request), clock.now()
    if request.method == "POST":
        form = _save_profile(request, user, at=at)
        if not form.errors:
            return _in_language(request, form.cleaned_data["language"])
    else:
        form = ProfileForm(instance=customer_of(request) or _new_customer(user, at=at))
        may = rights_of(request)
        for field in form.fields.values():
            field.disabled = Membership.Right.MANAGE not in may
    status = 422 if form.errors else 200
    return render(request, "storefront/account/profile.html", {"form": form}, status=status)


def _download(row: Invoice, content: bytes, kind: str) -> HttpResponse:
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", str(row.number))
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    return HttpResponse(content, content_type=f"application/{kind}", headers=headers)


def _dashboard(
    customer: Customer, brand: Brand, *, may_pay: bool, on: date, at: datetime
) -> dict[str, object]:
    rows = overview.services_of(customer, on=on)
    balances = overview.balances_of(rows, at=at)
    rows = overview.with_lasts(rows, balances, on=on, at=at)
    owed = overview.debt_rows(customer)
    by_itself = bool(owed) and customer.pays_automatically
    charged = collections.upcoming(owed[0], zone=brand.zone, on=on) if by_itself else None
    coming = overview.next_charge(rows, brand, on=on)
    latest = overview.latest_invoices(customer, on=on)
    confirming = any(each.standing.kind == standings.WAIT for each in latest)
    current = [each for each in rows if each.subscription.state != Subscription.State.ENDED]
    return {
        "customer": customer,
        "services": rows,
        "running": sum(1 for each in current if each.running.kind == "ok"),
        "suspended": any(each.subscription.state == "suspended" for each in current),
        "unpaid": bool(owed or confirming)
        and any(each.subscription.state in ("suspended", "pending") for each in current),
        "confirming": confirming,
        "current": current,
        "shown": current[: overview.SHOWN_SERVICES],
        "balances": overview.with_until(balances, rows),
        "debts": overview.debts_of(customer, owed, on=on),
        "pay_first": next(iter(owed), None),
        "charged": charged,
        "coming": coming,
        "steps": next_steps.of(rows, owed, charged, coming, may_pay=may_pay, on=on, at=at),
        "reasons": reasons.of_overview(current, owed, coming),
        "invoices": latest,
    }


def _why(row: Invoice) -> list[str]:
    """Return what comes next while the invoice is not paid, and by which rule."""
    at = clock.now()
    return explanations.of([row], on=_today(at), at=at).get(row.pk, [])


def _announces_transfer(payment: Payment) -> bool:
    return payment.gateway == BankTransfer.code and payment.state == Payment.State.CREATED


def _period(line: InvoiceLine) -> Period | None:
    if line.period_start_on is None or line.period_end_on is None:
        return None
    return Period(line.period_start_on, line.period_end_on)


def _unconfirmed(user: User) -> EmailAddress | None:
    return EmailAddress.objects.filter(user=user, primary=True, verified=False).first()


def _today(at: datetime) -> date:
    return business_day(at, current_brand().zone)


def _new_customer(user: User, *, at: datetime) -> Customer:
    return Customer(name=user.name, email=user.email, language=user.language, created_at=at)


def _save_profile(request: HttpRequest, user: User, *, at: datetime) -> ProfileForm:
    """Save what is valid; the user's lock keeps two tabs from making two customers."""
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        form = ProfileForm(
            request.POST, instance=customer_of(request) or _new_customer(user, at=at)
        )
        if form.is_valid():
            customer = form.save()
            Membership.objects.get_or_create(user=user, customer=customer)
            vat_ids.ask(customer, current_brand(), at=at)
            user.language = form.cleaned_data["language"]
            user.save(update_fields=["language"])
    return form


def _in_language(request: HttpRequest, language: str) -> HttpResponse:
    with translation.override(language):
        messages.success(request, _("Your details are saved."))
    response = redirect("storefront:profile")
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=365 * 24 * 3600,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        samesite="Lax",
    )
    return response
