#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Brings a bare Debian 12 to a built tree: packages, the pinned torch wheel, configure, build. What is there already is
# skipped, so a second call takes a second. Talks on standard error alone: standard output belongs to the program.
#
#   packaging/setup.sh PRESET [NINJA-TARGET…]
#
# Exit: 0 built, 3 something is missing that only root can install (the line to run is printed), else what failed.
set -euo pipefail
exec 1>&2

preset=${1:?usage: packaging/setup.sh PRESET [NINJA-TARGET…]}
shift
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
torch_version=2.11.0
cuda_parts=(nvidia-cuda-cupti==13.0.85 nvidia-cuda-runtime==13.0.96) # libtorch_cpu.so itself links these two

say() { printf 'imprint set-up: %s\n' "$*"; }
cannot() {
    say "$@"
    exit 3
}

install_packages() {
    command -v dpkg-query >/dev/null || cannot "this system has no dpkg: the set-up is written for Debian 12."
    local wanted present missing
    mapfile -t wanted < <(sed 's/#.*//' "$root/packaging/apt-packages.txt" | awk 'NF { print $1 }' | sort -u)
    present=$({ dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' "${wanted[@]}" 2>/dev/null || true; } |
        awk '/^.i/ { print $2 }' | sort -u) # an unknown package makes dpkg-query fail, and is just what we look for
    mapfile -t missing < <(comm -23 <(printf '%s\n' "${wanted[@]}") <(printf '%s\n' "$present"))
    ((${#missing[@]})) || return 0

    local install=(apt-get install -y --no-install-recommends "${missing[@]}") as_root=()
    if ((EUID != 0)); then
        as_root=(sudo -n)
        sudo -n true 2>/dev/null || cannot "packages are missing. Run: sudo apt-get update && sudo ${install[*]}"
    fi
    say "installing ${#missing[@]} Debian packages"
    "${as_root[@]}" apt-get -qq update </dev/null
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "${install[@]}" </dev/null
}

# A home without write access must not stop a build: the clone then keeps its own cache.
choose_cache() {
    local cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
    if [[ -z $cache ]] || ! mkdir -p "$cache/imprint" 2>/dev/null || [[ ! -w $cache/imprint ]]; then
        cache=$root/.cache
        mkdir -p "$cache/imprint"
        say "no writable cache folder in the home: using $cache"
    fi
    export XDG_CACHE_HOME=$cache
}

torch_folder() { # the package folder inside a venv, if everything that links is there
    local site
    for site in "$1"/lib/python3*/site-packages; do
        if [[ -e $site/torch/lib/libtorch_cpu.so && -d $site/nvidia/cu13/lib ]]; then
            printf '%s\n' "$site/torch"
            return 0
        fi
    done
    return 1
}

install_torch() {
    local venv=$XDG_CACHE_HOME/imprint/torch-$torch_version
    torch=$(torch_folder "$venv") && return 0
    local partial
    partial=$(mktemp -d "$venv.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$partial'" EXIT
    say "installing torch $torch_version (about 540 MB) in $venv"
    python3 -m venv --without-pip "$partial"
    python3 -m pip --python "$partial/bin/python" install --no-deps --no-cache-dir --no-compile --progress-bar off \
        "torch==$torch_version" "${cuda_parts[@]}"
    torch_folder "$partial" >/dev/null || cannot "the torch wheel does not hold libtorch_cpu.so: is this x86-64 Linux?"
    rm -rf "$venv"
    mv "$partial" "$venv" # whole or not at all
    trap - EXIT
    torch=$(torch_folder "$venv")
}

# libtorch_cuda.so wants three more libraries; the rest of them are the toolkit's, and its RPATH looks in the wheels alone.
add_cuda() {
    local site=${torch%/torch} toolkit=${CUDA_HOME:-/usr/local/cuda}
    [[ -x $toolkit/bin/nvcc ]] || command -v nvcc >/dev/null || cannot "there is no CUDA toolkit 13.0: no nvcc on the path or in $toolkit"
    if [[ ! -d $site/nvidia/cusparselt || ! -d $site/nvidia/nvshmem || ! -e $site/nvidia/cu13/lib/libcufile.so.0 ]]; then
        say "installing the libraries that torch needs for CUDA"
        python3 -m pip --python "${torch%/lib/python3*}/bin/python" install --no-deps --no-cache-dir --no-compile \
            --progress-bar off nvidia-cusparselt-cu13==0.8.0 nvidia-nvshmem-cu13==3.4.5 nvidia-cufile==1.15.1.6
    fi
    local library
    for library in "$toolkit"/lib64/*.so*; do
        [[ -e $site/nvidia/cu13/lib/${library##*/} ]] || ln -s "$library" "$site/nvidia/cu13/lib/"
    done
}

configure() {
    local build=$root/build/$preset cache=$root/build/$preset/CMakeCache.txt
    if [[ -e $cache ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then
        say "the tree has moved: configuring anew"
        rm -rf "$cache" "$build/CMakeFiles"
    fi
    if [[ -e $build/build.ninja && ! $root/CMakePresets.json -nt $build/build.ninja ]] &&
        grep -qxF "IMPRINT_TORCH_DIR:PATH=$torch" "$cache"; then
        return 0 # ninja itself configures again when a CMake list changes
    fi
    say "configuring $preset"
    (cd "$root" && cmake --preset "$preset" "-DIMPRINT_TORCH_DIR:PATH=$torch")
}

install_packages
choose_cache
mkdir -p "$root/build"
exec 9>"$XDG_CACHE_HOME/imprint/setup.lock" 8>"$root/build/.lock"
flock 9
install_torch
[[ $preset != cuda ]] || add_cuda
flock -u 9
flock 8 # two builds of one tree at once would write the same objects
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$root} # the presets share objects: only paths below the tree differ between them
configure
ninja -C "$root/build/$preset" "$@" | sed -u '/no work to do/d; /Entering directory/d; /Re-checking globbed/d'
