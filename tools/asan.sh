#!/bin/sh
# C tests, then the Python suite, with AddressSanitizer and UBSan in everything we compile.
# Usage: tools/asan.sh VENV BUILD_DIR [pytest arguments]
#
# The Python suite needs an environment without the editable install (whose finder would load the plain
# build): a second virtual environment that sees the packages of the first through a .pth file, with the
# sanitized package on PYTHONPATH.
set -eu
venv=$(cd "$1" && pwd)
build=$2
shift 2
root=$PWD
asan_venv=$root/.venv-$(basename "$build")
site=$root/$build/site

if [ ! -f "$build/build.ninja" ]; then
    meson setup "$build" -Dbuildtype=debug -Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false \
        -Dtests=true -Dfailmalloc=true "-Dpython.platlibdir=$site" "-Dpython.purelibdir=$site"
fi
meson compile -C "$build"
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
meson test -C "$build" --print-errorlogs --suite c --suite fuzz-replay

rm -rf "$site"
meson install -C "$build" --quiet
if [ ! -x "$asan_venv/bin/python" ]; then
    "$venv/bin/python" -m venv --without-pip "$asan_venv"
fi
purelib='import sysconfig; print(sysconfig.get_path("purelib"))'
"$venv/bin/python" -c "$purelib" >"$("$asan_venv/bin/python" -c "$purelib")/dependencies.pth"

# Only pytest and what it starts run under the sanitizer, not the database; the tests of bench/ and tools/ run none of
# our C code. libstdc++ is preloaded with the runtime, or its interceptor of C++ exceptions finds nothing to call when
# greenlet throws one.
exec python3 -m tools.beside postgresql mariadb -- env \
    ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=1 \
    LD_PRELOAD="$(cc -print-file-name=libasan.so) $(cc -print-file-name=libstdc++.so.6)" \
    PYTHONMALLOC=malloc PYTHONPATH="$site" BOLT_BUILD_DIR="$root/$build" \
    "$asan_venv/bin/python" -m pytest --ignore tests/python/bench --ignore tests/python/tools "$@"
