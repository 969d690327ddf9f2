#!/bin/sh
# Prints a runnable interpreter for the name given (python3, python3.13, a path): the name itself when it
# runs, else the newest pyenv version that fits. Exits 1 with the fix when there is none.
want=$1
if "$want" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    echo "$want"
    exit 0
fi
minor=${want#python}
root=${PYENV_ROOT:-$HOME/.pyenv}
for candidate in $(ls -d "$root"/versions/"$minor"*/bin/python3 2>/dev/null | sort -rV); do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        echo "$candidate"
        exit 0
    fi
done
echo "error: $want is missing or older than 3.11; install it (apt-get install python3 python3-venv python3-dev) or pass PYTHON=..." >&2
exit 1
