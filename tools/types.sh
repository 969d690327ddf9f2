#!/bin/sh
# mypy in strict mode over the package and the tools, then the stub of the C module against the module itself.
set -eu
cd "$(dirname "$0")/.."
mypy
mypy tools
