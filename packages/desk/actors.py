"""Who took a step of a row's life, by a name that staff know."""

from collections.abc import Iterable, Mapping

from django.contrib.auth import get_user_model
from django.db.models import Model
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from packages.desk.cells import link

PEOPLE = ("staff", "user")
# What the shop does by itself, by the part of it that acts.
PARTS: dict[str, str | Promise] = {
    "audit": gettext_lazy("comparison with the dialler"),
    "balance": gettext_lazy("the balance"),
    "billing": gettext_lazy("the calendar"),
    "charge": gettext_lazy("automatic charge"),
    "circuit": gettext_lazy("watch on the dialler"),
    "collections": gettext_lazy("automatic charge"),
    "compare": gettext_lazy("comparison with the gateway"),
    "data": gettext_lazy("copies of data"),
    "demo": gettext_lazy("the demo"),
    "dispute": gettext_lazy("dispute"),
    "dunning": gettext_lazy("dunning"),
    "gateway": gettext_lazy("the gateway"),
    "inbox": gettext_lazy("receiving of mails"),
    "mail": gettext_lazy("sending of mails"),
    "refund": gettext_lazy("sending of refunds"),
    "runner": gettext_lazy("work at the dialler"),
    "statement": gettext_lazy("bank statement"),
    "survey": gettext_lazy("survey of the dialler"),
    "sweep": gettext_lazy("sweep"),
    "vies": gettext_lazy("check of VAT numbers"),
}
ROWS: dict[str, str | Promise] = {
    "event": gettext_lazy("webhook %(number)s"),
    "payment": gettext_lazy("payment %(number)s"),
    "worker": gettext_lazy("a worker"),
}
# Where these rows have their pages.
PAGES = {"event": "billing_gatewayevent", "payment": "billing_payment"}
ALONE: dict[str, str | Promise] = {
    "command": gettext_lazy("a command of the operator"),
    "staff:command": gettext_lazy("a command of the operator"),
    "visitor": gettext_lazy("a visitor"),
    "mail": gettext_lazy("a mail that came in"),
}


def told(actors: Iterable[str]) -> dict[str, SafeString | str]:
    """Return a name for each, a person's as a link; one query if there are people among them.

    Who is none of ours keeps the name that the history has.
    """
    wanted = {each: each.partition(":") for each in set(actors)}
    ids = {int(no) for kind, _colon, no in wanted.values() if kind in PEOPLE and no.isdecimal()}
    people = get_user_model().objects.in_bulk(ids) if ids else {}
    return {each: _name(each, kind, no, people) for each, (kind, _, no) in wanted.items()}


def _name(actor: str, kind: str, number: str, people: Mapping[int, Model]) -> SafeString | str:
    if actor in ALONE:
        return str(ALONE[actor])
    if kind in PEOPLE and number.isdecimal() and int(number) in people:
        return link(people[int(number)])
    if kind == "system" and number in PARTS:
        return str(PARTS[number])
    if kind not in ROWS or not number:
        return actor
    named = str(ROWS[kind]) % {"number": number}
    if kind not in PAGES or not number.isdecimal():
        return named
    return format_html(
        '<a href="{}">{}</a>', reverse(f"admin:{PAGES[kind]}_change", args=[number]), named
    )
