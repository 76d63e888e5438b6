"""Debian's browser, which the browser tests drive."""

import os
import shutil
import subprocess
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")


def found_or_installed() -> tuple[Path | None, str]:
    """Return the browser, installed now if we may; else None and why there is none."""
    found = _find()
    if found is not None:
        return found, ""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return None, "there is no chromium (as root: apt-get install chromium)"
    print("    installing chromium", flush=True)
    problem = _install()
    found = _find()
    return found, "" if found else f"chromium could not be installed: {problem}"


def _find() -> Path | None:
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return Path(path)
    return None


def _install() -> str:
    """Return the last line of what went wrong, "" when nothing did."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "chromium"]):
        done = subprocess.run(
            ["apt-get", *arguments],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            return (done.stdout.strip().splitlines() or ["apt-get failed"])[-1]
    return ""
