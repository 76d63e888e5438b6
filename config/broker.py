"""The broker's transport: kombu's for Redis, whose channels may outlive their connection."""

from typing import Any

from kombu.transport import redis
from redis.exceptions import ConnectionError as BrokerGone


class Channel(redis.Channel):
    """A channel that says that its connection is gone in a way that Celery survives.

    When the broker restarts while a task runs, kombu 5.7 lets the task's channel acknowledge or
    restore its message through a connection whose client it has dropped; the AttributeError that
    follows ends the worker ("Unrecoverable error"). A lost connection is what it is: Celery logs
    it, connects again, and the sweeps ring for the row once more.
    """

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        if getattr(self.connection, "client", None) is None:
            raise BrokerGone("the connection of this message is gone")
        params: dict[str, Any] = super()._connparams(asynchronous=asynchronous)  # type: ignore[misc]
        return params


class Transport(redis.Transport):
    """What kombu takes for an address that begins with ``redis:`` (see ``config.celery``)."""

    Channel = Channel
