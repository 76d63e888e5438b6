"""How much chaos is asked for, and what came of it: a line of JSON for each run."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config.env import VAR_DIR

# `make chaos` sets both; the test command tries other seeds every day, and says which.
FULL = os.environ.get("CHAOS") == "full"
SEED = int(os.environ.get("SEED") or f"{datetime.now(UTC):%Y%m%d}")
# One batch of random runs, to look into it.
BATCH = os.environ.get("BATCH", "")
LINES = VAR_DIR / "chaos.jsonl"


def note(kind: str, **values: Any) -> None:
    """Keep what a run came to; the processes of a parallel test share the file."""
    LINES.parent.mkdir(parents=True, exist_ok=True)
    with LINES.open("a") as file:
        file.write(json.dumps({"kind": kind, **values}) + "\n")


def lines(file: Path = LINES) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
