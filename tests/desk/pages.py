"""Staff pages as a browser uses them: addresses, hidden fields, buttons, banned inline code."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from django.db.models import Model
from django.test import Client
from django.urls import reverse

from packages.states import StateChange


def address(row: Model, page: str = "change") -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=[row.pk])


def deed_address(row: Model, code: str) -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_deed", args=[row.pk, code])


def offered(client: Client, row: Model) -> list[str]:
    """The codes of the buttons on a row's page, in order."""
    html = client.get(address(row)).content.decode()
    return re.findall(r'href="[^"]*/do/([\w-]+)/"', html)


def opened(client: Client, row: Model, code: str) -> str:
    """The page that says what a deed will do."""
    response = client.get(deed_address(row, code))
    assert response.status_code == 200
    return response.content.decode()


def press(client: Client, row: Model, code: str, **fields: Any) -> Any:
    """Open the deed's page, fill it in, and press its button."""
    return submit(client, row, code, {**hidden(opened(client, row, code)), **fields})


def submit(client: Client, row: Model, code: str, fields: dict[str, Any]) -> Any:
    return client.post(deed_address(row, code), fields, follow=True)


def hidden(html: str) -> dict[str, str]:
    pairs = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html)
    return {name: value for name, value in pairs if name != "csrfmiddlewaretoken"}


def text(response: Any) -> str:
    """The words of a page, tags removed."""
    plain = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(plain.replace("&#x27;", "'").split())


def last_change(row: Model) -> StateChange:
    changes = StateChange.objects.filter(subject=row._meta.model_name, subject_id=row.pk)
    return changes.order_by("id")[len(changes) - 1]


class Inline(HTMLParser):
    """Collects what a strict content policy blocks: inline style, script and handlers."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(f"<{tag}>")
        self.found += [f"{tag} {name}" for name in names if name == "style" or name[:2] == "on"]
        self.found += [
            f"{tag} {name}" for name, value in attrs if (value or "").startswith("javascript:")
        ]


def blocked(html: str) -> list[str]:
    parser = Inline()
    parser.feed(html)
    return parser.found
