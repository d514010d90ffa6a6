#!/usr/bin/env bash
# Bakes the built-in presets in three shards with Slurm on this machine, requeues a running job midway, and compares the
# result with a bake on one machine. Run by hand on Debian, as root: tests/tools/slurm.sh PATH-OF-AIVJ [LIBRARY]
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
aivj bake plan --engine slurm --machines 2 --cores 1 --shards 3 --library "$library" --pack trial --out "$scratch/bake"
bash "$scratch/bake/submit.sh"
sleep 10
scontrol requeue "$(squeue -h -r -t R -n audit -o %A | head -1)" && echo "requeued a running shard"
while squeue -h | grep -q .; do sleep 5; done
. tests/tools/compare-bakes.sh
compare_with_one_machine "$aivj" "$library" "$scratch"
