#!/bin/sh
# Writes requirements/*.txt from pyproject.toml: one set of versions for every interpreter, with
# hashes and without addresses. Arguments go to uv, for example --upgrade.
set -eu
cd "$(dirname "$0")/../.."
compile() {
    "${VENV:-.venv}/bin/python" -m uv pip compile --quiet --universal --python-version 3.11 \
        --generate-hashes --no-header --no-annotate "$@"
}
compile pyproject.toml -o requirements/runtime.txt "$@"
compile pyproject.toml --extra local -c requirements/runtime.txt -o requirements/local.txt "$@"
compile pyproject.toml --extra local --extra dev -c requirements/local.txt -o requirements/dev.txt "$@"
echo uv | compile - -o requirements/uv.txt "$@"
