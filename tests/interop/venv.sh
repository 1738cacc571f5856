# SPDX-License-Identifier: Apache-2.0
# Sourced by the interop scripts: makes the pinned Python environment once and names it in $venv. Two that start at once make one.
venv=${XDG_CACHE_HOME:-$HOME/.cache}/imprint/interop-$(sha256sum "$root/tests/interop/requirements.txt" | cut -c1-12)
mkdir -p "${venv%/*}"
exec 7>"$venv.lock"
flock 7
if [[ ! -x $venv/bin/python ]]; then
    partial=$(mktemp -d "$venv.XXXXXX")
    python3 -m venv "$partial"
    "$partial/bin/python" -m pip install -q --no-cache-dir -r "$root/tests/interop/requirements.txt"
    rm -rf "$venv"
    mv "$partial" "$venv" # whole or not at all
fi
exec 7>&-
