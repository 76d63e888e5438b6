"""Pages: the package list for whoever has no session, beside a minimal view; a full client area."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from django.core.cache import caches
from django.test import Client
from django.urls import reverse

from billing import renewals
from billing.models import Subscription, User
from packages.models import Package, PackageGroup, Price
from tests import world
from tests.bench import bars, load
from tests.bench.load import HOST, Load, request, send
from tests.bench.measuring import AT, ON, PAID_UNTIL, counted, empty, run
from tests.bench.serving import collect_static, gunicorn, product
from tests.billing import renewing
from tests.clock import Clock

CATALOGUE, LARGE, INVOICES, SERVICES, MOST_QUERIES = 20, 200, 1_000, 10, 15
CONNECTIONS, ROUNDS, SECONDS, QUICK_SECONDS = 8, 3, 5.0, 1.0


def report(quick: bool) -> Iterator[str]:
    empty()
    world.settle_in("http://127.0.0.1:9", at=AT)
    few = _queries_of_list(Package.objects.count())
    _fill_catalogue(CATALOGUE)
    ours, floor = _race(QUICK_SECONDS if quick else SECONDS)
    many = _queries_of_list(LARGE)
    yield "## Pages"
    yield ""
    yield (
        f"The package list of {CATALOGUE} packages for a visitor without a session, beside a view"
        f" with one query and a small template; gunicorn with two workers each,"
        f" {CONNECTIONS} connections, in turns, medians of {ROUNDS} rounds."
    )
    yield from load.table({"package list": ours, "floor": floor})
    ratio = median(a.rate / b.rate for a, b in zip(ours, floor, strict=True))
    invoices = 100 if quick else INVOICES
    seen = _queries_of_dashboard(invoices)
    yield from bars.table(
        [
            bars.at_least("package list, of the floor's requests", ratio, 0.5),
            bars.exactly(f"queries of {LARGE} packages, as of few", many, few),
            bars.at_most(f"queries of a dashboard with {invoices:,} invoices", seen, MOST_QUERIES),
        ]
    )


def _race(seconds: float) -> tuple[list[Load], list[Load]]:
    collect_static()
    sent = request("/packages/")
    with (
        gunicorn("config.wsgi", threads=1, ready="/packages/", env=product()) as ours,
        gunicorn("tests.bench.bare", threads=1, ready="/packages/", env=product()) as bare,
    ):
        ports = (ours, bare)
        for port in ports:
            send(port, _endless(sent), connections=CONNECTIONS, seconds=1)
        rounds = [
            [send(port, _endless(sent), connections=CONNECTIONS, seconds=seconds) for port in ports]
            for _ in range(ROUNDS)
        ]
    loads = [load for pair in rounds for load in pair]
    assert all(load.answers.keys() == {200} for load in loads), "Every answer is a page."
    return [pair[0] for pair in rounds], [pair[1] for pair in rounds]


def _endless(sent: bytes) -> Iterator[bytes]:
    while True:
        yield sent


def _fill_catalogue(count: int) -> None:
    """Add packages, all like the first, until there are so many."""
    first, group = world.price("business"), PackageGroup.objects.all()[0]
    for number in range(Package.objects.count(), count):
        package = Package.objects.get(pk=first.package_id)
        package.pk, package.slug, package.group = None, f"package-{number}", group
        package._state.adding = True
        package.save()
        Price.objects.create(
            package=package,
            currency="EUR",
            cycle="monthly",
            amount_minor=1000 + number,
            credit_minor=0,
        )


def _queries_of_list(count: int) -> int:
    _fill_catalogue(count)
    return _queries_of(_client(), reverse("storefront:packages"))


def _queries_of_dashboard(invoices: int) -> int:
    """Count the queries of the client area of somebody with so many invoices and some services."""
    renewing.many(invoices, paid_until=PAID_UNTIL, at=AT)
    renewals.bill(ON, at=AT)
    user, customer = world.customer("many@example.com", at=AT)
    # An issued invoice never changes; so it is done behind the triggers' back.
    run("SET session_replication_role = replica")
    run(f"UPDATE billing_invoice SET customer_id = {customer.pk}")
    run("SET session_replication_role = origin")
    services = Subscription.objects.order_by("pk").values_list("pk", flat=True)
    Subscription.objects.filter(pk__in=list(services[:SERVICES])).update(customer=customer)
    client = _client()
    with Clock.at(f"{ON} 09:00"):
        client.force_login(
            User.objects.get(pk=user.pk), "django.contrib.auth.backends.ModelBackend"
        )
        return _queries_of(client, reverse("storefront:dashboard"))


def _client() -> Client:
    return Client(SERVER_NAME=HOST)


def _queries_of(client: Client, path: str) -> int:
    """Count the queries of a page that was shown before and was not kept."""
    client.get(path)
    caches["pages"].clear()
    with counted() as count:
        assert client.get(path).status_code == 200
    return count()
