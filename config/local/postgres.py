"""One private PostgreSQL cluster on 127.0.0.1 with a random password."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from config.local import passwords, ports, processes
from config.local.accounts import give
from config.local.binaries import postgres_bin
from config.local.places import Place

NAME = "castfront"
READY_LINE = 7  # postmaster.pid, see PostgreSQL's miscadmin.h: LOCK_FILE_LINE_PM_STATUS
DURABLE = ("wal_level=replica", "max_connections=100")
# What a test writes need not outlive a power cut.
FAST = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "autovacuum_naptime=60s",
    "max_connections=200",
)
COMMON = (
    f"listen_addresses={ports.HOST}",
    "unix_socket_directories=",
    "shared_buffers=64MB",
    "timezone=UTC",
    "log_timezone=UTC",
    "lc_messages=C",
)


class Postgres:
    """Holds one cluster below `place.home`: start, url, stop."""

    def __init__(self, place: Place, *, settings: tuple[str, ...]) -> None:
        self._place = place
        self._settings = settings
        self._folder = place.home / "postgres"
        self._data = self._folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"postgres://{NAME}:{self._password()}@{ports.HOST}:{self.port}/{NAME}"

    def start(self) -> None:
        """Bring the server up with its database; raise RuntimeError with the log when it fails."""
        self._make_folder()
        self._stop_leftover()
        binaries = postgres_bin(self._place.account)
        if not (self._data / "PG_VERSION").exists():
            self._initialise(binaries)
        if self._launch_somewhere(binaries):
            return
        if self._settings == FAST:  # it may have lived through a power cut, and holds nothing
            self._initialise(binaries)
            if self._launch_somewhere(binaries):
                return
        raise RuntimeError(f"PostgreSQL does not start; see {self._place.log('postgres')}")

    def stop(self) -> None:
        """Shut down: sessions are cut off, nothing committed is lost."""
        if self._process is not None:
            processes.stop(self._process, by=signal.SIGINT, grace_seconds=20)
            self._process = None

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _launch_somewhere(self, binaries: Path) -> bool:
        """Start at the remembered port, or at new ones when someone was quicker there."""
        for _ in range(3):
            if self._launch(binaries):
                self._ensure_database()
                return True
            self.stop()
            ports.forget(self._place.ports, "postgres")
        return False

    def _launch(self, binaries: Path) -> bool:
        self.port = ports.remembered(self._place.ports, "postgres")
        options = [*COMMON, *self._settings, f"port={self.port}"]
        command = [str(binaries / "postgres"), "-D", str(self._data)]
        for option in options:
            command += ["-c", option]
        with processes.open_log(self._place.log("postgres")) as log:
            self._process = processes.spawn(
                command,
                log=log,
                account=self._place.account,
                cwd=self._folder,
                env=_clean_environment(),
                death_signal=signal.SIGINT,
            )
        process = self._process
        processes.wait_until(
            lambda: process.poll() is not None or self._is_ready(process.pid), timeout_seconds=60
        )
        return process.poll() is None and self._is_ready(process.pid)

    def _is_ready(self, pid: int) -> bool:
        lines = self._pid_file()
        return len(lines) > READY_LINE and lines[0] == str(pid) and "ready" in lines[READY_LINE]

    def _ensure_database(self) -> None:
        url = self.url.removesuffix(NAME) + "postgres"
        with psycopg.connect(url, autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME])
            if known.fetchone() is None:
                connection.execute(f'CREATE DATABASE "{NAME}"'.encode())

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        give(self._folder, self._place.account)

    def _initialise(self, binaries: Path) -> None:
        """Make the cluster beside its place and move it there, so a half-made one is never used."""
        half = self._folder / "data.new"
        shutil.rmtree(half, ignore_errors=True)
        shutil.rmtree(self._data, ignore_errors=True)
        self._password()
        command = [str(binaries / "initdb"), "-D", str(half), "-U", NAME, "-E", "UTF8"]
        command += ["--auth=scram-sha-256", f"--pwfile={self._folder / 'password'}"]
        command += ["--data-checksums", "--no-sync", *_locale_options(binaries)]
        with processes.open_log(self._place.log("postgres")) as log:
            process = processes.spawn(
                command,
                log=log,
                account=self._place.account,
                cwd=self._folder,
                env=_clean_environment(),
            )
            if process.wait(120) != 0:
                raise RuntimeError(f"initdb failed; see {self._place.log('postgres')}")
        half.rename(self._data)

    def _password(self) -> str:
        return passwords.kept(self._folder / "password", self._place.account)

    def _stop_leftover(self) -> None:
        lines = self._pid_file()
        if lines and lines[0].isdigit():
            ours = (int(lines[0]), f"-D {self._data} ")
            processes.stop_leftovers([ours], by=signal.SIGINT)

    def _pid_file(self) -> list[str]:
        try:
            return (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []


def _clean_environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _locale_options(binaries: Path) -> list[str]:
    """Sort by code point everywhere; the builtin provider exists from version 17 on."""
    shown = subprocess.run(
        [str(binaries / "postgres"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"(\d+)", shown)
    if found and int(found[1]) >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8"]
