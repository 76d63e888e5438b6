"""`python -m config.local run`: the whole product on this machine until Ctrl-C or SIGTERM."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from config.local import answers, commands, ports
from config.local.prepare import LOGINS
from config.local.servers import durable_servers, only_one
from config.local.steps import say, step
from config.local.supervisor import Supervisor

HEALTH_TIMEOUT_SECONDS = 90
TICK_SECONDS = 0.5
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop(Exception):
    """Someone asked us to end."""


def run(base: Path, *, var: Path) -> int:
    """Start everything, show where it is, keep it alive; return 0 once it was asked to end.

    Nothing is started and 1 is returned when a port is taken. Raises InUse when this VAR_DIR runs
    already.
    """
    begun = time.monotonic()
    for number in STOPPING:
        signal.signal(number, _ask_to_stop)
    try:
        with only_one(var):
            supervisor = Supervisor(var, cwd=base)
            supervisor.stop_leftovers()
            chosen = answers.chosen_ports(var, os.environ)
            taken = [f"{name}={port}" for name, port in chosen.named().items() if _is_taken(port)]
            if taken:
                print(f"Already in use: {', '.join(taken)}. Set another one in the environment.")
                return 1
            _with_servers(supervisor, base=base, var=var, chosen=chosen, begun=begun)
    except Stop:
        pass
    return 0


def _with_servers(
    supervisor: Supervisor, *, base: Path, var: Path, chosen: answers.Ports, begun: float
) -> None:
    print("==> servers", flush=True)
    with durable_servers(var) as servers, _quiet_end():
        for line in servers.report():
            say(line)
        env = answers.write(var, chosen=chosen, urls=servers.urls)
        print("==> preparation", flush=True)
        _prepare(base, env=env)
        print("==> processes", flush=True)
        try:
            for name, command in commands.all_for(var, chosen=chosen, env=env).items():
                supervisor.start(name, command, env=env)
                say(f"{name:<18} log: {_shown(var / 'log' / f'{name}.log')}")
            _wait_for_health(supervisor, port=chosen.web)
            _show(var, env=env, seconds=time.monotonic() - begun)
            while True:
                supervisor.look_after()
                servers.look_after()
                time.sleep(TICK_SECONDS)
        finally:
            _ignore_signals()
            print("\n==> stopping", flush=True)
            supervisor.stop_all()


def _prepare(base: Path, *, env: dict[str, str]) -> None:
    """Raises RuntimeError when a step fails; its own output has said why."""
    with step("translations"):
        _run_python(base, ["-m", "config.messages", "compile"], env=env)
    _run_python(base, ["-m", "config.local", "prepare"], env=env)


def _run_python(base: Path, arguments: list[str], *, env: dict[str, str]) -> None:
    result = subprocess.run([sys.executable, *arguments], cwd=base, env=env, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"python {' '.join(arguments)} ended with {result.returncode}")


def _wait_for_health(supervisor: Supervisor, *, port: int) -> None:
    """Wait until /healthz answers 200; otherwise say what it answered and go on."""
    url = f"http://{ports.HOST}:{port}/healthz"
    limit = time.monotonic() + HEALTH_TIMEOUT_SECONDS
    with step("waiting until everything works"):
        status, answer = _health(url)
        while status != 200 and time.monotonic() < limit:
            supervisor.look_after()
            time.sleep(TICK_SECONDS)
            status, answer = _health(url)
    if status != 200:
        say(f"not healthy yet: {url} answers {status}: {answer}")


def _health(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status, response.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read(2000).decode(errors="replace")
    except OSError as error:
        return 0, str(error)


def _show(var: Path, *, env: dict[str, str], seconds: float) -> None:
    print(f"\n==> ready after {seconds:.1f} s\n    {env['SITE_URL']}\n", flush=True)
    for line in (var / LOGINS).read_text().splitlines():
        say(line)
    print("\n    Ctrl-C stops everything.", flush=True)


def _is_taken(port: int) -> bool:
    """Someone may listen on another address than the one we would use, and get our visitors."""
    if not ports.is_free(port):
        return True
    for host in (ports.HOST, "::1"):
        try:
            socket.create_connection((host, port), timeout=0.5).close()
        except OSError:
            continue
        return True
    return False


def _shown(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _ask_to_stop(_number: int, _frame: FrameType | None) -> None:
    raise Stop


def _ignore_signals() -> None:
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def _quiet_end() -> Iterator[None]:
    """Once we leave, nothing may interrupt the servers' orderly end."""
    try:
        yield
    finally:
        _ignore_signals()
