"""What staff hand in: an XML or CSV file, or a ZIP of several, as banks deliver them."""

import io
import zipfile
from collections.abc import Iterator, Sequence

from billing.bank import camt, table
from billing.bank.lines import Statement, Unreadable

MAX_FILE = 20 * 1024 * 1024
MAX_UNPACKED = 64 * 1024 * 1024
MAX_MEMBERS = 500


def read(content: bytes, layouts: Sequence[table.Layout], *, account: str) -> list[Statement]:
    """Return every statement in the file; raises Unreadable, and then nothing of it is used."""
    if len(content) > MAX_FILE:
        raise Unreadable("the file is larger than 20 MB")
    if zipfile.is_zipfile(io.BytesIO(content)):
        return [
            statement
            for member in _members(content)
            for statement in _read_one(member, layouts, account)
        ]
    return _read_one(content, layouts, account)


def _read_one(content: bytes, layouts: Sequence[table.Layout], account: str) -> list[Statement]:
    if not content.strip():
        raise Unreadable("the file is empty")
    if content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return list(camt.read(content))
    if b"\0" in content:
        raise Unreadable("neither XML nor CSV")
    return [table.read(content, layouts, account=account)]


def _members(content: bytes) -> Iterator[bytes]:
    """Unpack in memory and never to a path; what claims to be small is not believed."""
    left = MAX_UNPACKED
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = [each for each in archive.infolist() if not each.is_dir()]
            if len(files) > MAX_MEMBERS:
                raise Unreadable(f"more than {MAX_MEMBERS} files in the ZIP")
            for each in files:
                with archive.open(each) as member:
                    unpacked = member.read(left + 1)
                left -= len(unpacked)
                if left < 0:
                    raise Unreadable("the ZIP unpacks to more than 64 MB")
                yield unpacked
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise Unreadable(f"not a readable ZIP: {error}") from error
