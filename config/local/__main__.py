"""Command line: `python -m config.local exec|run`."""

import argparse
import os
import sys
from pathlib import Path

from config.local.exec import run_with_servers
from config.local.servers import InUse

BASE_DIR = Path(__file__).resolve().parent.parent.parent


def main(arguments: list[str]) -> int:
    """Run the chosen command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m config.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    execute = commands.add_parser("exec", help="run a command with private test servers")
    execute.add_argument("argv", nargs=argparse.REMAINDER, metavar="COMMAND")
    options = parser.parse_args(arguments)
    var = (BASE_DIR / os.environ.get("VAR_DIR", "var")).resolve()
    argv = options.argv[1:] if options.argv[:1] == ["--"] else options.argv
    if not argv:
        execute.error("a command is needed")
    try:
        return run_with_servers(argv, var=var)
    except (InUse, OSError, RuntimeError) as error:
        print(f"config.local: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
