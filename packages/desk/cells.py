"""What stands in one cell of a staff page: amounts, states, links."""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from babel.numbers import format_currency
from django.conf import settings
from django.db import models
from django.templatetags.static import static
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format, localize
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.timesince import timesince
from django.utils.timezone import localtime
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from packages import locales
from packages.money import Money

EMPTY = "–"
MINUS = "−"
# The tone of every state in the product; one that is not named here is neutral.
TONES = {
    **dict.fromkeys(
        ("done", "paid", "live", "active", "succeeded", "processed", "on", "valid", "ready"), "ok"
    ),
    **dict.fromkeys(
        (
            "sent",
            "fulfilled",
            "applied",
            "approved",
            "issued",
            "booked",
            "read",
            "answered",
            "filed",
        ),
        "ok",
    ),
    **dict.fromkeys(("waiting", "running", "planned", "open", "created", "processing"), "wait"),
    **dict.fromkeys(("received", "queued", "sending", "placed", "pending"), "wait"),
    **dict.fromkeys(("released", "matched", "reading", "applying", "proposed"), "wait"),
    **dict.fromkeys(("suspended", "unknown", "refused", "not_sent", "faulty", "invalid"), "warn"),
    **dict.fromkeys(("parked", "failed", "stopped", "left"), "bad"),
}
PLURALS = re.compile(r"\b(Tage|Monate|Jahre)\b")
ICONS = {"ok": "check-circle", "wait": "clock", "warn": "warning", "bad": "cross-circle"}


def amount(money: Money | None) -> str:
    """Return the amount in the reader's format; a dash for what is not known."""
    if money is None:
        return EMPTY
    text = str(format_currency(money.decimal(), money.currency, locale=locales.reader()))
    return text.replace("-", MINUS)


def amount_of(minor: int | None, currency: str) -> str:
    return amount(None if minor is None else Money(minor, currency))


def percent(basis_points: int) -> str:
    return share(Decimal(basis_points) / 100)


def share(hundredths: Decimal) -> str:
    """Return a percentage as the reader writes it, with no more digits than it has."""
    return f"{localize(hundredths.normalize() + 0)} %".replace("-", MINUS)


def badge(tone: str, word: Any) -> SafeString:
    """Return an icon and a word; `tone` is ok, wait, warn, bad or empty."""
    return format_html(
        '<span class="state{}"><svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>'
        "{}</span>",
        f" state--{tone}" if tone else "",
        static("img/icons.svg"),
        ICONS.get(tone, "info"),
        capfirst(str(word)),
    )


def capital(text: Any) -> SafeString | str:
    """Return the text with a capital in front; what is safe stays so."""
    begun = capfirst(str(text))
    return SafeString(begun) if isinstance(text, SafeString) else begun


def state(row: Any) -> SafeString:
    """Return the row's state as icon and word."""
    return badge(TONES.get(row.state, ""), row.get_state_display())


def link(row: models.Model | None, text: Any = None) -> SafeString | str:
    """Return a link to the row's own page, a dash for none."""
    if row is None:
        return EMPTY
    return format_html('<a href="{}">{}</a>', row_url(row), text if text is not None else row)


def listed(model: type[models.Model], text: Any, **filters: Any) -> SafeString:
    """Return a link to the model's list, filtered."""
    return format_html('<a href="{}">{}</a>', list_url(model, **filters), text)


def counted(rows: "models.QuerySet[Any]", **filters: Any) -> SafeString:
    """Return how many rows there are, as a link to their list; there is none of nothing."""
    count = rows.count()
    return listed(rows.model, count, **filters) if count else SafeString(EMPTY)


def row_url(row: models.Model) -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def list_url(model: type[models.Model], **filters: Any) -> str:
    meta = model._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address


def structure(data: Any) -> SafeString | str:
    """Return JSON to be read by a person."""
    if not data:
        return EMPTY
    text = json.dumps(data, indent=2, ensure_ascii=False)
    return format_html('<pre class="desk-code">{}</pre>', text)


def elapsed(since: datetime, at: datetime) -> str:
    """Return how long ago it was, as it stands in "%(time)s ago": in German that is the dative."""
    told = timesince(since, at, depth=1)
    return PLURALS.sub(r"\1n", told) if (get_language() or "").startswith("de") else told


def moment(at: datetime | None) -> str:
    """Return date and time of day, in the shop's time zone."""
    return date_format(localtime(at), "DATETIME_FORMAT") if at else EMPTY


def day(on: date | None) -> str:
    return date_format(on) if on else EMPTY


def language(code: str) -> str:
    """Return the language's name in the reader's own; the code itself of none of the shop's."""
    return str(dict(settings.LANGUAGES).get(code, code))


def consent(given: Mapping[str, Any]) -> str:
    """Say what was agreed to, in which version of the terms, and when."""
    parts = [given.get("text", "")]
    if version := given.get("version"):
        parts.append(_("version %(version)s") % {"version": version})
    if at := parse_datetime(given.get("at", "")):
        parts.append(moment(at))
    return " · ".join(filter(None, parts))


def lines(texts: list[str]) -> SafeString | str:
    """Return one text per line."""
    return format_html_join("", "<div>{}</div>", ((text,) for text in texts)) or EMPTY
