#!/bin/sh
# mypy in strict mode over the package, tools/ and bench/, then the stub of the C module against the module itself.
set -eu
cd "$(dirname "$0")/.."
mypy
mypy --explicit-package-bases tools
mypy bench/*.py
stubtest django_bolt._core
