#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sets everything up, then runs `imprint` with the arguments given. Without arguments it opens the window on a library of
# the sample media or, with no display, indexes the samples and prints a search.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
bin=$root/build/release/bin

"$root/packaging/setup.sh" release bin/imprint bin/imprint-app bin/imprint-decode
if (($#)); then
    exec "$bin/imprint" "$@"
fi

library=${XDG_DATA_HOME:-${HOME:-$root/.cache}/.local/share}/imprint/sample-library
if [[ -n ${DISPLAY:-}${WAYLAND_DISPLAY:-} ]]; then
    exec "$bin/imprint-app" --library "$library" --add "$root/resources/samples"
fi
"$bin/imprint" index "$root/resources/samples" --library "$library" >&2
exec "$bin/imprint" search "a dog" --library "$library"
