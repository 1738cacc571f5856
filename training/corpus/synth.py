# SPDX-License-Identifier: Apache-2.0
"""Notes, chords, melodies and drum patterns of the General MIDI instruments, from three soundfonts. Synthetic, and all of
it training: figures on real sounds are never averaged with these. A set apart, FreePats, is only tested with (pools.py,
without the instruments that it shares with the three); csound-soundfont is TimGM6mb again, most of MuseScore's is Fluid. more()
adds further notes of the three, three more fonts, and what fonts have beside the 128 programs: the variations and the everyday
sounds of the Roland GS banks, and the instruments of an MT-32. fonts_alike.py says what is alike in which fonts."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from captions import Item
from common import chance, digest

RATE = 16000
FONTS = {"timgm": ("timgm6mb-soundfont", "usr/share/sounds/sf2/TimGM6mb.sf2"),
         "fluid": ("fluid-soundfont-gm", "usr/share/sounds/sf2/FluidR3_GM.sf2"),
         "musescore": ("musescore-general-soundfont-small", "usr/share/sounds/sf3/MuseScore_General_Lite.sf3")}
# MuseScore's programs whose middle C is no copy of Fluid's or TimGM6mb's (cross-correlation below .8).
OWN = {"musescore": {1, 3, 5, 10, 38, 39, 41, 42, 43, 50, 51, 52, 62, 63, 70, 73, 80, 81, 83, 84, 86, 87, 88, 89, 90, 92,
                     93, 94, 95, 96, 97, 98, 99, 100, 102, 103}}
LATER = {"generaluser": ("minuet-data", "usr/share/minuet/soundfonts/GeneralUser-v1.47.sf2"),
         "a320u": ("denemo-data", "usr/share/sounds/sf2/A320U.sf2"),
         "opl3": ("opl3-soundfont", "usr/share/sounds/sf2/OPL-3_FM_128M.sf2")}
# Their programs whose notes are like FreePats' or, of A320U and the FM chip, like a font's that is there (fonts_alike.py; of
# GeneralUser by the cross-correlation of some 0.4 seconds of middle C with FreePats' above .75): not trained on.
ALIKE = {"generaluser": {2, 4, 7, 9, 13, 24, 27, 28, 32, 35, 57, 64, 70, 71, 101, 114},
         "a320u": {0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 15, 16, 17, 19, 20, 26, 32, 33, 35, 36, 38, 44, 46, 53, 57, 58, 61,
                   62, 63, 70, 71, 72, 73, 74, 75, 76, 78, 79, 80, 82, 85, 87, 91, 98, 105, 108, 110, 113, 114},
         "opl3": {5, 8, 12, 13, 60, 74, 77, 79, 80, 88, 96, 108, 115}}
FAMILIES = ["piano", "tuned percussion", "organ", "guitar", "bass", "string instrument", "string ensemble", "brass",
            "reed instrument", "flute", "synthesizer lead", "synthesizer pad", "synthesizer effect", "folk instrument",
            "percussion", "sound effect"]
PROGRAMS = """grand piano|bright piano|electric grand piano|honky-tonk piano|electric piano|chorused electric piano|
harpsichord|clavinet|celesta|glockenspiel|music box|vibraphone|marimba|xylophone|tubular bells|dulcimer|drawbar organ|
percussive organ|rock organ|church organ|reed organ|accordion|harmonica|bandoneon|nylon string acoustic guitar|
steel string acoustic guitar|jazz guitar|clean electric guitar|muted electric guitar|overdriven guitar|distorted guitar|
guitar harmonics|acoustic bass|electric bass|picked electric bass|fretless bass|slap bass|slap bass guitar|synth bass|
synth bass|violin|viola|cello|double bass|tremolo strings|pizzicato strings|harp|timpani|string orchestra|
slow string orchestra|synth strings|synth strings|choir singing|voices singing|synth voice|orchestra hit|trumpet|trombone|
tuba|muted trumpet|french horn|brass section|synth brass|synth brass|soprano saxophone|alto saxophone|tenor saxophone|
baritone saxophone|oboe|english horn|bassoon|clarinet|piccolo|flute|recorder|pan flute|blown bottle|shakuhachi|whistle|
ocarina|square wave synthesizer|sawtooth synthesizer|calliope|chiff lead synthesizer|charang synthesizer|
voice synthesizer|fifths synthesizer|bass and lead synthesizer|new age pad|warm pad|polyphonic synthesizer pad|choir pad|
bowed pad|metallic pad|halo pad|sweep pad|rain effect|soundtrack effect|crystal effect|atmosphere effect|
brightness effect|goblins effect|echoes effect|science fiction effect|sitar|banjo|shamisen|koto|kalimba|bagpipes|fiddle|
shehnai|tinkle bell|agogo|steel drums|woodblock|taiko drum|melodic tom|synth drum|reverse cymbal|guitar fret noise|
breath noise|seashore waves|bird tweet|telephone ring|helicopter|applause|gunshot""".replace("\n", "").split("|")
DRUMS = {35: "bass drum", 36: "kick drum", 37: "side stick", 38: "snare drum", 39: "hand clap", 40: "electric snare",
         41: "low floor tom", 42: "closed hi-hat", 43: "high floor tom", 44: "pedal hi-hat", 45: "low tom",
         46: "open hi-hat", 47: "middle tom", 48: "middle tom", 49: "crash cymbal", 50: "high tom", 51: "ride cymbal",
         52: "chinese cymbal", 53: "ride bell", 54: "tambourine", 55: "splash cymbal", 56: "cowbell", 57: "crash cymbal",
         58: "vibraslap", 59: "ride cymbal", 60: "high bongo", 61: "low bongo", 62: "muted conga", 63: "open conga",
         64: "low conga", 65: "high timbale", 66: "low timbale", 67: "high agogo", 68: "low agogo", 69: "cabasa",
         70: "maracas", 71: "short whistle", 72: "long whistle", 73: "short guiro", 74: "long guiro", 75: "claves",
         76: "high woodblock", 77: "low woodblock", 78: "muted cuica", 79: "open cuica", 80: "muted triangle",
         81: "open triangle"}
# Beside the programs, by bank: what the GS banks hold (a bank that a font lacks or copies from another is not in BANKS).
VARIATIONS = {
    1: {44: "tremolo strings", 120: "guitar cut noise", 121: "flute key click", 122: "rain", 123: "barking dog",
        124: "telephone ring", 125: "car engine starting", 126: "people laughing", 127: "machine gun"},
    2: {102: "echoes effect", 120: "string slap", 122: "thunder", 123: "galloping horse", 124: "creaking door",
        125: "car stopping", 126: "scream", 127: "laser gun"},
    3: {122: "wind", 123: "bird", 124: "slamming door", 125: "car passing", 126: "punch", 127: "explosion"},
    4: {122: "stream", 124: "record scratch", 125: "car crash", 126: "heartbeat"},
    5: {122: "bubbles", 124: "wind chimes", 125: "siren", 126: "footsteps"},
    6: {125: "train"}, 7: {125: "jet plane"},
    8: {4: "electric piano", 5: "chorused electric piano", 6: "harpsichord", 14: "church bell", 16: "drawbar organ",
        17: "percussive organ", 19: "church organ", 21: "accordion", 27: "clean electric guitar", 28: "funk guitar",
        30: "distorted guitar", 31: "guitar feedback", 38: "synth bass", 39: "synth bass", 50: "synth strings",
        61: "brass section", 62: "synth brass", 63: "synth brass", 81: "sawtooth synthesizer", 107: "koto", 115: "castanets",
        116: "concert bass drum", 117: "melodic tom", 118: "synth drum", 125: "starship"},
    9: {14: "church bell", 125: "burst of noise"},
    11: {8: "tinkle bell", 14: "church bell", 38: "synth bass", 50: "synth strings", 51: "synth strings", 61: "brass section",
         81: "sawtooth synthesizer", 98: "crystal effect", 119: "crash cymbal"},
    12: {38: "synth bass", 48: "string orchestra", 88: "new age pad", 119: "tambourine"},
    13: {48: "woodwind ensemble", 88: "new age pad"},
    # An MT-32's own list of instruments.
    127: {4: "electric piano", 6: "electric piano", 7: "honky-tonk piano", 8: "drawbar organ", 9: "percussive organ",
          11: "rock organ", 12: "church organ", 13: "church organ", 14: "church organ", 15: "accordion", 16: "harpsichord",
          17: "harpsichord", 18: "harpsichord", 19: "clavinet", 20: "clavinet", 21: "clavinet", 22: "celesta", 23: "celesta",
          25: "synth brass", 26: "synth brass", 27: "synth brass", 29: "synth bass", 30: "synth bass", 31: "synth bass",
          32: "new age pad", 34: "choir pad", 35: "bowed pad", 36: "soundtrack effect", 37: "atmosphere effect",
          39: "voice synthesizer", 41: "rain effect", 47: "square wave synthesizer", 51: "pizzicato strings", 52: "violin",
          55: "cello", 56: "double bass", 57: "harp", 59: "nylon string acoustic guitar",
          60: "steel string acoustic guitar", 61: "clean electric guitar", 62: "clean electric guitar", 63: "sitar",
          64: "acoustic bass", 65: "acoustic bass", 66: "electric bass", 68: "slap bass", 69: "slap bass",
          71: "fretless bass", 75: "piccolo", 79: "saxophone", 80: "saxophone", 81: "saxophone", 82: "clarinet",
          83: "clarinet", 84: "oboe", 85: "english horn", 86: "bassoon", 87: "harmonica", 88: "trumpet", 89: "trumpet",
          90: "trombone", 91: "trombone", 92: "french horn", 93: "french horn", 94: "tuba", 95: "brass section",
          96: "brass section", 97: "vibraphone", 100: "wind chimes", 101: "glockenspiel", 102: "tubular bells",
          103: "xylophone", 104: "marimba", 105: "koto", 107: "shakuhachi", 109: "whistle", 110: "blown bottle",
          112: "timpani", 113: "melodic tom", 115: "synth drum", 116: "synth drum", 117: "taiko drum", 120: "castanets",
          121: "triangle", 122: "orchestra hit", 123: "telephone ring", 124: "bird tweet"}}
BANKS = {
    "fluid": {8: {6, 14, 19, 21, 28, 30, 31, 50, 61, 62, 63, 107, 115, 116, 117}, 9: {125}},
    "fluid-gs": {bank: set(VARIATIONS[bank]) - {44, 102} for bank in range(1, 8)} | {8: {125}},
    "generaluser": {**{bank: set(VARIATIONS[bank]) - ({121} if bank == 1 else set()) for bank in range(1, 8)},
                    8: {4, 16, 21, 27, 28, 39, 61, 62, 63, 81, 116, 117, 118, 125}, 9: {14, 125},
                    11: set(VARIATIONS[11]), 12: set(VARIATIONS[12]), 13: set(VARIATIONS[13])},
    "a320u": {**{bank: set(VARIATIONS[bank]) - {1: {44, 120, 121}, 2: {102, 125}, 3: {123}}.get(bank, set())
                 for bank in range(1, 8)},
              8: {5, 14, 16, 17, 19, 21, 27, 28, 30, 38, 61, 63, 107, 115, 116}, 9: {125}, 127: set(VARIATIONS[127])}}
MT32 = 127
# The program whose range is that of an MT-32's instrument.
MT32_LIKE = {number: PROGRAMS.index(name) for number, name in VARIATIONS[MT32].items() if name in PROGRAMS}
BANKED = {**FONTS, **LATER, "fluid-gs": ("fluid-soundfont-gs", "usr/share/sounds/sf2/FluidR3_GS.sf2")}
# What is played, and how often for each instrument and soundfont.
FORMS = {"note": 4, "chord": 2, "melody": 4}
DRUM_FORMS = {"hit": 2, "pattern": 2}
BEATS = 40
# What more() plays of the three fonts beyond it, of the fonts that came last, and of a bank's instruments and effects.
MORE_FORMS = {"note": range(4, 12), "melody": range(4, 6)}
LAST_FORMS = {"note": range(8), "chord": range(2), "melody": range(4)}
LAST = {"a320u", "opl3"}
BANK_FORMS = {"note": range(4), "chord": range(1), "melody": range(2)}
EFFECT_FORMS = {"effect": range(3)}
FIXED_PITCH = range(119, 128)  # noises and effects: a scale of them is nonsense
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9))
# Where an instrument is at home, by family (MIDI keys); the low and the high ones apart.
RANGES = {0: (48, 84), 1: (60, 88), 2: (48, 79), 3: (45, 76), 4: (28, 50), 5: (48, 84), 6: (48, 79), 7: (50, 76),
          8: (50, 79), 9: (60, 88), 13: (52, 79)}
OWN_RANGE = {42: (38, 62), 43: (28, 50), 47: (40, 55), 57: (40, 67), 58: (30, 53), 70: (36, 62), 67: (40, 62),
             109: (58, 77), 40: (56, 91), 72: (72, 98), 115: (55, 80)}


def items(roots: dict[str, Path]) -> list[Item]:
    found = []
    for font, (package, file) in FONTS.items():
        path = roots[package] / file
        found += _played("midi", font, path, _programs(font), {form: range(count) for form, count in FORMS.items()})
        found += [] if font in OWN else _drummed("midi", font, path)
    return found


def more(roots: dict[str, Path]) -> list[Item]:
    """What came when the splits were fixed already (later.py)."""
    found = []
    for font, (package, file) in LATER.items():
        path = roots[package] / file
        programs = {program: PROGRAMS[program] for program in range(128) if program not in ALIKE[font]}
        forms = LAST_FORMS if font in LAST else {form: range(count) for form, count in FORMS.items()}
        found += _played("midi-more", font, path, programs, forms) + _drummed("midi-more", font, path)
    for font, (package, file) in FONTS.items():
        found += _played("midi-more", font, roots[package] / file, _programs(font), MORE_FORMS)
    for font, banks in BANKS.items():
        package, file = BANKED[font]
        for bank, programs in banks.items():
            named = {program: VARIATIONS[bank][program] for program in programs if program in VARIATIONS[bank]}
            effects = {} if bank == MT32 else {program: name for program, name in named.items() if program >= 120}
            tuned = {program: name for program, name in named.items() if program not in effects}
            found += _played("midi-more", font, roots[package] / file, tuned, BANK_FORMS, bank)
            found += _played("midi-more", font, roots[package] / file, effects, EFFECT_FORMS, bank)
    return found


def _programs(font: str) -> dict[int, str]:
    return {program: PROGRAMS[program] for program in sorted(OWN.get(font, range(128)))}


def _played(source: str, font: str, path: Path, programs: dict[int, str], forms: dict[str, range], bank: int = 0) -> list[Item]:
    found = []
    for program, name in sorted(programs.items()):
        for form, numbers in forms.items():
            if bank != MT32 and program in FIXED_PITCH and form not in ("note", "effect"):
                continue
            said = {"note": f"{name} note", "chord": f"{name} chord", "melody": f"{name} playing a melody"}.get(form)
            said = [] if form == "effect" or program in FIXED_PITCH else [said]
            family = [] if form == "effect" else ["instrument"] if bank == MT32 else [FAMILIES[program // 8]]
            place = f"{program}.{bank}" if bank else f"{program}"
            found += [_item(source, font, path, f"{form}-{place}-{n}", name, said, family) for n in numbers]
    return found


def _drummed(source: str, font: str, path: Path) -> list[Item]:
    found = []
    for key, name in DRUMS.items():
        for form, count in DRUM_FORMS.items():
            found += [_item(source, font, path, f"{form}-{key}-{n}", name, [], ["percussion"]) for n in range(count)]
    return found + [_item(source, font, path, f"beat-0-{n}", "drum kit playing a beat", ["drums"], ["percussion"])
                    for n in range(BEATS)]


def _item(source: str, font: str, path: Path, what: str, name: str, titles: list[str], keywords: list[str]) -> Item:
    return Item(f"{source}/{font}-{what}", source, "sound", [f"synth:{path}:{what}"], name, titles, keywords, f"midi/{name}",
                plain=False)


@lru_cache(maxsize=2)
def _font(path: str):
    import tinysoundfont

    synth = tinysoundfont.Synth(samplerate=RATE, gain=-6)
    return synth, synth.sfload(path)


def play(spec: str) -> np.ndarray:
    """Mono float32 at 16 kHz of one item's `synth:PATH:WHAT`; all choices come from WHAT and the soundfont's name."""
    _, path, what = spec.split(":", 2)
    form, place, _ = what.split("-")
    number, bank = (int(part) for part in f"{place}.0".split(".")[:2])
    synth, font = _font(path)
    name = f"{Path(path).name}:{what}"
    events, seconds = _events(form, MT32_LIKE.get(number, 0) if bank == MT32 else number, name)
    drums = form in ("hit", "pattern", "beat")
    channel = 9 if drums else 0
    synth.program_select(channel, font, 128 if drums else bank, 0 if drums else number)
    parts, now = [], 0.0
    for time, key, velocity in sorted(events):
        if time > now:
            parts.append(_generate(synth, round((time - now) * RATE)))
            now = time
        if velocity:
            synth.noteon(channel, key, velocity)
        else:
            synth.noteoff(channel, key)
    parts.append(_generate(synth, round(max(0.3, seconds - now) * RATE)))
    synth.sounds_off()
    _generate(synth, RATE // 4)
    samples = room(np.concatenate(parts), name)
    peak = float(np.abs(samples).max())
    if peak < 1e-4:
        raise ValueError("silent")
    return (samples * (0.3 + 0.6 * chance(name, "level")) / peak).astype(np.float32)


def _generate(synth, samples: int) -> np.ndarray:
    if samples <= 0:
        return np.zeros(0, np.float32)
    return np.frombuffer(bytes(synth.generate(samples)), np.float32).reshape(-1, 2).mean(1)


def _events(form: str, number: int, name: str) -> tuple[list[tuple[float, int, int]], float]:
    """Notes on and off as (seconds, key, velocity; 0 is off), and the length."""
    velocity = 70 + digest(name, "velocity") % 50
    if form == "hit":
        return [(0.0, number, velocity), (1.0, number, 0)], 1.5
    if form == "pattern":
        step = 0.12 + 0.3 * chance(name, "step")
        hits = [i * step for i in range(12) if i % 4 == 0 or chance(name, "hit", i) < 0.5]
        return [(t, number, velocity - digest(name, t) % 25) for t in hits], hits[-1] + 0.8
    if form == "beat":
        step = 60 / (80 + digest(name, "tempo") % 80) / 2
        events = []
        for i in range(16):
            if i % 4 == 0 or chance(name, "kick", i) < 0.15:
                events.append((i * step, 36, velocity))
            if i % 4 == 2:
                events.append((i * step, 38, velocity))
            if chance(name, "hat", i) < 0.8:
                events.append((i * step, 42 if chance(name, "open", i) < 0.85 else 46, velocity - 20))
            if i == 0 and chance(name, "crash") < 0.4:
                events.append((0.0, 49, velocity))
            if i >= 12 and chance(name, "fill", i) < 0.5:
                events.append((i * step, (48, 45, 41)[digest(name, "tom", i) % 3], velocity))
        return events, 16 * step + 0.5
    if form == "effect":
        length = 1.5 + 2.0 * chance(name, "length")
        key = 57 + digest(name, "key") % 7
        return [(0.0, key, velocity), (length, key, 0)], length + 0.8
    low, high = OWN_RANGE.get(number, RANGES.get(number // 8, (48, 79)))
    root = low + digest(name, "root") % max(1, high - low - 11)
    if form == "note":
        length = 0.6 + 2.0 * chance(name, "length")
        key = low + digest(name, "key") % (high - low + 1)
        return [(0.0, key, velocity), (length, key, 0)], length + 0.8
    if form == "chord":
        shape = ((0, 4, 7), (0, 3, 7), (0, 4, 7, 10), (0, 5, 7))[digest(name, "shape") % 4]
        spread = 0.06 * chance(name, "spread")
        notes = [(i * spread, root + step, velocity) for i, step in enumerate(shape)]
        return notes + [(1.8, root + step, 0) for step in shape], 2.6
    scale = SCALES[digest(name, "scale") % len(SCALES)]
    beat = 60 / (70 + digest(name, "tempo") % 90)
    events, time, degree = [], 0.0, digest(name, "start") % 5
    for i in range(6 + digest(name, "notes") % 6):
        length = beat * (0.5, 0.5, 1.0, 1.0, 2.0)[digest(name, "value", i) % 5]
        key = root + 12 * (degree // len(scale)) + scale[degree % len(scale)]
        while key > high:
            key -= 12
        events += [(time, key, velocity - digest(name, "accent", i) % 20), (time + 0.92 * length, key, 0)]
        time += length
        degree = max(0, min(10, degree + (-2, -1, -1, 1, 1, 2, 3)[digest(name, "move", i) % 7]))
        if time > 5:
            break
    return events, time + 0.6


def room(samples: np.ndarray, name: str) -> np.ndarray:
    """Half of the clips stand in a room: a decaying noise of 0.2 to 1.5 seconds, mixed in."""
    if chance(name, "room") < 0.5:
        return samples
    length = int(RATE * (0.2 + 1.3 * chance(name, "decay")))
    noise = np.random.default_rng(digest(name, "noise")).standard_normal(length)
    tail = noise * np.exp(-6.0 * np.arange(length) / length)
    size = 1 << (len(samples) + length).bit_length()
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(tail, size), size)[: len(samples)]
    wet *= np.abs(samples).max() / max(1e-9, np.abs(wet).max())
    return samples + (0.15 + 0.5 * chance(name, "wet")) * wet
