"""Whose processor time it is: the worker's, the servers', or the benchmark's own."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import redis
from django.conf import settings

from tests.bench.measuring import TICKS_A_SECOND, run

PARTS = ("worker", "PostgreSQL", "Valkey", "simulators")


@dataclass(frozen=True, slots=True)
class Process:
    """A process of this machine: who started it, and its processor time in ticks: its own, and that
    of the children that have ended.
    """

    parent: int
    own: int
    ended: int


def processor_seconds() -> dict[str, float]:
    """Return the processor time that each of PARTS has used until now. The simulators are threads
    of the benchmark, and what it starts is the worker.
    """
    known = _processes()
    ((session,),) = run("SELECT pg_backend_pid()")
    database, broker = known[session].parent, redis.Redis.from_url(settings.REDIS_URL)
    sessions = _below(known, {database})
    ticks = (
        sum(known[each].own for each in _below(known, {os.getpid()})),
        known[database].own + known[database].ended + sum(known[each].own for each in sessions),
        known[broker.info("server")["process_id"]].own,
        known[os.getpid()].own,
    )
    return {part: used / TICKS_A_SECOND for part, used in zip(PARTS, ticks, strict=True)}


def _processes() -> dict[int, Process]:
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        own, ended = sum(map(int, fields[11:13])), sum(map(int, fields[13:15]))
        found[int(folder.name)] = Process(int(fields[1]), own, ended)
    return found


def _below(known: dict[int, Process], parents: Collection[int]) -> list[int]:
    """Return the children of these, and theirs."""
    children = [each for each, process in known.items() if process.parent in parents]
    return children + _below(known, children) if children else []
