"""What is next for a customer: first what they should do, then what will happen, by its day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from billing import auto_top_ups
from billing.coming import Charge, Coming
from billing.models import Invoice, PaymentMethod, Subscription
from packages.money import Money
from storefront.overview import Service
from storefront.templatetags.money import day, money_filter

# So many that renew on a day are named one by one.
NAMED = 3
State = Subscription.State


@dataclass(frozen=True, slots=True)
class Step:
    """One thing: what, when, and a word about it; `link` is where it is done or read."""

    what: str
    when: str = ""
    note: str = ""
    link: str = ""
    is_now: bool = False
    on: date | None = None


def of(
    services: Sequence[Service],
    owed: Sequence[Invoice],
    charged: PaymentMethod | None,
    coming: Coming | None,
    *,
    may_pay: bool,
    on: date,
    at: datetime,
) -> list[Step]:
    """Return what is next; `owed` begins with the invoice to pay first, which is `charged` then.

    Who may only look is told how things stand, and not to do what they would be refused.
    """
    steps = [*_pay(owed, charged, may_pay=may_pay, on=on)]
    for each in services:
        steps += [*_under_way(each), *_low(each, may_pay=may_pay, at=at)]
    dated = [step for each in services for step in _changes(each)] + [*_renewals(coming)]
    steps += sorted(dated, key=lambda each: each.on or date.max)
    return steps or [_rest(services, may_pay=may_pay)]


def _rest(services: Sequence[Service], *, may_pay: bool) -> Step:
    """Say that there is nothing to do; where no service is left, lead to the packages."""
    if any(each.subscription.state != State.ENDED for each in services):
        return Step(_("Nothing to do"), note=_("We write to you when something changes."))
    ended = _("All your services have ended.")
    if not may_pay:
        return Step(_("Nothing to do"), note=ended)
    return Step(_("Choose a package"), note=ended, link=reverse("storefront:packages"))


def _pay(
    owed: Sequence[Invoice], charged: PaymentMethod | None, *, may_pay: bool, on: date
) -> Iterator[Step]:
    if not owed:
        return
    first = owed[0]
    link = reverse("storefront:invoice", args=[first.public_id])
    words = {"number": str(first.number), "amount": money_filter(first.due)}
    if charged is not None:
        words |= {"method": str(charged)}
        what = _("Invoice %(number)s: %(amount)s will be charged to %(method)s") % words
        yield Step(what, day(first.due_on), _("You need not do anything."), link)
    else:
        late = first.due_on is not None and first.due_on < on
        due = {"date": day(first.due_on)}
        when = _("was due on %(date)s") % due if late else _("by %(date)s") % due
        to_pay, is_open = (
            _("Pay invoice %(number)s: %(amount)s"),
            _("Invoice %(number)s is open: %(amount)s"),
        )
        what = to_pay if may_pay else is_open
        yield Step(what % words, when, "", link, is_now=may_pay)
    if more := len(owed) - 1:
        what = ngettext("%(count)s more open invoice", "%(count)s more open invoices", more)
        yield Step(what % {"count": more}, link=reverse("storefront:invoices"))


def _under_way(service: Service) -> Iterator[Step]:
    """Name what is being done for a service that is paid for and does not run yet."""
    if service.subscription.state in Subscription.LIVING and not service.is_open:
        for note in service.notes[:1]:
            yield Step(service.name, note=note.text, link=_page(service))


def _low(service: Service, *, may_pay: bool, at: datetime) -> Iterator[Step]:
    """Ask for a top-up where credit is low; where it is bought by itself, only if that rests."""
    if not service.is_low or service.balance is None:
        return
    if getattr(service.subscription, "buys", False):
        pause = auto_top_ups.pause_of(service.subscription.auto_top_up, at=at)
        if pause:
            what = _("Automatic top-up of %(package)s is paused") % {"package": service.name}
            change = reverse("storefront:auto_top_up", args=[service.subscription.public_id])
            link = change if may_pay else _page(service)
            yield Step(what, note=str(auto_top_ups.PAUSES[pause]), link=link, is_now=may_pay)
    else:
        words = {"package": service.name, "amount": money_filter(service.balance)}
        to_do, low = (
            _("Top up %(package)s: %(amount)s left"),
            _("%(package)s: %(amount)s of credit left"),
        )
        what = to_do if may_pay else low
        when = service.lasts.text if service.lasts and service.lasts.on else ""
        link = f"{_page(service)}#top-up" if may_pay else _page(service)
        yield Step(what % words, when, link=link, is_now=may_pay)


def _changes(service: Service) -> Iterator[Step]:
    """Name what was agreed on: another package, an end, and until when there is a way back."""
    row, name = service.subscription, service.name
    if service.agreed is not None and row.state in Subscription.LIVING:
        words = {"package": name, "other": service.agreed.package.text("name")}
        what = _("%(package)s becomes %(other)s") % words
        yield Step(what, day(service.agreed.on), link=_page(service), on=service.agreed.on)
    if row.ends_on is not None and row.state in Subscription.LIVING:
        what, note = _("%(package)s ends") % {"package": name}, pgettext("service", "cancelled")
        yield Step(what, day(row.ends_on), note, _page(service), on=row.ends_on)
    if (until := service.kept_until) is not None:
        what = _("%(package)s has ended") % {"package": name}
        note = _("can be brought back until %(date)s") % {"date": day(until)}
        yield Step(what, note=note, link=f"{_page(service)}#return", on=until)


def _renewals(coming: Coming | None) -> Iterator[Step]:
    if coming is None:
        return
    if len(coming.charges) > NAMED:
        words = {"count": len(coming.charges), "amount": _sums(coming.sums)}
        what = _("%(count)s services renew: %(amount)s") % words
        yield Step(what, day(coming.on), link=reverse("storefront:services"), on=coming.on)
        return
    for each in coming.charges:
        words = {"package": each.service.package.text("name"), "amount": money_filter(each.amount)}
        what = _("%(package)s renews: %(amount)s") % words
        yield Step(what, day(each.on), _afresh(each), on=each.on)


def _afresh(charge: Charge) -> str:
    resets = charge.service.allowance == "reset"
    return _("included credit and units start afresh") if resets else ""


def _sums(sums: Sequence[Money]) -> str:
    return " + ".join(money_filter(each) for each in sums)


def _page(service: Service) -> str:
    return reverse("storefront:service", args=[service.subscription.public_id])
