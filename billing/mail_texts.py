"""Mails in staff's own words: what of a mail may be written anew, and with which placeholders.

A passage is marked in the mail's own templates (templatetags/editable.py). Everything else of a
mail is fixed: sums, dates, bank details, buttons, and what the law wants told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.template.base import Node, NodeList
from django.template.loader import get_template
from django.template.loader_tags import IncludeNode
from django.utils import translation
from django.utils.translation import gettext as _

from billing.models import MailText
from billing.templatetags.editable import PLACEHOLDER, PassageNode
from packages import states

WRITTEN, STANDARD = "written", "standard_text"
LONGEST = 2000
# Who and what it is about may be left unsaid. Numbers, sums and dates may not.
OPTIONAL = frozenset(
    {"name", "package", "old", "username", "method", "service", "customer", "inviter", "email"}
)
Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Passage:
    """One passage. `code` is its part and, after a dot, the situation that it is for."""

    code: str
    # The English standard text as gettext knows it: `Invoice %(number)s is paid.`
    message: str
    names: tuple[str, ...]

    @property
    def part(self) -> str:
        return self.code.partition(".")[0]

    @property
    def situation(self) -> str:
        return self.code.partition(".")[2]

    @property
    def is_line(self) -> bool:
        """Say whether it has to stay on one line."""
        return self.part in ("subject", "heading", "greeting")

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if name not in OPTIONAL)

    def standard(self, language: str) -> str:
        """Return the standard text as staff write it, with {placeholders}."""
        with translation.override(language):
            return translation.gettext(self.message) % {name: f"{{{name}}}" for name in self.names}

    def problems(self, text: str) -> Iterator[str]:
        """Yield what keeps the text from being used, a sentence each."""
        used = set(PLACEHOLDER.findall(text))
        if unknown := sorted(used - set(self.names)):
            said = _("Nothing is known here for %(unknown)s. %(allowed)s")
            yield said % {"unknown": _braced(unknown), "allowed": self.allowed}
        elif missing := [name for name in self.required if name not in used]:
            said = _("The text has to say %(missing)s. %(allowed)s")
            yield said % {"missing": _braced(missing), "allowed": self.allowed}
        if any(sign in PLACEHOLDER.sub("", text) for sign in ("{", "}", "[[", "]]")):
            yield _("Braces are for placeholders only. %(allowed)s") % {"allowed": self.allowed}
        if len(text) > LONGEST:
            yield _("That is too long: %(most)s characters at most.") % {"most": LONGEST}

    @property
    def allowed(self) -> str:
        """Return which placeholders the text may have, for the reader of a form."""
        if not self.names:
            return _("This text has no placeholders.")
        return _("Allowed: %(names)s.") % {"names": _braced(self.names)}


@cache
def of_template(mail: str) -> tuple[Passage, ...]:
    """Return the passages of one of billing's mails, the subject first, in their order."""
    found: dict[str, Passage] = {}
    for ending in ("subject.txt", "txt"):
        for node in _passages(_nodes(f"billing/email/{mail}.{ending}")):
            found.setdefault(node.code, Passage(node.code, node.message, tuple(node.names)))
    order = ("subject", "heading", "greeting", "text", "more")
    return tuple(sorted(found.values(), key=lambda each: (order.index(each.part), each.situation)))


def written(mail: str, passages: Sequence[Passage], *, language: str) -> dict[str, str]:
    """Return by code what staff wrote, as far as it can be used today.

    What no longer fits its standard text, after an upgrade, is left out: the standard is used.
    """
    row = MailText.objects.filter(mail=mail, language=language).first()
    kept = row.texts if row else {}
    return {each.code: kept[each.code] for each in passages if _fits(each, kept)}


def unfit(
    rows: Iterable[MailText], passages_of: Mapping[str, Sequence[Passage]]
) -> Iterator[tuple[MailText, str]]:
    """Yield each stored text that is not used any more, as its row and the passage's code."""
    for row in rows:
        known = {each.code: each for each in passages_of.get(row.mail, ())}
        for code, text in row.texts.items():
            if code not in known or any(known[code].problems(text)):
                yield row, code


def save(
    mail: str,
    passages: Sequence[Passage],
    texts: Texts,
    *,
    language: str,
    at: datetime,
    actor: str,
) -> None:
    """Keep what differs from the standard text, and who wrote it; raises ValueError if any does
    not fit. Empty texts lead back to the standard.
    """
    given = {each.code: tidied(texts.get(each.code, "")) for each in passages}
    kept = {
        each.code: given[each.code]
        for each in passages
        if given[each.code] not in ("", each.standard(language))
    }
    if problem := next(_all_problems(passages, kept), ""):
        raise ValueError(problem)
    (row,) = MailText.objects.bulk_create(
        [MailText(mail=mail, language=language, texts=kept, changed_at=at)],
        update_conflicts=True,
        unique_fields=["mail", "language"],
        update_fields=["texts", "changed_at"],
    )
    reason = f"{row}: {', '.join(kept)}" if kept else str(row)
    after = WRITTEN if kept else STANDARD
    states.record("mailtext", row.pk, "", after, at=at, actor=actor, reason=reason)


def tidied(text: str) -> str:
    """Return it without spaces around its lines, and at most one empty line between two."""
    lines = "\n".join(line.strip() for line in text.splitlines()).strip()
    while "\n\n\n" in lines:
        lines = lines.replace("\n\n\n", "\n\n")
    return lines


def _fits(passage: Passage, kept: Texts) -> bool:
    return passage.code in kept and not any(passage.problems(kept[passage.code]))


def _all_problems(passages: Sequence[Passage], kept: Texts) -> Iterator[str]:
    for each in passages:
        if each.code in kept:
            yield from each.problems(kept[each.code])


def _passages(nodes: NodeList) -> Iterator[PassageNode]:
    """Find the passages of a template and of all that it includes, in their order."""
    for node in nodes.get_nodes_by_type(Node):
        if isinstance(node, PassageNode):
            yield node
        elif isinstance(node, IncludeNode) and isinstance(node.template.var, str):
            yield from _passages(_nodes(node.template.var))


def _nodes(name: str) -> NodeList:
    parsed: NodeList = get_template(name).template.nodelist  # type: ignore[attr-defined]
    return parsed


def _braced(names: Iterable[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)
