"""The templates as data: which classes they use. Reads files only."""

import re
from pathlib import Path

from tests.look.stylesheets import ROOT

TEMPLATES = ROOT / "templates"
NOTES = re.compile(r"{#.*?#}|{% comment %}.*?{% endcomment %}", re.DOTALL)
ATTRIBUTE = re.compile(r"""\bclass="((?:{%.*?%}|{{.*?}}|[^"{])*)\"""", re.DOTALL)


def pages() -> list[Path]:
    """Every HTML template that a browser gets under our content policy: all but mails."""
    return [p for p in sorted(TEMPLATES.rglob("*.html")) if "email" not in p.parts]


def text(path: Path) -> str:
    return NOTES.sub("", path.read_text())


def classes(path: Path) -> set[str]:
    """Class names in attributes. One made with a variable keeps `*` in that place."""
    found: set[str] = set()
    for value in ATTRIBUTE.findall(text(path)):
        plain = re.sub(r"{%.*?%}", " ", re.sub(r"{{.*?}}", "*", value))
        found |= set(plain.split())
    return found - {"*"}


def spoken_names() -> str:
    """All text that may name a class: templates, code of the shop, scripts."""
    sources = [*pages(), *(ROOT / "static" / "js").glob("*.js")]
    for app in ("storefront", "billing", "provisioning", "packages", "config"):
        sources += (ROOT / app).rglob("*.py")
    return "\n".join(path.read_text() for path in sources)
