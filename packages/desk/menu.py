"""The desk's menu: lists and sheets by what they are for, the daily ones first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Section:
    """Entries by the names of their models, or `sheet_…`, in the order in which they stand."""

    code: str
    label: Promise
    names: tuple[str, ...]


SECTIONS = (
    Section(
        "daily",
        _("Every day"),
        ("sheet_preview", "Run", "sheet_automation", "Alert", "Proposal", "sheet_opening"),
    ),
    Section(
        "customers",
        _("Customers"),
        (
            *("Customer", "Subscription", "Order", "Ticket", "Declaration", "DeletionRequest"),
            *("AutoTopUp", "Remark", "sheet_consents", "DataExport"),
        ),
    ),
    Section(
        "money",
        _("Invoices and payments"),
        (
            *("Invoice", "Payment", "Refund", "TopUpRefund", "BankEntry", "StatementFile"),
            *("GatewayEvent", "Difference", "Movement", "PaymentMethod"),
        ),
    ),
    Section("dunning", _("Dunning"), ("Notice", "Pause", "Timetable")),
    Section(
        "catalogue",
        _("Packages and prices"),
        (
            *("Package", "PackageGroup", "Tariff", "PriceCampaign", "PriceChange", "Coupon"),
            *("Redemption", "TopUpTerms"),
        ),
    ),
    Section(
        "dialler",
        _("Dialler"),
        (
            *("Job", "Account", "Server", "Pool", "Drift", "UnknownAccount", "Audit", "Survey"),
            "sheet_import_accounts",
        ),
    ),
    Section(
        "books",
        _("Accounting"),
        (
            *("sheet_reports", "sheet_datev", "Posting", "LedgerTransaction", "LedgerAccount"),
            "VatCheck",
        ),
    ),
    Section(
        "records",
        _("What was sent and done"),
        ("Mail", "InboundMail", "StateChange", "LogEntry"),
    ),
    Section(
        "settings",
        _("Settings"),
        (
            *("Brand", "LegalText", "sheet_mail_texts", "TaxRate", "User", "SecondPerson"),
            *("AlertSettings", "StatementLayout", "DatevSettings", "DatevAccount", "ShopClock"),
        ),
    ),
)


def sorted_in(apps: Iterable[Mapping[str, Any]], sheets: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return the sections with what the reader may see; what has no place there stays with its app,
    after them.
    """
    known = {each["object_name"]: each for each in sheets}
    known |= {each["object_name"]: each for app in apps for each in app["models"]}
    sections = [
        _told(section, [known.pop(name) for name in section.names if name in known])
        for section in SECTIONS
    ]
    rest = [
        {**app, "models": [each for each in app["models"] if each["object_name"] in known]}
        for app in apps
    ]
    return [each for each in (*sections, *rest) if each["models"]]


def section_of(name: str) -> tuple[Promise, str] | None:
    """Return the label and the address of the section that has the model of this name."""
    found = next((each for each in SECTIONS if name in each.names), None)
    if found is None:
        return None
    return found.label, f"{reverse('admin:index')}#{found.code}-{name.lower()}"


def _told(section: Section, entries: list[Entry]) -> dict[str, Any]:
    """Return a section as Django's templates read an app."""
    first = f"#{section.code}-{entries[0]['object_name'].lower()}" if entries else ""
    return {
        "name": section.label,
        "app_label": section.code,
        "app_url": f"{reverse('admin:index')}{first}",
        "models": entries,
    }
