"""What the desk's templates ask for: cards, marks of cells, where a page stands in the menu."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any

from django import template
from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing import alert_texts, alerts, board, gateways, overview
from packages import clock
from packages.desk import cells, menu
from packages.money import Money

register = template.Library()
# Django's signs of yes, no and neither say by their colour alone which is which.
SIGN = re.compile(r'<img src="[^"]*icon-(yes|no|unknown)[^"]*" alt="[^"]*">')
SIGNS = {"yes": _("yes"), "no": _("no"), "unknown": cells.EMPTY}
# The name of its column in the class of a cell, which comes first in its tag.
COLUMN = re.compile(r'^[^>]*class="[^"]*?(?:field|column)-(\w+)')
# A cell, and what is a figure: an amount, a share, a count, or a span of them.
CELL = re.compile(r'<td\b[^>]*class="[^"]*?\bfield-(\w+)[^>]*>(.*?)</td>', re.DOTALL)
NAMED = re.compile(r'(<t[dh]\b[^>]*class="[^"]*?\b(?:field|column)-(\w+)[^"]*")')
UNIT = r"(?:[A-Z]{0,2}[$€£]|[A-Z]{3}|%)"
FIGURE = rf"[-−]?(?:{UNIT}\s?\d[\d.,]*|\d[\d.,]*\s{UNIT}|\d{{1,6}})"
FIGURES = re.compile(rf"{FIGURE}(?:\s?[–-]\s?{FIGURE})?")


@register.simple_tag(takes_context=True)
def desk_cards(context: dict[str, Any]) -> list[overview.Card]:
    """Return the cards that the signed-in person may see."""
    user = context["request"].user
    return [card for card in overview.cards(at=clock.now()) if user.has_perm(card.right)]


@register.simple_tag(takes_context=True)
def desk_board(context: dict[str, Any]) -> dict[str, Any]:
    """Return the figures that the signed-in person may see."""
    now = clock.now()
    found = board.of(context["request"].user.has_perm, at=now)
    return {**found, "now": now} if found else found


@register.filter
def shown(amount: Money) -> str:
    """`{{ figure.amount|shown }}`: an amount as all pages of the desk write it."""
    return cells.amount(amount)


@register.filter
def badge(row: Any) -> str:
    """`{{ order|badge }}`: the row's state as icon and word."""
    return cells.state(row)


@register.filter
def elapsed(since: datetime, at: datetime) -> str:
    """`{{ alert.found_at|elapsed:alert.now }}`: how long ago, in the reader's language."""
    return cells.elapsed(since, at)


@register.simple_tag(takes_context=True)
def desk_alerts(context: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the alerts that are told and not over, for whoever may see them."""
    if not context["request"].user.has_perm("billing.view_alert"):
        return []
    now = clock.now()
    return [
        {"title": alert_texts.title(each), "found_at": each.found_at, "row": each, "now": now}
        for each in alerts.standing()
    ]


@register.filter
def labelled(cells: Sequence[str], headers: Sequence[Mapping[str, Any]]) -> list[SafeString]:
    """`{% for cell in row|labelled:headers %}`: cells of a list with their columns' names, which
    stand before them on a phone; those without a value are marked, for there is no room for them.
    """
    names = (str(each["text"]) for each in headers)
    # A form of several rows has a hidden cell more than the list has columns.
    pairs = zip_longest(cells, names, fillvalue="")
    return [_labelled(cell, name) for cell, name in pairs]


def _labelled(cell: str, label: str) -> SafeString:
    cell = _worded(cell)
    tag, rest = cell[:3], mark_safe(cell[3:])
    if "<input" in label:
        # The box by which all rows are chosen has no name.
        return format_html("{}{}", mark_safe(tag), rest)
    bare = not strip_tags(cell).strip(" -–") and "<img" not in cell and "<input" not in cell
    marks = mark_safe(" data-bare") if bare else ""
    return format_html('{} data-label="{}"{}{}', mark_safe(tag), capfirst(label), marks, rest)


@register.filter
def thinned(cells_of_row: Sequence[str], page: Any) -> list[SafeString]:
    """`{% for cell in row|labelled:headers|thinned:page %}`: those of columns that the page of the
    list calls spare are marked; they are left out where the rows have no room.
    """
    return [
        format_html("{}{}{}", mark_safe(cell[:3]), spare_mark(cell, page), mark_safe(cell[3:]))
        for cell in cells_of_row
    ]


@register.filter
def spare_mark(markup: str, page: Any) -> str:
    """`<th{{ header.class_attrib }}{{ header.class_attrib|spare_mark:page }}>`: a column's mark."""
    found = COLUMN.search(markup)
    spare = found is not None and found[1] in getattr(page, "spare", ())
    return mark_safe(" data-spare") if spare else ""


@register.filter
def gateway(code: str) -> str:
    """`{{ account.gateway|gateway }}`: the gateway's name, as it stands alone."""
    return capfirst(str(gateways.named(code)))


@register.filter
def rate(rate_bp: int) -> str:
    """`{{ account.tax_bp|rate }}`: 1900 is 19 %."""
    return cells.percent(rate_bp)


@register.filter
def telling(fieldset: Any, may_change: bool) -> list[tuple[Any, list[Any]]]:
    """`{% for line, fields in fieldset|telling:has_change_permission %}`: the lines and what stands
    in each; for whoever may not change the row, without what holds nothing.
    """
    lines = [(line, list(line)) for line in fieldset]
    if may_change:
        return lines
    kept = [(line, [each for each in fields if _tells(each)]) for line, fields in lines]
    return [(line, fields) for line, fields in kept if fields]


@register.filter
def said(field: Any) -> str:
    """`{{ field|said }}`: what a field that is only read holds; yes and no are words."""
    contents = field.contents() if callable(field.contents) else field.contents
    return _worded(contents)


def _worded(markup: str) -> SafeString:
    """Put a word in the place of each sign of yes and no. The markup is safe, as Django made it."""
    return mark_safe(SIGN.sub(lambda found: capfirst(str(SIGNS[found[1]])), markup))


def _tells(field: Any) -> bool:
    if not field.is_readonly:
        return True
    # Some are read from the database: once, not again when they are written.
    field.contents = field.contents()
    return bool(field.contents.strip() not in ("", cells.EMPTY))


@register.filter
def desk_section(opts: Any) -> tuple[Any, str] | None:
    """`{% with section=opts|desk_section %}`: the label and address of the menu's section that has
    the model; none where the list is called the same.
    """
    found = menu.section_of(opts.object_name)
    same = found is not None and str(found[0]) == capfirst(str(opts.verbose_name_plural))
    return None if same else found


@register.filter
def summed(table: str) -> SafeString:
    """`{% filter summed %}<table>…</table>{% endfilter %}`: columns of figures alone are
    marked, the heading too, so that both end at one edge.
    """
    held: dict[str, set[bool]] = {}
    for name, inside in CELL.findall(table):
        text = strip_tags(inside).strip()
        if text not in ("", cells.EMPTY):
            held.setdefault(name, set()).add(FIGURES.fullmatch(text) is not None)
    sums = {name for name, found in held.items() if found == {True}}
    return mark_safe(NAMED.sub(lambda at: f"{at[1]} data-sum" if at[2] in sums else at[1], table))


@register.filter
def inline_data(formset: Any) -> str:
    """`data-inline-formset="{{ inline_admin_formset|inline_data }}"`: what Django's script needs to
    add a row; its link names the rows as sentences do, without a capital.
    """
    data = json.loads(formset.inline_formset_data())
    told = {"verbose_name": formset.opts.verbose_name}
    data["options"]["addText"] = gettext("Add another %(verbose_name)s") % told
    return json.dumps(data)
