"""The books of a month as a DATEV "Buchungsstapel" (EXTF, header 700, category 21, version 13).

The format is DATEV's own (developer.datev.de, "DATEV-Format", read on 2026-11-28): 125 columns,
semicolons, CR LF, quoted texts, decimal comma, Windows-1252, dates without a year. Every booking of
the month is in it: what a customer owes and what we owe them is one debtor account, revenue and its
tax are one gross amount for each rate.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from django.db.models import Prefetch

from billing import vat_ids
from billing.models import (
    DatevAccount,
    DatevSettings,
    Invoice,
    InvoiceTax,
    LedgerAccount,
    LedgerTransaction,
    Posting,
)
from packages.money import Money
from packages.periods import add_months, business_day, start_of_day

Kind, Region = LedgerAccount.Kind, DatevAccount.Region
OF_CUSTOMERS = (Kind.RECEIVABLE, Kind.CUSTOMER_CREDIT, Kind.REFUND)
OF_INVOICES = (Kind.REVENUE, Kind.TAX_PAYABLE)
ENCODING = "cp1252"
COLUMNS = (
    "Umsatz (ohne Soll/Haben-Kz);Soll/Haben-Kennzeichen;WKZ Umsatz;Kurs;Basis-Umsatz;"
    "WKZ Basis-Umsatz;Konto;Gegenkonto (ohne BU-Schlüssel);BU-Schlüssel;Belegdatum;Belegfeld 1;"
    "Belegfeld 2;Skonto;Buchungstext;Postensperre;Diverse Adressnummer;Geschäftspartnerbank;"
    "Sachverhalt;Zinssperre;Beleglink;"
    + "".join(f"Beleginfo - Art {n};Beleginfo - Inhalt {n};" for n in range(1, 9))
    + "KOST1 - Kostenstelle;KOST2 - Kostenstelle;Kost-Menge;EU-Land u. UStID (Bestimmung);"
    "EU-Steuersatz (Bestimmung);Abw. Versteuerungsart;Sachverhalt L+L;Funktionsergänzung L+L;"
    "BU 49 Hauptfunktionstyp;BU 49 Hauptfunktionsnummer;BU 49 Funktionsergänzung;"
    + "".join(f"Zusatzinformation - Art {n};Zusatzinformation- Inhalt {n};" for n in range(1, 21))
    + "Stück;Gewicht;Zahlweise;Forderungsart;Veranlagungsjahr;Zugeordnete Fälligkeit;Skontotyp;"
    "Auftragsnummer;Buchungstyp;USt-Schlüssel (Anzahlungen);EU-Land (Anzahlungen);"
    "Sachverhalt L+L (Anzahlungen);EU-Steuersatz (Anzahlungen);Erlöskonto (Anzahlungen);"
    "Herkunft-Kz;Buchungs GUID;KOST-Datum;SEPA-Mandatsreferenz;Skontosperre;Gesellschaftername;"
    "Beteiligtennummer;Identifikationsnummer;Zeichnernummer;Postensperre bis;"
    "Bezeichnung SoBil-Sachverhalt;Kennzeichen SoBil-Buchung;Festschreibung;Leistungsdatum;"
    "Datum Zuord. Steuerperiode;Fälligkeit;Generalumkehr (GU);Steuersatz;Land;"
    "Abrechnungsreferenz;BVV-Position;EU-Land u. UStID (Ursprung);EU-Steuersatz (Ursprung);"
    "Abw. Skontokonto"
).split(";")
# Usual accounts of both charts, for the accountant to confirm: book, gateway, region, VAT.
USUAL: Sequence[tuple[LedgerAccount.Kind, str, str, int | None, int, int]] = (
    (Kind.REVENUE, "", Region.HOME, 1900, 8400, 4400),
    (Kind.REVENUE, "", Region.HOME, 700, 8300, 4300),
    (Kind.REVENUE, "", Region.HOME, 0, 8195, 4185),
    (Kind.REVENUE, "", Region.EU, 0, 8336, 4336),
    (Kind.REVENUE, "", Region.EU, 1900, 8400, 4400),
    (Kind.REVENUE, "", Region.EU, None, 8331, 4331),
    (Kind.REVENUE, "", Region.WORLD, None, 8338, 4338),
    (Kind.CLEARING, "", "", None, 1360, 1460),
    (Kind.CLEARING, "bank_transfer", "", None, 1200, 1800),
    (Kind.PAYOUT, "", "", None, 1360, 1460),
    (Kind.GATEWAY_FEES, "", "", None, 4970, 6855),
    (Kind.BAD_DEBT, "", "", None, 2400, 6930),
    (Kind.DISPUTED, "", "", None, 1590, 1370),
    (Kind.SUSPENSE, "", "", None, 1590, 1370),
)


class Incomplete(Exception):
    """Something has no account in the accountant's chart; nothing was written. Says what."""


@dataclass(frozen=True, slots=True)
class Row:
    """One booking: `account` against `contra`; a positive amount is a debit of `account`."""

    amount: Money
    account: int
    contra: int
    tax_key: str
    on: date
    document: str
    text: str
    vat_id: str = ""
    eu_rate_bp: int = 0


def fill_in(chart: str) -> None:
    """Store the usual accounts of the chart, if there are none yet."""
    if not DatevAccount.objects.exists():
        DatevAccount.objects.bulk_create(
            DatevAccount(
                book=book, gateway=gateway, region=region, tax_bp=tax_bp,
                account=skr03 if chart == DatevSettings.Chart.SKR03 else skr04,
            )
            for book, gateway, region, tax_bp, skr03, skr04 in USUAL
        )  # fmt: skip


def stack(
    settings: DatevSettings, first_on: date, currency: str, *, zone: str, at: datetime
) -> bytes:
    """Return the file of the month that begins on `first_on`, of bookings in that currency.

    Other currencies have files of their own: nothing is converted. Reads only. Raises Incomplete.
    """
    last_on = add_months(first_on, 1) - timedelta(days=1)
    found = list(rows(settings, first_on, last_on, currency, zone=zone))
    lines = [_header(settings, first_on, last_on, currency, at), ";".join(COLUMNS)]
    lines += [_line(row) for row in found]
    return "".join(f"{line}\r\n" for line in lines).encode(ENCODING, errors="replace")


def bookings(file: bytes) -> int:
    """Return how many bookings a file has: its lines without the two of its head."""
    return file.count(b"\r\n") - 2


def rows(
    settings: DatevSettings, first_on: date, last_on: date, currency: str, *, zone: str
) -> Iterator[Row]:
    """Yield the bookings of these days, the oldest first. Raises Incomplete."""
    chart = _Chart(settings, list(DatevAccount.objects.all()))
    found = (
        Posting.objects.filter(
            account__currency=currency,
            transaction__at__gte=start_of_day(first_on, zone),
            transaction__at__lt=start_of_day(last_on + timedelta(days=1), zone),
        )
        .select_related("account__customer", "transaction__refund__payment__customer")
        .select_related("transaction__invoice", "transaction__payment__invoice")
        .prefetch_related(Prefetch("transaction__invoice__taxes", InvoiceTax.objects.all()))
        .order_by("transaction_id", "id")
    )
    for _key, postings in groupby(found, key=lambda posting: posting.transaction_id):
        yield from _booked(list(postings), chart, currency, zone)


class _Chart:
    """Finds the accountant's accounts."""

    def __init__(self, settings: DatevSettings, accounts: Sequence[DatevAccount]) -> None:
        self._settings = settings
        self._accounts = sorted(accounts, key=lambda each: (each.width, each.pk))

    def debtor(self, customer_id: int) -> int:
        number = self._settings.debtor(customer_id)
        if number > self._settings.last_debtor:
            raise Incomplete(f"{number} > {self._settings.last_debtor}")
        return number

    def find(
        self, book: str, *, gateway: str = "", region: str = "", tax_bp: int | None = None
    ) -> DatevAccount:
        for each in self._accounts:
            fits = each.gateway in ("", gateway) and each.region in ("", region)
            if each.book == book and fits and each.tax_bp in (None, tax_bp):
                return each
        wanted = [str(Kind(book).label), gateway, region, "" if tax_bp is None else f"{tax_bp} bp"]
        raise Incomplete(", ".join(filter(None, wanted)))


def _booked(postings: Sequence[Posting], chart: _Chart, currency: str, zone: str) -> Iterator[Row]:
    """Yield one transaction's rows, each against its pivot: the debtor, else the gateway."""
    booking = postings[0].transaction
    debtor, name = _debtor(postings, chart)
    sums: dict[tuple[int, str, str, int], int] = {}
    pivot = debtor
    for key, minor in _sides(postings, booking, chart):
        pivot = pivot or key[0]
        if key[0] != pivot:
            sums[key] = sums.get(key, 0) + minor
    invoice = booking.invoice or (booking.payment.invoice if booking.payment else None)
    if invoice is None and booking.refund is not None:
        invoice = booking.refund.payment.invoice
    on = business_day(booking.at, zone)
    for (account, tax_key, vat_id, rate_bp), minor in sums.items():
        if minor:
            number = (invoice.number or "") if invoice else booking.cause
            money = Money(minor, currency)
            text = name or booking.cause
            yield Row(money, account, pivot, tax_key, on, number, text, vat_id, rate_bp)


def _debtor(postings: Sequence[Posting], chart: _Chart) -> tuple[int, str]:
    """Return the customer's account and name; zero where a transaction concerns none."""
    refund = postings[0].transaction.refund
    for customer in [each.account.customer for each in postings] + [
        refund.payment.customer if refund else None
    ]:
        if customer is not None:
            return chart.debtor(customer.pk), str(customer)
    return 0, ""


def _sides(
    postings: Iterable[Posting], booking: LedgerTransaction, chart: _Chart
) -> Iterator[tuple[tuple[int, str, str, int], int]]:
    """Yield what is not the debtor's: account, tax key, VAT id and rate of an EU sale, amount."""
    earned = False
    # The gateway's book first: where there is no debtor, all others stand against it.
    for each in sorted(postings, key=lambda posting: posting.account.kind != Kind.CLEARING):
        kind = each.account.kind
        if kind in OF_INVOICES:
            earned = True
        elif kind not in OF_CUSTOMERS:
            found = chart.find(kind, gateway=each.account.name)
            yield (found.account, found.tax_key, "", 0), each.amount_minor
    if earned and booking.invoice is not None:
        yield from _earned(booking.invoice, chart)


def _earned(invoice: Invoice, chart: _Chart) -> Iterator[tuple[tuple[int, str, str, int], int]]:
    """Yield the gross amount of each rate, as credit; of a credit note as debit."""
    sign = 1 if invoice.is_credit_note else -1
    region = _region(invoice.buyer, invoice.seller)
    abroad = region == Region.EU
    vat_id = str(invoice.buyer.get("vat_id", "")) if abroad else ""
    for tax in invoice.taxes.all():
        found = chart.find(Kind.REVENUE, region=region, tax_bp=tax.tax_bp)
        rate_bp = tax.tax_bp if abroad and not vat_id else 0
        gross = sign * (tax.net_minor + tax.tax_minor)
        yield (found.account, found.tax_key, "" if tax.tax_bp else vat_id, rate_bp), gross


def _region(buyer: Mapping[str, Any], seller: Mapping[str, Any]) -> str:
    country = buyer.get("country")
    if country == seller.get("country"):
        return Region.HOME
    return Region.EU if country in vat_ids.EU else Region.WORLD


def _header(
    settings: DatevSettings, first_on: date, last_on: date, currency: str, at: datetime
) -> str:
    made = at.strftime("%Y%m%d%H%M%S") + f"{at.microsecond // 1000:03d}"
    begins = date(first_on.year, settings.year_begins, 1)
    if begins > first_on:
        begins = date(first_on.year - 1, settings.year_begins, 1)
    cells = ['"EXTF"', 700, 21, '"Buchungsstapel"', 13, made, "", '""', '""', '""'] + [
        *(settings.consultant, settings.client, f"{begins:%Y%m%d}", settings.digits),
        *(f"{first_on:%Y%m%d}", f"{last_on:%Y%m%d}", _quoted(f"Castfront {first_on:%Y-%m}", 30)),
        *('""', 1, 0, 0, _quoted(currency, 3), "", '""', "", "", _quoted(settings.chart, 2)),
        *("", "", '""', '""'),
    ]
    return ";".join(str(each) for each in cells)


def _line(row: Row) -> str:
    amount = f"{abs(row.amount.decimal()):.2f}".replace(".", ",")
    cells = {
        "Umsatz (ohne Soll/Haben-Kz)": amount,
        "Soll/Haben-Kennzeichen": '"S"' if row.amount.minor > 0 else '"H"',
        "WKZ Umsatz": _quoted(row.amount.currency, 3),
        "Konto": str(row.account),
        "Gegenkonto (ohne BU-Schlüssel)": str(row.contra),
        "BU-Schlüssel": _quoted(row.tax_key, 4),
        "Belegdatum": f"{row.on:%d%m}",
        "Belegfeld 1": _quoted(row.document, 36),
        "Buchungstext": _quoted(row.text, 60),
        "EU-Land u. UStID (Bestimmung)": _quoted(row.vat_id, 15),
        "EU-Steuersatz (Bestimmung)": _rate(row.eu_rate_bp),
        "Festschreibung": "0",
    }
    return ";".join(cells.get(name, "") for name in COLUMNS)


def _rate(rate_bp: int) -> str:
    return f"{rate_bp // 100},{rate_bp % 100:02d}" if rate_bp else ""


def _quoted(text: str, most: int) -> str:
    """Return a text field: no control characters, quotation marks doubled, not too long."""
    plain = "".join(each if each.isprintable() else " " for each in text)[:most]
    return '"{}"'.format(plain.replace('"', '""'))
