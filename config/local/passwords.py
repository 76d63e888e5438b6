"""Random passwords of the servers, kept next to their data and readable by their owner only."""

import os
import secrets
from pathlib import Path

from config.local.accounts import Account


def kept(path: Path, account: Account | None) -> str:
    """Return the password in `path`; a new one is written there when there is none."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24), owner=account)
    return path.read_text()


def write_private(path: Path, text: str, *, owner: Account | None = None) -> None:
    """Replace `path` by a file with mode 0600 that is complete from its first moment.

    Follows no link: the folder may belong to an account that root must not trust.
    """
    half = path.with_name(path.name + ".new")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        if owner is not None:
            os.fchown(file.fileno(), owner.uid, owner.gid)
    half.replace(path)
