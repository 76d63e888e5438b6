"""How amounts, dates and numbers are written for the reader. Nothing else in the shop formats."""

from datetime import date, datetime
from decimal import Decimal

from babel.dates import format_date, format_time
from babel.numbers import NumberPattern, format_currency, format_decimal, parse_pattern
from django import template
from django.utils import timezone

from billing.formats import in_fours, minus
from packages.locales import reader
from packages.money import Money

register = template.Library()
# `{{ seller.iban|fours }}`
register.filter("fours", in_fours)

MILLION = 1_000_000
BASIS = 10_000


@register.filter(name="money")
def money_filter(amount: Money) -> str:
    """`{{ price.amount|money }}`: 49,00 € for a German, €49.00 for an English reader."""
    return minus(format_currency(amount.decimal(), amount.currency, locale=reader()))


@register.simple_tag
def money(minor: int, currency: str) -> str:
    """`{% money line.net_minor invoice.currency %}`"""
    return money_filter(Money(minor, currency))


@register.filter
def rate(price_micro: int, currency: str) -> str:
    """`{{ rate.price_micro|rate:rate.currency }}`: millionths of a major unit, 2 to 6 digits."""
    pattern = _digits(reader().currency_formats["standard"], least=2, most=6)
    value = Decimal(price_micro) / MILLION
    return str(pattern.apply(value, reader(), currency=currency, currency_digits=False))


@register.filter
def percent(rate_bp: int) -> str:
    """`{{ tax.tax_bp|percent }}`: 19 %, 7.7 %."""
    pattern = _digits(reader().percent_formats[None], least=0, most=2)
    return str(pattern.apply(Decimal(rate_bp) / BASIS, reader()))


@register.filter
def count(number: int) -> str:
    """`{{ package.voice_minutes|count }}`: 2.500 or 2,500."""
    return format_decimal(number, locale=reader())


@register.filter
def day(value: date | None) -> str:
    """`{{ invoice.due_on|day }}`: 6. Dezember 2026; an instant counts in the shop's time zone."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return format_date(value, "long", locale=reader())


@register.filter
def moment(value: datetime | None) -> str:
    """`{{ payment.succeeded_at|moment }}`: date and time of day in the shop's time zone."""
    if value is None:
        return ""
    local = timezone.localtime(value)
    time = format_time(local, "short", tzinfo=local.tzinfo, locale=reader())
    return f"{format_date(local, 'long', locale=reader())}, {time}"


@register.filter
def weekday_moment(value: datetime) -> str:
    """`{{ forecast.ends_at|weekday_moment }}`: Tuesday, 3 March 2026, 14:00."""
    local = timezone.localtime(value)
    return f"{format_date(local, 'EEEE', locale=reader())}, {moment(value)}"


def _digits(pattern: NumberPattern, *, least: int, most: int) -> NumberPattern:
    """Return the locale's pattern with another number of decimals."""
    changed = parse_pattern(pattern.pattern)
    changed.frac_prec = (least, most)
    return changed
