#!/bin/sh
# Builds every fuzz target with clang, libFuzzer, ASan and UBSan, and runs each for FUZZ_SECONDS (default 60).
# Usage: tools/fuzz.sh BUILD_DIR [target...]      (make puts the virtual environment first on PATH)
#
# New inputs are kept in BUILD_DIR/corpus, logs in BUILD_DIR/TARGET.log; findings land in fuzz/regression/TARGET as crash-..., which git
# ignores: commit them with the fix, named by their cause.
set -eu
cd "$(dirname "$0")/.."
build=$1
shift
seconds=${FUZZ_SECONDS:-60}

# The first clang that can link a libFuzzer binary.
find_clang() {
    probe=$(mktemp -d)
    echo 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n){return d && n > 999;}' >"$probe/probe.c"
    for clang in clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14; do
        if "$clang" -fsanitize=fuzzer,address,undefined "$probe/probe.c" -o "$probe/probe" 2>/dev/null; then
            rm -rf "$probe"
            echo "$clang"
            return
        fi
    done
    rm -rf "$probe"
    return 1
}

if ! clang=$(find_clang); then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        DEBIAN_FRONTEND=noninteractive apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends clang libclang-rt-dev
    fi
    clang=$(find_clang) || {
        echo "error: no clang with libFuzzer. Run: sudo apt-get install clang libclang-rt-dev" >&2
        exit 1
    }
fi

if [ ! -f "$build/build.ninja" ]; then
    CC=$clang meson setup "$build" -Dfuzz=true -Dbuildtype=debug -Doptimization=1 \
        -Db_sanitize=address,undefined -Db_lundef=false \
        "-Dc_args=-fsanitize=fuzzer-no-link -fno-sanitize-recover=all"
fi
targets=${*:-$(basename -a -s .c fuzz/targets/fuzz_*.c | sed 's/^fuzz_//')}
# shellcheck disable=SC2046
meson compile -C "$build" $(printf 'fuzz_%s ' $targets)

failed=
for target in $targets; do
    dict=fuzz/dict/$target.dict
    [ -f "$dict" ] || dict=fuzz/dict/http.dict
    mkdir -p "$build/corpus/$target" "fuzz/regression/$target"
    echo "fuzz: $target for $seconds s" >&2
    log=$build/$target.log
    if "$build/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=10 -max_len=4096 -print_final_stats=1 \
        -dict="$dict" -artifact_prefix="fuzz/regression/$target/" \
        "$build/corpus/$target" "fuzz/corpus/$target" "fuzz/regression/$target" >"$log" 2>&1; then
        grep -E 'number_of_executed_units|average_exec_per_sec' "$log" >&2
    else
        tail -n 60 "$log" >&2
        failed="$failed $target"
    fi
    rmdir "fuzz/regression/$target" 2>/dev/null || true # git keeps no empty directory either
done
if [ -n "$failed" ]; then
    echo "fuzz: findings in:$failed; see fuzz/regression/" >&2
    exit 1
fi
