"""The live server's sessions at the database, kept from one request for the next.

A request closes its connection, and a new session signs in and reads the catalogue anew, for longer
than most pages take.
"""

from __future__ import annotations

import select
from collections import deque
from functools import partial
from typing import Any

import psycopg
from django.core.servers.basehttp import ThreadedWSGIServer
from django.db import connections
from psycopg.pq import TransactionStatus

_kept: deque[tuple[dict[str, Any], psycopg.Connection]] = deque()


class Server(ThreadedWSGIServer):
    """Serves as Django's own does, each of its threads with a session that was kept."""

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        keep_session_of(connections["default"])
        super().process_request_thread(request, client_address)


def keep_session_of(wrapper: Any) -> None:
    """Let this thread's way to the database begin with a kept session, and leave it in the end."""
    wrapper.get_new_connection = partial(_take, wrapper, wrapper.get_new_connection)
    wrapper._close = partial(_give, wrapper, wrapper._close)


def end() -> None:
    """End the kept sessions, so that the database can be dropped."""
    while _kept:
        _kept.pop()[1].close()


def _take(wrapper: Any, new: Any, params: dict[str, Any]) -> psycopg.Connection:
    """Return a kept session with the same database, as it is after connecting, or a new one."""
    wrapper.session_for = params
    while True:
        try:
            kept_for, kept = _kept.pop()
        except IndexError:
            return new(params)  # type: ignore[no-any-return]
        if kept_for == params and not _has_ended(kept):
            wrapper.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
            return kept
        kept.close()


def _give(wrapper: Any, close: Any) -> None:
    """Keep the session unless it is in a transaction; it holds no lock then."""
    session: psycopg.Connection = wrapper.connection
    if session.autocommit and session.info.transaction_status == TransactionStatus.IDLE:
        try:
            session.execute("SELECT pg_advisory_unlock_all()")
        except psycopg.Error:
            close()
        else:
            _kept.append((wrapper.session_for, session))
        return
    close()


def _has_ended(session: psycopg.Connection) -> bool:
    """Say whether the server has closed it meanwhile: then there is something to read."""
    poll = select.poll()
    poll.register(session.fileno(), select.POLLIN)
    return bool(poll.poll(0))
