"""Words that a line must not part: "E-Mail" behind its hyphen, "z. B." between its letters.

A browser ends a line behind any hyphen. Only text is touched: no tag or attribute, nothing that a
form sends back, and no address (e-mail@example.com).
"""

import re

# Not within a tag, and not what stands in a text area or in the title.
_TEXT = r"(?![^<>]*>)(?![^<]*</(?:textarea|title)\b)"
_MAIL = re.compile(r"(?<![\w.@/-])([Ee]-|Authenticator-)([Mm]ail|App)(?![\w.+-]*@)" + _TEXT)
_SHORT = re.compile(r"\b([zu])\. ([BÄ])\." + _TEXT)
WORD_JOINER, NO_BREAK_SPACE = "\u2060", "\u00a0"


def page(html: str) -> str:
    """Return a page of ours with its words held together."""
    return _short(_MAIL.sub(rf"\1{WORD_JOINER}\2", html))


def mail(html: str) -> str:
    """Return a mail's HTML so; not every program for mail knows a character without a width."""
    return _short(_MAIL.sub(r'<span style="white-space:nowrap">\1\2</span>', html))


def _short(html: str) -> str:
    return _SHORT.sub(rf"\1.{NO_BREAK_SPACE}\2.", html)
