#!/bin/sh
# Every linter, all findings at once; exits 1 when one of them complains. Usage: tools/lint.sh (make puts the
# virtual environment first on PATH)
set -u
cd "$(dirname "$0")/.."
failed=
step() {
    echo "lint: $*" >&2
    "$@" || failed="$failed
  $*"
}
step ruff check --quiet .
step ruff format --check --quiet .
step tools/fmt.sh --check
step python tools/clint.py
step tools/types.sh
if [ -n "$failed" ]; then
    echo "lint: failed:$failed" >&2
    echo "lint: make fmt repairs formatting" >&2
    exit 1
fi
