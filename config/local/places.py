"""Where the servers of one VAR_DIR keep their programs and data, so that their account gets there.

Root's servers run as nobody, who may not pass through folders such as /root. Rather than opening
any of them we use a folder of our own elsewhere; no account is created and no mode is changed.
"""

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.local.accounts import Account, can_enter, can_run, servers_account

OUTSIDE = (Path("/var/lib"), Path("/var/tmp"), Path("/tmp"))  # noqa: S108
LINK_NAME = "servers"


@dataclass(frozen=True)
class Place:
    """`var` belongs to the operator, `home` holds the folders of the servers."""

    var: Path
    home: Path
    account: Account | None

    @property
    def ports(self) -> Path:
        return self.var / "ports.json"

    def log(self, name: str) -> Path:
        return self.var / "log" / f"{name}.log"


def place_for(var: Path) -> Place:
    """Make the folders for `var` and return them; its link `servers` shows data kept elsewhere.

    Raises OSError when there is no folder that the servers' account can reach.
    """
    account = servers_account()
    (var / "log").mkdir(parents=True, exist_ok=True)
    if can_enter(account, var):
        return Place(var=var, home=var, account=account)
    home = _folder_outside(f"data-{_digest(str(var))}", account)
    _link(var / LINK_NAME, home)
    return Place(var=var, home=home, account=account)


def reachable_program(
    base: Path, program: str, *, parts: Sequence[str], account: Account | None
) -> Path:
    """Return `base / program`, or its twin in a copy made once where the account can run it.

    `parts` are what the program needs below `base`; a copy keeps their places to each other,
    because programs look for their libraries from where they are.
    """
    here = base / program
    if can_run(account, here):
        return here
    made = here.stat()
    name = f"programs-{_digest(f'{program}-{made.st_size}-{int(made.st_mtime)}')}"
    for folder in _folders_outside(name, account):
        copy = folder / "tree"
        if not copy.exists():
            _copy_whole(base, copy, parts=parts)
        if can_run(account, copy / program):
            return copy / program
    raise OSError(f"{account.name if account else 'the account'} cannot run {here}")


def _folder_outside(name: str, account: Account | None) -> Path:
    for folder in _folders_outside(name, account):
        return folder
    raise OSError("no folder for the servers' data was found; set DATABASE_URL and REDIS_URL")


def _folders_outside(name: str, account: Account | None) -> Iterator[Path]:
    for parent in OUTSIDE:
        folder = parent / f"castfront-local-{os.geteuid()}" / name
        try:
            _make_own(folder.parent)
            _make_own(folder)
        except OSError:
            continue
        if can_enter(account, folder):
            yield folder


def _make_own(folder: Path) -> None:
    """Make a folder that others can pass through but not write to; refuse one laid by others."""
    folder.mkdir(mode=0o711, exist_ok=True)
    seen = folder.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.geteuid() or seen.st_mode & 0o022:
        raise PermissionError(f"{folder} is not ours")


def _copy_whole(base: Path, target: Path, *, parts: Sequence[str]) -> None:
    """Copy the parts so that they are either there in full or not there at all."""
    half = Path(tempfile.mkdtemp(dir=target.parent))
    tree = half / "tree"
    tree.mkdir(mode=0o755)
    for part in parts:
        if (base / part).exists():
            shutil.copytree(base / part, tree / part, symlinks=True)
    try:
        tree.rename(target)
    except OSError:
        if not target.exists():  # otherwise another start was quicker
            raise
    finally:
        shutil.rmtree(half)


def _link(link: Path, target: Path) -> None:
    if link.is_symlink():
        link.unlink()
    link.symlink_to(target)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
