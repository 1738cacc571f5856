#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The real torchrun starts a training on two ranks, and it ends in the same bytes as two ranks started by hand.
#
#   tests/interop/torchrun.sh [PRESET]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
preset=${1:-release}
# shellcheck source=tests/interop/venv.sh
source "$root/tests/interop/venv.sh"

"$root/packaging/setup.sh" "$preset" bin/imprint bin/imprint-decode write_tiny_corpus
export OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1
imprint=$root/build/$preset/bin/imprint
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$root/build/$preset/tests/write_tiny_corpus" "$folder"

# A venv that was moved into place keeps the old path in its scripts: the module is what torchrun runs. Without the two dashes
# it takes our --run for a short form of its own --run-path.
"$venv/bin/python" -m torch.distributed.run --standalone --nproc-per-node 2 --no-python -- \
    "$imprint" train "$folder/recipe.toml" --run "$folder/torchrun"

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
for rank in 0 1; do
    RANK=$rank WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=$port \
        "$imprint" train "$folder/recipe.toml" --run "$folder/by-hand" &
done
wait %1
wait %2

state=checkpoints/step-12
for file in model optimizer; do
    cmp "$folder/torchrun/$state/$file.safetensors" "$folder/by-hand/$state/$file.safetensors"
done
grep -q '"ranks": 2' "$folder/torchrun/$state/state.json"
echo "torchrun: two ranks trained, and ended in the same bytes as two started by hand"
