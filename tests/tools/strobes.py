#!/usr/bin/env python3
"""Measures the flash limiter on presets that strobe, and on a library.

    tests/tools/strobes.py strobes --aivj PATH [--rates 30,60,120] [--only TEXT]
    tests/tools/strobes.py library FOLDER --aivj PATH [--count 200] [--seed 1] [--rates 30]

`strobes` writes 43 presets that flash in different ways and plays each for two seconds. `library` plays a random
selection from a folder, each preset for three seconds, once with and once without the limiter: if a preset passes
without it, the frames must be equal. Then it plays a show of all of them, with cuts and fades. Every folder of frames
is judged by `aivj bake flash`, or by `--judge COMMAND`, which gets the folder and the frame rate, and whose output
contains `'fail': False`, `"verdict":"pass"` or `"verdict":"warn"` if the frames pass.

Exits with 1 if anything fails."""

import argparse
import pathlib
import random
import shlex
import shutil
import subprocess
import sys
import tempfile

ON = "step(0.5, frac(time * %s))"
NOISE = "frac(sin(dot(floor(uv * %s), float2(12.9, 78.2)) + floor(time * %s)) * 4375.5)"
DISC = "(length(uv - 0.5) < %s)"

# Strobes by name: the shader expression for the picture.
STROBES = {
    "whole-5hz": ON % 5,
    "whole-10hz": ON % 10,
    "whole-15hz": ON % 15,
    "whole-3.7hz": ON % 3.7,
    "frame-every-2": "fmod(frame, 2) < 1",
    "frame-every-3": "fmod(frame, 3) < 1",
    "frame-every-7": "fmod(frame, 7) < 1",
    "black-frame-every-5": "fmod(frame, 5) >= 1",
    "burst-short": ON % 12 + " * step(frac(time), 0.42)",
    "burst-rare": ON % 14 + " * step(frac(time * 0.6), 0.35)",
    "burst-after-dark": "time > 1 ? %s : 0" % (ON % 10),
    "smooth": "0.5 + 0.5 * sin(time * 31.4)",
    "sawtooth": "frac(time * 6)",
    "step-5": "0.5 + 0.028 * (%s)" % (ON % 8),
    "step-12": "0.5 + 0.12 * (%s)" % (ON % 8),
    "step-20": "0.3 + 0.2 * (%s)" % (ON % 8),
    "step-bright": "0.85 + 0.15 * (%s)" % (ON % 8),
    "red-grey": "%s ? float3(1, 0, 0) : float3(0.498, 0.498, 0.498)" % (ON % 5),
    "red-black": "float3(%s, 0, 0)" % (ON % 6),
    "red-blue": "%s ? float3(1, 0, 0) : float3(0, 0, 1)" % (ON % 7),
    "red-fade": "lerp(float3(1, 0, 0), float3(0.5, 0.5, 0.5), 0.5 + 0.5 * sin(time * 30))",
    "area-5": ON % 9 + " * (uv.x < 0.05)",
    "area-10": ON % 9 + " * (uv.x < 0.34) * (uv.y < 0.3)",
    "area-25": ON % 9 + " * (uv.y < 0.25)",
    "area-50": ON % 9 + " * (uv.x < 0.5)",
    "area-corner": ON % 9 + " * (uv.x > 0.8) * (uv.y > 0.8)",
    "patch-grows": ON % 8 + " * " + DISC % "frac(time * 0.7)",
    "patch-moves": ON % 8 + " * (length(uv - 0.5 - 0.3 * sin(time * 2)) < 0.25)",
    "patches-in-turn": "(fmod(floor(time * 20), 4) == floor(uv.x * 2) + 2 * floor(uv.y * 2))",
    "columns-in-turn": ON % 4 + " * (fmod(floor(uv.x * 4) + floor(time * 4), 4) < 1)",
    "rows-in-turn": ON % 4 + " * (fmod(floor(uv.y * 4) + floor(time * 4), 4) < 1)",
    "blocks-in-turn": ON % 4 + " * (fmod(floor(uv.x * 4) + floor(uv.y * 4) + floor(time * 4), 4) < 1)",
    "halves": "(%s) == (uv.x < 0.5)" % (ON % 8),
    "checker-coarse": "fmod(floor(uv.x * 4) + floor(uv.y * 3) + floor(time * 15), 2)",
    "checker-fine": "fmod(floor(uv.x * 24) + floor(uv.y * 18) + floor(time * 15), 2)",
    "edge-moves": "step(uv.x, frac(time * 6))",
    "bars-move": "step(0.5, frac(uv.x * 5 + time * 6))",
    "grating-reverses": "0.5 + 0.5 * sin(uv.x * 60) * (2 * (%s) - 1)" % (ON % 9),
    "grating-circular": "step(0.5, frac(length(uv - 0.5) * 8 - time * 7))",
    "grating-rotates": "step(0.5, frac((uv.x * cos(time * 9) + uv.y * sin(time * 9)) * 4))",
    "noise-coarse": NOISE % (12, 20),
    "noise-fine": NOISE % (48, 30),
    "texture-over-strobe": "0.5 * (%s) + 0.5 * frac(uv.x * 50 + time) * frac(uv.y * 40 - time * 3)" % (ON % 10),
}


def preset(code):
    return (
        "[preset00]\nMILKDROP_PRESET_VERSION=201\nPSVERSION=2\nPSVERSION_WARP=2\nPSVERSION_COMP=2\n"
        f"comp_1=`shader_body\ncomp_2=`{{\ncomp_3=`ret = {code};\ncomp_4=`}}\n"
    )


def perform(args, presets, out, seconds, fps, limited=True):
    shutil.rmtree(out, ignore_errors=True)
    command = [args.aivj, "perform", "--presets", presets, "--out", out, "--size", args.size, "--no-audit"]
    command += ["--seconds", str(seconds), "--fps", str(fps), "--seed", str(args.seed)]
    if not limited:
        command.append("--no-flash-limit")
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{presets}: {done.stderr}")
    return out


def fails(args, frames, fps):
    if args.judge:
        command = [*shlex.split(args.judge), str(frames), str(fps)]
    else:
        command = [args.aivj, "bake", "flash", "--fps", str(fps), str(frames)]
    text = subprocess.run(command, capture_output=True, text=True).stdout
    if "'fail': False" in text or '"verdict":"pass"' in text or '"verdict":"warn"' in text:
        return False, text.strip()
    return True, text.strip()


def strobes(args, scratch):
    bad = 0
    for name, code in STROBES.items():
        if args.only not in name:
            continue
        folder = scratch / name
        folder.mkdir()
        (folder / f"{name}.milk").write_text(preset(code))
        for fps in args.rates:
            failed, text = fails(args, perform(args, folder, scratch / "frames", 2, fps), fps)
            bad += failed
            print(f"{'FAIL' if failed else 'pass'} {fps:4} Hz {name}: {text}", flush=True)
    print(f"{bad} fail")
    return bad


def library(args, scratch):
    files = sorted(pathlib.Path(args.folder).rglob("*.milk"))
    random.Random(args.seed).shuffle(files)
    files = files[: args.count]
    bad = needed = 0
    chosen = scratch / "all"
    chosen.mkdir()
    for number, file in enumerate(files):
        folder = scratch / f"{number}"
        folder.mkdir()
        for place in (folder, chosen):
            shutil.copy(file, place / f"{number:03} {file.name}")
        for fps in args.rates:
            plain = perform(args, folder, scratch / "plain", 3, fps, limited=False)
            shown = perform(args, folder, scratch / "frames", 3, fps)
            flashes, _ = fails(args, plain, fps)
            failed, text = fails(args, shown, fps)
            pairs = [(frame, shown / frame.name) for frame in sorted(plain.iterdir())]
            changed = sum(a.read_bytes() != b.read_bytes() for a, b in pairs)
            needed += flashes
            wrong = failed or (changed > 0 and not flashes)
            bad += wrong
            state = "FAIL" if wrong else "held" if flashes else "same"
            print(f"{state} {fps:4} Hz {changed:4} frames changed, {file.name}: {text}", flush=True)
    for fps in args.rates:
        failed, text = fails(args, perform(args, chosen, scratch / "frames", args.show, fps), fps)
        bad += failed
        print(f"{'FAIL' if failed else 'pass'} {fps:4} Hz, a show of {args.show} s: {text}", flush=True)
    print(f"{bad} fail; {needed} need the limiter")
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["strobes", "library"])
    parser.add_argument("folder", nargs="?", help="folder of presets, for `library`")
    parser.add_argument("--aivj", required=True, type=pathlib.Path)
    parser.add_argument("--rates", default="30,60,120")
    parser.add_argument("--size", default="320x180")
    parser.add_argument("--only", default="", help="only strobes with this text in their name")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--show", type=float, default=60, help="seconds of the show of all chosen presets")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--judge", help="judge frames with this command instead of `aivj bake flash`")
    args = parser.parse_args()
    args.rates = [int(rate) for rate in args.rates.split(",")]
    args.aivj = args.aivj.resolve()
    with tempfile.TemporaryDirectory() as scratch:
        run = strobes if args.what == "strobes" else library
        sys.exit(1 if run(args, pathlib.Path(scratch)) else 0)


if __name__ == "__main__":
    main()
