"""CAMT.053 bank statements (ISO 20022), versions 02 to 13, as German banks deliver them.

Sources: the ISO 20022 message definitions camt.053.001.02 and .08; Deutsche Kreditwirtschaft, DFÜ
agreement, appendix 3. Read by the standard library with any document type declaration refused: so
no entity is ever expanded and nothing is fetched.
"""

import io
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import NoReturn
from xml.etree import ElementTree as ET
from xml.parsers import expat

from billing.bank.lines import Line, Statement, Unreadable, iban, joined, reference
from packages.money import Money

MESSAGE = re.compile(r"^\{urn:iso:std:iso:20022:tech:xsd:(camt\.\d{3})\.\d{3}\.(\d{2})\}Document$")
# Sub-families of bank transaction codes for money that comes back (ISO 20022 external code list:
# returns, reversals and unpaid debits), and the German business transaction codes for the same.
RETURNS = {"RRTN", "RRCT", "RPCR", "RIMB", "UPCT", "UPDD", "PRDD", "CDIS"}
GERMAN_RETURNS = {"108", "109", "159"}


def read(content: bytes) -> Iterator[Statement]:
    """Yield each statement of the file with its booked lines; raises Unreadable."""
    _refuse_declarations(content)
    try:
        yield from _statements(content)
    except (ET.ParseError, ValueError, InvalidOperation) as error:
        raise Unreadable(f"not a readable CAMT file: {error}") from error


def _refuse_declarations(content: bytes) -> None:
    """A declaration is all that XML attacks need, and no bank sends one."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refused
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise Unreadable(f"not well-formed XML: {error}") from error


def _refused(*_: object) -> NoReturn:
    raise Unreadable("XML with a document type declaration is not read")


def _statements(content: bytes) -> Iterator[Statement]:
    """Read statement by statement, so that a large file is never in memory as a whole tree."""
    events = ET.iterparse(io.BytesIO(content), events=("start", "end"))
    _event, root = next(iter(events))
    found = MESSAGE.match(root.tag)
    if found is None or found[1] != "camt.053":
        what = found[1] if found else root.tag[:60]
        raise Unreadable(f"{what} is no CAMT.053 statement; export camt.053 at the bank")
    for event, element in events:
        if event == "end":
            # Versions differ by the namespace alone, and plain names are found ten times faster.
            element.tag = element.tag.rpartition("}")[2]
        if event == "end" and element.tag == "Stmt":
            yield Statement(f"camt-{found[2]}", list(_lines(element)))
            element.clear()


def _lines(statement: ET.Element) -> Iterator[Line]:
    account = iban(_text(statement, "Acct/Id/IBAN") or _text(statement, "Acct/Id/Othr/Id"))
    for entry in statement.iterfind("Ntry"):
        # Version 02 has the code itself there, later ones a choice.
        if (_text(entry, "Sts/Cd") or _text(entry, "Sts")) == "BOOK":
            yield from _of_entry(entry, account)


def _of_entry(entry: ET.Element, account: str) -> Iterator[Line]:
    """Yield the entry's transactions where they explain its sum, else the entry itself."""
    amount, details = _amount(entry), entry.findall("NtryDtls/TxDtls")
    if not amount:
        return
    if len(details) > 1:
        parts = [_part(each, entry) for each in details]
        if None not in parts and sum(part.minor for part in parts if part) == amount.minor:
            for detail, part in zip(details, parts, strict=True):
                yield _line(entry, detail, account, part or amount, alone=False)
            return
        yield _line(entry, None, account, amount, alone=True, collective=True)
        return
    count = _text(entry, "NtryDtls/Btch/NbOfTxs")
    many = not details and count not in ("", "1")
    yield _line(
        entry, details[0] if details else None, account, amount, alone=True, collective=many
    )


def _line(
    entry: ET.Element,
    detail: ET.Element | None,
    account: str,
    amount: Money,
    *,
    alone: bool,
    collective: bool = False,
) -> Line:
    """`alone`: the entry's own reference means this line; else only the transaction's may."""
    part = detail if detail is not None else ET.Element("none")
    came_in = _text(entry, "CdtDbtInd") == "CRDT"
    own = reference(_text(part, "Refs/AcctSvcrRef"))
    of_entry = reference(_text(entry, "AcctSvcrRef"))
    return Line(
        account=account,
        booked_on=_date(entry, "BookgDt"),
        valued_on=_date(entry, "ValDt") if entry.find("ValDt") is not None else None,
        amount=amount,
        name=_party(part, "Dbtr" if came_in else "Cdtr")[:140],
        iban=iban(_text(part, f"RltdPties/{'Dbtr' if came_in else 'Cdtr'}Acct/Id/IBAN")),
        text=_remittance(part) or joined([_text(entry, "AddtlNtryInf")]),
        kind=joined([_text(entry, "AddtlNtryInf")])[:140],
        bank_reference=(of_entry if alone else "") or own or of_entry,
        end_to_end=reference(_text(part, "Refs/EndToEndId")),
        own_reference=bool(own or (alone and of_entry)),
        returned=_returned(entry, part),
        collective=collective,
    )


def _amount(entry: ET.Element) -> Money:
    return _signed(entry.find("Amt"), _text(entry, "CdtDbtInd"))


def _part(detail: ET.Element, entry: ET.Element) -> Money | None:
    """Return what one transaction of an entry is about, in the entry's currency; else None."""
    amounts = detail.findall("Amt") + detail.findall("AmtDtls/TxAmt/Amt")
    if not amounts:
        return None
    direction = _text(detail, "CdtDbtInd") or _text(entry, "CdtDbtInd")
    money = _signed(amounts[0], direction)
    return money if money.currency == _amount(entry).currency else None


def _signed(found: ET.Element | None, direction: str) -> Money:
    if found is None or direction not in ("CRDT", "DBIT"):
        raise ValueError("an entry without its amount or direction")
    money = Money.of_decimal(Decimal((found.text or "").strip()), found.get("Ccy", ""))
    return money if direction == "CRDT" else -money


def _party(part: ET.Element, role: str) -> str:
    """Later versions wrap a party as one of several kinds."""
    names = (f"RltdPties/{role}/Nm", f"RltdPties/{role}/Pty/Nm")
    beside = (f"RltdPties/Ultmt{role}/Nm", f"RltdPties/Ultmt{role}/Pty/Nm")
    return next((joined([text]) for path in names + beside if (text := _text(part, path))), "")


def _remittance(part: ET.Element) -> str:
    free = [each.text or "" for each in part.iterfind("RmtInf/Ustrd")]
    structured = [each.text or "" for each in part.iterfind("RmtInf/Strd/CdtrRefInf/Ref")]
    more = [_text(part, "AddtlTxInf")] if not free and not structured else []
    return joined([*free, *structured, *more])


def _returned(entry: ET.Element, part: ET.Element) -> bool:
    if _text(entry, "RvslInd") in ("true", "1") or part.find("RtrInf") is not None:
        return True
    codes = [
        _text(each, "BkTxCd/Domn/Fmly/SubFmlyCd") in RETURNS
        or _german(_text(each, "BkTxCd/Prtry/Cd")) in GERMAN_RETURNS
        for each in (entry, part)
    ]
    return any(codes)


def _german(code: str) -> str:
    """Return the business transaction code of e.g. `NTRF+166+9248+000`."""
    return code.split("+")[1] if code.count("+") else ""


def _date(parent: ET.Element, name: str) -> date:
    text = _text(parent, f"{name}/Dt") or _text(parent, f"{name}/DtTm")
    return date.fromisoformat(text[:10])


def _text(parent: ET.Element, path: str) -> str:
    return (parent.findtext(path) or "").strip()
