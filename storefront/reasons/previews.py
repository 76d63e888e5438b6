"""Why something would cost or bring this much, before anything is agreed."""

from django.urls import reverse
from django.utils.translation import gettext as _

from billing import endings, invoices, quotes, subscriptions, tax
from billing.models import Brand
from storefront.reasons.reason import Input, Reason, adds_up, counted, known, rates, why
from storefront.templatetags.money import day, money_filter


def of_priced(priced: invoices.Priced, brand: Brand) -> list[Reason]:
    """Say why an order would cost this sum, with this VAT; the invoice says the same afterwards."""
    lines = zip(priced.draft.lines, priced.units, strict=True)
    charges = [
        Input(counted(line.quantity, line.description), money_filter(unit.times(line.quantity)))
        for line, unit in lines
    ]
    rule = adds_up(gross=brand.prices_include_tax)
    return [Reason("why-amount", why(priced.sums.total), rule, charges), _vat(priced)]


def _vat(priced: invoices.Priced) -> Reason:
    rule = tax.sentence(priced.treatment.note) or _(
        "The rate of the country whose VAT you pay, as of the last day that is paid for, on the "
        "sum of all lines of that rate, once."
    )
    groups = ((each.rate_bp, each.net, each.tax) for each in priced.sums.groups)
    inputs = [*rates(groups), *known(priced.draft.customer.address)]
    return Reason("why-vat", _("Why this VAT?"), rule, inputs)


def of_exchange(quote: quotes.Quote) -> list[Reason]:
    """Say how the days that are left make the sum of an exchange; without such days, nothing is
    to be explained: nothing is paid now.
    """
    if quote.remainder is None:
        return []
    words = {"days": quote.days, "of": quote.remainder.period.days}
    price = {"package": quote.name, "price": money_filter(quote.renewal)}
    inputs = [
        Input(_("The period that runs, in days"), str(quote.remainder.period.days)),
        Input(_("Days of it that are left, today included"), str(quote.days)),
        Input(
            _("%(package)s: %(price)s × %(days)s ÷ %(of)s") % (price | words),
            money_filter(quote.rest),
        ),
        Input(_("What you paid for the days that are left"), f"−{money_filter(quote.unused)}"),
    ]
    if quote.kept:
        inputs.append(Input(_("Included credit that stays"), money_filter(quote.kept)))
    rule = _(
        "Both packages count for the days that are left of the period: price × days left ÷ days of "
        "the period, rounded to the cent. The new one is charged, the present one given back as it "
        "was paid. Included credit for these days stays on your account; where the new package has "
        "less of it, the difference is charged."
    )
    total = quote.total if quote.priced else quote.credited
    reason = Reason("why-amount", why(total), rule, inputs)
    return [reason, _vat(quote.priced)] if quote.priced else [reason]


def of_end(quote: endings.Quote) -> list[Reason]:
    """Say which invoices an end at once takes something back of, and why the account goes then."""
    inputs = [
        Input(
            _("Invoice %(number)s") % {"number": part.paper.invoice.number},
            money_filter(part.note.total),
            reverse("storefront:invoice", args=[part.paper.invoice.public_id]),
        )
        for part in quote.parts
    ]
    kept = {"days": subscriptions.KEPT_FOR.days}
    rule = (
        _(
            "What each invoice charged for the days after today: price × days ÷ days of the "
            "period, rounded to the cent, less the credit that was included for them."
        )
        if quote.gives_back
        else _(
            "Invoices for times that have not begun need not be paid. Paid time is not credited."
        )
    )
    return [
        Reason("why-amount", why(quote.credited), rule, inputs),
        Reason(
            "why-deleted",
            _("Why deleted on %(day)s?") % {"day": day(quote.deleted_on)},
            _("Account and data are kept %(days)s days after the end, so that you may come back.")
            % kept,
            [Input(_("Last day"), day(quote.last_on))],
        ),
    ]
