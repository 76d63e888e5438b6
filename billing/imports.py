"""Import: accounts that ran at a dialler before the shop become services of its customers.

A row is checked first, and the check is the dry run: what it would become, or why it cannot.
Nothing is changed at the dialler, nothing is invoiced for the past, and an account is taken over
once.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from billing import credits, invoice_days, subscriptions
from billing.models import Customer, Subscription, current_brand
from packages.desk import Impossible
from packages.models import Price
from packages.periods import Cycle, business_day, first_from, index_of, period
from provisioning import accounts, diffs, servers
from provisioning.dialler.base import Dialler, RemoteAccount
from provisioning.dialler.scalars import folded
from provisioning.models import Account, Server

COLUMNS = ("username", "email", "package", "cycle", "start")
LONGEST_NAME = 40


class Unreadable(Exception):
    """The file is no such list, or a line lacks a value. The text is for staff, with the line."""


@dataclass(frozen=True, slots=True)
class Row:
    """An account, and what it has run by since when; without an address, the dialler's is taken."""

    username: str
    email: str
    package: str
    cycle: str
    start_on: date


@dataclass(frozen=True, slots=True)
class Found:
    """What a row would become; `problem` says why it cannot. `differs` names the fields in which
    the account is not what the package says: an audit will show them as drift.
    """

    row: Row
    customer: Customer | None = None
    price: Price | None = None
    remote: RemoteAccount | None = None
    differs: Sequence[str] = ()
    problem: str = ""


def read(text: str, usual: Mapping[str, str]) -> list[Row]:
    """Return the rows of a CSV with the heading COLUMNS, or of a list of usernames without one.

    What a line leaves out is `usual`. `start` is the first day of the service (2026-03-31), `cycle`
    one of packages.periods.Cycle. Raises Unreadable before anything is done.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    heading = lines[0].casefold().replace('"', "").replace(" ", "") if lines else ""
    delimiter = ";" if ";" in heading else ","
    named = "username" in heading.split(delimiter)
    names = heading.split(delimiter) if named else ["username"]
    table = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), names, delimiter=delimiter)
    found = [(table.line_num, line) for line in table]
    return [_row(line, usual, number=number) for number, line in found[1 if named else 0 :]]


def check(rows: Iterable[Row], server: Server, *, at: datetime) -> Iterator[Found]:
    """Say of each row what it would become. Asks the dialler for its list once, and for what that
    does not show, outside of any transaction; raises DiallerError.
    """
    dialler = servers.connect(server)
    listed = {folded(each.username): each for each in dialler.list_accounts()}
    seen: set[str] = set()
    for row in rows:
        name = folded(row.username)
        if name in seen:
            yield Found(row, problem=_("It stands in the list twice."))
        else:
            yield _checked(row, server, _whole(listed.get(name), dialler), at=at)
        seen.add(name)


def adopt(found: Found, server: Server, *, at: datetime, actor: str) -> Subscription:
    """Make the account the customer's service, in one transaction; raise Impossible.

    Its balance counts as bought, so it never lapses. The period of today counts as paid elsewhere.
    """
    if found.customer is None or found.price is None or found.remote is None:
        raise Impossible(found.problem)
    zone, person = current_brand().zone, subscriptions.person_of(found.customer)
    try:
        with transaction.atomic():
            service = subscriptions.plan(found.customer, found.price, zone=zone, at=at, actor=actor)
            account = accounts.adopt(
                server, found.remote, person, service.terms, at=at, actor=actor
            )
            _begin(service, account, found.row.start_on, at=at, actor=actor)
            if account.balance_minor is not None and account.balance_minor > 0:
                credits.found(account, account.balance_minor, cause=f"import-{account.pk}", at=at)
    except IntegrityError as error:
        raise Impossible(_("The account is ours already.")) from error
    return service


def _begin(
    service: Subscription, account: Account, start_on: date, *, at: datetime, actor: str
) -> None:
    """Activate a service on the calendar of its first day; its period of today counts as paid."""
    service.anchor_on, service.account, service.activated_at = start_on, account, at
    if service.recurs:
        tomorrow = business_day(at, service.zone) + timedelta(days=1)
        next_on = first_from(start_on, service.cycle, tomorrow)
        index = index_of(start_on, service.cycle, next_on) - 1
        now = period(start_on, service.cycle, index)
        subscriptions.keep_period(service, index, now, at=at)
    service.next_invoice_on = invoice_days.next_day(service)
    also = ("anchor_on", "paid_until", "account", "activated_at", "next_invoice_on")
    service.move(Subscription.State.ACTIVE, at=at, actor=actor, reason="imported", also=also)


def _row(line: Mapping[str, str | None], usual: Mapping[str, str], *, number: int) -> Row:
    given = {name: (line.get(name) or "").strip() or usual.get(name, "") for name in COLUMNS}
    missing = [name for name in COLUMNS if not given[name] and name != "email"]
    words = {"line": number, "what": ", ".join(missing), "day": given["start"]}
    if missing:
        raise Unreadable(_("Line %(line)s: %(what)s is missing.") % words)
    if given["cycle"] not in Cycle.values:
        words["what"] = ", ".join(Cycle.values)
        raise Unreadable(_("Line %(line)s: the cycle is one of %(what)s.") % words)
    try:
        start_on = date.fromisoformat(given["start"])
    except ValueError as error:
        told = _("Line %(line)s: “%(day)s” is no day like 2026-03-31.") % words
        raise Unreadable(told) from error
    return Row(given["username"], given["email"], given["package"], given["cycle"], start_on)


def _whole(remote: RemoteAccount | None, dialler: Dialler) -> RemoteAccount | None:
    """Return the account as it is shown by itself, where the list leaves something out."""
    if remote is None or (remote.active is not None and remote.balance_minor is not None):
        return remote
    return dialler.get(remote.remote_id)


def _checked(row: Row, server: Server, remote: RemoteAccount | None, *, at: datetime) -> Found:
    if Account.objects.filter(server=server, username__iexact=row.username).exists():
        return Found(row, problem=_("The account is ours already."))
    if remote is None:
        return Found(row, problem=_("The dialler has no such account."))
    if len(remote.username) > LONGEST_NAME:
        return Found(row, problem=_("Its name is too long."))
    if remote.active is not True:
        return Found(row, problem=_("It does not run, or the dialler does not say so."))
    if row.start_on > business_day(at, current_brand().zone):
        return Found(row, problem=_("It starts on a later day."))
    price = _price_of(row, server.currency)
    if price is None:
        return Found(row, problem=_("No package with an account is sold like this."))
    people = _customers_at(row.email or remote.email or "")
    if len(people) != 1:
        words = {"count": len(people)}
        return Found(row, problem=_("%(count)s customers have this address.") % words)
    limits = subscriptions.limits_of(price.package).to_json()
    ours = Account(username=remote.username, limits=limits, state=Account.State.LIVE)
    differs = [each["field"] for each in diffs.between(ours, remote)]
    return Found(row, people[0], price, remote, differs)


def _price_of(row: Row, currency: str) -> Price | None:
    """Return the price by which a service can run on an account, None if there is none."""
    prices = Price.objects.select_related("package__tariff").filter(
        package__slug=row.package,
        package__tariff__isnull=False,
        cycle=row.cycle,
        currency=currency,
    )
    return prices.first()


def _customers_at(email: str) -> list[Customer]:
    """Return who is billed, or signs in, at this address."""
    mine = Q(email__iexact=email) | Q(users__email__iexact=email)
    return list(Customer.objects.filter(mine).distinct().order_by("pk")) if email else []
