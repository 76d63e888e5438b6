"""One private Valkey server on 127.0.0.1 with a random password."""

import os
import signal
import socket
import subprocess
from pathlib import Path

from config.local import passwords, ports, processes
from config.local.accounts import give
from config.local.binaries import valkey_server
from config.local.places import Place

DURABLE = ("appendonly yes", "appendfsync everysec", "databases 16")
FAST = ("appendonly no", "databases 64")


class Valkey:
    """Holds one server below `place.home`: start, url, stop."""

    def __init__(self, place: Place, *, settings: tuple[str, ...]) -> None:
        self._place = place
        self._settings = settings
        self._folder = place.home / "valkey"
        self._configuration = self._folder / "valkey.conf"
        self._pid_file = place.var / "valkey.pid"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"redis://:{self._password()}@{ports.HOST}:{self.port}/0"

    def start(self) -> None:
        """Bring the server up; raise RuntimeError naming its log when it does not answer."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        give(self._folder, self._place.account)
        self._stop_leftover()
        program = valkey_server(self._place.account)
        for _ in range(3):
            if self._launch(program):
                return
            self.stop()
            ports.forget(self._place.ports, "valkey")
        raise RuntimeError(f"Valkey does not start; see {self._place.log('valkey')}")

    def stop(self) -> None:
        """Shut down; what was not written yet is written first."""
        if self._process is not None:
            processes.stop(self._process, by=signal.SIGTERM, grace_seconds=10)
            self._process = None

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _launch(self, program: Path) -> bool:
        self.port = ports.remembered(self._place.ports, "valkey")
        self._write_configuration()
        with processes.open_log(self._place.log("valkey")) as log:
            self._process = processes.spawn(
                [str(program), str(self._configuration)],
                log=log,
                account=self._place.account,
                cwd=self._folder,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            )
        process = self._process
        self._pid_file.write_text(str(process.pid))
        processes.wait_until(
            lambda: process.poll() is not None or self._answers(), timeout_seconds=30
        )
        return process.poll() is None and self._answers()

    def _answers(self) -> bool:
        try:
            with socket.create_connection((ports.HOST, self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._password()}\r\nPING\r\n".encode())
                return _received(connection, b"+PONG")
        except OSError:
            return False

    def _write_configuration(self) -> None:
        lines = [
            f"bind {ports.HOST}",
            f"port {self.port}",
            f'dir "{self._folder}"',
            f"requirepass {self._password()}",
            'save ""',
            "daemonize no",
            "set-proc-title no",  # the command line is how a leftover is recognised
            *self._settings,
        ]
        text = "\n".join(lines) + "\n"
        passwords.write_private(self._configuration, text, owner=self._place.account)

    def _password(self) -> str:
        return passwords.kept(self._folder / "password", self._place.account)

    def _stop_leftover(self) -> None:
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return
        processes.stop_leftovers([(pid, str(self._configuration))], by=signal.SIGTERM)


def _received(connection: socket.socket, wanted: bytes) -> bool:
    answer = b""
    while wanted not in answer:
        part = connection.recv(256)
        if not part:
            return False
        answer += part
    return True
