"""docs/faults.md names a test for each fault, and every test that it names is there; the report of
`make chaos` keeps what failed.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import source
from tests.chaos.__main__ import failures
from tests.source import BASE

ROWS = re.findall(
    r"^\| ([F\d ]+) \| .* \| `(\S+)::(\w+)` \|$",
    (BASE / "docs/faults.md").read_text(),
    flags=re.MULTILINE,
)
# Those of shop pages have their tests with these.
CODES = (*range(1, 46), 54, 55, 56, 57, 58)
FAULTS = {f"F{number:02}" for number in CODES}


def test_every_fault_has_its_row() -> None:
    assert {code for codes, _, _ in ROWS for code in codes.split()} == FAULTS


@pytest.mark.parametrize(("codes", "module", "name"), ROWS)
def test_the_test_that_is_named_is_there(codes: str, module: str, name: str) -> None:
    assert name in {each.name for each in source.functions(BASE / "tests" / module)}


def test_the_report_keeps_what_a_failed_test_said(tmp_path: Path) -> None:
    results = tmp_path / "chaos.xml"
    assert list(failures(results)) == []
    results.write_text(
        '<testsuites><testsuite><testcase name="fine"/><testcase name="test_it[3]">'
        "<failure>lost: a credit&#10;E  assert</failure></testcase></testsuite></testsuites>"
    )
    said = ["", "## Failed: test_it[3]", "", "    lost: a credit", "    E  assert"]
    assert list(failures(results)) == said
