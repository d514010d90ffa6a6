# Sourced by the scripts that bake on a cluster.

# Bakes LIBRARY on this machine alone and compares verdicts, pictures, embeddings and clusters with SCRATCH/bake/bake.
compare_with_one_machine() {
  local aivj=$1 library=$2 scratch=$3
  AIVJ_DATA="$scratch/data" "$aivj" bake overnight --library "$library" --pack trial --out "$scratch/single" >/dev/null
  python3 - "$scratch/bake/bake" "$scratch/single" <<'PY'
import hashlib, json, pathlib, sys
cluster, single = map(pathlib.Path, sys.argv[1:])

def verdicts(folder):
    entries = json.loads((folder / "audit/preset-audit.json").read_text())["entries"]
    parts = ["safety", "completeness", "look", "metrics", "flash"]
    return {entry["relPath"]: [entry["verdict"][part] for part in parts] for entry in entries}

def pictures(folder):
    entries = {}
    for line in (folder / "frames-index.jsonl").read_text().splitlines():
        entry = json.loads(line)
        files = [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in entry.get("frames", [])]
        entries[entry["presetId"]] = (files, entry["metrics"])
    return entries

def clusters(folder):
    index = json.loads((folder / "aivj-style-index.v1.json").read_text())
    index.pop("generatedAt", None)
    return index

def check(what, a, b):
    if a == b:
        print(f"{what}: equal")
        return True
    keys = [key for key in a if a.get(key) != b.get(key)] if isinstance(a, dict) else []
    print(f"{what}: DIFFERENT {keys[:3]}")
    return False

results = [
    check("verdicts", verdicts(cluster), verdicts(single)),
    check("pictures", pictures(cluster), pictures(single)),
    check("ids", (cluster / "ids.txt").read_bytes(), (single / "ids.txt").read_bytes()),
    check("embeddings", (cluster / "embeddings.npy").read_bytes(), (single / "embeddings.npy").read_bytes()),
    check("style index", clusters(cluster), clusters(single)),
]
sys.exit(0 if all(results) else 1)
PY
}
