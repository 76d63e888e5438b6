"""Files from banks become lines: both CAMT versions, seven CSV layouts, ZIPs; or are refused."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import pytest

from billing import statement_files
from billing.bank import camt, files, table
from billing.bank.lines import Line, Unreadable, keyed
from billing.models import StatementLayout
from packages.money import Money
from tests.billing.bank import statements
from tests.billing.bank.statements import IBAN, Entry, Part, Stmt, paid

OURS = "DE75512108001245126199"


def lines(content: bytes) -> list[Line]:
    return [line for statement in files.read(content, [], account=OURS) for line in statement.lines]


def keys(content: bytes) -> list[str]:
    return [key for each in files.read(content, [], account=OURS) for key, _line in keyed(each)]


@pytest.mark.parametrize("version", ["02", "08"])
def test_both_versions_say_the_same(version: str) -> None:
    entry = Entry(
        "46.41", (Part(text="R-2026-0042 vielen Dank", end_to_end="E2E-1"),), reference="B1"
    )
    (line,) = lines(statements.one(entry, version=version))
    assert line == Line(
        account=IBAN,
        booked_on=date(2026, 3, 2),
        valued_on=date(2026, 3, 2),
        amount=Money(46_41, "EUR"),
        name="Ada Muster",
        iban=statements.THEIRS,
        text="R-2026-0042 vielen Dank",
        kind="GUTSCHRIFT",
        bank_reference="B1",
        end_to_end="E2E-1",
        own_reference=True,
    )
    assert keys(statements.one(entry, version="02")) == keys(statements.one(entry, version="08"))


@pytest.mark.parametrize("version", ["02", "08"])
def test_a_collective_entry_is_told_apart_where_the_bank_says_of_what(version: str) -> None:
    parts = (Part("40.00", "R-2026-0001"), Part("6.41", "R-2026-0002", name="Bo"))
    told = lines(statements.one(Entry("46.41", parts, reference="B1"), version=version))
    assert [(each.amount.minor, each.text, each.name) for each in told] == [
        (40_00, "R-2026-0001", "Ada Muster"),
        (6_41, "R-2026-0002", "Bo"),
    ]
    assert not any(each.collective or each.own_reference for each in told)
    (whole,) = lines(statements.one(Entry("46.42", parts), version=version))
    assert (whole.amount.minor, whole.collective) == (46_42, True)


def test_what_is_not_booked_is_left_out_and_what_came_back_is_marked() -> None:
    returned = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"
    told = lines(
        statements.one(
            Entry("1.00", status="PDNG"),
            Entry("2.00", extra="<RvslInd>true</RvslInd>"),
            Entry("3.00", (Part(extra=returned),)),
            Entry("4.00", direction="DBIT"),
            Entry("0.00"),
        )
    )
    assert [(each.amount.minor, each.returned) for each in told] == [
        (2_00, True),
        (3_00, True),
        (-4_00, False),
    ]


def test_several_statements_accounts_and_currencies_in_one_file() -> None:
    content = statements.camt(
        Stmt((paid("1.00", "a"),)),
        Stmt((Entry("500", currency="JPY"), paid("2.00", "b")), iban=OURS, number=2),
    )
    assert [(each.account, each.amount) for each in lines(content)] == [
        (IBAN, Money(1_00, "EUR")),
        (OURS, Money(500, "JPY")),
        (OURS, Money(2_00, "EUR")),
    ]


def test_identical_lines_stay_two_and_come_again_as_the_same_two() -> None:
    twice = statements.one(paid("9.00", "no reference"), paid("9.00", "no reference"))
    first, second = keys(twice)
    assert first != second
    longer = statements.one(
        paid("1.00", "the day before", on="2026-03-01"),
        paid("9.00", "no  reference"),
        paid("9.00", "No reference"),
    )
    assert keys(longer)[1:] == [first, second]


def test_the_banks_reference_counts_more_than_the_text() -> None:
    one = statements.one(paid("9.00", "R-2026-0001", reference="B1"))
    same = statements.one(paid("9.00", "written otherwise", reference="B1"))
    other = statements.one(paid("9.00", "R-2026-0001", reference="B2"))
    assert keys(one) == keys(same) != keys(other)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "b">]><d>&a;</d>', "type declaration"),
        (b'<!DOCTYPE d SYSTEM "http://evil.example/x"><d/>', "type declaration"),
        (statements.one(paid("1.00", "x")).replace(b"camt.053", b"camt.052"), "camt.052"),
        (b"<Document/>", "no CAMT.053"),
        (statements.one(paid("1.00", "x"))[:-20], "not well-formed"),
        (statements.one(paid("lots", "x")), "not a readable CAMT"),
        (statements.one(paid("1.001", "x")), "more digits"),
        (statements.one(Entry("1.00", on="2026-02-30")), "not a readable CAMT"),
        (b"", "empty"),
        (b"\0\1\2", "neither"),
    ],
)
def test_what_is_no_statement_is_refused_with_its_reason(content: bytes, told: str) -> None:
    with pytest.raises(Unreadable, match=told):
        lines(content)


def test_a_zip_holds_several_files_and_may_not_explode(monkeypatch: pytest.MonkeyPatch) -> None:
    day = statements.one(paid("1.00", "a"))
    month = statements.one(paid("1.00", "a"), paid("2.00", "b"))
    assert [each.amount.minor for each in lines(zipped(day, month))] == [1_00, 1_00, 2_00]
    monkeypatch.setattr(files, "MAX_UNPACKED", len(day) + 10)
    with pytest.raises(Unreadable, match="unpacks to more"):
        lines(zipped(day, month))


def zipped(*members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, member in enumerate(members):
            archive.writestr(f"../../{number}.xml", member)
    return file.getvalue()


SPARKASSE = (
    '"Auftragskonto";"Buchungstag";"Valutadatum";"Buchungstext";"Verwendungszweck";'
    '"Glaeubiger ID";"Mandatsreferenz";"Kundenreferenz (End-to-End)";"Sammlerreferenz";'
    '"Lastschrift Ursprungsbetrag";"Auslagenersatz Ruecklastschrift";'
    '"Beguenstigter/Zahlungspflichtiger";"Kontonummer/IBAN";"BIC (SWIFT-Code)";"Betrag";'
    '"Waehrung";"Info"\r\n'
    '"DE02120300000000202051";"02.03.26";"02.03.26";"GUTSCHR. UEBERWEISUNG";"R-2026-0042 für März";'
    '"";"";"E2E-1";"";"";"";"Jörg Müller";"DE89370400440532013000";"COBADEFF";"1.046,41";"EUR";'
    '"Umsatz gebucht"\r\n'
    '"DE02120300000000202051";"02.03.26";"02.03.26";"GUTSCHRIFT";"R-2026-0043";"";"";"";"";"";"";'
    '"Bo";"";"";"1,00";"EUR";"Umsatz vorgemerkt"\r\n'
    '"DE02120300000000202051";"02.03.26";"02.03.26";"RUECKUEBERWEISUNG";"R-2026-0044";"";"";"";"";'
    '"";"";"Bo";"";"";"3,00";"EUR";"Umsatz gebucht"\r\n'
).encode("cp1252")
VOLKSBANK = (
    "Bezeichnung Auftragskonto;IBAN Auftragskonto;BIC Auftragskonto;Bankname Auftragskonto;"
    "Buchungstag;Valutadatum;Name Zahlungsbeteiligter;IBAN Zahlungsbeteiligter;"
    "BIC (SWIFT-Code) Zahlungsbeteiligter;Buchungstext;Verwendungszweck;Betrag;Waehrung;"
    "Saldo nach Buchung;Bemerkung;Gekennzeichneter Umsatz;Glaeubiger ID;Mandatsreferenz\r\n"
    "Giro;DE02120300000000202051;GENODEF1;VR;02.03.2026;02.03.2026;Jörg Müller;"
    'DE89370400440532013000;X;Gutschrift;"R-2026-0042; für\r\nMärz";1.046,41;EUR;2.000,00;;;;\r\n'
).encode("utf-8-sig")
DEUTSCHE_BANK = (
    "Umsätze Girokonto;Zeitraum: 01.03.2026 - 02.03.2026;\nNeuer Kontostand;2.345,67 EUR\n;\n"
    "Kontoinhaber;Nordcast\nIBAN;DE02 1203 0000 0000 2020 51\n;\n"
    "Buchungstag;Wert;Umsatzart;Begünstigter / Auftraggeber;Verwendungszweck;IBAN / Kontonummer;"
    "BIC;Kundenreferenz;Mandatsreferenz;Gläubiger ID;Fremde Gebühren;Betrag;Abweichender Empfänger;"
    "Anzahl der Aufträge;Anzahl der Schecks;Soll;Haben;Währung\n"
    "2.3.2026;2.3.2026;SEPA-Gutschrift von;Jörg Müller;R-2026-0042 für März;"
    "DE89370400440532013000;COBADEFF;E2E-1;;;;;;;;;1.046,41;EUR\n"
    "2.3.2026;2.3.2026;SEPA-Lastschrift;Strom AG;Abschlag;DE42500105175407324385;X;;;;;;;;;"
    "-119,00;;EUR\nKontostand;02.03.2026;;;2.345,67;EUR\n"
).encode()
COMMERZBANK = (
    "\ufeffBuchungstag;Wertstellung;Umsatzart;Buchungstext;Betrag;Währung;"
    "IBAN Kontoinhaber;Kategorie\n"
    "02.03.2026;02.03.2026;Gutschrift;Jörg Müller R-2026-0042 für März;1046,41;EUR;"
    "DE02120300000000202051;\n"
).encode()
DKB = (
    '"Girokonto";"DE02120300000000202051"\n""\n"Kontostand vom 02.03.2026:";"2.345,67 €"\n""\n'
    '"Buchungsdatum";"Wertstellung";"Status";"Zahlungspflichtige*r";"Zahlungsempfänger*in";'
    '"Verwendungszweck";"Umsatztyp";"IBAN";"Betrag (€)";"Gläubiger-ID";"Mandatsreferenz";'
    '"Kundenreferenz"\n'
    '"02.03.26";"02.03.26";"Gebucht";"Jörg Müller";"Nordcast";"R-2026-0042 für März";"Eingang";'
    '"DE89370400440532013000";"1.046,41";"";"";"E2E-1"\n'
    '"02.03.26";"";"Vorgemerkt";"Bo";"Nordcast";"R-2026-0043";"Eingang";"";"5";"";"";""\n'
).encode()
ING = (
    "Umsatzanzeige;Datei erstellt am: 02.03.2026 19:04\n\nIBAN;DE02 1203 0000 0000 2020 51\n"
    "Kontoname;Girokonto\nBank;ING\nSaldo;1.000,00;EUR\n\nSortierung;Datum absteigend\n\n"
    "In der CSV-Datei finden Sie alle bereits gebuchten Umsätze.\n\n"
    "Buchung;Wertstellungsdatum;Auftraggeber/Empfänger;Buchungstext;Verwendungszweck;Saldo;Währung;"
    "Betrag;Währung\n"
    "02.03.2026;02.03.2026;Jörg Müller;Gutschrift;R-2026-0042 für März;2.000,00;EUR;1.046,41;EUR\n"
).encode("cp1252")
N26 = (
    '"Booking Date","Value Date","Partner Name","Partner Iban",Type,"Payment Reference",'
    '"Account Name","Amount (EUR)","Original Amount","Original Currency","Exchange Rate"\n'
    '2026-03-02,2026-03-02,"Jörg Müller",DE89370400440532013000,"Credit Transfer",'
    '"R-2026-0042 für März",Main,1046.41,,,\n'
).encode()
BANKS = {
    "Sparkasse (CSV-CAMT)": SPARKASSE,
    "Volksbank Raiffeisenbank": VOLKSBANK,
    "Deutsche Bank, Postbank": DEUTSCHE_BANK,
    "Commerzbank": COMMERZBANK,
    "DKB": DKB,
    "ING": ING,
    "N26": N26,
}


@pytest.mark.django_db
@pytest.mark.parametrize("bank", BANKS)
def test_the_export_of_each_bank_is_recognised_and_read(bank: str) -> None:
    layouts = [statement_files.layout_of(row) for row in StatementLayout.objects.all()]
    (statement,) = files.read(BANKS[bank], layouts, account=OURS)
    line = statement.lines[0]
    own = {each.name: each.source for each in layouts}[bank]
    assert statement.source == own
    assert (line.booked_on, line.amount) == (date(2026, 3, 2), Money(1_046_41, "EUR"))
    assert line.account == (OURS if bank == "N26" else IBAN)
    assert "R-2026-0042" in line.text
    assert "Jörg Müller" in (line.text if bank == "Commerzbank" else line.name)
    assert line.iban == ("" if bank in ("Commerzbank", "ING") else statements.THEIRS)
    rest = [(each.amount.minor, each.returned) for each in statement.lines[1:]]
    more = {"Sparkasse (CSV-CAMT)": [(3_00, True)], "Deutsche Bank, Postbank": [(-119_00, False)]}
    assert rest == more.get(bank, [])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a;b\n1;2\n", "no line is a heading"),
        (N26.replace(b"2026-03-02", b"02.03.2026"), "no line has a date"),
        (N26.replace(b"1046.41", b"1046.41x"), "line 2: .* is no amount"),
        (N26.replace(b"1046.41", b""), "line 2: no amount"),
    ],
)
def test_a_csv_file_that_does_not_fit_is_refused_as_a_whole(content: bytes, told: str) -> None:
    layouts = [statement_files.layout_of(row) for row in StatementLayout.objects.all()]
    with pytest.raises(Unreadable, match=told):
        files.read(content, layouts, account=OURS)


def test_nothing_but_camt_053_is_read_by_the_camt_reader() -> None:
    assert [each.source for each in camt.read(statements.one(version="02"))] == ["camt-02"]
    assert table.DATES["dmy"].match("1.2.26")
