"""The account that the servers run as: PostgreSQL refuses to be run by root."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int


def servers_account() -> Account | None:
    """Return the unprivileged account for the servers, or None when we are not root ourselves."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def can_enter(account: Account | None, folder: Path) -> bool:
    """Tell whether the account reaches `folder`, by trying: modes alone do not show ACLs."""
    return _succeeds_as(account, ["/bin/sh", "-c", 'cd -- "$0"', str(folder)])


def can_run(account: Account | None, program: Path) -> bool:
    """Tell whether the account can start `program` (a folder may be mounted noexec)."""
    return _succeeds_as(account, [str(program), "--version"])


def give(path: Path, account: Account | None) -> None:
    """Make the account the owner of `path`; nothing happens when we run the servers ourselves."""
    if account is not None:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _succeeds_as(account: Account | None, command: list[str]) -> bool:
    try:
        result = subprocess.run(
            command,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=30,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except OSError:
        return False
    return result.returncode == 0
