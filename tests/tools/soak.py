#!/usr/bin/env python3
"""Plays a show for hours with many cuts, watches its memory, and measures whether cuts make steps late.

    tests/tools/soak.py --aivj PATH --presets DIR [--seconds 7200] [--every 3.6] [--size 160x90] [--rate 30] [--seed 1]

Starts `aivj play --audio demo` on a private display (Xvfb), presses Next at a fixed interval and reads the memory, open
files and threads of all its processes from /proc. At the end it prints:
- memory: median of the last tenth of the run against the median of the tenth that starts after ten minutes (after a
  tenth of the run if that is earlier);
- open files and threads: ranges in these two tenths;
- cuts, restarts, and the text of panics;
- from ten seconds after the start: steps later than two budgets, and the longest gap, within a second of a cut against
  the other steps.
Needs Linux, Xvfb and xdotool. Exits with 1 after a panic or a restart."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time


def children(pid):
    """Returns the process and all its descendants."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            below = task.read_text().split()
        except OSError:
            continue  # The thread has just ended.
        for child in below:
            found += children(int(child))
    return found


def usage(pid):
    """Returns resident memory in MiB, open files and threads, summed over a process and its descendants."""
    memory, files, threads = 0, 0, 0
    for one in children(pid):
        try:
            status = pathlib.Path(f"/proc/{one}/status").read_text()
            files += len(os.listdir(f"/proc/{one}/fd"))
        except OSError:
            continue  # It has just ended.
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        memory += int(fields["VmRSS"].split()[0]) / 1024 if "VmRSS" in fields else 0
        threads += int(fields["Threads"])
    return memory, files, threads


def steps(log):
    """Returns the time and interval of each step of a set log, and the times of its cuts."""
    now, rows, cuts = 0.0, [], []
    for line in log.read_text().splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue  # The last line of a killed show.
        event = entry.get("event")
        if event == "frames":
            intervals = entry["dt"] if isinstance(entry["dt"], list) else [entry["dt"]] * entry["count"]
            for interval in intervals:
                now += interval
                rows.append((now, interval))
        elif event == "cut":
            cuts.append(entry["at"])
    return rows, cuts


def lateness(log, rate):
    """Compares the intervals of steps near cuts with those of the other steps, from ten seconds after the start."""
    rows, cuts = steps(log)
    rows = [row for row in rows if row[0] > 10.0]
    near, far, at = [], [], 0
    for now, interval in rows:
        while at + 1 < len(cuts) and cuts[at + 1] < now - 1.0:
            at += 1
        close = any(abs(now - cut) < 1.0 for cut in cuts[at:at + 2])
        (near if close else far).append(interval)
    def share(intervals):
        return sum(interval > 2.01 / rate for interval in intervals) / max(1, len(intervals))
    print(f"{log.name}: {len(cuts)} cuts, {len(rows)} steps; later than two budgets: "
          f"{share(near):.4f} of {len(near)} near cuts, {share(far):.4f} of {len(far)} others; longest gap "
          f"{1000 * max(near, default=0):.0f} ms near cuts, {1000 * max(far, default=0):.0f} ms elsewhere; "
          f"over 100 ms: {sum(i > 0.1 for i in near)} and {sum(i > 0.1 for i in far)}")


def main():
    """Runs the show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--aivj", required=True)
    parser.add_argument("--presets", required=True)
    parser.add_argument("--seconds", type=float, default=7200)
    parser.add_argument("--every", type=float, default=3.6)
    parser.add_argument("--size", default="160x90")
    parser.add_argument("--rate", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", help="data folder to keep [default: a temporary one]")
    options = parser.parse_args()
    data = pathlib.Path(options.data or tempfile.mkdtemp(prefix="aivj-soak-"))
    data.mkdir(parents=True, exist_ok=True)
    (data / "settings.toml").write_text(f"rate = {options.rate}\n")
    server = subprocess.Popen(["Xvfb", "-displayfd", "1", "-screen", "0", "1280x720x24", "-nolisten", "tcp"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    environment = dict(os.environ, DISPLAY=f":{server.stdout.readline().strip()}", AIVJ_DATA=str(data))
    output = open(data / "output.txt", "w")
    show = subprocess.Popen(
        [options.aivj, "play", "--audio", "demo", "--presets", options.presets, "--size", options.size,
         "--seed", str(options.seed), "--seconds", str(int(options.seconds))],
        env=environment, stdout=output, stderr=subprocess.STDOUT)
    begun, samples, pressed = time.time(), [], 0
    while show.poll() is None and time.time() - begun < options.seconds + 60:
        time.sleep(options.every)
        # Without a window manager, no window has the keyboard focus; a restarted show has new windows.
        press = ["xdotool", "search", "--onlyvisible", "--name", "aivj", "windowfocus", "key", "n"]
        subprocess.run(press, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        pressed += 1
        if show.poll() is None:
            samples.append((time.time() - begun, *usage(show.pid)))
    if show.poll() is None:
        show.kill()
    server.terminate()
    if not samples:
        raise SystemExit(f"the show did not start; see {data}/output.txt")
    tenth = options.seconds / 10
    first = [s for s in samples if min(600, tenth) <= s[0] < min(600, tenth) + tenth]
    last = [s for s in samples if options.seconds - tenth <= s[0] < options.seconds - 2]
    for name, column in (("memory, MiB", 1), ("open files", 2), ("threads", 3)):
        a, b = [s[column] for s in first], [s[column] for s in last]
        growth = statistics.median(b) / statistics.median(a) - 1
        print(f"{name}: {statistics.median(a):.0f} ({min(a):.0f} to {max(a):.0f}) at first, "
              f"{statistics.median(b):.0f} ({min(b):.0f} to {max(b):.0f}) at last, {100 * growth:+.1f} %")
    text = (data / "output.txt").read_text()
    faults = [line for line in text.splitlines() if "panic" in line or "restart" in line]
    print(f"{pressed} times Next, exit status {show.returncode}, {len(faults)} lines about panics or restarts")
    for log in sorted((data / "sets").glob("*.jsonl")):
        lateness(log, options.rate)
    print(*faults[:10], sep="\n")
    raise SystemExit(1 if faults or show.returncode else 0)


if __name__ == "__main__":
    main()
