"""The demo's operator: brand, legal texts, tax rates, and two people who can sign in."""

from datetime import date, datetime

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import translation

from billing import legal_texts, methods
from billing.gateways.base import SavedMethod
from billing.legal_texts import NOTICES
from billing.models import (
    Brand,
    Coupon,
    Customer,
    LegalText,
    Membership,
    Payment,
    TaxRate,
    TopUpTerms,
    User,
)

STAFF = ("staff@nordcast.example", "demo-staff-2026")
CUSTOMER = ("customer@nordcast.example", "demo-customer-2026")
# 10 % off the first three invoices of who has never ordered before.
COUPON = "WELCOME10"

# Standard rates of the member states in basis points and the day they began (European Commission,
# "VAT rates applied in the Member States"). Older rates are only kept where they matter for demos.
RATES = (
    *(("DE", 1600, date(2020, 7, 1)), ("DE", 1900, date(2021, 1, 1))),
    *(("AT", 2000, date(1984, 1, 1)), ("BE", 2100, date(1996, 1, 1))),
    *(("BG", 2000, date(1999, 1, 1)), ("CY", 1900, date(2014, 1, 13))),
    *(("CZ", 2100, date(2013, 1, 1)), ("DK", 2500, date(1992, 1, 1))),
    *(("EE", 2200, date(2024, 1, 1)), ("EE", 2400, date(2025, 7, 1))),
    *(("ES", 2100, date(2012, 9, 1)), ("FI", 2550, date(2024, 9, 1))),
    *(("FR", 2000, date(2014, 1, 1)), ("GR", 2400, date(2016, 6, 1))),
    *(("HR", 2500, date(2012, 3, 1)), ("HU", 2700, date(2012, 1, 1))),
    *(("IE", 2300, date(2021, 3, 1)), ("IT", 2200, date(2013, 10, 1))),
    *(("LT", 2100, date(2009, 9, 1)), ("LU", 1700, date(2024, 1, 1))),
    *(("LV", 2100, date(2012, 7, 1)), ("MT", 1800, date(2004, 1, 1))),
    *(("NL", 2100, date(2012, 10, 1)), ("PL", 2300, date(2011, 1, 1))),
    *(("PT", 2300, date(2011, 1, 1)), ("RO", 2100, date(2025, 8, 1))),
    *(("SE", 2500, date(1990, 7, 1)), ("SI", 2200, date(2013, 7, 1))),
    *(("SK", 2300, date(2025, 1, 1)),),
)

TOP_UPS = {
    "min_minor": 10_00,
    "max_minor": 1_000_00,
    "balance_minor": 5_000_00,
    "new_day_minor": 1_000_00,
    "new_month_minor": 2_000_00,
    "new_balance_minor": 2_000_00,
    "low_minor": 5_00,
}


def seed_operator(*, at: datetime) -> None:
    """Make the demo's operator and people, or bring back what is missing; changes by staff stay."""
    with transaction.atomic():
        brand = _brand()
        for country, rate_bp, valid_from in RATES:
            TaxRate.objects.get_or_create(
                country=country, valid_from=valid_from, defaults={"rate_bp": rate_bp}
            )
        for page in LegalText.Page:
            bodies = {f"body_{code}": _legal(page, code, brand) for code in NOTICES}
            LegalText.objects.get_or_create(page=page, defaults=bodies)
        for currency in ("EUR", "USD"):
            TopUpTerms.objects.get_or_create(currency=currency, defaults=TOP_UPS)
        Coupon.objects.get_or_create(
            code=COUPON, defaults={"percent_bp": 1000, "cycles": 3, "new_customers": True}
        )
        _staff()
        _customer(at=at)


def keep_card(*, at: datetime) -> None:
    """Let the demo's customer have kept the card that the simulated gateway always knows."""
    customer = Customer.objects.filter(email=CUSTOMER[0]).first()
    if customer is None or customer.methods.exists():
        return
    card = SavedMethod("pm_demo_4242", "card", "Visa", "4242", date(2034, 12, 31))
    consent = {"text": "Part of the demonstration.", "at": at.isoformat()}
    payment = Payment(customer=customer, gateway="simulated", consent=consent)
    with transaction.atomic():
        methods.keep(payment, card, at=at, actor="system:demo")


def _legal(page: LegalText.Page, language: str, brand: Brand) -> str:
    """Return a notice that the text is to be replaced, and the law's model where there is one."""
    with translation.override(language):
        notice = NOTICES[language].format(page=page.label)
    if page != LegalText.Page.WITHDRAWAL:
        return notice
    return f"{notice}\n\n{legal_texts.model(language, brand)}"


def _brand() -> Brand:
    brand, _created = Brand.objects.get_or_create(
        id=1,
        defaults={
            "name": "Nordcast",
            "tagline_en": "Voice, fax, SMS and e-mail broadcasting without your own phone system.",
            "tagline_de": "Sprache, Fax, SMS und E-Mail senden – ohne eigene Telefonanlage.",
            "logo": "img/nordcast.svg",
            "support_email": "support@nordcast.example",
            "mail_sender": "shop@nordcast.example",
            "company": "Nordcast Demo GmbH",
            "street": "Hafenstraße 1",
            "postcode": "20457",
            "city": "Hamburg",
            "country": "DE",
            "vat_id": "DE136695976",
            "tax_number": "22/815/08151",
            "bank_holder": "Nordcast Demo GmbH",
            "iban": "DE02120300000000202051",
            "bic": "BYLADEM1001",
            "currencies": "EUR USD",
            "lead_monthly": 7,
        },
    )
    return brand


def _staff() -> None:
    email, password = STAFF
    if not User.objects.filter(email=email).exists():
        user = User.objects.create_superuser(email, password, name="Demo Staff")
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)


def _customer(*, at: datetime) -> None:
    email, password = CUSTOMER
    if User.objects.filter(email=email).exists():
        return
    user = User.objects.create_user(email, password, name="Demo Customer")
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    customer = Customer.objects.create(
        name="Demo Customer",
        company="Demo Customer Ltd",
        is_business=True,
        email=email,
        street="Musterweg 5",
        postcode="10115",
        city="Berlin",
        country="DE",
        created_at=at,
    )
    Membership.objects.create(user=user, customer=customer, role=Membership.Role.OWNER)
