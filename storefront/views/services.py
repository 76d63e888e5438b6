"""One service: where it stands, its limits and credit, and what its owner may do with it."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from billing import (
    balance_charts,
    endings,
    explanations,
    gateways,
    quotes,
    returns,
    statements,
    tax,
    top_ups,
    usage,
)
from billing import terms as terms_of
from billing.models import AutoTopUp, Invoice, Subscription, User, current_brand
from packages import clock
from packages.models import Cycle, Package, Price, Service, Tariff
from packages.periods import business_day
from provisioning import jobs, secrets
from provisioning.models import Account, Job
from storefront import histories, lasting, overview, reasons
from storefront.owned import owned_subscription, user_of
from storefront.profile_forms import PasswordForm
from storefront.top_up_forms import AmountForm
from storefront.views.auto_top_ups import state_of

# A password can be set while the account exists at the dialler.
EXISTS = (Account.State.LIVE, Account.State.SUSPENDED)
GENERATED_LENGTH = 16


@sensitive_post_parameters("password", "again")
@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def service(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Show the service; a POST asks for a new password or a new reading of the balance."""
    subscription, at = owned_subscription(request, public_id), clock.now()
    form = PasswordForm(None, user=user_of(request))
    account = subscription.account
    if request.method == "POST" and account is not None and account.state in EXISTS:
        deed = request.POST.get("deed")
        if deed == "balance":
            return _read_balance(request, subscription, account, at=at)
        if deed == "generate":
            return _generate(request, account, at=at)
        form = PasswordForm(request.POST, user=user_of(request))
        if deed == "password" and form.is_valid():
            return _change(request, subscription, form.cleaned_data["password"], at=at)
    status = 422 if form.errors else 200
    context = {**_context(subscription, at=at), "form": form}
    return render(request, "storefront/account/service.html", context, status=status)


def _context(subscription: Subscription, *, at: datetime) -> dict[str, object]:
    account = subscription.account
    waiting = overview.unfinished_jobs([account.pk] if account else [])
    queue = waiting.get(account.pk, []) if account else []
    on = business_day(at, subscription.zone)
    terms, credit = subscription.terms, statements.of(subscription)
    free_amounts = top_ups.terms_of(subscription)
    tariff = Tariff.objects.filter(remote_id=terms.tariff).first()
    shown, waits = overview.service_of(subscription, queue, on=on), _waits(subscription)
    # What is being confirmed is not to be paid a second time.
    owed = [each for each, confirming in waits if not confirming]
    shown = replace(shown, agreed=terms_of.scheduled([subscription]).get(subscription.pk))
    return {
        "service": shown,
        "coming": overview.next_charge([shown], current_brand(), on=on),
        "on": on,
        "owed": owed[0] if owed else None,
        "confirming": len(waits) > len(owed),
        "overdue": bool(owed and owed[0].due_on and owed[0].due_on < on),
        "subscription": subscription,
        "account": account,
        "tariff": tariff.name if tariff else terms.tariff,
        "channels": terms.channels,
        "kinds": [(each, Service(each).label) for each in terms.services],
        "units": [(each, Service(each).label, count) for each, count in terms.units],
        "top_ups": [(each.package.text("name"), each) for each in _top_ups(subscription)],
        "amount_form": AmountForm(None, free_amounts) if free_amounts else None,
        **state_of(AutoTopUp.objects.filter(subscription=subscription).first(), at=at),
        **_usage(subscription, on=on, at=at),
        "credit_lines": credit,
        "history": histories.of_service(subscription),
        "setting_password": next(
            (job for job in queue if job.kind == Job.Kind.CHANGE_PASSWORD), None
        ),
        "reading_balance": any(job.kind == Job.Kind.READ_BALANCE for job in queue),
        "has_account": shown.has_account,
        "can_set_password": shown.has_account and subscription.state != Subscription.State.ENDED,
        "why": _why(subscription, [each for each, _confirming in waits], at=at),
        "reasons": reasons.of_service(subscription, credit),
        "can_cancel": subscription.recurs and subscription.state in Subscription.LIVING,
        "can_end": endings.offered(subscription, current_brand()),
        **_changes(subscription, on=on),
    }


def _changes(subscription: Subscription, *, on: date) -> dict[str, object]:
    """Return what may be done about the package: exchanged, taken back, or brought back."""
    try:
        back = returns.quote(subscription, on=on) if subscription.returnable else None
    except (returns.NotReturnable, tax.NoRate):
        back = None
    active = subscription.state == Subscription.State.ACTIVE
    return {
        "exchange": quotes.pending(subscription),
        "can_exchange": active and not subscription.ends_on and bool(quotes.targets(subscription)),
        "back": back,
        "back_is_free": subscription.returnable and returns.is_free(subscription, on=on),
        "back_seen": returns.seen(back) if back else "",
        "back_reasons": reasons.of_priced(back, current_brand()) if back else [],
        "gateways": gateways.offered(subscription.currency) if back else [],
    }


def _usage(subscription: Subscription, *, on: date, at: datetime) -> dict[str, object]:
    """Return what was used and what is left, as readings and grants show it."""
    shown = usage.of(subscription, at=at)
    return {
        "usage": shown,
        "lasts": lasting.of(subscription, shown.forecast, today=on),
        "chart": balance_charts.drawn(shown.points),
    }


def _top_ups(subscription: Subscription) -> list[Price]:
    """Return what can be bought for this service now, the smallest first."""
    if subscription.state != Subscription.State.ACTIVE:
        return []
    offers = Price.objects.filter(
        package__kind=Package.Kind.TOP_UP,
        package__visible=True,
        package__archived=False,
        archived=False,
        currency=subscription.currency,
        cycle=Cycle.ONE_TIME,
    )
    return list(offers.select_related("package").order_by("amount_minor"))


def _waits(subscription: Subscription) -> list[tuple[Invoice, bool]]:
    """Return the open invoices that the service waits for, its renewals or its own order, each with
    whether a payment of it is being confirmed.
    """
    theirs = Invoice.objects.filter(lines__subscription=subscription, state=Invoice.State.OPEN)
    if subscription.state != Subscription.State.PENDING:
        theirs = theirs.filter(lines__period_start_on__isnull=False)
    rows = theirs.select_related("customer").distinct().order_by("due_on", "id")
    return [(each, each.waits) for each in rows.annotate(waits=overview.being_confirmed())]


def _why(subscription: Subscription, rows: Sequence[Invoice], *, at: datetime) -> list[str]:
    """Return why the service is suspended or will be, from its open renewals."""
    if subscription.state == Subscription.State.PENDING:
        return []
    told = explanations.of(rows, on=business_day(at, subscription.zone), at=at)
    return [text for some in told.values() for text in some]


def _read_balance(
    request: HttpRequest, subscription: Subscription, account: Account, *, at: datetime
) -> HttpResponse:
    with transaction.atomic():
        jobs.read_balances([account], at=at, actor=_actor(user_of(request)))
    messages.info(request, _("The balance is being read. Reload this page in a moment."))
    return redirect("storefront:service", subscription.public_id)


def _change(
    request: HttpRequest, subscription: Subscription, password: str, *, at: datetime
) -> HttpResponse:
    assert subscription.account is not None
    _ask(subscription.account, password, _cause(subscription.account), request, at=at)
    messages.success(
        request, _("Your new password is being set at the dialler. It works within a minute.")
    )
    return redirect("storefront:service", subscription.public_id)


def _generate(request: HttpRequest, account: Account, *, at: datetime) -> HttpResponse:
    """Make a password and hand it over like the first one: behind a page that shows it once."""
    password, cause = get_random_string(GENERATED_LENGTH), _cause(account)
    with transaction.atomic():
        token = secrets.create(account, password, cause=cause, at=at)
        _ask(account, password, cause, request, at=at)
    return redirect("storefront:secret", token)


def _ask(
    account: Account, password: str, cause: str, request: HttpRequest, *, at: datetime
) -> None:
    with transaction.atomic():
        jobs.change_password(account, password, cause=cause, at=at, actor=_actor(user_of(request)))


def _cause(account: Account) -> str:
    return f"password-{account.pk}-{uuid.uuid4().hex}"


def _actor(user: User) -> str:
    return f"user:{user.pk}"
