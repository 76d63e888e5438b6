"""`make lighthouse`: measure the running shop's pages on a slow phone, print what they score.

Needs `make run` of the same VAR_DIR in another terminal, and npm. Lighthouse itself is installed in
VAR_DIR, as package-lock.json beside this file pins it. Returns 1 where a score is below the bar.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import django
import requests

from config.env import VAR_DIR

if not (VAR_DIR / "local.env").exists():
    sys.exit("lighthouse: start `make run` in another terminal")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402

from billing import demo  # noqa: E402
from config.local import chromium  # noqa: E402
from storefront.walkthrough.browser import Browser  # noqa: E402

HERE = Path(__file__).resolve().parent
BAR = 95
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
PAGES = {"home": "/", "list": "/packages/", "checkout": "/checkout/", "dashboard": "/account/"}
PACKAGE = "starter"
# Of a page, installation included on a slow line.
TIMEOUT_SECONDS = 300


def main() -> int:
    """Print a line for each page; return 1 if one is below the bar or cannot be measured."""
    browser, problem = chromium.found_or_installed()
    if browser is None:
        return _stop(problem)
    if shutil.which("npm") is None:
        return _stop("there is no npm (as root: apt-get install npm)")
    try:
        cookies = _cookies(settings.SITE_URL)
    except requests.ConnectionError:
        return _stop(f"nobody answers at {settings.SITE_URL}; start `make run` in another terminal")
    program = _installed(VAR_DIR / "lighthouse")
    _say(f"| page | {' | '.join(CATEGORIES)} |\n|---|{'---|' * len(CATEGORIES)}")
    low = []
    for name, path in PAGES.items():
        report = _measured(program, browser, f"{settings.SITE_URL}{path}", cookies)
        scores = {each: round(100 * report["categories"][each]["score"]) for each in CATEGORIES}
        _say(f"| {name} | {' | '.join(map(str, scores.values()))} |")
        low += [f"{name}: {each}" for each in _lost(report, scores)]
    for each in low:
        _say(each)
    return bool(low)


def _cookies(site: str) -> str:
    """Sign in as the demo's customer with a package in the cart."""
    buyer = Browser(site)
    name, password = demo.CUSTOMER[:2]
    entry = buyer.open("/accounts/login/")
    buyer.submit(entry, "login", {"login": name, "password": password})
    buyer.submit(buyer.open(f"/packages/{PACKAGE}/"), "price")
    return "; ".join(f"{name}={value}" for name, value in buyer.session.cookies.items())


def _installed(folder: Path) -> Path:
    """Bring the folder to the state of the lock file."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = (HERE / "package-lock.json").read_bytes()
    done = folder / "installed"
    if not done.exists() or done.read_bytes() != wanted:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        command = ["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(command, cwd=folder, check=True, timeout=TIMEOUT_SECONDS)
        done.write_bytes(wanted)
    return folder / "node_modules/lighthouse/cli/index.js"


def _measured(program: Path, browser: Path, url: str, cookies: str) -> dict[str, Any]:
    """Return Lighthouse's report of a page on its slow phone; end where it leads to another."""
    flags = "--headless=new --no-sandbox --disable-gpu"
    command = [
        *("node", str(program), url, "--quiet", "--output=json", f"--chrome-flags={flags}"),
        f"--only-categories={','.join(CATEGORIES)}",
        f"--extra-headers={json.dumps({'Cookie': cookies})}",
    ]
    env = {**os.environ, "CHROME_PATH": str(browser)}
    done = subprocess.run(
        command, env=env, stdout=subprocess.PIPE, check=True, timeout=TIMEOUT_SECONDS
    )
    report: dict[str, Any] = json.loads(done.stdout)
    if report["finalDisplayedUrl"] != url:
        sys.exit(f"lighthouse: {url} led to {report['finalDisplayedUrl']}")
    return report


def _lost(report: Mapping[str, Any], scores: Mapping[str, int]) -> list[str]:
    """Name what cost points in the categories that are below the bar."""
    lost = []
    for category, score in scores.items():
        if score < BAR:
            parts = report["categories"][category]["auditRefs"]
            audits = [report["audits"][each["id"]] for each in parts if each["weight"]]
            short = [each["title"] for each in audits if (each["score"] or 0) < 0.9]
            lost.append(f"{category} {score} ({'; '.join(short)})")
    return lost


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _stop(problem: str) -> int:
    sys.stderr.write(f"lighthouse: {problem}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
