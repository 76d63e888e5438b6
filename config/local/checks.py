"""`python -m config.local.checks`: every check that CI runs, one line each, all of them always.

Needs the servers that `config.local exec` starts around it, except with --static.
"""

import argparse
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg

from config.local import chromium
from config.local.processes import environment

BASE_DIR = Path(__file__).resolve().parent.parent.parent
PYTHON = sys.executable
# One more than there are cores, since a test often waits for a server or a process of its own.
UNIT_WORKERS = 1 + max(2, min(4, os.cpu_count() or 2))
NO_TESTS_COLLECTED = 5
MIGRATED = "castfront_migrated"

# Settings as a careful operator has them; the values are for these checks only.
PRODUCTION = {
    "SECRET_KEY": "checks-only-" + "k7Q2vX9pLm4RtZ8wB3nH6yJ1sD5fG0aC" * 2,
    "FIELD_KEYS": "Y2hlY2tzLW9ubHktY2hlY2tzLW9ubHktY2hlY2tzLW8=",
    "SITE_URL": "https://shop.example.com",
    "ALLOWED_HOSTS": "shop.example.com",
    "DEBUG": "0",
    "DEMO": "0",
}
NO_SERVERS = {
    "DATABASE_URL": "postgres://nobody:none@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}


@dataclass(frozen=True)
class Result:
    title: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    output: str = ""


def static_checks() -> dict[str, list[str]]:
    """Return the checks that read the code and need no server."""
    return {
        "types": [PYTHON, "-m", "mypy"],
        "style": [PYTHON, "-m", "ruff", "check"],
        "format": [PYTHON, "-m", "ruff", "format", "--check"],
        "layers": [str(Path(PYTHON).with_name("lint-imports"))],
    }


def product_checks() -> dict[str, list[str]]:
    """Return the checks that load the product with production settings."""
    manage = [PYTHON, "manage.py"]
    return {
        "migrations": [*manage, "makemigrations", "--check", "--dry-run"],
        "production settings": [*manage, "check", "--deploy", "--fail-level", "WARNING"],
        "translations": [PYTHON, "-m", "config.messages", "check"],
    }


def main(arguments: list[str]) -> int:
    """Run the checks, report each, end with `N passed, N failed`; 0 when nothing failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--static", action="store_true", help="style, types and layers only")
    only_static = parser.parse_args(arguments).static
    os.chdir(BASE_DIR)
    commands = static_checks() if only_static else {**static_checks(), **product_checks()}
    if only_static:
        return _conclude(_run_side_by_side(commands), notes=[])
    with ThreadPoolExecutor(max_workers=1) as pool:
        migrated = pool.submit(_migrate)
        results = [*_run_side_by_side(commands), _reported(migrated.result())]
    notes: list[str] = []
    return _conclude(results + _run_tests(notes), notes)


def _run_side_by_side(commands: Mapping[str, Sequence[str]]) -> list[Result]:
    """Run two at a time, the slow one (types) first, and report each as it ends."""
    env = {**NO_SERVERS, **environment(), **PRODUCTION}
    with ThreadPoolExecutor(max_workers=2) as pool:
        waiting = [pool.submit(_check, title, command, env) for title, command in commands.items()]
        return [_reported(each.result()) for each in waiting]


def _check(title: str, command: Sequence[str], env: Mapping[str, str]) -> Result:
    begun = time.monotonic()
    done = subprocess.run(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    good = done.returncode == 0
    return Result(
        title=title,
        passed=int(good),
        failed=int(not good),
        skipped=0,
        seconds=time.monotonic() - begun,
        output="" if good else done.stdout,
    )


def _migrate() -> Result:
    """Migrate an empty database, which each process of the tests then copies."""
    server, _, name = os.environ["DATABASE_URL"].rpartition("/")
    with psycopg.connect(f"{server}/{name}", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {MIGRATED}")
        connection.execute(f"CREATE DATABASE {MIGRATED}")
    env = {**environment(), **PRODUCTION, "DATABASE_URL": f"{server}/{MIGRATED}"}
    return _check("empty database", [PYTHON, "manage.py", "migrate", "--verbosity=0"], env)


def _run_tests(notes: list[str]) -> list[Result]:
    """Run the browser's tests beside the others, whose output is shown as it comes."""
    print("\n==> tests", flush=True)
    with ThreadPoolExecutor(max_workers=1) as pool:
        beside = pool.submit(_browser_tests, notes)
        # One test at a time is handed out, in their order: those that take long come first.
        workers = ["-n", str(UNIT_WORKERS), "--maxschedchunk", "1"]
        results = [_reported(_pytest("tests", ["-m", "not browser", *workers], output=None))]
        return results + [_reported(each) for each in beside.result()]


def _browser_tests(notes: list[str]) -> list[Result]:
    browser, problem = chromium.found_or_installed()
    if browser is None:
        notes.append(f"browser tests did not run: {problem}")
        missing = Result("browser tests", passed=0, failed=1, skipped=0, seconds=0)
        return [missing] if os.environ.get("CI") else []
    arguments, env = ["-m", "browser"], {"CHROMIUM": str(browser)}
    found = _pytest("browser tests", arguments, env, output=subprocess.PIPE)
    if found.passed + found.failed == 0:
        notes.append("browser tests did not run: there are none")
    return [found]


def _pytest(
    title: str, arguments: list[str], env: Mapping[str, str] | None = None, *, output: int | None
) -> Result:
    """Run pytest; its counts are read from its JUnit file.

    With a pipe as `output` the result holds what was written, if anything failed.
    """
    begun = time.monotonic()
    report = Path(os.environ.get("VAR_DIR", "var")) / f"{title.replace(' ', '-')}.xml"
    report.unlink(missing_ok=True)
    command = [PYTHON, "-m", "pytest", "-q", f"--junitxml={report}", *arguments]
    done = subprocess.run(
        command,
        env={**environment(), "TEST_TEMPLATE": MIGRATED, **(env or {})},
        stdout=output,
        stderr=output and subprocess.STDOUT,
        text=True,
        check=False,
    )
    total, failed, skipped = _counts(report)
    if done.returncode not in (0, 1, NO_TESTS_COLLECTED) or (done.returncode == 1 and not failed):
        failed += 1
        total += 1
    return Result(
        title=title,
        passed=total - failed - skipped,
        failed=failed,
        skipped=skipped,
        seconds=time.monotonic() - begun,
        output=(done.stdout or "") if failed else "",
    )


def _counts(report: Path) -> tuple[int, int, int]:
    if not report.exists():
        return 0, 0, 0
    suites = list(ElementTree.parse(report).iter("testsuite"))

    def total(*names: str) -> int:
        return sum(int(suite.get(name, "0")) for suite in suites for name in names)

    return total("tests"), total("failures", "errors"), total("skipped")


def _reported(result: Result) -> Result:
    verdict = "FAIL" if result.failed else "ok"
    count = f"{result.passed + result.failed}"
    print(f"{verdict:<5} {result.title:<22} {count:>5}  {result.seconds:6.1f} s", flush=True)
    if result.output:
        print(result.output.rstrip(), flush=True)
    return result


def _conclude(results: Sequence[Result], notes: Sequence[str]) -> int:
    failed = sum(result.failed for result in results)
    skipped = sum(result.skipped for result in results)
    print("\n==> summary")
    for result in results:
        _reported(Result(result.title, result.passed, result.failed, 0, result.seconds))
    for note in notes:
        print(note)
    tail = f", {skipped} skipped" if skipped else ""
    print(f"{sum(result.passed for result in results)} passed, {failed} failed{tail}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
