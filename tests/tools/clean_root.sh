#!/usr/bin/env bash
# Installs a .deb in a clean root of this machine's Debian or Ubuntu release, runs the program there, removes it, and
# fails unless every file is as it was before. Needs root.
#   clean_root.sh FILE.deb
set -euo pipefail
PATH="$PATH:/usr/sbin:/sbin"
deb=$1

# A private mount namespace, so that nothing stays mounted.
if [ -z "${AIVJ_CLEAN_ROOT:-}" ]; then
  AIVJ_CLEAN_ROOT=$(mktemp -d "${TMPDIR:-/tmp}/aivj-root.XXXXXX")
  chmod 755 "$AIVJ_CLEAN_ROOT"
  export AIVJ_CLEAN_ROOT
  trap 'rm -rf --one-file-system "$AIVJ_CLEAN_ROOT"' EXIT
  unshare --mount "$0" "$deb"
  exit
fi
root=$AIVJ_CLEAN_ROOT

# A user's files and Mesa's shader cache go into /tmp: they are not part of the package.
step() { printf '\n-- %s\n' "$*"; }
inside() {
  chroot "$root" /usr/bin/env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp/user LANG=C.UTF-8 \
    XDG_CACHE_HOME=/tmp/user/.cache DEBIAN_FRONTEND=noninteractive "$@"
}

# Lists every path with type, mode, owner and contents, except temporary files and the caches, logs and records of apt
# and dpkg.
listing() {
  inside find / -xdev \( -path /tmp -o -path /proc -o -path /dev -o -path /var/cache/apt -o -path /var/lib/apt \
    -o -path /var/log/dpkg.log -o -path '/var/lib/dpkg/status*' -o -path '/var/lib/dpkg/*lock*' \
    -o -path /var/lib/dpkg/available -o -path /var/lib/dpkg/triggers \) -prune -o -printf '%y %m %u:%g %p -> %l\n' |
    LC_ALL=C sort
  inside find /etc /usr /var/lib /opt /root /home -xdev -type f ! -path '/var/lib/apt/*' ! -path '/var/lib/dpkg/*' \
    -exec md5sum {} + | LC_ALL=C sort
}

. /etc/os-release
mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
  awk -v release="$VERSION_CODENAME" '$2 == release { print $1; exit }')
components=main
[ "$ID" = ubuntu ] && components=main,universe

step "create a clean root: $ID $VERSION_CODENAME"
debootstrap --variant=minbase --components="$components" "$VERSION_CODENAME" "$root" "$mirror" >"$root.log" 2>&1 ||
  { tail -n 20 "$root.log" >&2; exit 1; }
rm -f "$root.log"
mount -t proc proc "$root/proc"
cp "$deb" "$root/tmp/aivj.deb"
mkdir -p "$root/tmp/user"

step "install dependencies"
inside apt-get update -qq
inside apt-get satisfy -qq -y --no-install-recommends "$(dpkg-deb --field "$deb" Depends)" >/dev/null 2>&1
before=$(listing)

step "install"
inside dpkg --install /tmp/aivj.deb
inside dpkg --listfiles aivj | grep -E 'man1/aivj.1.gz|completions/|applications/|icons/.*png' || exit 1

step "start"
inside aivj --version
inside aivj doctor
inside aivj perform --audio demo --seconds 2 --size 320x180 --out /tmp/frames
test -s "$root/tmp/frames/frame-00060.png"

step "remove"
inside dpkg --purge aivj
if ! after=$(diff <(printf '%s\n' "$before") <(listing)); then
  printf 'left behind or modified:\n%s\n' "$after" >&2
  exit 1
fi
if inside dpkg-query --show aivj 2>/dev/null; then
  echo "the package is still registered with dpkg" >&2
  exit 1
fi
echo "installed, started and removed cleanly"
