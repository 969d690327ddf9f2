#!/bin/sh
# Makes a fresh Debian/Ubuntu machine able to build and test: system packages, a virtual environment, the
# editable package. Usage: tools/bootstrap.sh PYTHON VENV BUILD_DIR run|dev
# "run" installs what serving the example needs, "dev" also what building and running the tests and linters needs.
set -eu
python=$1
venv=$2
build=$3
profile=$4

# Headers and tools the build needs, as "probe command|Debian package".
missing=
need() {
    sh -c "$1" >/dev/null 2>&1 || missing="$missing $2"
}
include_dir=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
need "command -v cc" gcc
need "command -v make" make
need "echo '#include <stdlib.h>' | cc -E -" libc6-dev
need "command -v pkg-config" pkg-config
need "test -f '$include_dir/Python.h'" "python3-dev"
need "'$python' -m ensurepip --version" "python3-venv"
need "echo '#include <sqlite3.h>' | cc -E -" libsqlite3-dev
if [ "$profile" = dev ]; then
    need "printf '#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <setjmp.h>\n#include <cmocka.h>\n' | cc -E -" libcmocka-dev
    need "ls /usr/lib/postgresql/*/bin/initdb || command -v initdb" postgresql
    need "command -v mariadbd || ls /usr/sbin/mariadbd" mariadb-server-core
    need "command -v my_print_defaults" mariadb-client-core # mariadb-install-db calls it
fi
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing system packages:$missing"
        DEBIAN_FRONTEND=noninteractive apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
    else
        echo "error: missing system packages. Run: sudo apt-get install$missing" >&2
        exit 1
    fi
fi

echo "Installing Python packages into $venv and building"
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
bin=$(cd "$venv/bin" && pwd)
PATH=$bin:$PATH
export PATH
# Debian 12's pip takes no repeated -C.
pip install -q --disable-pip-version-check "pip>=23.1" "meson>=1.3" ninja "meson-python>=0.17" "greenlet>=3.1"
mkdir -p "$build"
# build/ keeps objects of every interpreter apart.
if [ "$profile" = dev ]; then
    extras=test,lint
    tests=true
else
    extras=example
    tests=false
fi
pip install -q --disable-pip-version-check --no-build-isolation -e ".[$extras]" \
    "-Cbuild-dir=$build" -Csetup-args=-Dbuildtype=debugoptimized -Csetup-args=-Db_lto=false \
    "-Csetup-args=-Dtests=$tests" "-Csetup-args=-Dfailmalloc=$tests"
