"""From an empty database to a shop that sells: the steps, and whether each is done, from rows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import requests
from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import gateways, legal_texts, rehearsals
from billing.demo import RATES
from billing.gateways.base import Gateway, GatewayError, Rehearsal, Unavailable
from billing.models import Brand, GatewayEvent, Mail, TaxRate, TopUpTerms
from packages.models import Package
from packages.states import StateChange, record
from provisioning import servers
from provisioning.models import Server

TESTED, SKIPPED = "gateway_tested", "step_skipped"
Text = str | Promise
# Where the operator clicks, by the gateway's kind; docs/gateways.md has it at length.
ENTER_AT: dict[str, Text] = {
    "stripe": gettext_lazy(
        "In Stripe’s Dashboard: Developers → Webhooks → Add destination. The events to choose are "
        "listed in docs/gateways.md. To hear the first one, pay a small order yourself and refund "
        "it; then look again here."
    ),
    "paypal": gettext_lazy(
        "In PayPal’s Developer Dashboard: your app → Webhooks → Add Webhook. The events to choose "
        "are listed in docs/gateways.md. PayPal’s webhook simulator signs for nobody and is "
        "refused; to hear the first one, pay a small order yourself and refund it."
    ),
    "simulated": gettext_lazy(
        "The test sends a signed event about no payment to this address, as the gateway would, and "
        "looks whether it was stored. No money moves."
    ),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way; `code` is its address on the sheet.

    `skip` is what staff say for whom it does not apply; without, it applies to every shop.
    """

    code: str
    label: Text
    about: Text
    is_done: Callable[[], bool]
    skip: Text = ""


def steps() -> list[tuple[Step, bool]]:
    """Return the steps in their order, each with whether it is done, or need not be."""
    skipped = was_skipped()
    return [(each, each.is_done() or each.code in skipped) for each in STEPS]


def next_step() -> Step | None:
    """Return the first step that is not done; None once the shop is open for business."""
    return next((step for step, done in steps() if not done), None)


def skip(step: Step, *, at: datetime, actor: str) -> None:
    """Keep that the step does not apply; what it asks for can be given all the same, any time."""
    if step.skip and step.code not in was_skipped():
        record("brand", 1, "", SKIPPED, at=at, actor=actor, reason=step.code)


def was_skipped() -> set[str]:
    """Return the codes of the steps that staff said do not apply."""
    said = StateChange.objects.filter(subject="brand", after=SKIPPED)
    return set(said.values_list("reason", flat=True))


def load_rates() -> None:
    """Store the standard rates of the member states that are not there; staff's own stay."""
    for country, rate_bp, valid_from in RATES:
        TaxRate.objects.get_or_create(
            country=country, valid_from=valid_from, defaults={"rate_bp": rate_bp}
        )


def webhook_url(gateway: Gateway) -> str:
    """Return the address to enter at the gateway."""
    return f"{settings.SITE_URL}{reverse('webhook', args=[gateway.code])}"


def troubles_of(gateway: Gateway, *, at: datetime) -> list[Text]:
    """Ask the gateway with our key, and our own webhook address from here; return what is wrong.

    Speaks HTTP; nothing is changed there, and no money here. An unsigned webhook has to be refused
    with 400; a signed one, where we can sign it ourselves, is stored and ignored by the worker.
    """
    found: list[Text] = []
    try:
        gateway.list_payments(at)
    except Unavailable:
        found.append(_("It does not answer: check its address and your network."))
    except GatewayError:
        found.append(_("It refuses our key: check the settings of this gateway."))
    try:
        found += _troubles_of_webhook(gateway, at=at)
    except requests.RequestException:
        found.append(_("The webhook address cannot be reached: check SITE_URL and the proxy."))
    return found


def _troubles_of_webhook(gateway: Gateway, *, at: datetime) -> list[Text]:
    found: list[Text] = []
    url = webhook_url(gateway)
    status = rehearsals.post(url, b"{}", {})
    if status != 400:
        told = _("The webhook address answers %(status)s to an unsigned test, not 400.")
        found.append(told % {"status": status})
    if isinstance(gateway, Rehearsal) and not rehearsals.arrives(gateway, url, at=at):
        found.append(_("A signed test event was sent to the webhook address and not stored."))
    return found


def keep_tested(gateway: Gateway, *, at: datetime, actor: str) -> None:
    """Keep that the gateway's test went well."""
    record("brand", 1, "", TESTED, at=at, actor=actor, reason=gateway.code)


def tested_at(gateway: Gateway) -> datetime | None:
    """Return when a test of the gateway last went well."""
    tests = StateChange.objects.filter(subject="brand", after=TESTED, reason=gateway.code)
    last = tests.order_by("-id").first()
    return last.at if last else None


def heard_at(gateway: Gateway) -> datetime | None:
    """Return when the gateway last sent us an event."""
    last = GatewayEvent.objects.filter(gateway=gateway.code).order_by("-id").first()
    return last.received_at if last else None


def _has_brand() -> bool:
    return Brand.objects.exists()


def _has_company() -> bool:
    brand = Brand.objects.exclude(company="").exclude(street="").exclude(city="").first()
    return brand is not None and TaxRate.objects.filter(country=brand.country).exists()


def _has_legal_texts() -> bool:
    return not any(each.missing for each in legal_texts.all_pages())


def _has_dialler() -> bool:
    return Server.objects.filter(active=True, check_note__startswith=servers.WORKS).exists()


def _has_gateway() -> bool:
    """Somebody can pay: by transfer, or at a gateway that was tested or has spoken to us."""
    by_transfer = Brand.objects.exclude(iban="").exists()
    return any(
        by_transfer if each.code == "bank_transfer" else bool(tested_at(each) or heard_at(each))
        for each in gateways.offered()
    )


def _has_package() -> bool:
    return Package.objects.filter(draft=False, visible=True, archived=False).exists()


def _has_limits() -> bool:
    """Every currency says how much credit may be bought: a new one is not sold unwatched."""
    brand = Brand.objects.first()
    limited = set(TopUpTerms.objects.values_list("currency", flat=True))
    return brand is not None and limited.issuperset(brand.currency_list)


def _has_mailed() -> bool:
    return Mail.objects.filter(template="mail_test", state=Mail.State.SENT).exists()


STEPS = (
    Step(
        "brand",
        gettext_lazy("Brand"),
        gettext_lazy("The name customers see, its colour, and the addresses of your mails."),
        _has_brand,
    ),
    Step(
        "company",
        gettext_lazy("Company and tax"),
        gettext_lazy("Who sells, as it stands on invoices, and how prices are meant."),
        _has_company,
    ),
    Step(
        "legal",
        gettext_lazy("Legal texts"),
        gettext_lazy("What the law asks every shop to say, in each language it speaks."),
        _has_legal_texts,
    ),
    Step(
        "dialler",
        gettext_lazy("Dialler"),
        gettext_lazy("The ICTBroadcast server on which accounts are made."),
        _has_dialler,
    ),
    Step(
        "gateway",
        gettext_lazy("Payments"),
        gettext_lazy("By which way customers pay, and whether its messages reach the shop."),
        _has_gateway,
    ),
    Step(
        "credit",
        gettext_lazy("Limits of top-ups"),
        gettext_lazy(
            "Stolen cards are used at once and for as much as possible. So a customer may buy "
            "little credit until some days after the first payment; without limits in a currency "
            "no credit is sold in it. Staff may allow one customer more."
        ),
        _has_limits,
        gettext_lazy("We sell no top-ups"),
    ),
    Step(
        "package",
        gettext_lazy("First package"),
        gettext_lazy("What you sell: begun from a pattern, priced, published."),
        _has_package,
    ),
    Step(
        "mail",
        gettext_lazy("Mail"),
        gettext_lazy("Whether what the shop writes arrives."),
        _has_mailed,
    ),
)
