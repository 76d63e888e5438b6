"""Words for the catalogue in templates: services, their units, texts by language."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import ngettext

from billing import girocode as girocodes
from billing.gateways import failures
from billing.models import Brand, Invoice, Membership
from packages import unbroken
from packages.models import Price, Service, Translated
from packages.money import Money
from storefront import browsers, offers, owned, price_modes
from storefront.price_modes import PriceMode
from storefront.templatetags.money import count

register = template.Library()
Value = TypeVar("Value")


@register.simple_tag(takes_context=True)
def acting_for(context: dict[str, Any]) -> list[tuple[Membership, bool]]:
    """`{% acting_for as acting %}`: the customers one acts for, and which of them it is now."""
    request = context["request"]
    if not request.user.is_authenticated:
        return []
    mine = owned.everyone(request)
    now = owned.membership_of(request) if len(mine) > 1 else None
    return [(each, each == now) for each in mine]


@register.filter
def text(row: Translated, field: str) -> str:
    """`{{ package|text:"name" }}`"""
    return row.text(field)


@register.filter
def girocode(invoice: Invoice) -> SafeString:
    """`{{ invoice|girocode }}`: the QR code of a transfer of what is due; nothing without one."""
    code = girocodes.of(invoice)
    return mark_safe(girocodes.svg(code) if code else "")


@register.filter
def service(code: str) -> str:
    """`{{ "sms"|service }}`: SMS"""
    return str(Service(code).label)


@register.filter
def unit(code: str) -> str:
    """`{{ "voice"|unit }}`: a minute"""
    return offers.per_unit(code)


@register.filter
def why_failed(code: str) -> str:
    """`{{ payment.failure_code|why_failed }}`: a sentence, nothing for what is no decline"""
    return str(failures.MESSAGES.get(code, ""))


@register.filter
def units(number: int, code: str) -> str:
    """`{{ 2500|units:"voice" }}`: 2,500 minutes"""
    words = {"number": count(number)}
    return {
        Service.VOICE: ngettext("%(number)s minute", "%(number)s minutes", number),
        Service.FAX: ngettext("%(number)s fax page", "%(number)s fax pages", number),
        Service.SMS: ngettext("%(number)s SMS", "%(number)s SMS", number),
        Service.EMAIL: ngettext("%(number)s e-mail", "%(number)s e-mails", number),
    }[Service(code)] % words


@register.filter(is_safe=True)
def whole(text: str) -> str:
    """`{% filter whole %}…{% endfilter %}`: no line ends within a date or "E-Mail"."""
    return unbroken.joined(text)


@register.filter
def get(values: Mapping[str, Value], key: str) -> Value | None:
    """`{{ package.units|get:"voice" }}`"""
    return values.get(key)


@register.filter
def per(cycle: str) -> str:
    """`{{ price.cycle|per }}`: a month"""
    return offers.per(cycle)


@register.filter
def shown(amount: Money, mode: PriceMode) -> Money:
    """`{{ price.amount|shown:choices.mode|money }}`: with tax or without, as the reader chose"""
    return mode.shown(amount)


@register.filter
def vat_note(brand: Brand) -> str:
    """`{{ brand|vat_note }}`: what an amount as the catalogue has it says about tax"""
    return price_modes.note_of(brand)


@register.filter
def a_month(price: Price) -> Money | None:
    """`{{ price|a_month }}`: what a longer cycle comes to"""
    return offers.a_month(price)


@register.filter
def saving(price: Price, prices: Iterable[Price]) -> Money | None:
    """`{{ price|saving:offer.prices }}`: what it is below the monthly price"""
    return offers.saving(price, prices)


@register.filter
def browser(user_agent: str) -> str:
    """`{{ session.user_agent|browser }}`: e.g. "Firefox, Windows"; what we do not know as it is"""
    return browsers.name_of(user_agent)
