"""Layouts of some German banks' CSV exports, to be changed and added to by staff.

The headings are those of the banks' exports in 2024 to 2026.
"""

from django.db import migrations

LAYOUTS = (
    {
        "name": "Sparkasse (CSV-CAMT)",
        "encoding": "cp1252",
        "booked_column": "Buchungstag",
        "valued_column": "Valutadatum",
        "amount_column": "Betrag",
        "currency_column": "Waehrung|Währung",
        "account_column": "Auftragskonto",
        "name_column": "Beguenstigter/Zahlungspflichtiger",
        "iban_column": "Kontonummer/IBAN|Kontonummer",
        "text_column": "Verwendungszweck",
        "reference_column": "Kundenreferenz (End-to-End)",
        "kind_column": "Buchungstext",
        "status_column": "Info",
        "pending_words": "Umsatz vorgemerkt",
    },
    {
        "name": "Volksbank Raiffeisenbank",
        "booked_column": "Buchungstag",
        "valued_column": "Valutadatum",
        "amount_column": "Betrag",
        "currency_column": "Waehrung|Währung",
        "account_column": "IBAN Auftragskonto",
        "name_column": "Name Zahlungsbeteiligter",
        "iban_column": "IBAN Zahlungsbeteiligter",
        "text_column": "Verwendungszweck",
        "kind_column": "Buchungstext",
    },
    {
        "name": "Deutsche Bank, Postbank",
        "booked_column": "Buchungstag",
        "valued_column": "Wert",
        "amount_column": "Betrag",
        "credit_column": "Haben",
        "debit_column": "Soll",
        "currency_column": "Währung",
        "name_column": "Begünstigter / Auftraggeber",
        "iban_column": "IBAN / Kontonummer|IBAN",
        "text_column": "Verwendungszweck",
        "reference_column": "Kundenreferenz",
        "kind_column": "Umsatzart",
    },
    {
        "name": "Commerzbank",
        "booked_column": "Buchungstag",
        "valued_column": "Wertstellung",
        "amount_column": "Betrag",
        "currency_column": "Währung",
        "account_column": "IBAN Kontoinhaber|IBAN Auftraggeberkonto",
        "text_column": "Buchungstext",
        "kind_column": "Umsatzart",
    },
    {
        "name": "DKB",
        "booked_column": "Buchungsdatum",
        "valued_column": "Wertstellung",
        "amount_column": "Betrag (€)",
        "name_column": "Zahlungspflichtige*r",
        "iban_column": "IBAN",
        "text_column": "Verwendungszweck",
        "reference_column": "Kundenreferenz",
        "kind_column": "Umsatztyp",
        "status_column": "Status",
        "pending_words": "Vorgemerkt",
    },
    {
        "name": "ING",
        "encoding": "cp1252",
        "booked_column": "Buchung",
        "valued_column": "Valuta|Wertstellungsdatum",
        "amount_column": "Betrag",
        "currency_column": "Währung",
        "name_column": "Auftraggeber/Empfänger",
        "text_column": "Verwendungszweck",
        "reference_column": "Referenz",
        "kind_column": "Buchungstext",
    },
    {
        "name": "N26",
        "delimiter": ",",
        "decimal": ".",
        "dates": "ymd",
        "booked_column": "Booking Date|Date",
        "valued_column": "Value Date",
        "amount_column": "Amount (EUR)",
        "name_column": "Partner Name|Payee",
        "iban_column": "Partner Iban|Account number",
        "text_column": "Payment Reference|Payment reference",
        "kind_column": "Type|Transaction type",
    },
)


def seed(apps, schema_editor):
    layouts = apps.get_model("billing", "StatementLayout").objects
    for each in LAYOUTS:
        layouts.create(**each)


class Migration(migrations.Migration):
    dependencies = [("billing", "0027_bank_entries")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
