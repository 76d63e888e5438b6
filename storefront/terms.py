"""What the law wants above the button: for each line what is bought, how long, at what cost."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing import checkout, tax
from billing.models import Brand, CartLine
from packages.models import Cycle, Package, Price
from packages.money import Money
from storefront import offers


@dataclass(frozen=True, slots=True)
class Term:
    """One line of the order as the buyer must understand it; amounts as this buyer pays them."""

    line: CartLine
    name: str
    now: Money
    setup: Money
    recurring: Money | None
    # What is paid a single time, where nothing recurs.
    once: Money | None
    per: str
    sentence: str
    # What a coupon takes off now, and in words for how long.
    off: Money | None = None
    lowered: str = ""

    @property
    def channels(self) -> int:
        return self.line.price.package.channels * self.line.quantity

    @property
    def units(self) -> list[tuple[str, int]]:
        """Return what is included of each service, as service and number."""
        included = self.line.price.package.units
        return [(kind, number * self.line.quantity) for kind, number in included.items()]


def terms_of(quote: checkout.Quote, brand: Brand) -> list[Term]:
    """Return the essentials of every line of a quote, with the quote's own tax treatment."""
    return [_term(line, quote, brand) for line in quote.lines]


def _term(line: CartLine, quote: checkout.Quote, brand: Brand) -> Term:
    price, package = line.price, line.price.package
    paid = Money.zero(price.currency) if package.trial_days else line.amount
    off = quote.coupon.off.get(line.pk) if quote.coupon else None
    recurs = package.kind == Package.Kind.SUBSCRIPTION and price.cycle != Cycle.ONE_TIME
    treated = quote.priced.treatment
    return Term(
        line=line,
        name=package.text("name"),
        now=_shown(paid, treated, brand, line.quantity),
        setup=_shown(price.setup, treated, brand),
        recurring=gross(line.amount, treated, brand) if recurs else None,
        once=None if recurs else gross(line.amount, treated, brand),
        per=offers.per(price.cycle),
        sentence=_sentence(price, line),
        off=_shown(off, treated, brand) if off else None,
        lowered=_lowered(quote, line) if recurs else "",
    )


def _lowered(quote: checkout.Quote, line: CartLine) -> str:
    """Say for how many invoices the coupon lowers the price; nothing if it does not."""
    if quote.coupon is None or not quote.coupon.covers(line):
        return ""
    code, cycles = quote.coupon.coupon.code, quote.coupon.coupon.cycles
    if cycles is None:
        return _("The code %(code)s lowers every invoice.") % {"code": code}
    text = ngettext(
        "The code %(code)s lowers the first invoice; then the full price applies.",
        "The code %(code)s lowers the first %(count)s invoices; then the full price applies.",
        cycles,
    )
    return text % {"code": code, "count": str(cycles)}


def gross(amount: Money, treated: tax.Treatment, brand: Brand) -> Money:
    """Return what a catalogue amount costs this buyer with tax."""
    if brand.prices_include_tax:
        return _shown(amount, treated, brand)
    return amount + amount.percent(treated.rate_bp)


def _shown(amount: Money, treated: tax.Treatment, brand: Brand, pieces: int = 1) -> Money:
    """Return the amount as the summary's lines show it: gross or net by the shop's price mode."""
    if pieces > 1:
        return _shown(amount.fraction(1, pieces), treated, brand).times(pieces)
    if brand.prices_include_tax and treated.rate_bp == 0:
        return tax.untaxed(amount, treated)
    return amount


def _sentence(price: Price, line: CartLine) -> str:
    package = price.package
    if package.kind == Package.Kind.TOP_UP:
        account = line.subscription.account if line.subscription else None
        words = {"account": account.username if account else ""}
        return _("One-time purchase of credit for account %(account)s. No renewal.") % words
    if package.kind == Package.Kind.PAY_AS_YOU_GO:
        return _("No term and no renewal: you only use the credit you buy.")
    if price.cycle == Cycle.ONE_TIME:
        return _("Paid once, no renewal.")
    words = {"term": _term_words(price.cycle), "days": str(package.trial_days)}
    runs = _(
        "Runs for %(term)s at a time and renews until you cancel, which you can do at any time to "
        "the end of the paid time."
    )
    if not package.trial_days:
        return runs % words
    free = ngettext(
        "The first day is free.",
        "The first %(days)s days are free.",
        package.trial_days,
    )
    return f"{free} {runs}" % words


def _term_words(cycle: str) -> str:
    return {
        Cycle.MONTHLY: _("one month"),
        Cycle.QUARTERLY: _("three months"),
        Cycle.HALF_YEARLY: _("six months"),
        Cycle.YEARLY: _("one year"),
        Cycle.TWO_YEARLY: _("two years"),
    }[Cycle(cycle)]
