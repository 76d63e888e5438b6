"""Which files may come with a message, and how they leave: never shown, only downloaded."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.db import models
from django.db.models import Prefetch
from django.http import HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from billing.models import TicketFile, TicketMessage

MAX_FILES = 5
MAX_FILE = 5 * 1024 * 1024
LONGEST_NAME = 100
# By the ending of the name; nothing that a browser or an office program would run.
TYPES = {
    "csv": "text/csv",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "log": "text/plain",
    "mp3": "audio/mpeg",
    "pdf": "application/pdf",
    "png": "image/png",
    "txt": "text/plain",
    "wav": "audio/wav",
    "webp": "image/webp",
}
ACCEPT = ",".join(f".{ending}" for ending in TYPES)


class Unsuitable(Exception):
    """A file that we do not take; the text is for whoever sent it."""


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was sent."""

    name: str
    content: bytes


def check(files: Sequence[tuple[str, int]]) -> None:
    """Raise Unsuitable for too many files, or one too large or of another kind: name and bytes."""
    if len(files) > MAX_FILES:
        raise Unsuitable(_("At most %(count)s files at once, please.") % {"count": MAX_FILES})
    for name, size_bytes in files:
        if size_bytes > MAX_FILE:
            raise Unsuitable(_("%(name)s is larger than 5 MB.") % {"name": name})
        if _ending(name) not in TYPES:
            words = {"name": name, "kinds": ", ".join(TYPES)}
            raise Unsuitable(_("We cannot take %(name)s. These kinds work: %(kinds)s.") % words)


def keep(message: TicketMessage, files: Sequence[File]) -> None:
    """Store the files of a message, which `check` has let pass; one statement."""
    TicketFile.objects.bulk_create(
        TicketFile(
            message=message,
            name=_safe_name(each.name),
            size_bytes=len(each.content),
            content=each.content,
        )
        for each in files
    )


def without_content() -> "Prefetch[str, models.QuerySet[TicketFile], str]":
    """Prefetch the files of messages by name and size; what is in them may be large."""
    return Prefetch("files", TicketFile.objects.defer("content"))


def download(row: TicketFile) -> HttpResponse:
    """Hand a file out so that no browser shows or runs it, whatever is in it."""
    answer = HttpResponse(bytes(row.content), content_type=TYPES[_ending(row.name)])
    answer["Content-Disposition"] = str(content_disposition_header(True, row.name))
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["Cache-Control"] = "private, no-store"
    return answer


def _ending(name: str) -> str:
    return PurePosixPath(name).suffix.removeprefix(".").lower()


def _safe_name(name: str) -> str:
    """Keep what a file system and a header can hold, the ending above all."""
    plain = re.sub(r"[^\w .()+-]", "_", name.replace("\\", "/").rpartition("/")[2]).strip(" .")
    path = PurePosixPath(plain)
    return path.stem[: LONGEST_NAME - len(path.suffix)] + path.suffix.lower()
