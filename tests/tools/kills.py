#!/usr/bin/env python3
"""Kills the real program and damages its files: what was saved must still be there, and every file must be readable.

    tests/tools/kills.py play --aivj PATH [--count 200] [--seed 1]
    tests/tools/kills.py overnight --aivj PATH [--count 200] [--presets 12]
    tests/tools/kills.py damage --aivj PATH
    tests/tools/kills.py disk --aivj PATH [--hold 60]

play        plays a show in which presets are marked continuously, and kills all of its processes (`kill -9`) at random
            moments; marks that were in the store before a kill must be in it afterwards
overnight   kills `aivj bake overnight` at random moments until it finishes, and starts over until all kills are done;
            no verdict may be lost, and the embeddings must equal those of a bake that was not killed
damage      opens stores that were cut at 20 places, zeroed at 20 and bit-flipped at 200; marks that are still on a page
            must be found
disk        marks presets while the store is locked by another program, and, as root, while the disk is full and while it
            is read-only; the show must continue, and the marks must be saved once the disk is back

Needs Linux; `play` and `disk` also need Xvfb and xdotool. Exits with 1 if anything was lost or unreadable."""

import argparse
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

PRESET = "[preset00]\nfDecay=0.9\nzoom=1.0{number}\nwave_r={red}\nper_frame_1=rot=0.2*sin(time*{number});\n"
FAVOURITE, BAN, NEXT = "v", "Delete", "n"


def make_presets(folder, count):
    """Writes presets that differ from each other."""
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"preset {number}.milk").write_text(PRESET.format(number=number, red=number % 100 / 100))
    return folder


def environment(data, **more):
    """Returns the environment of a program that uses this data folder."""
    return dict(os.environ, AIVJ_DATA=str(data), **more)


def query(data, text):
    """Returns the rows of a query of the store; none if there is no store yet."""
    store = data / "aivj.db"
    if not store.exists() or not store.stat().st_size:
        return []
    with contextlib.closing(sqlite3.connect(f"file:{store}?mode=rw", uri=True, timeout=20)) as connection:
        try:
            return connection.execute(text).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []  # Killed while the store was created.
            raise


def marks(data):
    """Returns the presets that are favourites, and those that are banned."""
    favourites = query(data, "SELECT id FROM opinions WHERE favourite = 1")
    return {row[0] for row in favourites}, {row[0] for row in query(data, "SELECT id FROM bans")}


def unreadable(folder):
    """Returns the files in a folder that are damaged. The last line of a log may be incomplete."""
    found = []
    for path in folder.rglob("*"):
        try:
            if path.suffix == ".json":
                json.loads(path.read_text())
            elif path.suffix == ".jsonl":
                for line in path.read_text().splitlines()[:-1]:
                    json.loads(line)
            elif path.name == "aivj.db":
                with contextlib.closing(sqlite3.connect(path)) as connection:
                    if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                        found.append(path)
        except (OSError, ValueError, sqlite3.DatabaseError):
            found.append(path)
    return found


def kill(process):
    """Kills a process and everything that it has started; it has its own process group."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Show:
    """A show on a private display."""

    def __init__(self, options, data, presets):
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x720x24", "-nolisten", "tcp"], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        self.environment = environment(data, DISPLAY=f":{self.server.stdout.readline().strip()}")
        self.command = [options.aivj, "play", "--audio", "demo", "--presets", str(presets), "--size", "160x90", "--seed",
                        "1", "--no-audit"]
        self.data, self.process = data, None

    def start(self):
        """Starts the show, and waits for its window."""
        with open(self.data / "output.txt", "a") as output:
            self.process = subprocess.Popen(self.command, env=self.environment, stdout=output, stderr=output,
                                            start_new_session=True)
        for _ in range(600):
            found = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "aivj output"],
                                   env=self.environment, capture_output=True, text=True, check=False).stdout
            if found.split():
                return
            time.sleep(0.1)
        raise SystemExit(f"the show did not open its window; see {self.data}/output.txt")

    def press(self, key):
        """Presses a key. Without a window manager, no window has the keyboard focus."""
        press = ["xdotool", "search", "--onlyvisible", "--name", "aivj", "windowfocus", "key", key]
        subprocess.run(press, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)

    def steps(self):
        """Returns the size of the set logs, which grows with each step."""
        return sum(log.stat().st_size for log in (self.data / "sets").glob("*.jsonl"))

    def end(self):
        """Ends the show and its display."""
        if self.process and self.process.poll() is None:
            kill(self.process)
        self.server.terminate()


def play(options, scratch):
    """Kills shows in which presets are marked."""
    rng, data, lost, saved = random.Random(options.seed), scratch / "data", 0, (set(), set())
    data.mkdir()
    show = Show(options, data, make_presets(scratch / "presets", 2000))
    try:
        for number in range(options.count):
            show.start()
            favourites, bans = marks(data)
            # One more key may have been pressed after the store was last read, and may have removed a favourite.
            missing = max(0, len(saved[0] - favourites) - 1) + len(saved[1] - bans)
            lost += missing
            ends = time.time() + rng.uniform(0.2, 8)
            while time.time() < ends:
                show.press(rng.choice([FAVOURITE, BAN, NEXT]))
                saved = marks(data)
            kill(show.process)
            print(f"kill {number + 1}: {len(saved[0])} favourites, {len(saved[1])} bans, {missing} missing", flush=True)
        show.start()
        favourites, bans = marks(data)
        lost += max(0, len(saved[0] - favourites) - 1) + len(saved[1] - bans)
    finally:
        show.end()
    damaged = unreadable(data)
    print(f"{options.count} kills: {lost} marks lost, {len(damaged)} files unreadable", *damaged)
    return lost == 0 and not damaged


def bake(options, scratch, name, library):
    """Returns the command and the environment of a bake with its own folders."""
    folder = scratch / name
    (folder / "data").mkdir(parents=True, exist_ok=True)
    command = [options.aivj, "bake", "overnight", "--library", str(library), "--pack", "night", "--out",
               str(folder / "out"), "--seed", "1"]
    return command, environment(folder / "data")


def overnight(options, scratch):
    """Kills bakes until they finish."""
    rng, library = random.Random(options.seed), make_presets(scratch / "library", options.presets)
    command, variables = bake(options, scratch, "calm", library)
    started = time.time()
    subprocess.run(command, env=variables, check=True, stdout=subprocess.DEVNULL)
    took = time.time() - started
    wanted = (scratch / "calm/out/embeddings.npy").read_bytes()
    (library / "aivj-style-index.v1.json").unlink(missing_ok=True)
    kills, bakes, problems = 0, 0, []
    while kills < options.count:
        bakes += 1
        name, verdicts = f"killed {bakes}", 0
        command, variables = bake(options, scratch, name, library)
        data = scratch / name / "data"
        while True:
            with open(scratch / name / "output.txt", "a") as output:
                process = subprocess.Popen(command, env=variables, stdout=output, stderr=output, start_new_session=True)
            try:
                status = process.wait(rng.uniform(0, took / 2) if kills < options.count else None)
            except subprocess.TimeoutExpired:
                kill(process)
                kills += 1
                now = query(data, "SELECT count(*) FROM verdicts")
                if now and now[0][0] < verdicts:
                    problems.append(f"{name}: {verdicts - now[0][0]} verdicts lost")
                verdicts = now[0][0] if now else verdicts
                continue
            if status:
                problems.append(f"{name}: exit status {status}")
            break
        if (scratch / name / "out/embeddings.npy").read_bytes() != wanted:
            problems.append(f"{name}: other embeddings")
        problems += [f"{path}: unreadable" for path in unreadable(scratch / name)]
        print(f"{kills} kills, {bakes} bakes, {len(problems)} problems", flush=True)
        (library / "aivj-style-index.v1.json").unlink(missing_ok=True)
    print(*problems, sep="\n")
    return not problems


def still_there(ids, content, start, end):
    """Returns the IDs that are in the file outside a byte range."""
    def outside(one):
        at = content.find(one)
        while at >= 0:
            if at + len(one) <= start or at >= end:
                return True
            at = content.find(one, at + 1)
        return False
    return {one for one in ids if outside(one)}


def damage(options, scratch):
    """Opens damaged stores."""
    rng, library = random.Random(options.seed), make_presets(scratch / "library", 300)
    data = scratch / "data"
    data.mkdir()
    scan = [options.aivj, "library", "scan", str(library)]
    subprocess.run(scan, env=environment(data), check=True, stdout=subprocess.DEVNULL)
    with contextlib.closing(sqlite3.connect(data / "aivj.db")) as connection:
        ids = [row[0] for row in connection.execute("SELECT id FROM presets")]
        connection.executemany("INSERT INTO opinions (id, favourite, at) VALUES (?, 1, 0)", [(one,) for one in ids])
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = (data / "aivj.db").read_bytes()
    length = len(content)
    cases = [("cut", length * number // 20 + number % 3 * 37, length) for number in range(20)]
    for _ in range(20):
        start = rng.randrange(length)
        cases.append(("zeroed", start, min(length, start + rng.randrange(1, 3 * 4096))))
    cases += [("flipped", at, at + 1) for at in (rng.randrange(length) for _ in range(200))]
    lost = 0
    for number, (kind, start, end) in enumerate(cases):
        folder = scratch / f"case {number}"
        folder.mkdir()
        flipped = bytes([content[start % length] ^ 1 << start % 8])
        middle = {"cut": b"", "zeroed": bytes(end - start), "flipped": flipped}[kind]
        (folder / "aivj.db").write_bytes(content[:start] + middle + content[end:])
        done = subprocess.run(scan, env=environment(folder), capture_output=True, text=True, check=False)
        missing = len(still_there(ids, content, start, end) - marks(folder)[0])
        if missing or done.returncode not in (0, 1, 2):
            print(f"{kind} from {start} to {end}: {missing} marks missing, exit status {done.returncode}")
        lost += missing + (done.returncode not in (0, 1, 2))
        shutil.rmtree(folder)
    print(f"{len(cases)} damaged stores with {len(ids)} favourites, {lost} lost")
    return lost == 0


@contextlib.contextmanager
def locked(data):
    """Locks the store, as another program may."""
    connection = sqlite3.connect(data / "aivj.db", timeout=10)
    connection.execute("BEGIN EXCLUSIVE")
    yield
    connection.rollback()
    connection.close()


@contextlib.contextmanager
def full(data):
    """Fills the disk."""
    with open(data / "filler", "wb", buffering=0) as filler:
        with contextlib.suppress(OSError):
            while True:
                filler.write(bytes(4096))
    yield
    (data / "filler").unlink()


@contextlib.contextmanager
def read_only(data):
    """Makes the disk read-only. Files that are open for writing would prevent an ordinary remount."""
    subprocess.run(["mount", "-o", "remount,ro", str(data)], check=True)
    yield
    subprocess.run(["mount", "-o", "remount,rw", str(data)], check=True)


def disk(options, scratch):
    """Marks presets while the store cannot be written."""
    presets, good = make_presets(scratch / "presets", 300), True
    failures = [locked] + ([full, read_only] if os.geteuid() == 0 else [])
    for failure in failures:
        data = scratch / failure.__name__
        data.mkdir()
        if failure is not locked:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(data)], check=True)
        show = Show(options, data, presets)
        try:
            show.start()
            time.sleep(5)
            try:
                with failure(data):
                    before, ends, pressed = show.steps(), time.time() + options.hold, 0
                    while time.time() < ends:
                        show.press(BAN)
                        pressed += 1
                        time.sleep(2)
                    runs = show.process.poll() is None and (failure is not locked or show.steps() > before)
            except subprocess.CalledProcessError as error:
                print(f"{failure.__name__}: not possible here ({error})")
                continue
            time.sleep(30)  # Saving is retried at growing intervals.
            saved = len(marks(data)[1])
            # A press while the next preset is being prepared bans the same preset again.
            good &= runs and saved >= pressed // 2
            print(f"{failure.__name__} for {options.hold} s: {pressed} bans, {saved} saved, the show "
                  f"{'continued' if runs else 'stopped'}", flush=True)
        finally:
            show.end()
            if failure is not locked:
                subprocess.run(["umount", "-l", str(data)], check=False)
    return good


def main():
    """Runs one of the checks."""
    checks = {"play": play, "overnight": overnight, "damage": damage, "disk": disk}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("check", choices=checks)
    parser.add_argument("--aivj", required=True, type=os.path.abspath)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--presets", type=int, default=12)
    parser.add_argument("--hold", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aivj-kills-") as scratch:
        sys.exit(0 if checks[options.check](options, pathlib.Path(scratch)) else 1)


if __name__ == "__main__":
    main()
