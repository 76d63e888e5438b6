"""Readers for the process environment. `make run` leaves its own answers in `VAR_DIR/local.env`."""

import os
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = (BASE_DIR / os.environ.get("VAR_DIR", "var")).resolve()
LOCAL_ENV = VAR_DIR / "local.env"

env = environ.Env()

# What the operator sets in the environment wins; the file only says where `make run` put things.
if LOCAL_ENV.is_file():
    environ.Env.read_env(str(LOCAL_ENV), overwrite=False)


def env_secret(name: str, default: str | None = None) -> str:
    """Read `name`, or the file that `name_FILE` points to; raise when neither is there."""
    path = env.str(f"{name}_FILE", default="")
    if path:
        return Path(path).read_text().strip()
    if default is None:
        return str(env.str(name))
    return str(env.str(name, default=default))
