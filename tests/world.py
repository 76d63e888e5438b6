"""The little world of the tests: one operator, a catalogue, two diallers, a few people."""

from __future__ import annotations

from datetime import UTC, datetime

from billing import demo
from billing.models import Brand, Customer, Membership, User
from packages.demo import seed_catalogue
from packages.models import Package, Price
from provisioning.demo import seed_servers
from provisioning.models import Server
from tests import snapshots

SIMULATOR_PASSWORD = "simulator"


def seed() -> None:
    """Seed what is the same in every test: operator, catalogue and servers; see settle_in."""
    seed_catalogue()
    seed_servers("http://127.0.0.1:9", SIMULATOR_PASSWORD)
    demo.seed_operator(at=datetime(2026, 1, 1, tzinfo=UTC))


def settle_in(simulator_url: str, *, at: datetime) -> None:
    """Seed operator, catalogue and servers.

    A call gives up late enough that a machine which stalls is not taken for a dialler that hangs.
    """
    snapshots.add("seeded")
    User.objects.update(date_joined=at)
    Customer.objects.update(created_at=at)
    seed_servers(simulator_url, SIMULATOR_PASSWORD)
    Server.objects.update(
        connect_timeout_seconds=3,
        read_timeout_seconds=3,
        quiet_seconds=30,
        read_gap_seconds=10,
    )


def give_up_soon() -> None:
    """Let a call give up after half a second, where a dialler hangs on purpose."""
    Server.objects.update(connect_timeout_seconds=0.5, read_timeout_seconds=0.5)


def price(slug: str, *, cycle: str = "", currency: str = "EUR") -> Price:
    prices = Price.objects.select_related("package__tariff").filter(
        package__slug=slug, currency=currency
    )
    if cycle:
        return prices.get(cycle=cycle)
    kind = Package.objects.get(slug=slug).kind
    return prices.get(cycle="monthly" if kind == Package.Kind.SUBSCRIPTION else "one_time")


def brand() -> Brand:
    return Brand.objects.get()


def customer(email: str, *, at: datetime, country: str = "DE") -> tuple[User, Customer]:
    """Make a private customer with a complete address and its owner."""
    user = User.objects.create_user(email, "correct-horse-battery", name="Ada Muster")
    buyer = Customer.objects.create(
        name="Ada Muster",
        email=email,
        street="Musterweg 1",
        postcode="20095",
        city="Hamburg",
        country=country,
        created_at=at,
    )
    Membership.objects.create(user=user, customer=buyer)
    return user, buyer
