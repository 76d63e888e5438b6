"""A crew: the threads in which one worker process does a server's jobs, some accounts at once.

Who works on an account mostly waits for the dialler, so some threads fit into a process. A server
has no more crews than its places need: the others would find none, and are wanted elsewhere.
"""

import math
import random
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue

from django.conf import settings
from django.db import connection, connections

from provisioning.models import Server

# So often a crew looks whether there is work for its idle hands.
LOOK_SECONDS = 1.0
# After so many the numbers of places begin anew, for they are small integers.
MINUTES = 1440
# Crews of a server choose at random among so many accounts, so that they seldom meet.
FEW = 50

# Returns the ids of accounts that wait, so many at most; does what is due for one, says if any was.
Find = Callable[[int], Sequence[int]]
Work = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class _Ended:
    """What came of an account that a hand had."""

    account_id: int
    did: bool
    fault: Exception | None = None


@contextmanager
def joined(server: Server, *, at: datetime) -> Iterator[int]:
    """Give how many hands a crew of this process has at the server; 0 where enough crews are there.

    Held by an advisory lock of this process's session, so a killed process holds none; and by one
    of this minute, so a process that stands still keeps others away no longer than that. A crew too
    many does no harm: places are counted by claims all the same.
    """
    crews = math.ceil(server.runs_at_once / settings.ACCOUNTS_AT_ONCE)
    number = _join(server, crews, at=at)
    if number is None:
        yield 0
        return
    try:
        yield math.ceil(server.runs_at_once / crews)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [server.pk, number])


def stay(first: int, find: Find, work: Work, *, hands: int, until: float) -> None:
    """Work on the first account and on what is found, so many at once, until nothing can be done or
    `until` has come (monotonic clock). Raises the first fault, after what was under way has ended.
    """
    if hands == 1:
        return _stay_alone(first, find, work, until=until)
    asked: SimpleQueue[int | None] = SimpleQueue()
    ended: SimpleQueue[_Ended] = SimpleQueue()
    busy, looks = {first}, True
    asked.put(first)
    with ThreadPoolExecutor(hands) as pool:
        lent = [pool.submit(_lend, asked, ended, work) for _ in range(hands)]
        try:
            while True:
                if looks and time.monotonic() < until:
                    for each in _free(find, busy, hands - len(busy)):
                        busy.add(each)
                        asked.put(each)
                if not busy:
                    break
                done = _wait_for(ended)
                busy -= {each.account_id for each in done}
                # Where nothing could be done there was no place: it is not tried again at once.
                looks = any(each.did for each in done) or not done
                for fault in (each.fault for each in done if each.fault is not None):
                    raise fault
        finally:
            for _ in lent:
                asked.put(None)


def _stay_alone(first: int, find: Find, work: Work, *, until: float) -> None:
    waiting: Sequence[int] = [first]
    while any(work(each) for each in waiting) and time.monotonic() < until:
        waiting = find(FEW)


def _free(find: Find, busy: Collection[int], count: int) -> Sequence[int]:
    """Choose among what waits and is in nobody's hands here."""
    found = [each for each in find(FEW + len(busy)) if each not in busy] if count else []
    return random.sample(found, min(count, len(found)))


def _wait_for(ended: SimpleQueue[_Ended]) -> list[_Ended]:
    """Return what has ended, at the latest when it is time to look again: then perhaps nothing."""
    done: list[_Ended] = []
    with suppress(Empty):
        done.append(ended.get(timeout=LOOK_SECONDS))
        while True:
            done.append(ended.get_nowait())
    return done


def _lend(asked: SimpleQueue[int | None], ended: SimpleQueue[_Ended], work: Work) -> None:
    """Be a hand: work on what is asked for until there is no more, with a connection of its own.

    To open one takes longer than a job, so it stays as long as the hand, unless there was a fault.
    """
    try:
        for account_id in iter(asked.get, None):
            try:
                ended.put(_Ended(account_id, did=work(account_id)))
            # The edge of a thread: whoever lent the hand raises it.
            except Exception as fault:  # noqa: BLE001
                connections.close_all()
                ended.put(_Ended(account_id, did=True, fault=fault))
    finally:
        connections.close_all()


def _join(server: Server, crews: int, *, at: datetime) -> int | None:
    """Take the first place of a crew that is free in this minute, if any: rows are tried one by one
    until then.
    """
    first = crews * (int(at.timestamp()) // 60 % MINUTES)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number FROM generate_series(%s, %s) AS number"
            " WHERE pg_try_advisory_lock(%s, number) LIMIT 1",
            [first, first + crews - 1, server.pk],
        )
        found = cursor.fetchone()
    return found[0] if found else None
