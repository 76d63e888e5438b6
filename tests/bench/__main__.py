"""`make bench`: measure the product against its floor, print the tables, write them to a file.

Each section is a function that returns its part of the report; a new one joins SECTIONS.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.db import connection  # noqa: E402

from config import messages  # noqa: E402
from config.env import VAR_DIR  # noqa: E402
from tests import snapshots, world  # noqa: E402
from tests.bench import (  # noqa: E402
    bars,
    dialling,
    flood,
    hanging,
    intake,
    machine,
    pages,
    renewal,
    scan,
    statement,
    storm,
    taking_part,
)

# Name, and what measures it; the first argument says whether to be quick.
SECTIONS: dict[str, Callable[[bool], Iterator[str]]] = {
    "renewal": renewal.report,
    "together": taking_part.report,
    "scan": scan.report,
    "pages": pages.report,
    "intake": intake.report,
    "storm": storm.report,
    "flood": flood.report,
    "statement": statement.report,
    "dialling": dialling.report,
    "hanging": hanging.report,
}


def main(arguments: list[str]) -> int:
    """Measure the sections that were named, or all; return 1 if a bar does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", help=f"of {', '.join(SECTIONS)}; all if none")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    asked = parser.parse_args(arguments)
    target, missed = VAR_DIR / "bench.md", 0
    with own_database(), target.open("w") as file:
        for line in lines(asked.sections or list(SECTIONS), quick=asked.quick):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
            file.write(f"{line}\n")
            missed += bars.is_missed(line)
    sys.stdout.write(f"\nWritten to {target}; bars that do not hold: {missed}\n")
    return 1 if missed else 0


def lines(names: list[str], *, quick: bool) -> Iterator[str]:
    yield f"# Benchmark of {datetime.now(UTC).date()}"
    yield ""
    yield from machine.report()
    for name in names:
        yield ""
        yield from SECTIONS[name](quick)


@contextmanager
def own_database() -> Iterator[None]:
    """Make a database for the benchmark alone, with the rows that every shop has."""
    list(messages.compile_(messages.BASE_DIR))
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    name = connection.settings_dict["NAME"]
    try:
        snapshots.keep(world.seed)
        yield
    finally:
        snapshots.end()
        connection.creation.destroy_test_db(name, verbosity=0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
