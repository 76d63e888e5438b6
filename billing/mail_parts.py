"""Reading a mail (RFC 5322, MIME): who wrote it, to whom, what it says, what came along.

Everything in a mail is a stranger's word: nothing here is believed, shown as HTML, or executed.
"""

import hashlib
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses

from django.utils.html import strip_tags

from billing import ticket_files
from billing.ticket_files import File

LONGEST_TEXT = 20_000
# Where a relay may have noted whom the mail was for.
FOR_WHOM = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as plain values. `left_out` names the files that we do not take."""

    sender: str
    recipients: frozenset[str]
    subject: str
    text: str
    files: tuple[File, ...]
    left_out: tuple[str, ...]
    by_machine: bool


def digest(raw: bytes) -> str:
    """Return what tells this mail from every other: from its Message-ID, else from all of it."""
    named = str(BytesHeaderParser().parsebytes(raw).get("Message-ID", "")).strip()
    return hashlib.sha256(named.encode() if named else raw).hexdigest()


def read(raw: bytes) -> Letter:
    """Read a mail; what is broken in it is left away. May raise anything for a hostile one."""
    mail = message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    files, left_out = _files(mail)
    return Letter(
        sender=_sender(mail),
        recipients=frozenset(_addresses(mail, *FOR_WHOM)),
        subject=" ".join(str(mail.get("Subject", "")).split())[:150],
        text=_text(mail)[:LONGEST_TEXT],
        files=tuple(files),
        left_out=tuple(left_out),
        by_machine=_is_by_machine(mail),
    )


def _sender(mail: EmailMessage) -> str:
    """Return the one address in From, nothing where there are several."""
    found = _addresses(mail, "From")
    return found[0] if len(found) == 1 else ""


def _addresses(mail: EmailMessage, *names: str) -> list[str]:
    values = [str(value) for name in names for value in mail.get_all(name, [])]
    return [address.lower() for _name, address in getaddresses(values) if "@" in address]


def _is_by_machine(mail: EmailMessage) -> bool:
    """Say whether no person wrote it (RFC 3834); answering such a mail may never end."""
    submitted = str(mail.get("Auto-Submitted", "no")).strip().lower()
    return submitted != "no" or str(mail.get("Return-Path", "")).strip() == "<>"


def _text(mail: EmailMessage) -> str:
    """Return what was written, as plain text, without the quoted mail below it."""
    body = mail.get_body(preferencelist=("plain", "html"))
    if body is None:
        return ""
    text = str(body.get_content())
    if body.get_content_type() == "text/html":
        text = html.unescape(strip_tags(re.sub(r"(?is)<(script|style)\b.*?</\1\s*>", "", text)))
    lines = [line.rstrip() for line in text.replace("\0", "").splitlines()]
    while lines and (not lines[-1] or lines[-1].startswith(">")):
        lines.pop()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _files(mail: EmailMessage) -> tuple[list[File], list[str]]:
    """Return the files that we take, and the names of the others."""
    files: list[File] = []
    left_out: list[str] = []
    for name, part in _named_parts(mail):
        content = part.get_payload(decode=True)
        file = File(name, content if isinstance(content, bytes) else b"")
        try:
            ticket_files.check([(each.name, len(each.content)) for each in [*files, file]])
        except ticket_files.Unsuitable:
            left_out.append(name)
        else:
            files.append(file)
    return files, left_out


def _named_parts(mail: EmailMessage) -> Iterator[tuple[str, Message]]:
    for part in mail.walk():
        name = part.get_filename()
        if name and not part.is_multipart():
            yield str(name).replace("\0", ""), part
