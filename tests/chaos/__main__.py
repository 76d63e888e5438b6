"""`make chaos`: every crash point and two thousand random runs, then a table of what came of them.

SEED=… plays the same plans again, BATCH=SEED-NUMBER a single batch. Ends non-zero when anything
was violated, done twice, or not healed in time; the table and what failed are written in any case.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from tests.chaos import report

WORKERS = max(2, min(4, os.cpu_count() or 2))


def main(arguments: Sequence[str]) -> int:
    results, target = report.LINES.with_suffix(".xml"), report.LINES.with_suffix(".md")
    for old in (report.LINES, results):
        old.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(WORKERS), "--dist", "worksteal"]
    command += [f"--junitxml={results}", "tests/chaos", *arguments]
    settings = {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    environment = {**os.environ, **settings, "CHAOS": "full", "SEED": str(report.SEED)}
    # Ctrl-C ends the tests, which then write what they have, and not this.
    signal.signal(signal.SIGINT, lambda *_: None)
    failed = subprocess.run(command, env=environment, check=False).returncode
    lines = [*table(report.lines()), *failures(results)]
    target.write_text("\n".join(lines) + "\n")
    sys.stdout.write(f"\n{target.read_text()}\nWritten to {target}\n")
    return failed


def failures(results: Path) -> Iterator[str]:
    """Return each test that failed, with what it said."""
    cases = ElementTree.parse(results).iter("testcase") if results.exists() else ()
    for case in cases:
        for said in (*case.findall("failure"), *case.findall("error")):
            yield ""
            yield f"## Failed: {case.get('name')}"
            yield ""
            yield from (f"    {line}" for line in (said.text or "").splitlines())


def table(lines: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Return the report: what was tried, how much was left to staff, how soon all was well."""
    points = {each["operation"]: each["points"] for each in lines if each["kind"] == "points"}
    killed = [each for each in lines if each["kind"] == "killed"]
    batches = [each for each in lines if each["kind"] == "batch"]
    troubles = [each for each in lines if each["kind"] == "trouble"]
    yield f"# Chaos, seed {report.SEED}"
    yield ""
    yield "| what | tried | left to staff | healed after, median | longest | wrong |"
    yield "|---|---|---|---|---|---|"
    for name in dict.fromkeys(each["operation"] for each in killed):
        mine = [each for each in killed if each["operation"] == name]
        where = f": killed at {points[name]} points" if name in points else ""
        yield row(f"{name}{where}", len(mine), mine)
    yield row("random runs", sum(each["runs"] for each in batches), batches)
    for each in troubles:
        yield row(each["name"], 1, [each])
    found = [problem for each in lines for problem in each.get("problems", ())]
    yield ""
    yield f"Violations: {len([each for each in found if not each.startswith('duplicate')])}."
    yield f"Duplicate effects: {len([each for each in found if each.startswith('duplicate')])}."
    yield from (f"- {each}" for each in found)


def row(what: str, tried: int, lines: Sequence[dict[str, Any]]) -> str:
    seconds = [each["seconds"] for each in lines if each["seconds"] is not None]
    parked = sum(each["parked"] for each in lines)
    wrong = sum(len(each["problems"]) for each in lines) + len(lines) - len(seconds)
    share = f"{parked} ({parked / max(tried, 1):.1%})"
    times = f"{median(seconds or [0]):.0f} s | {max(seconds, default=0):.0f} s"
    return f"| {what} | {tried} | {share} | {times} | {wrong} |"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
