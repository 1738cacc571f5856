#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sets everything up and runs all tests; then nothing is left to believe: the command-line build without Qt is built too
# (its objects come from the compiler cache) and looked at. Arguments go to ctest, for example `-R floors`.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

"$root/packaging/setup.sh" release
"$root/packaging/setup.sh" nogui-cpu
if ldd "$root/build/nogui-cpu/bin/imprint" | grep -E 'libQt|libcuda\.so|libtorch_cuda'; then
    echo "build/nogui-cpu/bin/imprint links Qt or CUDA (above): a floor leaks." >&2
    exit 1
fi

# The tests of the window need no screen; two tests at once fill two cores, and more would only make them wait.
export QT_QPA_PLATFORM=offscreen
cd "$root"
exec ctest --preset release -j "$(($(nproc) > 4 ? 4 : $(nproc)))" "$@"
