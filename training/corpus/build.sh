#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the training corpus in one command: build.sh [--out DIR] [--limit N]. Makes its own Python environment.
# Needs apt-get and dpkg (Debian 12), python3 with venv, ffmpeg; nothing is installed outside the cache.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${XDG_CACHE_HOME:-$HOME/.cache}/imprint/corpus-venv
sum=$(sha256sum "$here/requirements.txt" | cut -d' ' -f1)
if [ "$(cat "$venv/requirements.sha256" 2>/dev/null)" != "$sum" ]; then
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install -q -r "$here/requirements.txt"
    echo "$sum" > "$venv/requirements.sha256"
fi
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0
exec nice -n 5 "$venv/bin/python" "$here/build.py" "$@"
