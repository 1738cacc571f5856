#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the preset `fuzz` (clang, AddressSanitizer, UBSan) and runs fuzz_checkpoint a million times, or as its arguments
# say. What it found before stays in the build folder and is where it goes on; a crash leaves its input there and exits 77.
#
#   tests/fuzz/run.sh [libFuzzer options, for example -runs=10000]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
build=$root/build/fuzz
if ! command -v clang++ >/dev/null || [[ ! -e $(clang++ -print-file-name=libclang_rt.fuzzer-x86_64.a 2>/dev/null) &&
    ! -e $(clang++ -print-resource-dir)/lib/linux/libclang_rt.fuzzer-x86_64.a ]]; then
    echo "clang's fuzzer is missing. Run: apt-get install clang libclang-rt-14-dev" >&2
    exit 3
fi
"$root/packaging/setup.sh" fuzz bin/fuzz_checkpoint
mkdir -p "$build/corpus" "$build/found"
python3 "$root/tests/fuzz/make_corpus.py" "$build/seeds"
(($#)) || set -- -runs=1000000
exec "$build/bin/fuzz_checkpoint" "$@" -max_len=8192 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
    -dict="$root/tests/fuzz/checkpoint.dict" -artifact_prefix="$build/found/" "$build/corpus" "$build/seeds"
