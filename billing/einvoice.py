"""Invoices and credit notes as data: EN 16931 in the syntax of UN/CEFACT CII (Factur-X, EN 16931).

Written from the row's snapshots alone. The numbers in brackets are the standard's business terms.
Checked in tests with the official rules (tests/billing/test_einvoice.py).
"""

from datetime import date
from xml.etree import ElementTree as ET

from django.utils import translation

from billing import tax
from billing.models import Invoice, InvoiceLine, InvoiceTax
from packages.money import Money

PROFILE = "urn:cen.eu:en16931:2017"
NAMESPACES = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}
INVOICE, CREDIT_NOTE = "380", "381"
SEPA_TRANSFER, TRANSFER = "58", "30"
PIECE = "C62"
# UNCL 5305 by the reason of a rate of zero; any other reason is an exemption, none is a zero rate.
CATEGORIES = {tax.REVERSE_CHARGE: "AE", tax.OUTSIDE: "O", "": "Z"}
EXEMPTIONS = {"AE": "VATEX-EU-AE", "O": "VATEX-EU-O"}


def xml(invoice: Invoice) -> bytes:
    """Return an issued invoice or credit note as CII; the same row gives the same bytes.

    Reads the lines and taxes; raises ValueError for a draft. Speaks to nobody, writes nothing.
    """
    if invoice.number is None or invoice.issued_on is None:
        raise ValueError("A draft has no number yet and is not sent.")
    for prefix, uri in NAMESPACES.items():
        ET.register_namespace(prefix, uri)
    root = ET.Element(_name("rsm:CrossIndustryInvoice"))
    context = _add(root, "rsm:ExchangedDocumentContext")
    _add(_add(context, "ram:GuidelineSpecifiedDocumentContextParameter"), "ram:ID", PROFILE)
    _document(root, invoice)
    _trade(_add(root, "rsm:SupplyChainTradeTransaction"), invoice)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def category(rate_bp: int, note: str) -> str:
    """Return the VAT category code [BT-118, BT-151] of a rate on an invoice with that note."""
    return "S" if rate_bp else CATEGORIES.get(note, "E")


def _document(root: ET.Element, invoice: Invoice) -> None:
    document = _add(root, "rsm:ExchangedDocument")
    _add(document, "ram:ID", str(invoice.number))
    _add(document, "ram:TypeCode", CREDIT_NOTE if invoice.is_credit_note else INVOICE)
    _date(document, "ram:IssueDateTime", invoice.issued_on)
    for note in filter(None, (invoice.reason, _said(invoice))):
        _add(_add(document, "ram:IncludedNote"), "ram:Content", note)


def _trade(trade: ET.Element, invoice: Invoice) -> None:
    lines, groups = list(invoice.lines.all()), list(invoice.taxes.all())
    for line in lines:
        _line(trade, line, invoice)
    outside = any(category(group.tax_bp, invoice.tax_note) == "O" for group in groups)
    agreement = _add(trade, "ram:ApplicableHeaderTradeAgreement")
    _seller(agreement, invoice.seller, with_vat_id=not outside)
    _buyer(agreement, invoice.buyer, with_vat_id=not outside)
    # The element must be there and not be empty; where the service is used is known.
    delivery = _add(trade, "ram:ApplicableHeaderTradeDelivery")
    place = _add(_add(delivery, "ram:ShipToTradeParty"), "ram:PostalTradeAddress")
    _add(place, "ram:CountryID", invoice.buyer["country"])
    _settlement(_add(trade, "ram:ApplicableHeaderTradeSettlement"), invoice, lines, groups)


def _line(trade: ET.Element, line: InvoiceLine, invoice: Invoice) -> None:
    """A price is never negative [BR-27], so a discount is a negative quantity of one."""
    net, sign = Money(line.net_minor, invoice.currency), -1 if line.net_minor < 0 else 1
    item = _add(trade, "ram:IncludedSupplyChainTradeLineItem")
    _add(_add(item, "ram:AssociatedDocumentLineDocument"), "ram:LineID", str(line.position))
    _add(_add(item, "ram:SpecifiedTradeProduct"), "ram:Name", line.description)
    price = _add(_add(item, "ram:SpecifiedLineTradeAgreement"), "ram:NetPriceProductTradePrice")
    _add(price, "ram:ChargeAmount", _plain(net.times(sign)))
    _add(price, "ram:BasisQuantity", str(line.quantity), unitCode=PIECE)
    delivery = _add(item, "ram:SpecifiedLineTradeDelivery")
    _add(delivery, "ram:BilledQuantity", str(sign * line.quantity), unitCode=PIECE)
    settlement = _add(item, "ram:SpecifiedLineTradeSettlement")
    _tax_kind(_add(settlement, "ram:ApplicableTradeTax"), line.tax_bp, invoice.tax_note)
    _period(settlement, line.period_start_on, _last(line))
    sums = _add(settlement, "ram:SpecifiedTradeSettlementLineMonetarySummation")
    _add(sums, "ram:LineTotalAmount", _plain(net))


def _last(line: InvoiceLine) -> date | None:
    """A row's end is the first day after; a document's is the last day."""
    end = line.period_end_on
    return date.fromordinal(end.toordinal() - 1) if end else None


def _tax_kind(parent: ET.Element, rate_bp: int, note: str) -> None:
    code = category(rate_bp, note)
    _add(parent, "ram:TypeCode", "VAT")
    _add(parent, "ram:CategoryCode", code)
    if code != "O":
        _add(parent, "ram:RateApplicablePercent", _percent(rate_bp))


def _seller(agreement: ET.Element, seller: dict[str, str], *, with_vat_id: bool) -> None:
    """What is not subject to VAT must not name a VAT id [BR-O-02]; another id stands in."""
    party = _add(agreement, "ram:SellerTradeParty")
    if not with_vat_id or not seller["vat_id"]:
        _add(party, "ram:ID", seller["tax_number"] or seller["company"])
    _add(party, "ram:Name", seller["company"] or seller["name"])
    contact = _add(party, "ram:DefinedTradeContact")
    _add(contact, "ram:PersonName", seller["name"])
    address = _add(contact, "ram:EmailURIUniversalCommunication")
    _add(address, "ram:URIID", seller["support_email"])
    _address(party, seller)
    _registered(party, "VA", seller["vat_id"] if with_vat_id else "")
    _registered(party, "FC", seller["tax_number"])


def _buyer(agreement: ET.Element, buyer: dict[str, str], *, with_vat_id: bool) -> None:
    party = _add(agreement, "ram:BuyerTradeParty")
    _add(party, "ram:Name", buyer["company"] or buyer["name"] or "–")
    if buyer["company"] and buyer["name"]:
        _add(_add(party, "ram:DefinedTradeContact"), "ram:PersonName", buyer["name"])
    _address(party, buyer)
    _registered(party, "VA", buyer["vat_id"] if with_vat_id else "")


def _address(party: ET.Element, place: dict[str, str]) -> None:
    address = _add(party, "ram:PostalTradeAddress")
    for tag, field in (("PostcodeCode", "postcode"), ("LineOne", "street"), ("LineTwo", "extra")):
        _add_if(address, f"ram:{tag}", place.get(field, ""))
    _add_if(address, "ram:CityName", place["city"])
    _add(address, "ram:CountryID", place["country"])


def _registered(party: ET.Element, scheme: str, value: str) -> None:
    if value:
        _add(_add(party, "ram:SpecifiedTaxRegistration"), "ram:ID", value, schemeID=scheme)


def _settlement(
    settlement: ET.Element, invoice: Invoice, lines: list[InvoiceLine], groups: list[InvoiceTax]
) -> None:
    _add(settlement, "ram:PaymentReference", str(invoice.number))
    _add(settlement, "ram:InvoiceCurrencyCode", invoice.currency)
    _payment_means(settlement, invoice)
    for group in groups:
        _group(settlement, group, invoice)
    starts = [line.period_start_on for line in lines if line.period_start_on]
    ends = [end for line in lines if (end := _last(line))]
    _period(settlement, min(starts, default=None), max(ends, default=None))
    terms = _add(settlement, "ram:SpecifiedTradePaymentTerms")
    _date(terms, "ram:DueDateDateTime", invoice.due_on)
    _sums(settlement, invoice)
    if invoice.corrects is not None:
        corrected = _add(settlement, "ram:InvoiceReferencedDocument")
        _add(corrected, "ram:IssuerAssignedID", str(invoice.corrects.number))
        _date(corrected, "ram:FormattedIssueDateTime", invoice.corrects.issued_on, prefix="qdt")


def _payment_means(settlement: ET.Element, invoice: Invoice) -> None:
    """Money goes to our account by transfer; a credit note asks for none."""
    seller = invoice.seller
    if invoice.is_credit_note or not seller["iban"]:
        return
    means = _add(settlement, "ram:SpecifiedTradeSettlementPaymentMeans")
    _add(means, "ram:TypeCode", SEPA_TRANSFER if invoice.currency == "EUR" else TRANSFER)
    account = _add(means, "ram:PayeePartyCreditorFinancialAccount")
    _add(account, "ram:IBANID", seller["iban"].replace(" ", ""))
    _add_if(account, "ram:AccountName", seller["bank_holder"])
    if seller["bic"]:
        bank = _add(means, "ram:PayeeSpecifiedCreditorFinancialInstitution")
        _add(bank, "ram:BICID", seller["bic"].replace(" ", ""))


def _group(settlement: ET.Element, group: InvoiceTax, invoice: Invoice) -> None:
    code = category(group.tax_bp, invoice.tax_note)
    trade_tax = _add(settlement, "ram:ApplicableTradeTax")
    _add(trade_tax, "ram:CalculatedAmount", _plain(Money(group.tax_minor, invoice.currency)))
    _add(trade_tax, "ram:TypeCode", "VAT")
    if code not in ("S", "Z"):
        _add(trade_tax, "ram:ExemptionReason", _said(invoice))
    _add(trade_tax, "ram:BasisAmount", _plain(Money(group.net_minor, invoice.currency)))
    _add(trade_tax, "ram:CategoryCode", code)
    _add_if(trade_tax, "ram:ExemptionReasonCode", EXEMPTIONS.get(code, ""))
    if code != "O":
        _add(trade_tax, "ram:RateApplicablePercent", _percent(group.tax_bp))


def _sums(settlement: ET.Element, invoice: Invoice) -> None:
    """What the balance paid at the issue is told [BT-113]; what came later is no part of it."""
    sums = _add(settlement, "ram:SpecifiedTradeSettlementHeaderMonetarySummation")
    net, total = Money(invoice.net_minor, invoice.currency), invoice.total
    _add(sums, "ram:LineTotalAmount", _plain(net))
    _add(sums, "ram:TaxBasisTotalAmount", _plain(net))
    tax_total = _plain(Money(invoice.tax_minor, invoice.currency))
    _add(sums, "ram:TaxTotalAmount", tax_total, currencyID=invoice.currency)
    _add(sums, "ram:GrandTotalAmount", _plain(total))
    if invoice.prepaid_minor:
        _add(sums, "ram:TotalPrepaidAmount", _plain(invoice.prepaid))
    _add(sums, "ram:DuePayableAmount", _plain(total - invoice.prepaid))


def _said(invoice: Invoice) -> str:
    with translation.override(invoice.language):
        return tax.sentence(invoice.tax_note)


def _period(parent: ET.Element, start_on: date | None, last_on: date | None) -> None:
    if start_on and last_on:
        period = _add(parent, "ram:BillingSpecifiedPeriod")
        _date(period, "ram:StartDateTime", start_on)
        _date(period, "ram:EndDateTime", last_on)


def _date(parent: ET.Element, tag: str, on: date | None, *, prefix: str = "udt") -> None:
    """Format 102 is YYYYMMDD."""
    if on:
        text = on.strftime("%Y%m%d")
        _add(_add(parent, tag), f"{prefix}:DateTimeString", text, format="102")


def _plain(amount: Money) -> str:
    return f"{amount.decimal():f}"


def _percent(basis_points: int) -> str:
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}"


def _add_if(parent: ET.Element, tag: str, text: str) -> None:
    if text:
        _add(parent, tag, text)


def _add(parent: ET.Element, tag: str, text: str = "", **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, _name(tag), attributes)
    if text:
        child.text = _clean(text)
    return child


def _name(tag: str) -> str:
    prefix, name = tag.split(":")
    return f"{{{NAMESPACES[prefix]}}}{name}"


def _clean(text: str) -> str:
    """A control character is not XML, and a line break is no part of a name; empty is no name."""
    words = " ".join(text.split())
    return "".join(sign for sign in words if sign.isprintable() or sign == "\u200d") or "–"
