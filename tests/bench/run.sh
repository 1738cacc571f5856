#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the preset `bench`, runs every benchmark and prints one table: each figure beside what it is held against in the
# same run. About fifteen minutes on two idle cores; --quick shows in two that everything runs, with figures that mean little.
#
#   tests/bench/run.sh [--quick] [moe | encoder | loss | index | search | feedback | video | engine | memory | calibration |
#                                 labelling]…
#
# Without names: all but memory, which indexes 50,000 files, and the last two, which want the corpus (training/corpus) and have
# tables of their own: they say how good answers are, not how fast.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd "$here/../.." && pwd -P)
build=$root/build/bench
options=(--benchmark_min_time=1 --benchmark_repetitions=3 --benchmark_enable_random_interleaving=true)
photos=1000
video_seconds=60
moments=1000000
steps=150
many="1000 50000"
pools="photos drawings sounds both"
if [[ ${1:-} == --quick ]]; then
    shift
    options=(--benchmark_min_time=0.001 --benchmark_repetitions=1)
    photos=40
    video_seconds=8
    moments=20000
    steps=20
    many="50 100"
    pools="photos"
fi
(($#)) || set -- moe encoder loss index search feedback video engine

targets=()
for name in "$@"; do
    case $name in
    index) ;;
    engine | memory) targets+=(bin/imprint bin/imprint-decode) ;;
    *) targets+=("bin/bench_$name") ;;
    esac
done
((${#targets[@]})) && "$root/packaging/setup.sh" bench "${targets[@]}"
export OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1

results=$build/results
mkdir -p "$results"
files=()
pages=()
for name in "$@"; do
    echo "measuring: $name" >&2
    file=$results/$name.json
    page=$results/$name.md
    rm -f "$file"
    if [[ $name == calibration ]]; then
        for pool in $pools; do "$build/bin/bench_calibration" "$pool" || (($? == 1)); echo; done >"$page"
        pages+=("$page")
        continue
    elif [[ $name == labelling ]]; then
        "$build/bin/bench_labelling" >"$page" || (($? == 1))
        pages+=("$page")
        continue
    elif [[ $name == index ]]; then
        PHOTOS=$photos "$here/bench_index.sh" >"$file" || [[ -s $file ]] # over its aim: the table says so
    elif [[ $name == video ]]; then
        "$build/bin/bench_video" "$video_seconds" >"$file" || [[ -s $file ]]
    elif [[ $name == search ]]; then
        "$build/bin/bench_search" "$moments" >"$file" || [[ -s $file ]]
    elif [[ $name == engine ]]; then
        "$here/engine.py" "$build/bin/imprint" --steps "$steps" >"$file"
    elif [[ $name == feedback ]]; then
        "$build/bin/bench_feedback" "$((moments / 10))" >"$file" || [[ -s $file ]]
    elif [[ $name == memory ]]; then # the smallest model: it is what grows with the files that counts
        "$here/memory.py" "$build/bin/imprint" --files $many --model "$root/tests/data/models/v2/text.safetensors" >"$file" \
            || [[ -s $file ]]
    else
        "$build/bin/bench_$name" "${options[@]}" --benchmark_out="$file" --benchmark_out_format=json >"$results/$name.txt"
    fi
    files+=("$file")
done
((${#files[@]} == 0)) || python3 "$here/table.py" "${files[@]}"
((${#pages[@]} == 0)) || cat "${pages[@]}"
