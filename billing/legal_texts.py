"""The pages the law asks for: what the operator has written, and what goes out with an order."""

from dataclasses import dataclass

from django.conf import settings
from django.utils import translation

from billing import rendering, withdrawal_model
from billing.models import Brand, LegalText

# What the demo shows in their place; an operator who opens has replaced it.
NOTICES = {
    "en": "This is a demonstration. Replace this text by your own ({page}) before you open.",
    "de": (
        "Dies ist eine Demonstration. Ersetzen Sie diesen Text durch Ihren eigenen ({page}), "
        "bevor Sie eröffnen."
    ),
}


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a legal text: a heading (`# …`) or a paragraph with its own line breaks."""

    heading: str = ""
    paragraph: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A page as it goes out with an order."""

    title: str
    blocks: list[Block]


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


def blocks(body: str) -> list[Block]:
    """Return a body's pieces in their order; an empty line parts them."""
    parts = (part.strip() for part in body.replace("\r\n", "\n").split("\n\n"))
    return [
        Block(heading=part.lstrip("# ")) if part.startswith("#") else Block(paragraph=part)
        for part in parts
        if part
    ]


def with_order(language: str, *, private: bool) -> list[Told]:
    """Return what the confirmation of an order says in full, in its language; one query.

    A link would not do: a page can change, and who buys is to keep the words (§ 312f BGB, and CJEU
    C-49/11). Only consumers have a right of withdrawal.
    """
    pages = [LegalText.Page.TERMS, *([LegalText.Page.WITHDRAWAL] if private else [])]
    rows = {row.page: row for row in LegalText.objects.filter(page__in=pages)}
    with translation.override(language):
        return [told(page, rows[page].text("body")) for page in pages if page in rows]


def told(page: LegalText.Page, body: str) -> Told:
    """Return a page with its name in the active language."""
    return Told(str(page.label), blocks(body))


def model(language: str, brand: Brand) -> str:
    """Return the law's model of the information on withdrawal, with the seller filled in."""
    link = rendering.link("storefront:withdraw_contract")
    return withdrawal_model.text(language, brand, link=link)


def _written(page: LegalText.Page, row: LegalText | None) -> Written:
    missing = [
        code
        for code, _name in settings.LANGUAGES
        if row is None or not _is_own(getattr(row, f"body_{code}"), code)
    ]
    return Written(page, row, missing)


def _is_own(body: str, language: str) -> bool:
    """Say whether there is a text, nothing of the demo's in it, and no gap of the model's."""
    begin, _page, _end = NOTICES[language].partition("{page}")
    is_finished = withdrawal_model.GAPS[language] not in body
    return bool(body.strip()) and begin not in body and is_finished
