#!/usr/bin/env bash
# Formats C and Python in place; with --check only reports C files that would change (ruff has its own --check).
set -eu
cd "$(dirname "$0")/.."
c_files() {
    git ls-files -z --cached --others --exclude-standard -- '*.c' '*.h' | while IFS= read -r -d '' file; do
        [ ! -f "$file" ] || printf '%s\0' "$file"
    done
}
if [ "${1:-}" = --check ]; then
    c_files | xargs -0 -r clang-format --dry-run -Werror --ferror-limit=1
    exit
fi
c_files | xargs -0 -r clang-format -i
ruff check --quiet --fix-only .
ruff format --quiet .
