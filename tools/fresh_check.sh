#!/bin/sh
# Proves that a fresh clone works on an empty Debian: makes a bookworm root with python3, gcc, make and curl, puts the
# committed tree into it, and times `make run` with three requests and `make test`. Needs root, debootstrap and the network.
# Usage: tools/fresh_check.sh [run|test|all]   (FRESH_BASE=base.tar keeps the empty Debian for the next time)
#
# Nothing of this machine is mounted into the root; only its name resolution, certificate bundle and apt settings are
# copied. A process id namespace ends whatever is left running.
set -eu
what=${1:-all}
cd "$(dirname "$0")/.."
root=$(mktemp -d /tmp/fresh-check.XXXXXX)
chmod 755 "$root"
trap 'rm -rf "$root"' EXIT
mirror=$(sed -nE 's/^(URIs:|deb( \[[^]]*\])?) *(https?:[^ ]+).*/\3/p' /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -1)

seconds() {
    date +%s.%N
}
report() {
    echo "fresh_check: $1: $(echo "$(seconds) $2" | awk '{printf "%.1f s", $1 - $2}')"
}

started=$(seconds)
base=${FRESH_BASE:-}
if [ -n "$base" ] && [ -f "$base" ]; then
    tar -x -C "$root" -f "$base"
else
    debootstrap --variant=minbase --include=python3,gcc,make,curl,ca-certificates bookworm "$root" \
        ${mirror:+"$mirror"} >"$root.log" 2>&1 || {
        tail -20 "$root.log"
        exit 1
    }
    rm -f "$root.log"
    if [ -n "$base" ]; then tar -c -C "$root" -f "$base" .; fi
fi
cp /etc/resolv.conf /etc/hosts "$root/etc/"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
for setting in /etc/apt/apt.conf.d/*; do
    if grep -q '^Acquire::Check' "$setting"; then cp "$setting" "$root/etc/apt/apt.conf.d/"; fi
done
mkdir "$root/project"
git archive HEAD | tar -x -C "$root/project"
report "an empty Debian" "$started"

# Runs a script in the root with its own /proc, /dev/shm, /dev/pts and processes; the arguments become its $1, $2, ...
in_root() {
    script=$1
    shift
    unshare --mount --pid --fork sh -c '
        root=$1 script=$2
        shift 2
        mount -t proc proc "$root/proc"
        mount -t tmpfs tmpfs "$root/dev/shm"
        mount -t devpts devpts "$root/dev/pts"
        exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
            PIP_CERT=/etc/ssl/certs/ca-certificates.crt CI=true chroot "$root" sh -euc "$script" sh "$@"
    ' sh "$root" "$script" "$@"
}

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
if [ "$what" != test ]; then
    started=$(seconds)
    in_root '
        cd /project
        make run PORT="$1" &
        until curl -sf -o /dev/null "http://127.0.0.1:$1/"; do
            kill -0 $! || exit 1
            sleep 0.2
        done
        for path in /pagination/users?page_size=2 /aggregation/users/stats /blocking/external-data; do
            echo "GET $path"
            curl -sS --fail-with-body "http://127.0.0.1:$1$path"
            echo
        done
    ' "$port"
    report "make run, until three requests were answered" "$started"
fi
if [ "$what" != run ]; then
    started=$(seconds)
    in_root 'cd /project && make test'
    report "make test" "$started"
fi
