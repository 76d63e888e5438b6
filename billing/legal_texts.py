"""The pages the law asks for: which of them the operator has written, and in which languages."""

from dataclasses import dataclass

from django.conf import settings

from billing.models import LegalText

# What the demo shows in their place; an operator who opens has replaced it.
NOTICES = {
    "en": "This is a demonstration. Replace this text by your own {page} before you open.",
    "de": (
        "Dies ist eine Demonstration. Ersetzen Sie diesen Text durch Ihren eigenen ({page}), "
        "bevor Sie eröffnen."
    ),
}


@dataclass(frozen=True, slots=True)
class Written:
    """A page with its row, where there is one, and the languages it is still to be written in."""

    page: LegalText.Page
    row: LegalText | None
    missing: list[str]


def all_pages() -> list[Written]:
    """Return every page, in its order, with what is missing of it."""
    rows = {row.page: row for row in LegalText.objects.all()}
    return [_written(page, rows.get(page.value)) for page in LegalText.Page]


def _written(page: LegalText.Page, row: LegalText | None) -> Written:
    missing = [
        code
        for code, _name in settings.LANGUAGES
        if row is None or not _is_own(getattr(row, f"body_{code}"), code)
    ]
    return Written(page, row, missing)


def _is_own(body: str, language: str) -> bool:
    """Say whether there is a text, and nothing of the demo's in it."""
    begin, _page, _end = NOTICES[language].partition("{page}")
    return bool(body.strip()) and begin not in body
