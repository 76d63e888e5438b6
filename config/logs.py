"""Logs are one JSON object a line: an event name and ids, no personal data, no line breaks."""

import logging
import re

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

# The one path that carries a secret: a link opened once (storefront/views/secrets.py).
_TOKEN = re.compile(r"(/login-details/)[^/\s\"']+")


def mask_tokens(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
    """Blank the token of a login link in whatever a library wrote."""
    for key, value in entry.items():
        if isinstance(value, str):
            entry[key] = _TOKEN.sub(r"\1***", value)
    return entry


_CHAIN: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]

structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_CHAIN,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _CHAIN,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                mask_tokens,
                structlog.processors.JSONRenderer(),
            ],
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": logging.INFO},
    "loggers": {
        "django.server": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "kombu": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
        # At INFO it writes down the addresses it asks, which may hold a customer's e-mail.
        "stripe": {"level": "WARNING"},
    },
}
