#!/usr/bin/env python3
"""Injects faults into a show, and measures how long its picture stands still.

    tests/tools/faults.py --aivj PATH [--fault device-lost] [--count 20] [--every 6] [--size 160x90]

PATH must be a build with `--features faults`. Starts `aivj play --audio demo` with presets that always move on a private
display (Xvfb), records the output window 25 times a second with ffmpeg, and injects the fault `--count` times, every
`--every` seconds. Prints the longest time without a new picture after each fault, how many of them are longer than a
second, and what the show logged: restarts, panics and excluded presets. Faults: see docs/reliability.md.
Needs Linux, Xvfb, xdotool and ffmpeg. Exits with 1 if a picture was not back within a second or anything was blamed."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

RATE = 25
WIDTH, HEIGHT = 160, 90
# A preset whose whole picture changes in every frame.
PRESET = """[preset00]
fDecay=0.9
zoom=1
ob_size=0.2
ob_a=1
per_frame_1=ob_r=0.5+0.5*sin(time*{speed}); ob_g=0.5+0.5*sin(time*{speed}*1.3); ob_b=0.5+0.5*sin(time*{speed}*1.7);
per_frame_2=rot=0.2*sin(time); wave_r=ob_g; wave_g=ob_b; wave_b=ob_r;
"""


def wait_for_window(environment):
    """Returns the position and size of the output window."""
    for _ in range(100):
        found = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "aivj output"], env=environment,
                               capture_output=True, text=True, check=False).stdout.split()
        if found:
            shown = subprocess.run(["xdotool", "getwindowgeometry", "--shell", found[0]], env=environment,
                                   capture_output=True, text=True, check=True).stdout
            fields = dict(line.split("=") for line in shown.split())
            return [int(fields[name]) for name in ("X", "Y", "WIDTH", "HEIGHT")]
        time.sleep(0.1)
    raise SystemExit("the output window did not open")


def main():
    """Runs the show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--aivj", required=True)
    parser.add_argument("--fault", default="device-lost")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--every", type=float, default=6)
    parser.add_argument("--size", default="160x90")
    options = parser.parse_args()
    data = pathlib.Path(tempfile.mkdtemp(prefix="aivj-faults-"))
    presets = data / "presets"
    presets.mkdir()
    for number in range(4):
        (presets / f"moving {number}.milk").write_text(PRESET.format(speed=5 + number))
    server = subprocess.Popen(["Xvfb", "-displayfd", "1", "-screen", "0", "1280x720x24", "-nolisten", "tcp"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    display = f":{server.stdout.readline().strip()}"
    first = 15.0
    times = [first + options.every * number for number in range(options.count)]
    faults = ",".join(f"{options.fault}@{at}s" for at in times)
    seconds = times[-1] + options.every
    environment = dict(os.environ, DISPLAY=display, AIVJ_DATA=str(data), AIVJ_FAULT=faults)
    output = open(data / "output.txt", "w")
    show = subprocess.Popen([options.aivj, "play", "--audio", "demo", "--presets", str(presets), "--size", options.size,
                             "--seed", "1", "--seconds", str(int(seconds))],
                            env=environment, stdout=output, stderr=subprocess.STDOUT)
    left, top, width, height = wait_for_window(environment)
    # The part of the window that the desk does not cover.
    width, height = min(width, 200), min(height, 200)
    recorder = subprocess.Popen(
        ["ffmpeg", "-v", "error", "-f", "x11grab", "-draw_mouse", "0", "-framerate", str(RATE), "-video_size",
         f"{width}x{height}", "-i", f"{display}+{left},{top}", "-vf", f"scale={WIDTH}:{HEIGHT}:flags=area,format=gray",
         "-f", "rawvideo", "-"], stdout=subprocess.PIPE, env=environment)
    still, since, last = [], None, None  # Times at which the picture stood still, and for how long.
    begun = time.monotonic()
    while (picture := recorder.stdout.read(WIDTH * HEIGHT)) and len(picture) == WIDTH * HEIGHT:
        now = time.monotonic() - begun
        if picture != last:
            if since is not None:
                still.append((since, now - since))
            since, last = now, picture
        if show.poll() is not None or now > seconds - 3:
            break
    if since is not None:
        still.append((since, now - since))  # The picture may not have come back at all.
    recorder.kill()
    try:
        show.wait(timeout=20)
    except subprocess.TimeoutExpired:
        show.kill()
    server.terminate()
    settled = [(at, length) for at, length in still if at > first - 5]
    longest = sorted((length for _, length in settled), reverse=True)[:options.count]
    text = (data / "output.txt").read_text()
    bad = [line for line in text.splitlines() if "panic" in line or "restart" in line]
    entries = [json.loads(line) for log in (data / "sets").glob("*.jsonl") for line in log.read_text().splitlines()]
    blamed = [entry for entry in entries if entry.get("event") == "failure"]
    restored = [entry["text"] for entry in entries if entry.get("event") == "message" and "restored" in str(entry)]
    late = sum(length > 1 for length in longest)
    print(f"{options.fault}, {options.count} times: the picture stood still {statistics.median(longest):.2f} s (median "
          f"of the {len(longest)} longest), at most {longest[0]:.2f} s; {late} times longer than a second; "
          f"{len(restored)} messages about a restored picture; {len(blamed)} presets excluded; "
          f"{len(bad)} lines about panics or restarts")
    print(*bad[:5], *blamed[:5], sep="\n")
    raise SystemExit(1 if late or bad or blamed else 0)


if __name__ == "__main__":
    main()
