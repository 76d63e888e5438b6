"""Command line: `python -m config.local run|exec|prepare`."""

import argparse
import os
import sys
from pathlib import Path

from config.local.exec import run_with_servers
from config.local.prepare import prepare
from config.local.processes import end_with_parent
from config.local.run import run
from config.local.servers import InUse

BASE_DIR = Path(__file__).resolve().parent.parent.parent


def main(arguments: list[str]) -> int:
    """Run the chosen command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m config.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="start the whole product")
    running.add_argument("--with-parent", action="store_true", help="end when the parent dies")
    commands.add_parser("prepare", help="bring database and files up to date")
    execute = commands.add_parser("exec", help="run a command with private test servers")
    execute.add_argument("argv", nargs=argparse.REMAINDER, metavar="COMMAND")
    options = parser.parse_args(arguments)
    var = (BASE_DIR / os.environ.get("VAR_DIR", "var")).resolve()
    if options.command == "run":
        if options.with_parent:
            end_with_parent()
        return run(BASE_DIR, var=var)
    if options.command == "prepare":
        prepare(var)
        return 0
    argv = options.argv[1:] if options.argv[:1] == ["--"] else options.argv
    if not argv:
        execute.error("a command is needed")
    return run_with_servers(argv, var=var)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (InUse, OSError, RuntimeError) as error:
        sys.exit(f"config.local: {error}")
