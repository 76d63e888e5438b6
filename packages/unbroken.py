"""What is read as one is not parted at a line's end: numbers, dates, amounts, addresses, "E-Mail".

Pages are held together as they leave, for such text stands everywhere: in lists, headings,
histories, facts. The desk and mails mark it, so that what is copied is what was stored. The shop's
pages have buttons and badges that would set a mark apart: there words and dates alone are joined.
"""

import re
from functools import partial

from django.template.response import SimpleTemplateResponse
from django.utils.safestring import SafeString, mark_safe

# Longer than this it would not fit beside anything on a phone.
LONGEST = 24
# An account number has two parts that are as long as each other.
HALF = 12
WORD_JOINER, NO_BREAK_SPACE = "\u2060", "\u00a0"
MONTH = r"[A-ZÄ][a-zä]{2,8}\.?"
TIME = r"\d{1,2}:\d{2}(?::\d{2})?"
CURRENCY = r"(?:[A-Z]{0,2}[$€£]|[A-Z]{3})"
# What few are counted of, in both languages.
COUNTED = (
    "Minuten?|Stunden?|Tage?n?|Wochen?|Monate?n?|Dienste?n?|Konto|Konten"
    "|minutes?|hours?|days?|weeks?|months?|services?|accounts?"
)
# Markup, and what browsers show as it stands.
MARKUP = re.compile(
    r"(<(?:script|style|textarea|select|title|svg)\b.*?</(?:script|style|textarea|select|title|svg)>"
    r"|<[^>]*>)",
    re.DOTALL,
)
# Text without any of these holds nothing to mark: most of a page.
TELLING = re.compile(r"[\d@]|[Ee]-[Mm]ail|-App|USt-|[zu]\. [BÄ]")
WORDS = r"(?<![\w.@/-])[Ee]-[Mm]ail(?:s|-)?(?![\w.+-]*@)|\bAuthenticator-App|\b[zu]\. [BÄ]\."
DAY = rf"\b\d{{1,2}}\.? {MONTH} \d{{4}}"
NUMBER = r"\b[A-Z]{1,4}-\d{4}-\d{3,6}\b"
JOINED = re.compile(rf"{WORDS}|{DAY}|(?P<number>{NUMBER})")
FOUND = re.compile(
    r"&[#\w]+;"
    r"|(?P<mail>(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<account>\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b)"
    r"|(?P<whole>"
    rf"{DAY}(?:,? {TIME})?"
    rf"|\b\d{{2}}\.\d{{2}}\.\d{{4}} {TIME}"
    rf"|[-−]?{CURRENCY}[ \xa0]?\d[\d.,]*(?<=\d)"
    rf"|[-−]?\b\d[\d.,]*[ \xa0\u202f](?:{CURRENCY}(?!\w)|%)"
    r"|(?:\b[A-Z]\w{2,10}[ \xa0])?•{2,}[ \xa0]\d{2,4}\b"
    # A row by its kind and number, at the end of what it is called: Statement 3.
    r"|\b[^\W\d]{3,14} \d{1,6}\Z"
    rf"|{WORDS}|\bUSt-IdNrn?\b\.?"
    rf"|(?<![\w.,-])\d{{1,4}}[ \xa0](?:{COUNTED})\b"
    # A name with a figure in it, of parts: R-2027-0014, adamuster-4e5384.
    r"|(?<![\w-])(?=[a-zA-Z:_-]*\d)\w[\w:]*(?:-[\w:]+)+(?![\w-])"
    r")"
)
BY_CLASS, BY_STYLE = 'class="unbroken"', 'style="white-space:nowrap"'


def kept_whole(markup: str, *, how: str = BY_CLASS) -> SafeString:
    """Return the markup with a span around each text of its words that is not to be parted."""
    marked = partial(_marked, how=how)
    pieces = (
        FOUND.sub(marked, piece) if piece[:1] != "<" and TELLING.search(piece) else piece
        for piece in MARKUP.split(markup)
    )
    return mark_safe("".join(pieces))


def in_mail(markup: str) -> SafeString:
    """Do the same in a mail's HTML, which has no sheet of its own to say so."""
    return kept_whole(markup, how=BY_STYLE)


def joined(markup: str) -> SafeString:
    """Return the markup with its words and dates held together by characters without a mark; only
    a document's number has one, since it is copied.
    """
    pieces = (
        piece if piece[:1] == "<" else JOINED.sub(_joined, piece) for piece in MARKUP.split(markup)
    )
    return mark_safe("".join(pieces))


def answered(response: SimpleTemplateResponse) -> None:
    """Mark a page that was rendered."""
    if response.get("Content-Type", "").startswith("text/html"):
        response.content = kept_whole(response.content.decode(response.charset))


def _marked(found: re.Match[str], *, how: str) -> str:
    if text := found["mail"]:
        name, _, host = text.partition("@")
        return f"{_span(name + '@', how)}<wbr>{_span(host, how)}"
    if text := found["account"]:
        return f"{_span(text[:HALF], how)}<wbr>{_span(text[HALF:], how)}"
    return _span(found["whole"], how) if found["whole"] else found[0]


def _joined(found: re.Match[str]) -> str:
    if found["number"]:
        return f'<span class="nowrap">{found["number"]}</span>'
    hyphens = re.sub(r"-(?=\w)", f"-{WORD_JOINER}", found[0])
    return hyphens.replace(" ", NO_BREAK_SPACE)


def _span(text: str, how: str) -> str:
    return f"<span {how}>{text}</span>" if len(text) <= LONGEST else text
