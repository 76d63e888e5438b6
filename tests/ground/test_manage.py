"""The command line says in one line what it lacks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from config.settings import BASE_DIR


def test_a_command_without_settings_says_what_to_do(tmp_path: Path) -> None:
    inherited = ("PATH", "HOME", "VENV")
    env = {name: os.environ[name] for name in inherited if name in os.environ}
    run = subprocess.run(
        [sys.executable, BASE_DIR / "manage.py", "check"],
        env={**env, "VAR_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    (said,) = run.stderr.splitlines()
    assert said.startswith("manage.py: Set the SECRET_KEY environment variable.")
    assert "make run" in said
