"""What hinders people on a page: axe by day and by night, and what a screen does not hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDTHS = (390, 768, 1440)
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
GRAVE = ("serious", "critical")
# Frames run no scripts; what they hold is looked at by itself. Style sheets are not fetched again.
BY_DAY: dict[str, Any] = {"resultTypes": ["violations"], "iframes": False, "preload": False}
FADED = """Promise.all(document.getAnimations()
    .filter((each) => each instanceof CSSTransition).map((each) => each.finished))"""
# Only colours change by night.
BY_NIGHT: dict[str, Any] = {**BY_DAY, "runOnly": ["color-contrast"]}
BUILT: dict[str, Any] = {**BY_DAY, "rules": {"color-contrast": {"enabled": False}}}


def overflows(page: Page) -> Iterator[object]:
    """Give the widths of screens that the page does not fit into, and by how much."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if over := page.evaluate(OVERFLOW):
            yield width, over


def built(page: Page) -> Iterator[object]:
    """Say what axe finds grave in what the page holds, but for its colours."""
    page.evaluate(Axe().axe_script)
    yield from _grave(page, BUILT, "#content")


def hindrances(page: Page) -> Iterator[object]:
    """Say what axe finds grave, in light and in dark; the page is in light afterwards."""
    page.evaluate(Axe().axe_script)
    yield from _grave(page, BY_DAY)
    page.emulate_media(color_scheme="dark")
    # What fades from one colour to another has none that could be judged.
    page.evaluate(FADED)
    for found in _grave(page, BY_NIGHT):
        yield "dark", found
    page.emulate_media(color_scheme="light")


def _grave(page: Page, options: dict[str, Any], part: str = "html") -> Iterator[object]:
    answer = page.evaluate(f"axe.run({json.dumps(part)}, {json.dumps(options)})")
    for rule in answer["violations"]:
        if rule["impact"] in GRAVE:
            yield rule["id"], [node["html"] for node in rule["nodes"]]
