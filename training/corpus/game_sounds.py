# SPDX-License-Identifier: Apache-2.0
"""Sounds of games and drum kits of which only some files say what is heard: a pattern chooses files and gives the label.
The first pattern that matches a file's path below the folder counts; files that none matches are left out."""

from __future__ import annotations

import re
from pathlib import Path

from captions import Item

SUFFIXES = (".ogg", ".wav", ".flac", ".aiff")
# Package, source, folder, patterns (searched in the path below the folder, without suffix) and labels.
CHOSEN = (
    ("megaglest-data", "megaglest", "usr/share/games/megaglest", (
        (r"chicken_(ack|select|standing)|sounds/chicken$", "clucking chicken"), (r"chicken_die", "screaming chicken"),
        (r"sounds/rooster", "crowing rooster"), (r"cow_(ack|select)|mudchute_cow", "mooing cow"),
        (r"bull_(ack|select|attack)", "bellowing bull"), (r"/pig_(ack|select|attack)", "grunting pig"),
        (r"pig_die", "squealing pig"), (r"sheep\d+$|sheep_die", "bleating sheep"),
        (r"elephant/sounds/ele(attack)?\d", "trumpeting elephant"), (r"beehive/sounds/bee", "buzzing bees"),
        (r"horseman_walk", "galloping horse"), (r"sounds/wolf", "howling wolf"), (r"sounds/owl", "hooting owl"),
        (r"sounds/hawk", "screeching hawk"), (r"eagle_(ack|select|attack)", "screeching eagle"),
        (r"snake_attack", "hissing snake"), (r"eagle_fly|dr_walk|dragon_fly", "flapping wings"),
        (r"dragon_(select|ack|attack|die)", "roaring dragon"),
        (r"behemoth_(select|ack|attack|die)", "roaring monster"), (r"anvil", "hammer on an anvil"),
        (r"catapult_walk", "creaking wooden cart"), (r"worker_harvest_wood", "chopping wood"),
        (r"worker_mine", "pickaxe on rock"), (r"(technician|worker)_build", "hammering"),
        (r"building_fall", "collapsing building"), (r"airship_fly|orni_fly|orni_standing", "propeller airship"),
        (r"machine_walk", "walking robot"), (r"sounds/rain", "rain"), (r"sounds/wind", "wind"),
        (r"sounds/nigh", "night with chirping crickets"), (r"sounds/(day|sunny_day)", "singing birds in a forest"),
        (r"sounds/desertday", "desert wind"), (r"water_sounds/water", "splashing water"),
        (r"arrow_hit", "arrow hitting a target"), (r"archer_attack", "bow shooting an arrow"),
        (r"princess/sounds/knife", "knife blade"), (r"menu/sound/sonar", "sonar ping"),
        (r"tower_hit|air_hit", "explosion"))),
    ("flare-game", "flare", "usr/share/games/flare/mods", (
        (r"environment/minecart", "mine cart on rails"), (r"falling_rocks", "falling rocks"),
        (r"environment/rain", "rain"), (r"door_open", "opening a door"),
        (r"environment/stairs", "footsteps on stairs"), (r"forest_owl", "hooting owl"),
        (r"river_loop", "flowing river"), (r"bird_twitter", "twittering birds"), (r"open_fire", "crackling fire"),
        (r"anvil_loop", "hammer on an anvil"), (r"environment/wind_loop", "wind"),
        (r"cave_droplets", "dripping water in a cave"), (r"raven_loop", "cawing raven"),
        (r"cave_wind", "wind in a cave"), (r"stone_open", "sliding stone door"),
        (r"wood_open", "opening a wooden chest"), (r"heartbeat", "heartbeat"), (r"inventory_page", "turning a page"),
        (r"inventory_cloth", "rustling cloth"), (r"inventory_metal", "clinking metal"),
        (r"inventory_potion", "clinking bottle"), (r"inventory_book", "closing a book"),
        (r"inventory_wood", "knocking on wood"), (r"inventory_coins", "jingling coins"),
        (r"inventory_maille", "rattling chain mail"), (r"inventory_leather", "creaking leather"),
        (r"female_(hit|die)", "screaming woman"), (r"male_(hit|die)", "man crying out in pain"),
        (r"minotaur", "roaring bull monster"), (r"zombie", "groaning zombie"), (r"skeleton", "rattling bones"),
        (r"wyvern", "screeching dragon"), (r"antlion", "hissing insect monster"), (r"goblin", "snarling goblin"),
        (r"powers/fireball", "whoosh of fire"), (r"powers/burn", "burning fire"),
        (r"powers/shoot", "bow shooting an arrow"), (r"powers/shock", "electric shock"), (r"powers/warcry", "war cry"),
        (r"powers/quake", "rumbling earthquake"), (r"powers/freeze", "cracking ice"), (r"powers/thunder", "thunder"),
        (r"powers/potion", "drinking a potion"), (r"powers/(block|shield)", "sword hitting a shield"),
        (r"step_metal", "footsteps in metal armor"), (r"step_(leather|cloth|echo)", "footsteps"),
        (r"melee_attack", "sword swing"))),
    ("btanks-data", "btanks", "usr/share", (
        (r"sounds/cow$", "mooing cow"), (r"sounds/train$", "train"), (r"sounds/helicopter$", "helicopter"),
        (r"sounds/laugh", "laughing man"), (r"klaxon-funny", "car horn"), (r"klaxon", "klaxon horn"),
        (r"engine-start", "starting an engine"), (r"engine-car", "car engine"),
        (r"engine-vehicle|vehicle-sound", "truck engine"), (r"tank-move", "moving tank"),
        (r"submarine", "submarine sonar"), (r"explosion", "explosion"), (r"mine-tick", "ticking bomb"),
        (r"cannon\d", "cannon shot"), (r"sounds/shot$|bullet$", "gunshot"), (r"missile$", "missile launch"),
        (r"man-steps", "footsteps"), (r"sounds/fire", "burning fire"), (r"zombie", "groaning zombie"),
        (r"deadman|scream", "screaming man"), (r"worm-eat", "munching"), (r"ambient/city", "city street"),
        (r"ambient/forest", "singing birds in a forest"), (r"ambient/country", "countryside with birds"),
        (r"ambient/swamp", "swamp with frogs"))),
    ("searchandrescue-data", "searchandrescue", "usr/share/games/searchandrescue/sounds", (
        (r"thunder", "thunder"), (r"helicopter_wheel|land_wheel|overspeed", "screeching tires"),
        (r"helicopter_engine_start", "helicopter starting"), (r"helicopter|hh6", "helicopter"),
        (r"jet_engine_start", "jet engine starting"), (r"jet_engine", "jet airplane engine"), (r"crash", "crash"),
        (r"door_close", "closing a door"), (r"splash", "splash in water"), (r"thud|land_belly", "thud"),
        (r"screenshot", "camera shutter"), (r"gear_(up|down)|flap", "electric motor"), (r"stall", "warning beep"),
        (r"air_brake", "rushing air"))),
    ("micropolis-data", "micropolis", "usr/share/games/micropolis/res/sounds", (
        (r"^airport$", "airplane taking off"), (r"^aaah$", "screaming man"), (r"^bulldozer$", "bulldozer engine"),
        (r"^beep$", "beep"), (r"^boing$", "bouncing spring"), (r"^chalk$", "chalk on a blackboard"),
        (r"^cuckoo$", "cuckoo clock"), (r"^eraser$", "rubbing an eraser"), (r"^explosion", "explosion"),
        (r"^fire$", "fire truck siren"), (r"^(heavytraffic|road)$", "car traffic"),
        (r"^honkhonk", "honking car horns"), (r"^ignition$", "starting a car engine"),
        (r"^monster$", "roaring monster"), (r"^police$|^siren$", "police siren"), (r"^quack", "quacking duck"),
        (r"^rail$", "train on rails"), (r"^rumble$", "rumbling"), (r"^seaport$", "ship horn"),
        (r"^skid$", "skidding tires"), (r"^stadium$", "cheering crowd in a stadium"), (r"^whip$", "crack of a whip"),
        (r"^woosh$", "whoosh"), (r"^computer$", "computer beeps"))),
    ("caveexpress-data", "caveexpress", "usr/share/games/caveexpress/sounds", (
        (r"fruit-eat", "biting into an apple"), (r"crate-hit", "wooden crate falling"),
        (r"drown|swimming|rescue", "splashing in water"), (r"stone-hit", "stone hitting the ground"),
        (r"geyser", "geyser"), (r"waterfall", "waterfall"), (r"water-(impact|leave|rising)", "splash in water"),
        (r"mammut-attack", "trumpeting mammoth"), (r"walk$", "footsteps"), (r"flying-flying", "flapping wings"),
        (r"blowing-idle", "blowing wind"))),
    ("foobillardplus-data", "foobillard", "usr/share/games/foobillardplus/data", (
        (r"^applause", "applause"), (r"^(ballinhole|oneballontable|shuffleballs)$", "billiard balls"),
        (r"^bomb", "explosion"), (r"^ooh$", "disappointed crowd"), (r"^smack$", "kiss"))),
    ("frozen-bubble-data", "frozen-bubble", "usr/share/games/frozen-bubble/snd", (
        (r"^applause$", "applause"), (r"^snore$", "snoring man"), (r"^typewriter$", "typewriter"),
        (r"^launch$", "popping cork"))),
    ("pingus-data", "pingus", "usr/share/games/pingus/data/sounds", (
        (r"^splash", "splash in water"), (r"^plop", "plop of a water drop"), (r"^tick", "ticking clock"),
        (r"^digger", "digging with a shovel"), (r"^ting$|^chink$", "clink of metal"), (r"^yipee", "cheering child"))),
    ("extremetuxracer-data", "extremetuxracer", "usr/share/games/etr/sounds", (
        (r"snow_slide", "sliding on snow"), (r"ice_slide", "sliding on ice"),
        (r"grass_slide|leaves_slide", "rustling leaves"), (r"rock_slide", "scraping on rocks"),
        (r"tree_hit", "thud on wood"))),
    ("hydrogen-drumkits", "hydrogen", "usr/share/hydrogen/data/drumkits", (
        (r"/BongoHi|/BongoLo", "bongo drum"), (r"Cajon", "cajon drum"), (r"/Clave-", "claves"),
        (r"Cowbell|BJA_Pacific/CB", "cowbell"), (r"Fingersnap", "snapping fingers"),
        (r"HandClap|/(Amp_)?Clap|/EE_Clap|/clap", "clapping hands"), (r"Maraca", "maracas"),
        (r"/Tambourine", "tambourine"), (r"Waterglass", "tapping on a glass"),
        (r"WoodBlock|/stick_Woody", "woodblock"), (r"Djembe", "djembe drum"),
        (r"(Dununba|Kenkeni|Sangban)\d Bell", "african bell"), (r"Dununba|Kenkeni|Sangban", "african drum"),
        (r"Agogo", "agogo bell"), (r"China", "chinese cymbal"), (r"Splash10", "splash cymbal"),
        (r"CrashRide18Bell|RideBell|ride[_-]cup", "ride cymbal bell"),
        (r"Crash|crash\d*i?__crash|/crash|/cra_|Millo_MultiLayered\d/cc", "crash cymbal"),
        (r"Ride|__ride|/ride|BJA_Pacific/RD", "ride cymbal"),
        (r"HiHat(Foot|Pedal)|HatPedal|hhpedal|pedalhihat", "hi-hat pedal"),
        (r"HiHatOpen|HatOpen|hihat-open|hhopen|openhat|Hat_Op|OHH", "open hi-hat"),
        (r"[Hh]i?-?[Hh]at|hh(closed)?_|/EE_Hat|CHH|BJA_Pacific/HH|/hh|SabianHat", "closed hi-hat"),
        (r"RimClick|stick-rim|SideStick|/rs_", "rim click on a snare drum"),
        (r"[Ss]nare|/sd_|/EE_Snare|BJA_Pacific/SN|_SN_", "snare drum"),
        (r"[Tt]om[-_A-Z0-9]|BJA_Pacific/TM|/tom", "tom-tom drum"),
        (r"Kick|bassdrum|/bd|/EE_Kick|BJA_Pacific/BD|_BD_|_K_", "bass drum"), (r"Conga", "conga drum"),
        (r"EE_Whistle", "whistle"), (r"/beats_", "electronic drum beat"))),
)
PACKAGES = tuple(package for package, *_ in CHOSEN)
MOST = 25  # files with one label from one source; kits have dozens of the same drum


def items(roots: dict[str, Path]) -> list[Item]:
    found = []
    for package, source, folder, patterns in CHOSEN:
        base, used = roots[package] / folder, {}
        for path in sorted(p for p in base.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file() and not p.is_symlink()):
            name = path.relative_to(base).with_suffix("").as_posix()
            label = next((label for pattern, label in patterns if re.search(pattern, name)), None)
            if label is None or "music" in path.parts or path.stem == "emptySample":
                continue
            used[label] = used.get(label, 0) + 1
            if used[label] <= MOST:
                key = f"{source}/{path.relative_to(base).as_posix()}"
                found.append(Item(key, source, "sound", [str(path)], label, [], [], f"{source}/{label}"))
    return found
