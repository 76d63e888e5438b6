#!/bin/sh
# Usage: venv.sh local|dev
# Brings the virtual environment $VENV to the state of requirements/NAME.txt, with the interpreter
# $PYTHON or the best one found. Does nothing when it already is there.
set -eu
cd "$(dirname "$0")/../.."
name=$1
VENV=${VENV:-.venv}
lock=requirements/$name.txt

fail() { echo "$*" >&2; exit 1; }

# A shim may exist and still fail, so every candidate has to run; then it says who it really is.
identity='import os, sys
sys.version_info >= (3, 11) or sys.exit(1)
print(os.path.realpath(getattr(sys, "_base_executable", sys.executable)), sys.version.split()[0])'

# pyenv builds without optimisations by itself, and such a Python needs an eighth more time. Debian
# builds with them and does not say so.
optimised="$identity
import ensurepip, sysconfig, venv
told = '--enable-optimizations' in (sysconfig.get_config_var('CONFIG_ARGS') or '')
told or sys.base_prefix == '/usr' or sys.exit(1)"

works() { "$1" -c "$2" >/dev/null 2>&1; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then candidates=$PYTHON optimised=$identity; else
        # shellcheck disable=SC2086
        candidates="$(IFS=:; printf '%s/python3 ' $PATH) python3.13 python3.12 python3.11"; fi
    for wanted in "$optimised" "$identity"; do
        for candidate in $candidates; do
            for path in "$candidate" \
                "${PYENV_ROOT:-${HOME:-/nonexistent}/.pyenv}/versions/${candidate#python}".*/bin/"$candidate"; do
                if works "$path" "$wanted"; then echo "$path"; return; fi
            done
        done
    done
    fail "Python 3.11 or newer is needed (tried: $candidates); PYTHON=/path/to/python make ... chooses one."
}

need_venv_module() {
    if "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; then return; fi
    package="python$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "    installing $package"
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >/dev/null
    else
        fail "$1 cannot make virtual environments. Please run: sudo apt-get install $package"
    fi
}

install() {
    if "$VENV/bin/python" -m pip install -q --disable-pip-version-check --require-hashes \
        -r requirements/uv.txt &&
        "$VENV/bin/python" -m uv pip install -q --python "$VENV/bin/python" --require-hashes -r "$lock"
    then return; fi
    echo "    uv does not work here; pip takes over (slower)"
    "$VENV/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r "$lock"
}

up_to_date() {
    for stamp in "$@"; do
        if [ -f "$VENV/$stamp.stamp" ] && cmp -s "requirements/$stamp.txt" "$VENV/$stamp.stamp"; then
            return 0
        fi
    done
    return 1
}

# Two copies may start from the same checkout at once.
if command -v flock >/dev/null; then exec 9<requirements; flock 9; fi

python=$(find_python)
if [ -e "$VENV" ]; then
    if [ "$("$VENV/bin/python" -c "$identity" 2>/dev/null || true)" != "$("$python" -c "$identity")" ]; then
        [ -f "$VENV/pyvenv.cfg" ] || [ -z "$(ls -A "$VENV")" ] || fail "$VENV is not a virtual environment"
        rm -rf "$VENV"
    fi
fi
# The environment for development holds everything that the other one does.
case $name in local) stamps="local dev" ;; *) stamps=$name ;; esac
# shellcheck disable=SC2086
if up_to_date $stamps; then exit 0; fi
echo "==> dependencies ($lock, $("$python" -c "$identity"))"
if [ ! -x "$VENV/bin/python" ]; then
    need_venv_module "$python"
    "$python" -m venv "$VENV"
fi
install
cp "$lock" "$VENV/$name.stamp"
