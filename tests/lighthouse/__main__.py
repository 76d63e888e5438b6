"""`make lighthouse`: measure the running shop's pages on a slow phone, print what they score.

Needs `make run` of the same VAR_DIR in another terminal, and npm. Lighthouse itself is installed in
VAR_DIR, as package-lock.json beside this file pins it. The pages are those of a customer who buys
here the first time: a running service with three weeks of readings, and its renewal to be paid; the
demo's date moves on so far. Returns 1 where a score is below the bar.
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

from billing.models import Customer, Invoice  # noqa: E402
from config.local import chromium  # noqa: E402
from storefront.management.commands.walkthrough import CONSUMER, TOP_UP  # noqa: E402
from storefront.walkthrough.browser import Browser, Lost  # noqa: E402
from storefront.walkthrough.road import PASSWORD, Buyer, Road  # noqa: E402
from storefront.walkthrough.staff import Staff  # noqa: E402
from storefront.walkthrough.timeline import Differs, Timeline, subscription_of  # noqa: E402

HERE = Path(__file__).resolve().parent
BAR = 95
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
PAGES = {"home": "/", "list": "/packages/", "checkout": "/checkout/", "dashboard": "/account/"}
PACKAGE = "starter"
BUYER = Buyer("lighthouse@example.com", "en", "EUR", CONSUMER)
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
    except (Differs, Lost) as error:
        return _stop(f"the customer of these pages could not be made: {error}")
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
    """Be signed in as a customer with a running service, an open invoice and a package in the cart.

    Raises Differs or Lost when the shop does not do what it should.
    """
    browser = Browser(site)
    if Customer.objects.filter(email=BUYER.email).exists():
        login = {"login": BUYER.email, "password": PASSWORD}
        browser.submit(browser.open("/accounts/login/"), "login", login)
    else:
        _begun(browser, site)
    if not Invoice.objects.filter(customer__email=BUYER.email, state=Invoice.State.OPEN).exists():
        raise Differs("there is no open invoice")
    browser.submit(browser.open(f"/packages/{PACKAGE}/"), "price")
    return "; ".join(f"{name}={value}" for name, value in browser.session.cookies.items())


def _begun(browser: Browser, site: str) -> None:
    """Buy, and live until the renewal is invoiced; each day reads the balance once."""
    Road(browser, BUYER, Timeline(_say)).walk(PACKAGE, TOP_UP)
    service = subscription_of(BUYER.email)
    if service is None or service.next_invoice_on is None:
        raise Differs("no renewal is planned")
    Staff(site).lives_until(service.next_invoice_on)


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
        command, env=env, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        sys.exit(f"lighthouse: {url} was not measured, perhaps for want of quiet: {said}")
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
