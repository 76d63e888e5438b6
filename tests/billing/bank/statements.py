"""Bank statements as banks write them, in CAMT.053 of both versions."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.sax.saxutils import escape

IBAN = "DE02120300000000202051"
THEIRS = "DE89370400440532013000"


@dataclass(frozen=True)
class Part:
    """One payment of an entry."""

    amount: str = ""
    text: str = ""
    name: str = "Ada Muster"
    iban: str = THEIRS
    end_to_end: str = "NOTPROVIDED"
    reference: str = ""
    extra: str = ""


@dataclass(frozen=True)
class Entry:
    """One entry; `amount` is without a sign, `direction` CRDT or DBIT."""

    amount: str
    parts: tuple[Part, ...] = (Part(),)
    on: str = "2026-03-02"
    direction: str = "CRDT"
    currency: str = "EUR"
    reference: str = ""
    status: str = "BOOK"
    extra: str = ""


@dataclass(frozen=True)
class Stmt:
    entries: tuple[Entry, ...]
    iban: str = IBAN
    number: int = field(default=1)


def paid(amount: str, text: str, *, reference: str = "", on: str = "2026-03-02") -> Entry:
    """A customer's transfer."""
    return Entry(amount, (Part(text=text),), reference=reference, on=on)


def camt(*statements: Stmt, version: str = "08") -> bytes:
    body = "".join(_statement(each, version) for each in statements)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}">'
        "<BkToCstmrStmt><GrpHdr><MsgId>1</MsgId><CreDtTm>2026-03-02T20:00:00</CreDtTm></GrpHdr>"
        f"{body}</BkToCstmrStmt></Document>"
    ).encode()


def one(*entries: Entry, version: str = "08") -> bytes:
    return camt(Stmt(entries), version=version)


def _statement(statement: Stmt, version: str) -> str:
    entries = "".join(_entry(each, version) for each in statement.entries)
    return (
        f"<Stmt><Id>{statement.number}</Id><CreDtTm>2026-03-02T20:00:00</CreDtTm>"
        f"<Acct><Id><IBAN>{statement.iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>{entries}</Stmt>"
    )


def _entry(entry: Entry, version: str) -> str:
    status = entry.status if version == "02" else f"<Cd>{entry.status}</Cd>"
    reference = f"<AcctSvcrRef>{entry.reference}</AcctSvcrRef>" if entry.reference else ""
    parts = "".join(_part(each, entry, version) for each in entry.parts)
    return (
        f'<Ntry><Amt Ccy="{entry.currency}">{entry.amount}</Amt>'
        f"<CdtDbtInd>{entry.direction}</CdtDbtInd>{entry.extra}<Sts>{status}</Sts>"
        f"<BookgDt><Dt>{entry.on}</Dt></BookgDt><ValDt><Dt>{entry.on}</Dt></ValDt>{reference}"
        f"<NtryDtls>{parts}</NtryDtls><AddtlNtryInf>GUTSCHRIFT</AddtlNtryInf></Ntry>"
    )


def _part(part: Part, entry: Entry, version: str) -> str:
    role = "Dbtr" if entry.direction == "CRDT" else "Cdtr"
    name = f"<Nm>{escape(part.name)}</Nm>"
    party = name if version == "02" else f"<Pty>{name}</Pty>"
    money = f'<Amt Ccy="{entry.currency}">{part.amount}</Amt>'
    if version == "02":
        money = f"<AmtDtls><TxAmt>{money}</TxAmt></AmtDtls>"
    reference = f"<AcctSvcrRef>{part.reference}</AcctSvcrRef>" if part.reference else ""
    return (
        f"<TxDtls><Refs>{reference}<EndToEndId>{part.end_to_end}</EndToEndId></Refs>"
        f"{money if part.amount else ''}"
        f"<RltdPties><{role}>{party}</{role}><{role}Acct><Id><IBAN>{part.iban}</IBAN></Id></{role}Acct>"
        f"</RltdPties><RmtInf><Ustrd>{escape(part.text)}</Ustrd></RmtInf>{part.extra}</TxDtls>"
    )
