#!/usr/bin/env python3
"""Django's command line; starts itself in the project's virtual environment when there is one."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def enter_environment() -> None:
    """Replace this process by the virtual environment's Python unless it already is that one."""
    venv = Path(os.environ.get("VENV", HERE / ".venv"))
    python = venv / "bin" / "python"
    if python.exists() and Path(sys.prefix).resolve() != venv.resolve():
        os.execv(python, [str(python), str(HERE / "manage.py"), *sys.argv[1:]])


def main() -> None:
    enter_environment()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"manage.py: {error}. `make run` sets up a shop to try; see docs/operations.md.")


if __name__ == "__main__":
    main()
