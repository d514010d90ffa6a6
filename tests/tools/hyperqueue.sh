#!/usr/bin/env bash
# Bakes a library [default: the built-in presets] on a local HyperQueue cluster with two workers, kills running shards at
# random moments, and compares the result with a bake on one machine; then removes two shards, and repeats the bake and
# the comparison. Set SHARDS [default: 3], KILLS [default: 3] and SEED to change the test.
# Run by hand: SHARDS=12 tests/tools/hyperqueue.sh PATH-OF-AIVJ [LIBRARY]
set -euo pipefail
cd "$(dirname "$0")/../.."
aivj=$(realpath "${1:?path of the aivj program}")
library=$(realpath "${2:-presets}")
scratch=$(mktemp -d)
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install -q hyperqueue
mkdir "$scratch/bin" && ln -s "$aivj" "$scratch/bin/aivj"
export PATH="$scratch/bin:$PATH"
. tests/tools/compare-bakes.sh
aivj bake plan --engine hyperqueue --machines 2 --cores 1 --shards "$SHARDS" --library "$library" --pack trial --out "$scratch/bake"
mkdir -p "$scratch/bake/logs"

# Runs the bake on a cluster with two workers.
bake() {
  "$scratch/venv/bin/python" - "$scratch/bake" <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
from hyperqueue.cluster import LocalCluster, WorkerConfig
import submit
with LocalCluster() as cluster:
    for _ in range(2):
        cluster.start_worker(WorkerConfig(cores=1))
    client = cluster.client()
    client.wait_for_jobs([client.submit(submit.bake(memory=False))])
PY
}

bake &
running=$!
for _ in $(seq "$KILLS"); do
  sleep $((5 + RANDOM % 15))
  # Only processes of this test have its folder among their arguments.
  process=$(pgrep -f "aivj bake .*$scratch/bake/shards/" | shuf -n 1 || true)
  [ -z "$process" ] || { kill -9 "$process" && echo "killed a running shard"; } || true
done
wait "$running"
compare_with_one_machine "$aivj" "$library" "$scratch"
lose_two_shards "$scratch/bake"
bake
compare_with_one_machine "$aivj" "$library" "$scratch"
