"""Remove VAR_DIR and the server data that it links to.

Run as a file, because the virtual environment may be broken or gone.
"""

import fcntl
import os
import shutil
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent.parent


def main() -> int:
    """Remove VAR_DIR of this copy; refuse while its servers run."""
    var = (BASE_DIR / os.environ.get("VAR_DIR", "var")).resolve()
    if not var.is_dir():
        return 0
    holders = [path.parent for path in (var / "lock", var / "test/lock") if path.exists()]
    if not holders:
        print(f"{var} was not made by make run or make test; left alone", file=sys.stderr)
        return 1
    if any(_is_held(folder) for folder in holders):
        print(f"{var} is in use; stop make run first", file=sys.stderr)
        return 1
    for link in (var / "servers", var / "test/servers"):
        if link.is_symlink():
            shutil.rmtree(link.resolve(), ignore_errors=True)
    shutil.rmtree(var)
    return 0


def _is_held(folder: Path) -> bool:
    with (folder / "lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


if __name__ == "__main__":
    sys.exit(main())
