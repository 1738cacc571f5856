#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes event files with our code and reads them back with the real TensorBoard.
#
#   tests/interop/tensorboard.sh [PRESET]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
preset=${1:-release}
# shellcheck source=tests/interop/venv.sh
source "$root/tests/interop/venv.sh"

"$root/packaging/setup.sh" "$preset" write_events
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$root/build/$preset/tests/write_events" "$folder/run"
"$venv/bin/python" "$root/tests/interop/read_events.py" "$folder/run"
