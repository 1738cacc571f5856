#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Imprint beside other people's programs: checkpoints through Python's safetensors, the trunk against ONNX Runtime, event
# files in TensorBoard, shards of webdataset, a training step in PyTorch and its speed, ranks under torchrun, exports
# in NumPy, OpenTimelineIO, pycocotools and webvtt-py. Run by hand: the tests need no Python package and no network. What is learned
# from a few examples beside scikit-learn's classifiers needs the prepared corpus, and is run when named alone.
#
#   tests/interop/run.sh [checkpoint | trunk [options of trunk_onnx.py] | tensorboard | webdataset | step | speed | torchrun | export |
#                        finetune [options of finetune.py]]
#                                                                                                          without: all
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd "$here/../.." && pwd -P)
export OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1
shipped=$root/resources/models/imprint-small.safetensors

run_one() {
    case $1 in
    checkpoint)
        "$root/packaging/setup.sh" release bin/imprint bin/imprint-decode
        "$venv/bin/python" "$here/checkpoint.py" "$root/build/release/bin/imprint" "$shipped" "$root"/tests/data/models/v*/*.safetensors
        ;;
    trunk)
        "$root/packaging/setup.sh" release trunk_runner
        "$venv/bin/python" "$here/trunk_onnx.py" "$shipped" "$root/build/release/tests/trunk_runner" "${@:2}"
        ;;
    export)
        "$root/packaging/setup.sh" release bin/imprint bin/imprint-decode
        "$venv/bin/python" "$here/export.py" "$root/build/release/bin/imprint" "$shipped" "$root/resources/samples"
        ;;
    finetune)
        "$root/packaging/setup.sh" release bin/imprint bin/imprint-decode
        "$venv/bin/python" "$here/finetune.py" "$root/build/release/bin/imprint" "$shipped" \
            "${XDG_CACHE_HOME:-$HOME/.cache}/imprint/corpus" "${@:2}"
        ;;
    step)
        "$root/packaging/setup.sh" release step_runner
        "$venv/bin/python" "$here/step_torch.py" "$root/build/release/tests/step_runner"
        ;;
    speed)
        "$root/packaging/setup.sh" release step_runner
        "$venv/bin/python" "$here/step_speed.py" "$root/build/release/tests/step_runner" "${@:2}"
        ;;
    tensorboard | webdataset | torchrun) "$here/$1.sh" ;;
    *)
        sed -n 's/^#   //p' "$0" >&2
        return 2
        ;;
    esac
}

# shellcheck source=tests/interop/venv.sh
source "$here/venv.sh"
if (($#)); then
    run_one "$@"
    exit
fi
failed=()
for name in checkpoint trunk tensorboard webdataset step speed torchrun export; do
    bash "${BASH_SOURCE[0]}" "$name" || failed+=("$name")
done
((${#failed[@]} == 0)) || {
    echo "not as it should be: ${failed[*]}" >&2
    exit 1
}
