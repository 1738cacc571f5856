#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes shards with the real webdataset and reads them with our code.
#
#   tests/interop/webdataset.sh [PRESET]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
preset=${1:-release}
# shellcheck source=tests/interop/venv.sh
source "$root/tests/interop/venv.sh"

"$root/packaging/setup.sh" "$preset" read_shards
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$venv/bin/python" "$root/tests/interop/write_shards.py" "$folder"
"$venv/bin/python" "$root/tests/interop/compare_shards.py" "$root/build/$preset/tests/read_shards" "$folder"
