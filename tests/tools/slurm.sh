#!/usr/bin/env bash
# Bakes a library [default: the built-in presets] with Slurm on this machine, requeues running jobs at random moments, and
# compares the result with a bake on one machine; then removes two shards, and repeats the bake and the comparison. Set
# SHARDS [default: 3], KILLS [default: 3] and SEED to change the test.
# Run by hand on Debian, as root: SHARDS=12 tests/tools/slurm.sh PATH-OF-AIVJ [LIBRARY]
set -euo pipefail
cd "$(dirname "$0")/../.."
aivj=$(realpath "${1:?path of the aivj program}")
library=$(realpath "${2:-presets}")
apt-get install -y --no-install-recommends slurmctld slurmd slurm-client munge >/dev/null
scratch=$(mktemp -d)
node=$(hostname -s)
mkdir -p /etc/slurm /var/spool/slurmctld /var/spool/slurmd /run/munge
cat >/etc/slurm/slurm.conf <<CONF
ClusterName=bake
SlurmctldHost=$node(127.0.0.1)
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmUser=root
StateSaveLocation=/var/spool/slurmctld
SlurmdSpoolDir=/var/spool/slurmd
ReturnToService=2
JobRequeue=1
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$(free -m | awk '/Mem/ {print int($2 * .9)}') State=UNKNOWN
PartitionName=bake Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
[ -f /etc/munge/munge.key ] || { dd if=/dev/urandom of=/etc/munge/munge.key bs=1 count=1024 2>/dev/null; }
chown munge: /etc/munge/munge.key /run/munge && chmod 400 /etc/munge/munge.key
pgrep munged >/dev/null || runuser -u munge -- /usr/sbin/munged --force
pgrep slurmctld >/dev/null || slurmctld
pgrep slurmd >/dev/null || slurmd
until sinfo -h -o %t | grep -qE 'idle|mix'; do sleep 1; done
mkdir "$scratch/bin" && ln -s "$aivj" "$scratch/bin/aivj"
export PATH="$scratch/bin:$PATH"
. tests/tools/compare-bakes.sh
aivj bake plan --engine slurm --machines 2 --cores 1 --shards "$SHARDS" --library "$library" --pack trial --out "$scratch/bake"

# Waits until no job is left.
wait_for_jobs() {
  while squeue -h | grep -q .; do sleep 5; done
}

bash "$scratch/bake/submit.sh"
for _ in $(seq "$KILLS"); do
  sleep $((5 + RANDOM % 15))
  job=$(squeue -h -r -t R -n audit,frames -o %A | shuf -n 1)
  [ -z "$job" ] || { scontrol requeue "$job" && echo "requeued a running shard"; } || true
done
wait_for_jobs
compare_with_one_machine "$aivj" "$library" "$scratch"
lose_two_shards "$scratch/bake"
bash "$scratch/bake/submit.sh"
wait_for_jobs
compare_with_one_machine "$aivj" "$library" "$scratch"
