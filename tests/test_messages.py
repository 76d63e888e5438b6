"""The translations are complete, and the tool that says so notices when they are not."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import allauth
import django
import pytest
from babel.dates import format_date
from babel.messages.pofile import read_po
from django.utils import translation
from django.utils.formats import date_format

from config import messages

PO = Path("locale/de/LC_MESSAGES/django.po")
SOURCE = """\
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext

TITLE = _("Paid by %(who)s")
COUNT = ngettext("one day", "%(days)s days", 2)
MONTH = pgettext("calendar", "May")
"""
PAGE = """\
    {% load i18n %}<p>it's {% translate "Open" %}</p>
  {% blocktranslate with name=user.name count n=left %}{{ name }} has
  one{% plural %}{{ name }} has {{ n }}{% endblocktranslate %}
  {% include "x.html" with word=_("Overdue") %}
"""
GERMAN = {
    "Paid by %(who)s": "Bezahlt von %(who)s",
    "one day": "ein Tag",
    "%(days)s days": "%(days)s Tage",
    "May": "Mai",
    "Open": "Offen",
    "Overdue": "Überfällig",
    "%(name)s has\n  one": "%(name)s hat\n  eins",
    "%(name)s has %(n)s": "%(name)s hat %(n)s",
}
INFORMAL = re.compile(r"\b([Dd]u|[Dd]eine?[nmrs]?|[Dd]ir|[Dd]ich|gib|wähle|versuche)\b")
Edit = Callable[[str, str], None]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A small product with one source, one page, and everything translated."""
    for folder in (*messages.SOURCES, "templates"):
        (tmp_path / folder).mkdir()
    (tmp_path / "billing" / "words.py").write_text(SOURCE)
    (tmp_path / "templates" / "page.html").write_text(PAGE)
    list(messages.extract(tmp_path))
    catalog = messages._read(tmp_path / PO, "de")
    for message in messages._words(catalog):
        german = tuple(GERMAN[each] for each in messages._ids(message))
        message.string = german if isinstance(message.id, tuple) else german[0]
    (tmp_path / PO).write_text(messages._text(catalog))
    return tmp_path


@pytest.fixture
def edit(house: Path) -> Edit:
    def replace(old: str, new: str) -> None:
        text = (house / PO).read_text()
        assert old in text
        (house / PO).write_text(text.replace(old, new))

    return replace


def test_the_products_translations_are_complete() -> None:
    assert list(messages.problems(messages.BASE_DIR)) == []


@pytest.mark.parametrize("month", range(1, 13))
def test_our_words_leave_the_months_their_names(month: int) -> None:
    """A word of ours that Django has too, such as "May", would be said of the month as well."""
    on = date(2027, month, 24)
    with translation.override("de"):
        assert date_format(on, "j. F Y") == format_date(on, "d. MMMM y", locale="de")
        assert date_format(on, "l") == format_date(on, "EEEE", locale="de")


@pytest.mark.parametrize("part", ["contrib/admin", "contrib/auth"])
def test_nothing_that_django_says_at_the_desk_stays_english(part: str) -> None:
    locale = Path(django.__file__).parent / part / "locale"
    theirs = _catalog(locale / "de/LC_MESSAGES/django.po")
    ours = _catalog(PO)
    said = _catalog(locale / "en/LC_MESSAGES/django.po")
    assert [each for each in said if each not in theirs and each not in ours] == []


def _catalog(path: Path) -> set[Any]:
    """Return what is said in English in a catalogue; of a German one what has a German word."""
    with path.open("rb") as file:
        read = read_po(file, path.parts[-3])
    english = read.locale_identifier == "en"
    return {each.id for each in read if each.id and (english or each.string)}


def test_nobody_is_called_du() -> None:
    """Also where a library speaks: its forms' errors are said anew by us."""
    folder = Path(allauth.__file__).parent
    with (folder / "locale/de/LC_MESSAGES/django.po").open("rb") as file:
        theirs = read_po(file, locale="de")
    of_forms = [
        str(each.id)
        for each in theirs
        if any(
            where.endswith(".py") and INFORMAL.search(str(each.string))
            for where, _ in each.locations
        )
        and any(
            where.startswith(("account/", "mfa/", "usersessions/")) for where, _ in each.locations
        )
    ]
    with translation.override("de"):
        told = [translation.gettext(each) for each in of_forms]
    assert len(told) > 5
    assert [each for each in told if INFORMAL.search(each)] == []


def test_the_command_needs_no_settings_and_no_server(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "config.messages", "compile"]
    env = {"PATH": "/usr/bin", "VAR_DIR": str(tmp_path)}
    done = subprocess.run(command, cwd=messages.BASE_DIR, env=env, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_complete_catalogue_has_no_problems(house: Path) -> None:
    assert list(messages.problems(house)) == []


def test_messages_are_found_in_sources_and_pages(house: Path) -> None:
    text = (house / PO).read_text()
    assert "#: billing/words.py\n#, python-format" in text
    assert 'msgctxt "calendar"' in text
    assert "#: templates/page.html" in text
    assert ":1\n" not in text


def test_a_missing_message_is_reported(house: Path, edit: Edit) -> None:
    edit("Bezahlt von %(who)s", "")
    assert list(messages.problems(house)) == [
        f"{PO}: missing: 'Paid by %(who)s' (billing/words.py)"
    ]


def test_a_missing_plural_is_reported(house: Path, edit: Edit) -> None:
    edit('msgstr[1] "%(days)s Tage"', 'msgstr[1] ""')
    assert list(messages.problems(house)) == [f"{PO}: missing: 'one day' (billing/words.py)"]


def test_a_fuzzy_message_is_reported(house: Path, edit: Edit) -> None:
    edit('msgid "Overdue"', '#, fuzzy\nmsgid "Overdue"')
    assert list(messages.problems(house)) == [f"{PO}: fuzzy: 'Overdue' (templates/page.html)"]


@pytest.mark.parametrize("german", ["Bezahlt von %(wer)s", "Bezahlt", "Bezahlt von %(who)s%(x)s"])
def test_other_placeholders_are_reported(house: Path, edit: Edit, german: str) -> None:
    edit("Bezahlt von %(who)s", german)
    (problem,) = messages.problems(house)
    assert "other placeholders" in problem


def test_a_catalogue_that_extract_would_change_is_reported(house: Path) -> None:
    page = house / "templates" / "page.html"
    page.write_text(page.read_text().replace('_("Overdue")', '"x"'))
    (problem,) = messages.problems(house)
    assert "not what extract would write" in problem


def test_extract_keeps_translations_and_drops_what_nobody_uses(house: Path) -> None:
    (house / "templates" / "page.html").write_text('{% load i18n %}{% translate "New" %}')
    assert list(messages.extract(house)) == [f"{PO}: 4 messages"]
    text = (house / PO).read_text()
    assert "Bezahlt von %(who)s" in text
    assert "Overdue" not in text
    assert list(messages.extract(house)) == []


def test_compile_writes_only_what_changed(house: Path) -> None:
    assert list(messages.compile_(house)) == [f"{PO.with_suffix('.mo')}: compiled"]
    assert list(messages.compile_(house)) == []
    shutil.rmtree((house / PO).parent)
    assert list(messages.compile_(house)) != []
