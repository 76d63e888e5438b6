"""The design system keeps its own rules (docs/look.md)."""

import re
from fnmatch import fnmatch
from pathlib import PurePath

import pytest

from tests.look import markup, stylesheets

LAYERS = "@layer reset, base, layout, components, utilities;"
# Set by the server (/brand.css), never by a file.
BRAND = {"--brand-accent", "--brand-accent-dark", "--brand-on-accent"}
# Put on the page by htmx and by app.js.
BY_SCRIPT = {"htmx-request", "htmx-indicator", "js"}
SURFACES = ("--paper", "--surface", "--surface-sunken", "--surface-raised", "--surface-hover")
STATES = ("--ok", "--wait", "--warn", "--bad")
TEXT_PAIRS = [
    *[(text, ground) for text in ("--ink", "--ink-soft") for ground in SURFACES],
    *[(text, ground) for text in ("--accent", *STATES) for ground in SURFACES[:4]],
    *[(state, f"{state}-soft") for state in STATES],
    *[("--ink", f"{state}-soft") for state in STATES],
    ("--ok", "--surface-hover"),
    ("--accent", "--accent-soft"),
    ("--ink", "--accent-soft"),
    ("--ink-soft", "--accent-soft"),
    ("--on-accent", "--accent"),
    ("--on-accent", "--accent-hover"),
    ("--on-bad", "--bad"),
]
EDGE_PAIRS = [("--line-strong", ground) for ground in SURFACES[:4]]


def ratio(one: str, other: str, *, side: int) -> float:
    tokens = stylesheets.defined_variables(stylesheets.CSS / "tokens.css")
    first, second = (
        stylesheets.colour(tokens[name], tokens=tokens, side=side) for name in (one, other)
    )
    return stylesheets.contrast(first, second)


def is_admin(path: PurePath) -> bool:
    """The admin's sheets mostly name Django's own classes."""
    return path.name.startswith("admin")


def our_classes() -> set[str]:
    """Classes of the shop."""
    sheets = [
        path for path in stylesheets.files() if not is_admin(path) and path.name != "print.css"
    ]
    return set().union(*(stylesheets.classes(path) for path in sheets))


def documented(name: str) -> bool:
    """Named in full, or as `block` and `--modifier` in one line of docs/look.md."""
    block, _, modifier = name.partition("--")
    for line in (stylesheets.ROOT / "docs" / "look.md").read_text().splitlines():
        words = set(re.findall(r"[\w-]+", line))
        if name in words or (modifier and block in words and f"--{modifier}" in words):
            return True
    return False


def test_the_first_line_of_tokens_orders_the_layers() -> None:
    first = (stylesheets.CSS / "tokens.css").read_text().splitlines()[0]
    assert first == LAYERS


def test_each_sheet_stays_in_its_layer() -> None:
    expected = {"reset.css": "reset", "base.css": "base", "layout.css": "layout"}
    expected |= {"utilities.css": "utilities"}
    expected |= {path.name: "components" for path in (stylesheets.CSS / "components").iterdir()}
    found = {
        path.name: re.findall(r"@layer (\w+) \{", stylesheets.text(path))
        for path in stylesheets.files()
        if path.name in expected
    }
    assert found == {name: [layer] for name, layer in expected.items()}


def test_every_variable_read_without_a_fallback_is_defined() -> None:
    defined = set().union(*(stylesheets.defined_variables(p) for p in stylesheets.files()))
    missing = {p.name: stylesheets.used_variables(p) - defined for p in stylesheets.files()}
    assert {name: names for name, names in missing.items() if names} == {}


def test_the_brand_enters_only_with_a_fallback() -> None:
    read = set().union(*(stylesheets.used_variables(path) for path in stylesheets.files()))
    assert read & BRAND == set()


def test_raw_values_and_plain_colours_stay_in_tokens() -> None:
    elsewhere = [path for path in stylesheets.files() if path.name != "tokens.css"]
    found = {
        path.name: re.findall(r"--raw-[\w-]+|#[0-9a-f]{3,8}\b(?=[^{}]*;)", stylesheets.text(path))
        for path in elsewhere
    }
    assert {name: values for name, values in found.items() if values} == {}


def test_no_sheet_of_the_shop_selects_by_id() -> None:
    sheets = [path for path in stylesheets.files() if not is_admin(path)]
    selectors = {p.name: re.findall(r"#[a-z][\w-]*[^;{}]*\{", stylesheets.text(p)) for p in sheets}
    assert {name: found for name, found in selectors.items() if found} == {}


def test_sheets_are_short_and_few() -> None:
    lines = {path.name: len(path.read_text().splitlines()) for path in stylesheets.files()}
    assert {name: count for name, count in lines.items() if count > 250} == {}
    linked = (markup.TEMPLATES / "_styles.html").read_text().count('rel="stylesheet"')
    assert linked <= 12


def test_every_sheet_of_the_shop_is_linked() -> None:
    links = (markup.TEMPLATES / "_styles.html").read_text()
    names = [path.relative_to(stylesheets.CSS.parent) for path in stylesheets.files()]
    missing = [str(n) for n in names if not is_admin(n) and f"'{n.as_posix()}'" not in links]
    assert missing == []


def test_the_font_is_at_most_forty_kilobytes() -> None:
    fonts = stylesheets.ROOT / "static" / "fonts"
    assert sum(path.stat().st_size for path in fonts.glob("*.woff2")) <= 40_000
    assert all(path.stat().st_size <= 60_000 for path in fonts.glob("*.ttf"))
    assert "SIL OPEN FONT LICENSE" in (fonts / "OFL.txt").read_text().upper()


def test_the_script_is_at_most_a_hundred_lines() -> None:
    script = stylesheets.ROOT / "static" / "js" / "app.js"
    assert len(script.read_text().splitlines()) <= 100


@pytest.mark.parametrize("side", [0, 1], ids=["day", "night"])
@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text_has_aa_contrast(text: str, ground: str, side: int) -> None:
    assert ratio(text, ground, side=side) >= 4.5


@pytest.mark.parametrize("side", [0, 1], ids=["day", "night"])
@pytest.mark.parametrize(("edge", "ground"), EDGE_PAIRS)
def test_edges_of_controls_can_be_seen(edge: str, ground: str, side: int) -> None:
    assert ratio(edge, ground, side=side) >= 3


def test_pages_have_no_inline_style_script_or_handler() -> None:
    forbidden = re.compile(
        r"\sstyle=|<style|\son[a-z]+=|hx-on|<script(?![^>]*(?:\bsrc=|application/json))|javascript:"
    )
    found = {str(p): forbidden.findall(markup.text(p)) for p in markup.pages()}
    assert {name: values for name, values in found.items() if values} == {}


def test_every_class_in_a_page_exists() -> None:
    known = our_classes()
    pages = [path for path in markup.pages() if "admin" not in path.parts]
    missing = {
        path.relative_to(markup.TEMPLATES).as_posix(): {
            name for name in markup.classes(path) if not any(fnmatch(k, name) for k in known)
        }
        for path in pages
    }
    assert {name: classes for name, classes in missing.items() if classes} == {}


def test_every_class_is_used_or_documented() -> None:
    spoken = set(re.findall(r"[a-z][\w-]*", markup.spoken_names()))
    unused = {name for name in our_classes() - BY_SCRIPT if name not in spoken}
    assert {name for name in unused if not documented(name)} == set()
