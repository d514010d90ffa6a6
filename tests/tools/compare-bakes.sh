# Sourced by the scripts that bake on a cluster.

# Number of shards, and of jobs or workers to kill midway.
SHARDS=${SHARDS:-3}
KILLS=${KILLS:-3}
RANDOM=${SEED:-$$}

# Deletes the merged bake in WORK and the folders of two shards, so that a second run has to bake them again.
lose_two_shards() {
  local work=$1 stage lost
  rm -rf "$work/bake" "$work/data"
  for stage in audit frames; do
    lost="$stage-$((RANDOM % SHARDS))-of-$SHARDS"
    [ -d "$work/shards/$lost" ] || { echo "there is no shard $lost" >&2; return 1; }
    rm -rf "${work:?}/shards/$lost"
    echo "removed the shard $lost"
  done
}

# Bakes LIBRARY on this machine alone, unless that was done before, and compares everything that does not depend on time
# or order with SCRATCH/bake/bake.
compare_with_one_machine() {
  local aivj=$1 library=$2 scratch=$3
  [ -f "$scratch/single/morning.html" ] || AIVJ_DATA="$scratch/data" \
    "$aivj" bake overnight --library "$library" --pack trial --hours 999 --out "$scratch/single" >/dev/null
  python3 - "$scratch/bake/bake" "$scratch/single" <<'PY'
import hashlib, json, pathlib, sys
cluster, single = map(pathlib.Path, sys.argv[1:])

def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()

def verdicts(folder):
    entries = json.loads((folder / "audit/preset-audit.json").read_text())["entries"]
    parts = ["safety", "completeness", "look", "metrics", "likeness", "flash"]
    return {entry["relPath"]: [entry["verdict"].get(part) for part in parts] for entry in entries}

def pictures(folder):
    entries = {}
    for line in (folder / "frames-index.jsonl").read_text().splitlines():
        entry = json.loads(line)
        files = [digest(folder / name) for name in entry.get("frames", [])]
        entries[entry["presetId"]] = (files, entry["metrics"])
    return entries

def files(pattern):
    return lambda folder: {str(path.relative_to(folder)): digest(path) for path in folder.glob(pattern) if path.is_file()}

def undated(name):
    def read(folder):
        content = json.loads((folder / name).read_text())
        content.pop("generatedAt", None)
        content.pop("generated_at", None)
        return content
    return read

def check(what, a, b):
    if a == b and a:
        print(f"{what}: equal")
        return True
    keys = [key for key in sorted(a.keys() | b.keys()) if a.get(key) != b.get(key)]
    print(f"{what}: {'DIFFERENT' if a or b else 'MISSING'} {keys[:3]}")
    return False

comparisons = {
    "verdicts": verdicts,
    "accepted, rescue, ban and flash lists": files("audit/*.txt"),
    "summary": undated("audit/audit-summary.json"),
    "blacklist": undated("audit/quality-blacklist.json"),
    "families": undated("audit/preset-families.json"),
    "thumbnails": files("audit/thumbs/**/*"),
    "pictures": pictures,
    "ids": files("ids.txt"),
    "embeddings": files("embeddings.npy"),
    "map": undated("map.v0.json"),
    "clusters": undated("clusters.v0.json"),
    "style index v0": undated("aivj-style-index.v0.json"),
    "style index v1": undated("aivj-style-index.v1.json"),
}
results = [check(what, read(cluster), read(single)) for what, read in comparisons.items()]
sys.exit(0 if all(results) else 1)
PY
}
