"""What it runs on: the kind of hardware, never which machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from pathlib import Path

from django.db import connection

SETTINGS = ("fsync", "synchronous_commit", "shared_buffers")


def report() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (version,) = cursor.fetchone()
        values = []
        for name in SETTINGS:
            cursor.execute(f"SHOW {name}")
            values.append(f"{name} {cursor.fetchone()[0]}")
    yield f"- {os.cpu_count()} cores ({_processor()}), {_memory()} GiB of memory"
    yield f"- Load before it began: {os.getloadavg()[0]:.1f}"
    yield f"- PostgreSQL {version.split()[0]} on the same machine; {', '.join(values)}"
    yield f"- Python {platform.python_version()}"


def _processor() -> str:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return names[0] if names else platform.machine()


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
