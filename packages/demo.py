"""The demo's catalogue: two groups of subscriptions, pay as you go, and three top-ups."""

from dataclasses import dataclass, field
from typing import Any

from packages.models import Cycle, Package, PackageGroup, Price, Rate, Tariff

VOICE, FAX, SMS, EMAIL = "voice", "fax", "sms", "email"
CURRENCIES = ("EUR", "USD")

# Name, plan id at the simulator, and per unit prices in millionths for the public excerpt.
TARIFFS = {
    "Standard": ("standard", {VOICE: (19_000, 89_000), FAX: 29_000, SMS: 75_000, EMAIL: 900}),
    "Business": ("business", {VOICE: (14_500, 69_000), FAX: 24_000, SMS: 68_000, EMAIL: 600}),
    "Volume": ("volume", {VOICE: (9_900, 54_000), FAX: 19_000, SMS: 59_000, EMAIL: 400}),
}
LANDLINE, MOBILE, ANYWHERE = "Germany, landline", "Germany, mobile", "Europe"
GERMAN = {
    LANDLINE: "Deutschland, Festnetz",
    MOBILE: "Deutschland, Mobilfunk",
    ANYWHERE: "Europa",
}

GROUPS = (
    (
        "broadcast",
        "Broadcast plans",
        "Broadcast-Pakete",
        "A fixed price with credit and channels included.",
        "Fester Preis mit Guthaben und Kanälen.",
    ),
    (
        "specialist",
        "Single-channel plans",
        "Spezialpakete",
        "For teams that need one kind of message, in quantity.",
        "Für Teams, die eine Art von Nachricht in Menge versenden.",
    ),
    (
        "flex",
        "Pay as you go",
        "Nach Verbrauch",
        "No monthly fee. Top up when you need it.",
        "Ohne Grundgebühr. Guthaben aufladen, wenn Sie es brauchen.",
    ),
    (
        "credit",
        "Top up",
        "Guthaben aufladen",
        "Credit for an account you already have.",
        "Guthaben für ein bestehendes Konto.",
    ),
)


@dataclass(frozen=True, slots=True)
class Offer:
    """One package of the demo; prices by cycle: amount, set-up fee, credit in minor units."""

    slug: str
    kind: Package.Kind
    group: str
    en: tuple[str, str]
    de: tuple[str, str]
    prices: dict[Cycle, tuple[int, int, int]]
    more: dict[str, Any] = field(default_factory=dict)
    tariff: str = ""


SUBSCRIPTION, FLEX, TOP_UP = (
    Package.Kind.SUBSCRIPTION,
    Package.Kind.PAY_AS_YOU_GO,
    Package.Kind.TOP_UP,
)
RESET, PERSIST = Package.Allowance.RESET, Package.Allowance.PERSIST


def _monthly(month: int, setup: int, credit: int) -> dict[Cycle, tuple[int, int, int]]:
    """Three cycles: the quarter saves about 3 %, the year two months."""
    return {
        Cycle.MONTHLY: (month, setup, credit),
        Cycle.QUARTERLY: (month * 3 * 97 // 10_000 * 100, setup, credit * 3),
        Cycle.YEARLY: (month * 10, 0, credit * 12),
    }


OFFERS = (
    Offer(
        "starter",
        SUBSCRIPTION,
        "broadcast",
        ("Starter", "Your first campaigns, with everything to try them out."),
        ("Starter", "Die ersten Kampagnen\u00a0– mit allem zum Ausprobieren."),
        _monthly(29_00, 0, 5_00),
        {
            "channels": 5,
            "services": [VOICE, EMAIL],
            "voice_minutes": 300,
            "email_messages": 2_000,
            "allowance": RESET,
        },
        "Standard",
    ),
    Offer(
        "business",
        SUBSCRIPTION,
        "broadcast",
        ("Business", "All four services for teams that call every day."),
        ("Business", "Alle vier Dienste für Teams, die täglich senden."),
        _monthly(79_00, 49_00, 20_00),
        {
            "channels": 20,
            "services": [VOICE, FAX, SMS, EMAIL],
            "voice_minutes": 2_000,
            "sms_messages": 250,
            "allowance": RESET,
            "recommended": True,
        },
        "Business",
    ),
    Offer(
        "scale",
        SUBSCRIPTION,
        "broadcast",
        ("Scale", "A hundred lines at once, at our lowest rates."),
        ("Scale", "Hundert Leitungen zugleich, zu unseren niedrigsten Preisen."),
        _monthly(249_00, 99_00, 100_00),
        {
            "channels": 100,
            "services": [VOICE, FAX, SMS, EMAIL],
            "voice_minutes": 10_000,
            "sms_messages": 1_500,
            "allowance": PERSIST,
        },
        "Volume",
    ),
    Offer(
        "fax-office",
        SUBSCRIPTION,
        "specialist",
        ("Fax Office", "Fax to every address book, with proof of delivery."),
        ("Fax Office", "Faxversand an ganze Adressbücher, mit Sendebericht."),
        _monthly(19_00, 0, 0),
        {"channels": 4, "services": [FAX], "fax_pages": 500, "allowance": RESET},
        "Standard",
    ),
    Offer(
        "message-reach",
        SUBSCRIPTION,
        "specialist",
        ("Message Reach", "SMS and e-mail from one address book. 14 days free."),
        ("Message Reach", "SMS und E-Mail aus einem Adressbuch. 14 Tage kostenlos."),
        _monthly(39_00, 0, 10_00),
        {
            "channels": 2,
            "services": [SMS, EMAIL],
            "sms_messages": 300,
            "email_messages": 20_000,
            "allowance": RESET,
            "trial_days": 14,
        },
        "Business",
    ),
    Offer(
        "flex",
        FLEX,
        "flex",
        ("Flex", "Pay for what you send. The first credit is in the price."),
        ("Flex", "Sie zahlen, was Sie senden. Das erste Guthaben ist im Preis enthalten."),
        {Cycle.ONE_TIME: (20_00, 0, 20_00)},
        {"channels": 10, "services": [VOICE, FAX, SMS, EMAIL]},
        "Standard",
    ),
    Offer(
        "credit-25",
        TOP_UP,
        "credit",
        ("Credit 25", "For a small campaign."),
        ("Guthaben 25", "Für eine kleine Kampagne."),
        {Cycle.ONE_TIME: (25_00, 0, 25_00)},
    ),
    Offer(
        "credit-100",
        TOP_UP,
        "credit",
        ("Credit 100", "With 5% on top."),
        ("Guthaben 100", "Mit 5 % Zugabe."),
        {Cycle.ONE_TIME: (100_00, 0, 105_00)},
        {"recommended": True},
    ),
    Offer(
        "credit-500",
        TOP_UP,
        "credit",
        ("Credit 500", "With 10% on top."),
        ("Guthaben 500", "Mit 10 % Zugabe."),
        {Cycle.ONE_TIME: (500_00, 0, 550_00)},
    ),
)


def seed_catalogue() -> None:
    """Make the demo's catalogue, or bring back what is missing of it; changes by staff stay."""
    tariffs = {name: _tariff(name, *terms) for name, terms in TARIFFS.items()}
    groups = {group[0]: _group(position, *group) for position, group in enumerate(GROUPS)}
    for position, offer in enumerate(OFFERS):
        package, _ = Package.objects.get_or_create(
            slug=offer.slug,
            defaults={
                "kind": offer.kind,
                "group": groups[offer.group],
                "name_en": offer.en[0],
                "promise_en": offer.en[1],
                "name_de": offer.de[0],
                "promise_de": offer.de[1],
                "tariff": tariffs.get(offer.tariff),
                "position": position,
                **offer.more,
            },
        )
        _prices(package, offer)
    _exchanges()


def _exchanges() -> None:
    """Let customers change plan and cycle within a group; an operator's own choice stays."""
    plans = list(Package.objects.filter(group__slug="broadcast"))
    if not Package.exchange_targets.through.objects.exists():
        for package in plans:
            package.exchange_targets.set(plans)


def _prices(package: Package, offer: Offer) -> None:
    for currency in CURRENCIES:
        for cycle, (amount, setup, credit) in offer.prices.items():
            Price.objects.get_or_create(
                package=package,
                currency=currency,
                cycle=cycle,
                defaults={
                    "amount_minor": amount,
                    "setup_minor": setup,
                    "credit_minor": credit,
                },
            )


def _tariff(name: str, remote_id: str, rates: dict[str, Any]) -> Tariff:
    tariff, _ = Tariff.objects.get_or_create(name=name, defaults={"remote_id": remote_id})
    landline, mobile = rates[VOICE]
    lines = [(VOICE, LANDLINE, landline), (VOICE, MOBILE, mobile)]
    lines += [(service, ANYWHERE, rates[service]) for service in (FAX, SMS, EMAIL)]
    for currency in CURRENCIES:
        for service, destination, price_micro in lines:
            Rate.objects.get_or_create(
                tariff=tariff,
                service=service,
                destination=destination,
                currency=currency,
                defaults={"price_micro": price_micro, "destination_de": GERMAN[destination]},
            )
    return tariff


def _group(
    position: int, slug: str, name_en: str, name_de: str, intro_en: str, intro_de: str
) -> PackageGroup:
    group, _ = PackageGroup.objects.get_or_create(
        slug=slug,
        defaults={
            "name_en": name_en,
            "name_de": name_de,
            "intro_en": intro_en,
            "intro_de": intro_de,
            "position": position,
        },
    )
    return group
