"""`python -m config.messages extract|compile|check`: translations without the gettext programs.

Needs no database, no network and no settings: it reads the sources and the .po files only.
"""

import argparse
import io
import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract as extract_from
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

BASE_DIR = Path(__file__).resolve().parent.parent
SOURCES = ("config", "packages", "provisioning", "billing", "storefront")
LANGUAGES = ("de",)
ONE, CONTEXT, MANY, CONTEXT_MANY = None, ((1, "c"), 2), (1, 2), ((1, "c"), 2, 3)
KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop", "noop"), ONE),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), CONTEXT),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), MANY),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), CONTEXT_MANY),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd]|\{\w*\}")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Written by hand: a date or a tool's version would change the file without a change of words.
HEADER = """\
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals};\\n"

"""


def main(arguments: list[str]) -> int:
    """Run one command; `check` prints a line per problem and returns 1 if there is any."""
    parser = argparse.ArgumentParser(prog="python -m config.messages", description=__doc__)
    parser.add_argument("command", choices=("extract", "compile", "check"))
    command = parser.parse_args(arguments).command
    found = list({"extract": extract, "compile": compile_, "check": problems}[command](BASE_DIR))
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if command == "check" and found else 0


def extract(root: Path) -> Iterator[str]:
    """Bring each .po up to date with the sources: translations are kept, what nobody uses goes."""
    template = _messages_of(root)
    for language in LANGUAGES:
        path = _po(root, language)
        updated = _updated(template, _read(path, language))
        if _write(path, _text(updated).encode()):
            yield f"{path.relative_to(root)}: {len(updated)} messages"


def compile_(root: Path) -> Iterator[str]:
    """Write each .mo that is not what its .po says; a reader never sees half a file."""
    for language in LANGUAGES:
        path = _po(root, language)
        catalog, compiled = _read(path, language), io.BytesIO()
        catalog.creation_date = catalog.revision_date = EPOCH
        write_mo(compiled, catalog)
        if _write(path.with_suffix(".mo"), compiled.getvalue()):
            yield f"{path.with_suffix('.mo').relative_to(root)}: compiled"


def problems(root: Path) -> Iterator[str]:
    """Yield what stands in the way of a complete translation, one line each."""
    template = _messages_of(root)
    for language in LANGUAGES:
        path = _po(root, language)
        name = path.relative_to(root)
        stored = _read(path, language)
        updated = _updated(template, stored)
        for message in _words(updated):
            for problem in _problems_of(message):
                where = message.locations[0][0]
                yield f"{name}: {problem}: {_ids(message)[0]!r} ({where})"
        current = path.read_text(encoding="utf-8") if path.exists() else ""
        if _text(updated) != current:
            yield f"{name}: not what extract would write; run `python -m config.messages extract`"


def _messages_of(root: Path) -> Catalog:
    """Return every message of the sources and the templates, with the files it stands in."""
    catalog = Catalog()
    for path in _files(root):
        where = path.relative_to(root).as_posix()
        source = io.BytesIO(_python(path, where).encode())
        for _line, message, _comments, context in extract_from("python", source, KEYWORDS):
            if message:
                catalog.add(message, locations=[(where, 1)], context=context)
    return catalog


def _files(root: Path) -> list[Path]:
    sources = [path for folder in SOURCES for path in (root / folder).rglob("*.py")]
    pages = [path for kind in ("html", "txt") for path in (root / "templates").rglob(f"*.{kind}")]
    inner = [path for folder in SOURCES for path in (root / folder).rglob("templates/**/*.html")]
    return sorted(sources + pages + inner)


def _python(path: Path, where: str) -> str:
    """Return the file as Python; of a template only its messages are left, as calls."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return text
    # What stood before a tag is blanked out but still indents it, which means nothing here.
    return "\n".join(line.strip() for line in templatize(text, origin=where).splitlines())


def _updated(template: Catalog, stored: Catalog) -> Catalog:
    catalog = Catalog(locale=stored.locale)
    for message in _words(template):
        known = stored.get(message.id, message.context)
        fuzzy = known is not None and known.fuzzy
        catalog.add(
            message.id,
            known.string if known is not None else None,
            locations=message.locations,
            flags={*message.flags, "fuzzy"} if fuzzy else message.flags,
            context=message.context,
        )
    return catalog


def _problems_of(message: Message) -> Iterator[str]:
    ids, strings = _ids(message), _strings(message)
    if not all(strings):
        yield "missing"
        return
    if message.fuzzy:
        yield "fuzzy"
    wanted = {mark for text in ids for mark in PLACEHOLDER.findall(text)}
    # "one day" needs no number, so only the last form must have all of them.
    used = {mark for text in strings for mark in PLACEHOLDER.findall(text)}
    if used != wanted or set(PLACEHOLDER.findall(strings[-1])) != wanted:
        yield "other placeholders"


def _words(catalog: Catalog) -> Iterator[Message]:
    """Yield the messages without the header."""
    return (message for message in catalog if message.id)


def _ids(message: Message) -> tuple[str, ...]:
    return message.id if isinstance(message.id, tuple) else (str(message.id),)


def _strings(message: Message) -> tuple[str, ...]:
    return message.string if isinstance(message.string, tuple) else (str(message.string or ""),)


def _po(root: Path, language: str) -> Path:
    return root / "locale" / language / "LC_MESSAGES" / "django.po"


def _read(path: Path, language: str) -> Catalog:
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def _text(catalog: Catalog) -> str:
    body = io.BytesIO()
    options = {"omit_header": True, "sort_output": True, "include_lineno": False}
    write_po(body, catalog, width=100, **options)
    header = HEADER.format(language=catalog.locale, plurals=catalog.plural_forms.rstrip(";"))
    return header + body.getvalue().decode().strip() + "\n"


def _write(path: Path, content: bytes) -> bool:
    """Replace the file at once if it differs; return whether it did."""
    if path.exists() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_bytes(content)
    fresh.replace(path)
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
