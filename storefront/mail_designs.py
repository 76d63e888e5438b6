"""A mail's HTML as a document of its own, under a policy as strict as that of every other page.

Mail programs want styles on each element; browsers let a page allow them only all together. So the
styles move into the mail's one style sheet, and the policy names that by its hash.
"""

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass

from django.http import HttpResponse

ON_ELEMENT = re.compile(r' style="([^"]*)"')
SHEET = re.compile(r"<style>(.*?)</style>", re.DOTALL)
# Nothing else is in such a document: no scripts, forms, frames, or anything fetched.
POLICY = (
    "default-src 'none'; style-src {source}; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
)


@dataclass(frozen=True, slots=True)
class Design:
    """The document, and what a policy calls its style sheet."""

    html: str
    source: str


def of(html: str) -> Design:
    """Return the mail's HTML with all its styles in its style sheet; it looks the same."""
    styles: list[str] = []

    def moved(found: re.Match[str]) -> str:
        if found[1] not in styles:
            styles.append(found[1])
        return f' data-look="{styles.index(found[1])}"'

    body = ON_ELEMENT.sub(moved, html)
    # The attribute is asked for twice: a style on an element outweighs any rule of one class.
    rules = [f'[data-look="{index}"][data-look]{{{each}}}' for index, each in enumerate(styles)]
    own = "".join(SHEET.findall(body))
    sheet = "\n".join([*rules, own])
    digest = b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    there = SHEET.sub("", body).replace("</head>", f"<style>{sheet}</style>\n</head>", 1)
    return Design(there, f"'sha256-{digest}'")


def answer(html: str) -> HttpResponse:
    """Answer with a mail's HTML, shut off from the shop."""
    design = of(html)
    headers = {"Content-Security-Policy": POLICY.format(source=design.source)}
    return HttpResponse(design.html, headers=headers)
