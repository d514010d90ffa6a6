#!/usr/bin/env python3
"""Writes the licence texts of every crate that the program links on this system, each text once.

A package that carries the program carries these texts with it, as MIT, BSD and Apache ask.
"""

import json
import subprocess
import sys
from pathlib import Path

NAMES = ("license", "licence", "copying", "notice", "unlicense", "copyright", "ofl", "ufl")
CODE = (".rs", ".c", ".h", ".py", ".toml", ".json", ".html")


def cargo(*arguments):
    return subprocess.run(["cargo", *arguments, "--locked"], check=True, capture_output=True, text=True).stdout


def linked():
    """Names and versions of the crates in the program, without build scripts' and macros' own."""
    lines = cargo("tree", "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}").splitlines()
    return {tuple(line.split()[:2]) for line in lines if line.strip()}


def main():
    packages = json.loads(cargo("metadata", "--format-version", "1"))["packages"]
    wanted = linked()
    owners, bare = {}, []
    for package in sorted(packages, key=lambda p: (p["name"], p["version"])):
        if (package["name"], "v" + package["version"]) not in wanted or package["source"] is None:
            continue
        title = f"{package['name']} {package['version']} ({package['license'] or 'see its text'})"
        folder = Path(package["manifest_path"]).parent
        files = [f for f in sorted(folder.rglob("*")) if f.is_file() and f.name.lower().startswith(NAMES)]
        files = [file for file in files if file.suffix not in CODE]
        if not files:
            bare.append(f"{title} {package['repository'] or ''}; {', '.join(package['authors'])}".rstrip("; "))
        for file in files:
            text = file.read_text(encoding="utf-8", errors="replace").strip()
            owners.setdefault(text, []).append(title)
    if not owners:
        sys.exit("no licence text was found")
    print("Licences of the libraries in aivj.")
    for text, titles in owners.items():
        print(f"\n{'=' * 100}\n{chr(10).join(dict.fromkeys(titles))}\n{'-' * 100}\n{text}")
    print(f"\n{'=' * 100}\nThese carry no text of their own; the terms they name are among those above:\n")
    print("\n".join(bare))


if __name__ == "__main__":
    main()
