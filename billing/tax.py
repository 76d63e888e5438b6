"""Which rate applies, and how a document's sums are made (EN 16931: tax per rate group)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from billing import vat_ids
from billing.models import Brand, Customer, TaxRate
from packages.money import Money, total

REVERSE_CHARGE = "Reverse charge: the recipient of the service owes the tax."
OUTSIDE = "Not taxable in the seller's country: the recipient is established outside the EU."
SMALL_BUSINESS = "No VAT is charged: the seller is a small business (section 19 of the VAT Act)."


class NoRate(Exception):
    """The seller's country has no tax rate for the day; an invoice cannot be issued."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """How a sale to a customer is taxed: the rate, and the sentence that a zero rate needs."""

    rate_bp: int
    home_bp: int
    note: str = ""

    def rate_for(self, own_bp: int | None) -> int:
        """Return the rate of a line with a rate of its own, which is one of the seller's country.

        Where the buyer owes no tax, or owes that of another country, the buyer's rate holds.
        """
        if own_bp is None or self.note or self.rate_bp != self.home_bp:
            return self.rate_bp
        return own_bp


@dataclass(frozen=True, slots=True)
class Rates:
    """Every country's rates, the latest first, each with the day from which it holds."""

    by_country: Mapping[str, Sequence[tuple[date, int]]]

    def of(self, country: str, *, on: date) -> int | None:
        """Return the country's rate in basis points on that day, None where there is none."""
        rows = self.by_country.get(country, ())
        return next((rate_bp for valid_from, rate_bp in rows if valid_from <= on), None)


@dataclass(frozen=True, slots=True)
class Group:
    """The sums of the lines of one rate."""

    rate_bp: int
    net: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class Sums:
    """Each line's net in the order given, the groups, and the totals; all add up to the cent."""

    nets: tuple[Money, ...]
    groups: tuple[Group, ...]
    net: Money
    tax: Money
    total: Money


def treatment(
    customer: Customer,
    brand: Brand,
    *,
    on: date,
    supplied_on: date | None = None,
    rates: Rates | None = None,
    proven: Collection[str] | None = None,
) -> Treatment:
    """Return how the customer is taxed who is invoiced on that day; raise NoRate when the table has
    a hole.

    The rate is that of the last day of what is supplied, or of the same day: neither the invoice's
    date nor the payment's decides (§ 27 (1) UStG, section 12.1 (3) UStAE).
    At home the home rate. A business with a VAT id elsewhere in the EU, which is among the `proven`
    ones: reverse charge. Consumers
    in the EU: their country's rate where the table has one, else the home rate. Outside: none.
    A small business charges none at home and to consumers in the EU, and its prices contain none.
    """
    rates = known_rates() if rates is None else rates
    day = supplied_on or on
    home_bp = 0 if brand.small_business else rates.of(brand.country, on=day)
    if home_bp is None:
        raise NoRate(f"There is no tax rate for {brand.country} on {day}.")
    at_home = customer.country == brand.country
    if not at_home and customer.country not in vat_ids.EU:
        return Treatment(0, home_bp, OUTSIDE)
    if vat_ids.matters(customer, brand):
        known = vat_ids.proven([customer.vat_id], on=on) if proven is None else proven
    else:
        known = ()
    if customer.vat_id and customer.vat_id in known:
        return Treatment(0, home_bp, REVERSE_CHARGE)
    if brand.small_business:
        return Treatment(0, 0, SMALL_BUSINESS)
    if at_home:
        return Treatment(home_bp, home_bp)
    abroad_bp = rates.of(customer.country, on=day)
    return Treatment(home_bp if abroad_bp is None else abroad_bp, home_bp)


def known_rates() -> Rates:
    """Return all rates; one query for a whole run."""
    found: dict[str, list[tuple[date, int]]] = {}
    for row in TaxRate.objects.order_by("country", "-valid_from"):
        found.setdefault(row.country, []).append((row.valid_from, row.rate_bp))
    return Rates(found)


def sentence(note: str) -> str:
    """Return a stored note in the language that is active; a reason written by hand stays."""
    return {
        REVERSE_CHARGE: _("Reverse charge: the recipient of the service owes the tax."),
        OUTSIDE: _(
            "Not taxable in the seller's country: the recipient is established outside the EU."
        ),
        SMALL_BUSINESS: _(
            "No VAT is charged: the seller is a small business (section 19 of the VAT Act)."
        ),
    }.get(note, note)


def untaxed(amount: Money, treated: Treatment, own_bp: int | None = None) -> Money:
    """Return what a catalogue price that includes the home tax costs a buyer who owes none."""
    if own_bp is None or not treated.home_bp:
        return amount - amount.included_percent(treated.home_bp)
    return amount - amount.included_percent(own_bp)


def sums_of_gross(lines: Sequence[tuple[Money, int]], currency: str) -> Sums:
    """Sum lines of (gross amount, rate): what the customer was promised stays, to the cent."""
    nets: dict[int, Money] = {}
    groups = []
    for rate_bp, members in _by_rate(lines):
        gross = total((lines[index][0] for index in members), currency)
        tax = gross.included_percent(rate_bp)
        groups.append(Group(rate_bp, gross - tax, tax))
        nets |= _share(gross - tax, {index: lines[index][0] for index in members}, rate_bp)
    return _sums([nets[index] for index in range(len(lines))], groups, currency)


def sums_of_net(lines: Sequence[tuple[Money, int]], currency: str) -> Sums:
    """Sum lines of (net amount, rate): tax is rounded once per rate group."""
    groups = []
    for rate_bp, members in _by_rate(lines):
        net = total((lines[index][0] for index in members), currency)
        groups.append(Group(rate_bp, net, net.percent(rate_bp)))
    return _sums([amount for amount, _ in lines], groups, currency)


def _share(net: Money, members: dict[int, Money], rate_bp: int) -> dict[int, Money]:
    """Share a group's net over its gross lines: each rounded, odd cents on the largest."""
    shares = {index: gross - gross.included_percent(rate_bp) for index, gross in members.items()}
    odd = net.minor - sum(share.minor for share in shares.values())
    by_size = sorted(members, key=lambda index: (-abs(members[index].minor), index))
    for index in by_size[: abs(odd)]:
        shares[index] += Money(1 if odd > 0 else -1, net.currency)
    return shares


def _by_rate(lines: Sequence[tuple[Money, int]]) -> list[tuple[int, list[int]]]:
    """Return the lines' positions by rate, the highest rate first."""
    rates = sorted({rate_bp for _, rate_bp in lines}, reverse=True)
    return [
        (rate_bp, [index for index, line in enumerate(lines) if line[1] == rate_bp])
        for rate_bp in rates
    ]


def _sums(nets: Sequence[Money], groups: Sequence[Group], currency: str) -> Sums:
    net = total((group.net for group in groups), currency)
    tax = total((group.tax for group in groups), currency)
    return Sums(tuple(nets), tuple(groups), net, tax, net + tax)
