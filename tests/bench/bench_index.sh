#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the preset `bench` and measures indexing (see bench_index.cpp) on FOLDER or, without it, on PHOTOS (1,000) photos of
# twelve megapixels: random pieces of the sample photographs, made in a temporary folder (some minutes).
#
#   [PHOTOS=1000] [SIZE=4000x3000] tests/bench/bench_index.sh [FOLDER]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
folder=${1:-}

"$root/packaging/setup.sh" bench bin/imprint bin/imprint-decode bin/bench_index

if [[ -z $folder ]]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    shopt -s nullglob
    sources=("$root"/resources/samples/*.jpg)
    left=${PHOTOS:-1000}
    each=$(((left + ${#sources[@]} - 1) / ${#sources[@]}))
    for source in "${sources[@]}"; do
        count=$((left < each ? left : each))
        left=$((left - count))
        ((count)) || break
        # A piece of 40 to 95 % of each side, stretched a little by the fixed size, as photos of one thing differ.
        ffmpeg -v error -loop 1 -i "$source" -frames:v "$count" -q:v 3 \
            -vf "zoompan=z='1.05+1.4*random(0)':x='(iw-iw/zoom)*random(1)':y='(ih-ih/zoom)*random(2)':d=1:s=${SIZE:-4000x3000}" \
            "$folder/$(basename "$source" .jpg)-%04d.jpg" </dev/null >&2
    done
fi
"$root/build/bench/bin/bench_index" "$folder"
