"""The EPC QR code ("GiroCode") that fills in a transfer in a banking app.

Source: European Payments Council, EPC069-12, version 002: twelve lines, error correction M, at most
version 13, euro only.
"""

from decimal import Decimal

from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

from billing.models import Invoice
from packages.money import Money

NAME_LENGTH = 70
TEXT_LENGTH = 140
QUIET = 4


def of(invoice: Invoice) -> str:
    """Return the code's text for what is due on an invoice, to the account printed on it."""
    seller = invoice.seller
    return payload(
        holder=seller["bank_holder"] or seller["company"],
        iban=seller["iban"],
        bic=seller["bic"],
        amount=invoice.due,
        reference=str(invoice.number),
    )


def payload(*, holder: str, iban: str, bic: str, amount: Money, reference: str) -> str:
    """Return the code's text; '' where none is defined: another currency, nothing due, no IBAN."""
    possible = amount.currency == "EUR" and Decimal("0.01") <= amount.decimal() < Decimal(10**9)
    if not (possible and holder and iban):
        return ""
    lines = [
        *("BCD", "002", "1", "SCT", _line(bic.replace(" ", "")), _line(holder)[:NAME_LENGTH]),
        *(_line(iban.replace(" ", "")), f"EUR{amount.decimal():.2f}"),
        *("", "", _line(reference)[:TEXT_LENGTH], ""),
    ]
    return "\n".join(lines).rstrip("\n")


def svg(text: str) -> str:
    """Draw the code with its quiet zone, black on white; the same text gives the same bytes."""
    code = QRCode(error_correction=ERROR_CORRECT_M, border=QUIET)
    code.add_data(text.encode())
    code.make(fit=True)
    rows = code.get_matrix()
    path = "".join(_strokes(row, y) for y, row in enumerate(rows))
    side = len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">'
        f'<path fill="#fff" d="M0 0h{side}v{side}h-{side}z"/><path fill="#000" d="{path}"/></svg>'
    )


def _strokes(row: list[bool], y: int) -> str:
    """Join neighbouring dark modules, so that no printer draws hairlines between them."""
    strokes, x = "", 0
    while x < len(row):
        length = next((i for i, dark in enumerate(row[x:]) if not dark), len(row) - x)
        if length:
            strokes += f"M{x} {y}h{length}v1h-{length}z"
        x += max(1, length)
    return strokes


def _line(text: str) -> str:
    """A line break in a name would become another field of the code."""
    return " ".join(text.split())
