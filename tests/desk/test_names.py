"""What rows are called on the desk: their days and states as the reader writes them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.contrib import admin
from django.db.models import Model
from django.utils import translation

from billing import alert_texts
from billing.admin.cancellations import Cancel
from billing.models import (
    Alert,
    AlertSettings,
    BankEntry,
    DatevAccount,
    DatevSettings,
    GatewayEvent,
    Invoice,
    Order,
    Pause,
    PriceCampaign,
    Run,
    SubscriptionPeriod,
    TaxRate,
    TopUpTerms,
)
from billing.templatetags.desk import labelled
from packages import countries
from packages.desk.cells import amount, percent
from packages.desk.pages import Page
from packages.models import Package
from packages.money import Money
from provisioning.models import Account, Audit, Drift, Server

APPS = ("packages", "provisioning", "billing")
# The history's own line, for logs alone; a link that is shown to nobody.
NOT_SHOWN = {
    ("packages/states.py", "StateChange"),
    ("provisioning/models/account.py", "OneTimeSecret"),
}
ON = date(2026, 3, 9)


@pytest.mark.parametrize(
    ("row", "german", "english"),
    [
        (Run(on=ON), "9. März 2026", "9 March 2026"),
        (PriceCampaign(name="Spring", effective_on=ON), "Spring (9. März 2026)", None),
        (Pause(from_on=ON, until_on=date(2026, 4, 1)), "9. März 2026 – 1. April 2026", None),
        (BankEntry(booked_on=ON, name="Ada"), "9. März 2026 · Ada", "9 March 2026 · Ada"),
        (
            SubscriptionPeriod(start_on=ON, end_on=date(2026, 4, 9)),
            "9. März 2026 – 8. April 2026",
            None,
        ),
        (
            Audit(server=Server(name="One"), started_at=datetime(2026, 3, 8, 23, 30, tzinfo=UTC)),
            "One · 9. März 2026",
            None,
        ),
        (Invoice(pk=7), "Entwurf 7", "draft 7"),
        (
            Drift(
                account=Account(username="ada-1"),
                diffs=[{"field": "state"}, {"field": "channels"}],
            ),
            "ada-1: Status, Kanäle",
            "ada-1: State, Channels",
        ),
    ],
)
def test_a_name_is_written_as_the_reader_writes_it(
    row: object, german: str, english: str | None
) -> None:
    with translation.override("de"):
        assert str(row) == german
    with translation.override("en"):
        assert english in (None, str(row))


def test_no_name_holds_a_raw_day_or_state() -> None:
    assert [each for each in _raw() if each[:2] not in NOT_SHOWN] == []


def _raw() -> Iterator[tuple[str, str, str]]:
    """Give the days, times and states that a model's name shows as they are stored."""
    for path in (each for app in APPS for each in Path(app).rglob("*.py")):
        for model in ast.walk(ast.parse(path.read_text())):
            if isinstance(model, ast.ClassDef):
                yield from ((path.as_posix(), model.name, part) for part in _parts(model))


def _parts(model: ast.ClassDef) -> Iterator[str]:
    for named in model.body:
        if isinstance(named, ast.FunctionDef) and named.name == "__str__":
            for value in ast.walk(named):
                shown = value.value if isinstance(value, ast.FormattedValue) else None
                if isinstance(shown, ast.Attribute) and _is_stored(shown.attr):
                    yield shown.attr


def _is_stored(attr: str) -> bool:
    return attr in ("on", "slot", "state") or attr.endswith(("_on", "_at"))


def test_packages_alerts_and_percentages_are_told_in_the_readers_language() -> None:
    package = Package(name_en="Credit 25", name_de="Guthaben 25")
    one, many = ({"server": "One", "count": count} for count in (1, 2))
    stopped = Alert(kind=Alert.Kind.RUN, facts={"day": "2026-03-09"})
    with translation.override("de"):
        assert str(package) == "Guthaben 25"
        assert str(Package(name_en="Only English")) == "Only English"
        unknown = [alert_texts.title(Alert(kind="unknown", facts=each)) for each in (one, many)]
        assert unknown == [
            "One hat 1 Konto, das niemand kennt",
            "One hat 2 Konten, die niemand kennt",
        ]
        assert "vom 9. März 2026" in alert_texts.title(stopped)
        assert [percent(each) for each in (1900, 770, 10000, 0)] == [
            "19 %",
            "7,7 %",
            "100 %",
            "0 %",
        ]
        assert countries.name("CH") == "Schweiz"
    with translation.override("en"):
        assert str(package) == "Credit 25"
        assert percent(770) == "7.7 %"


def test_yes_and_no_are_words_whatever_file_their_sign_is_kept_in() -> None:
    cell = '<td class="field-live"><img src="/static/admin/img/icon-no.43f1.svg" alt="False"></td>'
    (shown,) = labelled([cell], [{"text": "live"}])
    assert shown == '<td data-label="Live" class="field-live">No</td>'


@pytest.mark.parametrize(
    ("row", "german"),
    [
        (Order(pk=7), "Bestellung #7"),
        (TopUpTerms(currency="USD"), "Bedingungen für Aufladungen · USD"),
        (DatevSettings(consultant=1, client=2), "DATEV-Einstellungen"),
        (AlertSettings(emails="ops@shop.example"), "Einstellungen für Warnungen"),
        (Run(on=ON), "Tageslauf · 9. März 2026"),
        (GatewayEvent(kind="payment.updated", external_id="evt_1"), "Zahlung geändert · evt_1"),
        (DatevAccount(book="revenue", account=8400), "Erlöse · 8400"),
        (TaxRate(country="SK", rate_bp=2300, valid_from=ON), "Slowakei 23 % (9. März 2026)"),
    ],
)
def test_a_page_says_above_it_what_kind_of_row_it_shows(row: Model, german: str) -> None:
    page = admin.site.get_model_admin(type(row))
    assert isinstance(page, Page)
    with translation.override("de"):
        assert page.heading(row) == german


def test_what_opens_a_deeds_page_says_that_it_asks_first() -> None:
    with translation.override("en"):
        assert Cancel().button == "Cancel to the end of the period…"
    with translation.override("de"):
        assert Cancel().button == "Zum Ende des Zeitraums kündigen …"


def test_less_than_nothing_is_written_with_a_true_minus() -> None:
    with translation.override("en"):
        assert amount(Money(-1200, "EUR")) == "−€12.00"
