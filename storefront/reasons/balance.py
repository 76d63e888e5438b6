"""Why a balance is what it is."""

from django.utils.translation import gettext as _

from billing import balances
from packages.money import Money
from storefront.reasons.reason import Input, Reason, why
from storefront.templatetags.money import money_filter


def of_balance(lines: list[balances.Line]) -> list[Reason]:
    """Say what a balance is made of: what came onto it, less what went from it."""
    parts: dict[str, Money] = {}
    for line in lines:
        what = _kind(line)
        parts[what] = parts.get(what, Money.zero(line.amount.currency)) + line.amount
    return [
        Reason(
            "why-balance",
            why(lines[0].after),
            _(
                "What you paid beyond an invoice, or got credited for one that was paid, less what "
                "has paid invoices since or was sent back to you. Each change is listed above with "
                "its document."
            ),
            [Input(what, money_filter(part)) for what, part in parts.items()],
        )
    ]


def _kind(line: balances.Line) -> str:
    if line.booking.refund_id:
        return _("Sent back to you")
    if line.booking.allocation_id:
        return _("Used for invoices")
    return _("Paid too much") if line.booking.payment_id else _("Credit notes")
