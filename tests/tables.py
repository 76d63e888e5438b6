"""Reads the worked tables of a document, so that text and code cannot drift apart."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"


def table(document: str, heading: str) -> list[list[str]]:
    """Return the rows of the table below a `## heading` of docs/<document>, without its head."""
    section = (DOCS / document).read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\|(.+)\|$", section, flags=re.MULTILINE)
    return [[cell.strip() for cell in row.split("|")] for row in rows[2:]]
