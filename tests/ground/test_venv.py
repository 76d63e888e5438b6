"""`venv.sh`: which Python a copy is run with."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from config.local.checks import BASE_DIR

TOOLS = ("cmp", "cp", "dirname", "flock", "id", "ls", "rm")
OPTIMISED = "'--enable-shared' '--enable-optimizations'"
PLAIN = "'--enable-shared'"
# An interpreter that says this of itself, and makes no environment.
PYTHON = """#!/bin/sh
[ "$1" = -c ] || exit 1
exec {real} -c 'import sys, sysconfig
sysconfig.get_config_vars().update(CONFIG_ARGS="{told}")
sys.base_prefix, sys._base_executable = "{prefix}", "{path}"
sys.modules.update({missing})
exec(sys.argv[1])' "$2"
"""


def test_the_first_python_that_was_built_with_optimisations_is_taken(tmp_path: Path) -> None:
    plain = interpreter(tmp_path / "a" / "python3", PLAIN)
    fast = interpreter(tmp_path / "b" / "python3", OPTIMISED)
    later = interpreter(tmp_path / "c" / "python3", OPTIMISED)
    assert chosen(tmp_path, plain, fast, later) == str(fast)


def test_a_distributions_python_need_not_say_that_it_is_optimised(tmp_path: Path) -> None:
    plain = interpreter(tmp_path / "a" / "python3", PLAIN)
    debian = interpreter(tmp_path / "b" / "python3", PLAIN, prefix="/usr")
    assert chosen(tmp_path, plain, debian) == str(debian)


def test_without_one_the_first_that_works_is_taken(tmp_path: Path) -> None:
    broken = tmp_path / "a" / "python3"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    plain = interpreter(tmp_path / "b" / "python3", PLAIN)
    assert chosen(tmp_path, broken, plain) == str(plain)


def test_one_that_cannot_make_an_environment_is_not_preferred(tmp_path: Path) -> None:
    plain = interpreter(tmp_path / "a" / "python3", PLAIN)
    bare = interpreter(tmp_path / "b" / "python3", OPTIMISED, missing="ensurepip")
    assert chosen(tmp_path, plain, bare) == str(plain)


def test_the_one_that_was_asked_for_is_taken(tmp_path: Path) -> None:
    fast = interpreter(tmp_path / "a" / "python3", OPTIMISED)
    plain = interpreter(tmp_path / "b" / "python3", PLAIN)
    assert chosen(tmp_path, fast, PYTHON=str(plain)) == str(plain)


def test_one_that_only_pyenv_knows_is_found(tmp_path: Path) -> None:
    kept = tmp_path / "pyenv" / "versions" / "3.12.1" / "bin" / "python3.12"
    assert chosen(tmp_path, interpreter(kept, PLAIN).with_name("none")) == str(kept)


def interpreter(path: Path, told: str, *, prefix: str = "/opt", missing: str = "") -> Path:
    path.parent.mkdir(parents=True)
    gone = f"{missing}=None" if missing else ""
    path.write_text(
        PYTHON.format(real=sys.executable, told=told, prefix=prefix, path=path, missing=gone)
    )
    path.chmod(0o755)
    return path


def chosen(folder: Path, *on_path: Path, **env: str) -> str:
    """Let `venv.sh` make an environment with these on its PATH; return with which it tried."""
    tools = folder / "tools"
    tools.mkdir()
    for name in TOOLS:
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    places = [*(str(each.parent) for each in on_path), str(tools)]
    told = subprocess.run(
        ["/bin/sh", "config/local/venv.sh", "dev"],
        cwd=BASE_DIR,
        env={
            "PATH": os.pathsep.join(places),
            "HOME": str(folder),
            "PYENV_ROOT": str(folder / "pyenv"),
            "VENV": str(folder / "venv"),
            **env,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert "==> dependencies (requirements/dev.txt, " in told.stdout, told.stderr
    return told.stdout.partition(", ")[2].split()[0]
