"""TCP ports on 127.0.0.1: asked from the system once, then kept as long as they are free."""

import json
import socket
from pathlib import Path

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Tell whether a server could listen on `port` now (waiting connections do not count)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def remembered(book: Path, name: str) -> int:
    """Return the port that `book` holds for `name` while it is free, else a new one, noted."""
    ports = _read(book)
    port = ports.get(name, 0)
    if port and is_free(port):
        return port
    return _renew(book, name, ports)


def forget(book: Path, name: str) -> None:
    """Drop the port of `name`, so that the next question gets another one."""
    ports = _read(book)
    ports.pop(name, None)
    book.write_text(json.dumps(ports))


def _renew(book: Path, name: str, ports: dict[str, int]) -> int:
    taken = set(ports.values())
    port = _ask_system()
    while port in taken:
        port = _ask_system()
    ports[name] = port
    book.write_text(json.dumps(ports))
    return port


def _ask_system() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _read(book: Path) -> dict[str, int]:
    try:
        ports = json.loads(book.read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): int(port) for name, port in ports.items()}
