"""Why the four numbers of the client area's first screen are as they are."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _

from billing.coming import Coming
from billing.models import Invoice
from storefront.overview import Service
from storefront.reasons.reason import Input, Reason
from storefront.templatetags.money import day, moment, money_filter


def of_overview(
    services: Sequence[Service], owed: Sequence[Invoice], coming: Coming | None
) -> list[Reason]:
    """Say what state, credit, debt and next payment are made of; `services` have not ended."""
    return [_state(services), _credit(services), _debt(owed), _next(coming)]


def _state(services: Sequence[Service]) -> Reason:
    said = _("paid for: %(paid)s; at the dialler: %(running)s")
    return Reason(
        "why-state",
        _("My service: paid for, and running"),
        _(
            "Two things must be true. Your service is paid for: that is between you and us. And "
            "your account runs at the dialler: that is the machine that sends your broadcasts. If "
            "they differ, work is under way or our staff is looking into it."
        ),
        [
            Input(
                each.name,
                said % {"paid": each.paid.word, "running": each.running.word},
                _page(each),
            )
            for each in services
        ],
    )


def _credit(services: Sequence[Service]) -> Reason:
    return Reason(
        "why-credit",
        _("Credit left: what the dialler last told us"),
        _(
            "The dialler keeps the credit and charges every call, page and message. We read it "
            "from time to time. While broadcasts are running it may be lower by now. Credit that "
            "you bought does not expire with a billing period; included credit does where your "
            "package says so."
        ),
        [_read(each) for each in services if each.has_account],
    )


def _read(service: Service) -> Input:
    account = service.subscription.account
    if account is None or service.balance is None:
        return Input(service.name, _("not read from the dialler yet"), _page(service))
    words = {"amount": money_filter(service.balance), "moment": moment(account.balance_at)}
    return Input(service.name, _("%(amount)s as of %(moment)s") % words, _page(service))


def _debt(owed: Sequence[Invoice]) -> Reason:
    said = _("%(amount)s, due on %(day)s")
    return Reason(
        "why-debt",
        _("To pay: your open invoices"),
        _(
            "The sum of all invoices that are issued and not paid in full. A payment that is being "
            "confirmed is not counted here; it is shown at its invoice."
        ),
        [
            Input(
                str(each.number),
                said % {"amount": money_filter(each.due), "day": day(each.due_on)},
                reverse("storefront:invoice", args=[each.public_id]),
            )
            for each in owed
        ],
    )


def _next(coming: Coming | None) -> Reason:
    if coming is None:
        rule = _(
            "You have no running service that renews. What is cancelled ends, and pay-as-you-go "
            "services only use the credit that you buy."
        )
    else:
        rule = _(
            "What you have paid for or have an invoice for ends the day before %(day)s. On that "
            "day the next period begins, at the price you agreed to, and is paid in advance."
        ) % {"day": day(coming.on)}
    return Reason(
        "why-next",
        _("Next payment: when a period ends"),
        rule,
        [
            Input(
                each.service.package.text("name"),
                money_filter(each.amount),
                reverse("storefront:service", args=[each.service.public_id]),
            )
            for each in (coming.charges if coming else [])
        ],
    )


def _page(service: Service) -> str:
    return reverse("storefront:service", args=[service.subscription.public_id])
