"""What is read as one is not parted at a line's end: numbers, dates, amounts, addresses.

The desk's pages are marked as they leave it, for such text stands everywhere: in lists, headings,
histories, facts. No character is added, so that what is copied is what was stored.
"""

import re

from django.template.response import SimpleTemplateResponse
from django.utils.safestring import SafeString, mark_safe

# Longer than this it would not fit beside anything on a phone.
LONGEST = 24
# An account number has two parts that are as long as each other.
HALF = 12
MONTH = r"[A-ZÄ][a-zä]{2,8}\.?"
TIME = r"\d{1,2}:\d{2}(?::\d{2})?"
CURRENCY = r"(?:[A-Z]{0,2}[$€£]|[A-Z]{3})"
FOUND = re.compile(
    # Markup, and what browsers show as it stands.
    r"<(script|style|textarea|select|title|svg)\b.*?</\1>|<[^>]*>|&[#\w]+;"
    r"|(?P<mail>(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<account>\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b)"
    r"|(?P<whole>"
    rf"\b\d{{1,2}}\.? {MONTH} \d{{4}}(?:,? {TIME})?"
    rf"|\b\d{{2}}\.\d{{2}}\.\d{{4}} {TIME}"
    rf"|[-−]?{CURRENCY}[ \xa0]?\d[\d.,]*(?<=\d)"
    rf"|[-−]?\b\d[\d.,]*[ \xa0\u202f](?:{CURRENCY}(?!\w)|%)"
    r"|(?:\b[A-Z]\w{2,10}[ \xa0])?•{2,}[ \xa0]\d{2,4}\b"
    # A row by its kind and number, at the end of what it is called: Statement 3.
    r"|\b[^\W\d]{3,14} \d{1,6}(?=<)"
    r"|\bE-Mail(?:s|-)?|\bUSt-IdNr\.?"
    # A name with a figure in it, of parts: R-2027-0014, adamuster-4e5384.
    r"|(?<![\w-])(?=[a-zA-Z:_-]*\d)\w[\w:]*(?:-[\w:]+)+(?![\w-])"
    r")",
    re.DOTALL,
)


def kept_whole(markup: str) -> SafeString:
    """Return the markup with a span around each text of its words that is not to be parted."""
    return mark_safe(FOUND.sub(_marked, markup))


def answered(response: SimpleTemplateResponse) -> None:
    """Mark a page that was rendered."""
    if response.get("Content-Type", "").startswith("text/html"):
        response.content = kept_whole(response.content.decode(response.charset))


def _marked(found: re.Match[str]) -> str:
    if text := found["mail"]:
        name, _, host = text.partition("@")
        return f"{_span(name + '@')}<wbr>{_span(host)}"
    if text := found["account"]:
        return f"{_span(text[:HALF])}<wbr>{_span(text[HALF:])}"
    return _span(found["whole"]) if found["whole"] else found[0]


def _span(text: str) -> str:
    return f'<span class="unbroken">{text}</span>' if len(text) <= LONGEST else text
