"""A browser without a screen: keeps cookies, follows redirects, fills in the forms it was sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

TIMEOUT_SECONDS = 30


class Lost(Exception):
    """The page does not hold what a customer would look for here."""


@dataclass
class Form:
    """A form as the page sent it, with the values a browser would send back."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Page:
    """What a request ended in, after redirects."""

    url: str
    status: int
    text: str
    forms: tuple[Form, ...]
    links: tuple[str, ...]

    def form(self, holding: str) -> Form:
        """Return the first form whose action or field names hold the word; raise Lost."""
        for form in self.forms:
            names = (*form.fields, *form.choices, *(name for name, _ in form.buttons))
            if holding in form.action or any(holding == name for name in names):
                return form
        raise Lost(f"{self.url} ({self.status}) has no form with {holding!r}.")

    def link(self, holding: str) -> str:
        """Return the first link whose address holds the word; raise Lost."""
        for link in self.links:
            if holding in link:
                return link
        raise Lost(f"{self.url} ({self.status}) has no link with {holding!r}.")


class Browser:
    """One person's browser. Speaks HTTP; raises requests' errors when nobody answers."""

    def __init__(self, base_url: str, language: str = "en") -> None:
        self.base_url = base_url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Accept-Language"] = language

    def open(self, address: str) -> Page:
        """Go to an address of the shop, or to an absolute one."""
        url = urljoin(self.base_url + "/", address)
        return _page(self.session.get(url, timeout=TIMEOUT_SECONDS))

    def submit(
        self, page: Page, holding: str, values: Mapping[str, str] | None = None, button: str = ""
    ) -> Page:
        """Fill in the page's form that holds the word, and send it with a button's value."""
        return self.send(page, page.form(holding), values, button)

    def send(
        self, page: Page, form: Form, values: Mapping[str, str] | None = None, button: str = ""
    ) -> Page:
        """Send a form of the page as a browser would."""
        data = {**form.fields, **(values or {})}
        pressed = next((each for each in form.buttons if each[0] and button in each), None)
        if pressed is not None:
            data[pressed[0]] = pressed[1]
        url = urljoin(page.url, form.action)
        if form.method == "get":
            return _page(self.session.get(url, params=data, timeout=TIMEOUT_SECONDS))
        headers = {"Referer": page.url}
        return _page(self.session.post(url, data=data, headers=headers, timeout=TIMEOUT_SECONDS))


def _page(response: requests.Response) -> Page:
    reader = _Reader()
    if "html" in response.headers.get("Content-Type", ""):
        reader.feed(response.text)
    return Page(
        response.url,
        response.status_code,
        response.text,
        tuple(reader.forms),
        tuple(urljoin(response.url, link) for link in reader.links),
    )


class _Reader(HTMLParser):
    """Collects links and forms; knows of controls what is needed to send them back."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._select = ""
        self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "form":
            method = values.get("method", "get").lower()
            self.forms.append(Form(values.get("action", ""), method))
        elif self.forms and tag in ("input", "button", "select", "option", "textarea"):
            self._control(tag, values)

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.forms[-1].fields[self._textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._textarea = ""

    def _control(self, tag: str, values: dict[str, str]) -> None:
        form, name = self.forms[-1], values.get("name", "")
        kind = values.get("type", "submit" if tag == "button" else "text")
        if tag == "select":
            self._select = name
        elif tag == "option":
            self._option(form, values)
        elif tag == "textarea" and name:
            self._textarea, form.fields[name] = name, ""
        elif kind == "submit":
            form.buttons.append((name, values.get("value", "")))
        elif kind in ("radio", "checkbox"):
            form.choices.setdefault(name, []).append(values.get("value", "on"))
            if "checked" in values:
                form.fields[name] = values.get("value", "on")
        elif name:
            form.fields[name] = values.get("value", "")

    def _option(self, form: Form, values: dict[str, str]) -> None:
        form.choices.setdefault(self._select, []).append(values.get("value", ""))
        if "selected" in values or self._select not in form.fields:
            form.fields[self._select] = values.get("value", "")
