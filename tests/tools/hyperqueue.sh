#!/usr/bin/env bash
# Bakes the built-in presets in three shards on a local HyperQueue cluster with two workers, kills the running shards
# midway, and compares the result with a bake on one machine.
# Run by hand: tests/tools/hyperqueue.sh PATH-OF-AIVJ [LIBRARY]
set -euo pipefail
cd "$(dirname "$0")/../.."
aivj=$(realpath "${1:?path of the aivj program}")
library=$(realpath "${2:-presets}")
scratch=$(mktemp -d)
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install -q hyperqueue
mkdir "$scratch/bin" && ln -s "$aivj" "$scratch/bin/aivj"
export PATH="$scratch/bin:$PATH"
aivj bake plan --engine hyperqueue --machines 2 --cores 1 --shards 3 --library "$library" --pack trial --out "$scratch/bake"
(
  sleep 10
  pkill -9 -f "bake audit .*--shard" && echo "killed the shards that were running"
) &
"$scratch/venv/bin/python" - "$scratch/bake" <<'PY'
import os, sys
sys.path.insert(0, sys.argv[1])
os.makedirs(sys.argv[1] + "/logs", exist_ok=True)
from hyperqueue.cluster import LocalCluster, WorkerConfig
import submit
with LocalCluster() as cluster:
    for _ in range(2):
        cluster.start_worker(WorkerConfig(cores=1))
    client = cluster.client()
    client.wait_for_jobs([client.submit(submit.bake(memory=False))])
PY
. tests/tools/compare-bakes.sh
compare_with_one_machine "$aivj" "$library" "$scratch"
