# SPDX-License-Identifier: Apache-2.0
"""Sounds with names: games' effects and samplers' sounds. A file's name becomes a readable caption. Everything is kept
as mono 16 kHz 16-bit WAV, at most 12 seconds after the leading silence."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np

from captions import Item, stem_words
from common import tidy, whole

RATE = 16000
SECONDS = 12
FINGERPRINT = 40 * 24

WESNOTH_WORDS = {"human-female": "woman", "human-old": "old man", "human": "man", "drake": "dragon",
                 "sml": "small", "die": "dying", "hit": "crying out in pain", "magicmissile": "magic missile",
                 "thunderstick": "thunderstick gunshot", "ugg": "grunt", "wardrums": "war drums", "faeriefire": "faerie fire",
                 "cave-in": "cave collapsing", "wose": "tree creature", "mermen": "merman", "gamestart": "game start",
                 "dragonstick": "dragon staff fire", "fanfare": "fanfare", "hiss-big": "big hiss"}
SONIC_PREFIX = {"ambi": "ambient {}", "bd": "bass drum {}", "sn": "snare drum {}", "elec": "electronic {}",
                "perc": "percussion {}", "guit": "guitar {}", "tabla": "tabla drum", "misc": "{}", "glitch": "glitch {}",
                "mehackit": "electronic {}", "loop": "{} loop", "vinyl": "vinyl record {}", "bass": "bass synthesizer {}",
                "drum": "drum {}"}
SONIC_WORDS = {"tom": "tom-tom", "lo": "low", "mid": "middle", "hi": "high", "dnb": "drum and bass", "blup": "blop",
               "em": "e minor chord", "cineboom": "cinematic boom", "amen": "amen drum break", "swoosh": "whoosh",
               "woosh": "whoosh", "filt": "filtered", "perc": "percussion", "burp": "burp", "tabla": "tabla drum"}
# Whole names that say nothing of what is heard once their prefix is gone.
SONIC_NAMES = {"bd": {"ada", "fat", "gas", "haus", "klub", "mehackit", "pure", "sone", "tek", "zome", "zum", "boom"},
               "sn": {"dolf", "dub", "generic", "zome"}}


def items(roots: dict[str, Path]) -> list[Item]:
    found = [*_wesnoth(roots["wesnoth-1.16-data"]), *_sonic_pi(roots["sonic-pi-samples"]),
             *_supertuxkart(roots["supertuxkart-data"]), *_minetest(roots["minetest-data"]),
             *_lmms(roots["lmms-common"]), *_themes(roots), *_games(roots)]
    return [item for item in found if re.search(r"[a-z]{3}", item.label)]


def _item(source: str, name: str, path: Path, label: str, keywords: tuple[str, ...] = ()) -> Item:
    label = tidy(label).lower()
    return Item(f"{source}/{name}", source, "sound", [str(path)], label, [], list(keywords), f"{source}/{label}")


def _audio(base: Path) -> list[Path]:
    return sorted(p for p in base.rglob("*") if p.suffix.lower() in (".ogg", ".wav", ".flac", ".oga", ".aif", ".au")
                  and not p.is_symlink())


def _wesnoth(root: Path) -> list[Item]:
    found = []
    for path in _audio(root):
        name = str(path.relative_to(root / "usr/share/games/wesnoth/1.16"))
        if "/music/" in f"/{name}" or path.stem.startswith(("chat", "miss", "select", "slider", "checkbox", "contract",
                                                            "expand", "join", "leave", "receive", "slowed", "arrive")):
            continue
        stem = re.sub(r"-?\d+$", "", path.stem)
        if stem.endswith("-miss"):
            label = _translated(stem[:-5], WESNOTH_WORDS) + " missing"
        elif "horn-signals" in name:
            label = "war horn signal"
        else:
            label = _translated(stem, WESNOTH_WORDS)
        found.append(_item("wesnoth", name, path, label))
    return found


def _translated(stem: str, table: dict[str, str]) -> str:
    for old in ("human-female", "human-old"):
        stem = stem.replace(old, table[old])
    if stem in table:
        return table[stem]
    return " ".join(table.get(word, word) for word in re.split(r"[-_ ]+", stem))


def _sonic_pi(root: Path) -> list[Item]:
    found = []
    for path in _audio(root):
        prefix, _, rest = path.stem.partition("_")
        if prefix not in SONIC_PREFIX:
            continue
        rest = re.sub(r"_[a-g]$|_[a-g]_\d+$", "", re.sub(r"\d+$", "", rest))
        if rest in SONIC_NAMES.get(prefix, ()):
            rest = ""
        said = " ".join(SONIC_WORDS.get(word, word) for word in rest.split("_") if not word.isdigit())
        found.append(_item("sonic-pi", path.stem, path, SONIC_PREFIX[prefix].format(said)))
    return found


def _supertuxkart(root: Path) -> list[Item]:
    found = []
    for path in _audio(root):
        if "/music/" in str(path) or path.stat().st_size > 3_000_000:
            continue
        label = stem_words(path.stem).lower()
        if len(label) > 2:
            found.append(_item("supertuxkart", str(path.relative_to(root)), path, label, ()))
    return found


def _minetest(root: Path) -> list[Item]:
    found = []
    for path in _audio(root):
        label = stem_words(re.sub(r"^(default|player|mcl|tnt|fire|doors|carts|env_sounds|vessels)_", "", path.stem)).lower()
        found.append(_item("minetest", str(path.relative_to(root)), path, label))
    return found


def _lmms(root: Path) -> list[Item]:
    found = []
    for path in _audio(root / "usr/share/lmms/samples"):
        folder = {"basses": "bass synthesizer", "bassloopes": "bass loop", "beats": "drum beat loop", "drums": "drum",
                  "drumsynth": "drum machine", "effects": "", "instruments": "", "latin": "latin percussion",
                  "misc": "", "shapes": "", "stringsnpads": "string pad"}.get(path.parent.name)
        if folder is None or path.parent.name == "shapes":
            continue
        label = f"{folder} {stem_words(re.sub(r'[0-9]+$', '', path.stem))}".lower()
        if path.stem.startswith(("undefined", "start", "stop", "chroma")):
            continue
        found.append(_item("lmms", str(path.relative_to(root)), path, label))
    return found


def _themes(roots: dict[str, Path]) -> list[Item]:
    found = []
    for package, source in (("sound-icons", "sound-icons"), ("sound-theme-freedesktop", "freedesktop"),
                            ("oxygen-sounds", "oxygen"), ("gnome-audio", "gnome-audio")):
        for path in _audio(roots[package]):
            label = stem_words(re.sub(r"^Oxygen-(Sys|Im|K3B|Window)-?", "", path.stem)).lower()
            if label.startswith("audio "):  # spoken
                continue
            if source in ("freedesktop", "oxygen"):
                label += " notification"
            found.append(_item(source, str(path.relative_to(roots[package])), path, label))
    return found


# Other games, by package: where their sounds are, and what to say in place of names that are jargon. A file whose
# name (digits gone) is given as None is left out.
GAMES = {
    "widelands-data": ("usr/share/games/widelands/data", {
        "click": None, "create construction site": None, "lobby chat": None, "lobby freshmen": None, "message": None,
        "site occupied": None, "under attack": None, "farm animal": None, "goldspin": "spinning gold thread",
        "benchsaw": "bench saw", "stonecutter": "cutting stone", "stonemason": "stonemason chiselling",
        "blackwood": "burning wood", "stonegrind": "grinding stone", "biginn": "tavern full of people",
        "inn": "people in a tavern", "tavern": "people in a tavern", "weaver": "weaving loom", "weaving": "weaving loom",
        "beerbubble": "bubbling beer", "winebubble": "bubbling wine", "meal": "people eating", "ration": "person eating",
        "stag": "roaring stag", "moose": "moose call", "wolf": "howling wolf", "coyote": "howling coyote",
        "bird": "singing bird", "fisher pull net": "pulling a fishing net from the water",
        "fisher throw net": "throwing a fishing net into the water", "geologist hammer": "hammering on stone",
        "furnace": "furnace fire", "goldping": "hammering gold", "ironping": "hammering iron",
        "mill turning": "turning mill", "falling tools": "tools falling down", "smith": "blacksmith hammering",
        "toolsmith": "blacksmith hammering", "fast woodcutting": "chopping wood", "woodcutting": "chopping wood",
        "tree falling": "falling tree", "mortar": "mixing mortar", "scythe": "mowing with a scythe"}),
    "simutrans-pak64": ("usr/share/games/simutrans/pak/sound", {
        "click": None, "boing": None, "comet jet": "jet airplane", "planelow": "propeller airplane",
        "diesel": "diesel locomotive", "steam": "steam locomotive", "crossing": "railway crossing bell",
        "dock": "harbour dock", "cash": "cash register", "arctic": "arctic wind", "tropic": "tropical jungle",
        "gavel": "gavel knock", "water": "flowing water", "tree cutting": "cutting a tree"}),
    "lincity-ng-data": ("usr/share/games/lincity-ng/sounds", {
        "build": None, "click": None, "commune": None, "green": None, "health": "hospital", "raze": "demolition blast",
        "industry high": "heavy industry", "industry light": "light industry factory", "market empty": None,
        "market full": "busy market", "market low": None, "market med": "market", "monument": None,
        "power coal empty": None, "power coal full": "coal power station", "power coal low": None,
        "power coal med": "coal power station", "power solar": None, "residential high": "city street",
        "residential low": "quiet residential street", "residential low low": None, "residential med": "city street",
        "shanty": None, "sports croud": "crowd at a sports match", "substation": "humming electric substation",
        "substation off": None, "substation on": None, "tip": "garbage dump", "trafic high": "heavy road traffic",
        "trafic low": "light road traffic", "university": "students in a university", "wind mill htech": "wind turbine",
        "wind mill": "windmill", "dirt track": "horse cart on a dirt track", "rail train": "railway train",
        "parkland lake": "park with a lake", "parkland plane": "birds in a park", "recycle": "recycling plant",
        "farm": "farm animals", "organic farm": "farm", "school": "children in a school yard",
        "fire wasteland": "burning fire", "ore mine": "mine", "rocket takeoff": "rocket launch", "power line": None,
        "monument construction": "construction site", "water": "flowing water", "window close": None,
        "window open": None, "mill": "mill", "harbor": "harbour with seagulls"}),
    "supertux-data": ("usr/share/games/supertux2/sounds", {
        "cracking": "cracking ice", "crystallo pop": None, "crystallo shardhit": None, "excellent": None, "empty": None,
        "crystallo shatter": "shattering crystal", "dartfire": None, "darthit": "dart hitting wood", "fall": None,
        "fire flower": None, "flip": None, "flop": None, "grow": None, "hop": None, "iceblock bump": None, "kill": None,
        "invincible start": None, "lifeup": None, "locked": None, "mr tree": None, "mr treehit": None, "pshit": None,
        "retro fall": None, "savebell": "bell", "savebell low": "low bell", "tada": "fanfare", "totem": None,
        "tree howling": "howling", "tree suck": None, "turnkey": "turning a key", "upgrade": None, "warp": None,
        "welldone": None, "willocatch": None, "willowisp": None, "yeti finish": None, "yeti gna": None,
        "yeti roar": "monster roar", "bigjump": None, "brick": "breaking brick", "coins cleared": None,
        "icecrash": "crashing ice", "switch": "light switch", "phone": "ringing phone", "ticking": "ticking clock",
        "coin": "coin", "skid": "skidding"}),
    "hedgewars-data": ("usr/share/games/hedgewars/Data/Sounds", {
        **{name: None for name in (
            "birdy lay", "collect crate", "hellish", "tardis", "yoohoo", "airmine impact", "beewater", "bump", "cake",
            "countdown", "custom", "denied", "extratime", "firepunch hit", "frozen hog impact", "graveimpact", "hell growl",
            "hell ooff", "hell ow", "hell ugh", "hog freeze", "hogchant", "homerun", "ice beam", "ice beam idle",
            "invulnerable", "lasersight", "lowgravity", "placed", "portalopen", "portalshot", "portalswitch",
            "ride of the valkyries", "ropeattach", "roperelease", "ropeshot", "rubberduck die", "rubberduck drop",
            "rubberduck water", "sinegun", "skip", "suddendeath", "switchhog", "throwpowerup", "throwrelease", "warp",
            "melonimpact", "mineimpact", "landgun", "c", "d", "e", "f", "g", "a", "b", "egg", "portal")},
        "baseballbat": "baseball bat hitting a ball", "droplet": "water drop", "kiss": "kiss", "planewater": None,
        "drillgun": "drill", "grenadeimpact": "grenade hitting the ground", "jetpackboost": "jetpack",
        "knife impact": "knife hitting", "minetick": "ticking", "molotov": "breaking bottle and fire",
        "mortar": "mortar shot", "pickhammer": "pneumatic hammer", "plane": "airplane", "rcplane": "model airplane",
        "shotgunfire": "shotgun shot", "shotgunreload": "reloading a shotgun", "shutterclick": "camera shutter",
        "sniperreload": "reloading a rifle", "steps": "footsteps", "whipcrack": "crack of a whip", "bee": "buzzing bee",
        "ufo": "flying saucer", "minigun": "machine gun", "gun": "gunshot", "steam": "hissing steam"}),
}


def _games(roots: dict[str, Path]) -> list[Item]:
    found = []
    for package, (folder, said) in GAMES.items():
        for path in _audio(roots[package] / folder):
            if "music" in path.parts or "voices" in {part.lower() for part in path.parts}:
                continue
            name = stem_words(path.stem).lower()
            label = said.get(name, name)
            if label:
                source = package.removesuffix("-data").removesuffix("-pak64").removesuffix("-ng")
                found.append(_item(source, str(path.relative_to(roots[package] / folder)), path, label))
    return found


def load(path: Path) -> np.ndarray:
    """Mono float32 at 16 kHz, at most SECONDS after the leading silence. libsndfile reads, soxr resamples; what
    libsndfile cannot read, ffmpeg does."""
    import soundfile
    import soxr

    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        mono = samples.mean(1)
    except Exception:  # noqa: BLE001  libsndfile raises several kinds; ffmpeg has the last word
        done = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "f32le", "-ac", "1", "-ar", "48000", "-"],
                              capture_output=True, check=True)
        mono, rate = np.frombuffer(done.stdout, np.float32), 48000
    mono = mono[: rate * 60]
    loud = np.flatnonzero(np.abs(mono) > 0.003)
    if len(mono) == 0 or len(loud) == 0:
        raise ValueError("silent")
    mono = mono[max(0, loud[0] - rate // 100):]
    mono = soxr.resample(mono, rate, RATE, quality="HQ") if rate != RATE else mono
    return np.ascontiguousarray(mono[: RATE * SECONDS], np.float32)


def convert(files: list[str], target: Path) -> None:
    import soundfile

    if files[0].startswith("synth:"):
        import synth

        samples = synth.play(files[0])[: RATE * SECONDS]
    else:
        samples = load(Path(files[0]))
    if len(samples) < RATE // 50:
        raise ValueError("shorter than 20 ms")
    with whole(target) as partial:
        soundfile.write(partial, np.clip(samples, -1, 1), RATE, subtype="PCM_16", format="WAV")


# 40 bands of a 513-bin spectrum, each at least one bin wide.
_EDGES = np.maximum.accumulate(np.maximum(np.geomspace(1, 512, 41).astype(int), np.arange(1, 42)))


def fingerprint(path: Path) -> np.ndarray:
    """A unit vector of 40 log-frequency bands x 24 equal parts of the clip, centred: near copies have a cosine near 1."""
    import soundfile

    samples, _ = soundfile.read(path, dtype="float32")
    if len(samples) < 1024:
        samples = np.pad(samples, (0, 1024 - len(samples)))
    frames = np.lib.stride_tricks.sliding_window_view(samples, 1024)[::256] * np.hanning(1024).astype(np.float32)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    edges = _EDGES
    bands = np.stack([power[:, a:b].sum(1) for a, b in zip(edges[:-1], edges[1:])], 1)
    logs = np.log(bands + 1e-6)
    parts = np.stack([part.mean(0) if len(part) else logs.mean(0) for part in np.array_split(logs, 24)])
    vector = (parts - parts.mean()).ravel()
    return vector / max(1e-9, float(np.linalg.norm(vector)))
