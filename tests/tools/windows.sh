#!/usr/bin/env bash
# Builds aivj.exe on Debian and runs it under Wine. Run by hand; not part of ./test.
#
#   tests/tools/windows.sh           build, run each command under Wine and print a table; fails if a command fails
#   tests/tools/windows.sh zip DIR   build and write DIR/aivj-VERSION-windows-x86_64.zip
#
# Debian's rustc-web includes the sources of std, from which cargo builds std for Windows. Rendering needs Vulkan, which
# Wine forwards to the system's driver only with an X display; the script starts Xvfb for it.

set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/tools/setup.sh

root=$PWD
target=x86_64-pc-windows-gnu
mingw=x86_64-w64-mingw32
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
work=${TMPDIR:-/tmp}/aivj-windows-$(id -u)
wine=/usr/lib/wine/wine64
export CARGO_TARGET_DIR=$CARGO_TARGET_DIR-windows

wanted_for_windows() {
  cat <<LIST
/usr/bin/rustc|rustc-web
/usr/lib/rustlib/src/rust/library/std/Cargo.toml|rust-web-src
$mingw-gcc|gcc-mingw-w64-x86-64-win32
$wine|wine64
Xvfb|xvfb
zip|zip
LIST
}

# Builds aivj.exe with a profile of Cargo.toml, and sets `exe` to its path.
build() {
  local profile=$1
  command -v apt-get >/dev/null || { say "this script needs Debian's packages"; exit 1; }
  install_missing wanted_packages
  install_missing wanted_for_windows
  install_rust
  say "building aivj.exe; the first build takes as long as the first native one"
  RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_INCREMENTAL=0 CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=$mingw-gcc \
    cargo build --profile "$profile" --locked --quiet --bin aivj -Zbuild-std=std,panic_abort --target "$target"
  exe=$CARGO_TARGET_DIR/$target/$profile/aivj.exe
}

# Packs the program with the licences; everything else it needs is part of Windows.
pack() {
  local name=aivj-$version-windows-x86_64 to
  mkdir -p "$1"
  to=$(cd "$1" && pwd)
  rm -rf "${work:?}/zip" "$to/$name.zip"
  mkdir -p "$work/zip/$name"
  cp README.md LICENSE-* THIRD_PARTY_NOTICES.md "$work/zip/$name"
  CARGO_BUILD_TARGET=$target python3 tests/tools/licences.py >"$work/zip/$name/dependency-licences.txt"
  $mingw-strip -o "$work/zip/$name/aivj.exe" "$exe"
  (cd "$work/zip" && zip -qr "$to/$name.zip" "$name")
  say "wrote $to/$name.zip"
}

# Adds ProcessPrng, which std calls and Wine 8 lacks.
add_random_numbers() {
  cat >"$work/prng.c" <<'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID to, ULONG count);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE to, SIZE_T count) { return SystemFunction036(to, (ULONG)count); }
C
  $mingw-gcc -shared -O1 -o "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" "$work/prng.c" -ladvapi32
}

start_wine() {
  export WGPU_BACKEND=vulkan # Wine's own Direct3D 12 device is lost at once.
  export WINEPREFIX=$work/prefix WINEDEBUG=${WINEDEBUG:--all} WINEDLLOVERRIDES="mscoree,mshtml="
  rm -rf "$work"
  mkdir -p "$work/out"
  Xvfb -displayfd 1 -screen 0 1280x800x24 >"$work/display" 2>/dev/null &
  x_server=$!
  trap stop_wine EXIT
  until [ -s "$work/display" ]; do kill -0 $x_server || exit 1; sleep 0.1; done
  DISPLAY=:$(cat "$work/display")
  export DISPLAY
  "$wine" wineboot --init >/dev/null 2>&1
  add_random_numbers
}

stop_wine() {
  "${wine%/*}/wineserver" -k || true # this prefix only
  kill $x_server
}

# Runs a command and prints one line: name, result, exit status, time and last line of output.
step() {
  local name=$1 wanted=$2 began=$SECONDS ended=0 mark=ok
  shift 2
  (cd "$work/out" && timeout 600 "$wine" "$exe" "$@") >"$work/$name.txt" 2>"$work/$name.err" </dev/null || ended=$?
  case " $wanted " in *" $ended "*) ;; *) mark=FAILED failed=1 ;; esac
  printf '%-16s %-6s %4s %4ss  %s\n' "$name" $mark "$ended" $((SECONDS - began)) "$(last_words "$name")"
}

last_words() { cat "$work/$1.err" "$work/$1.txt" | tr -d '\r' | grep -v '^ *$' | tail -n 1 | cut -c1-90; }

run_all() {
  local presets="Z:${root//\//\\}\\presets"
  ffmpeg -loglevel error -y -f lavfi -i 'aevalsrc=0.6*sin(80*2*PI*t)*exp(-12*mod(t\,0.5)):s=44100:d=12' "$work/out/beat.wav"
  printf '%-16s %-6s %4s %5s  %s\n' command result exit time 'last line'
  step version 0 --version
  step keys 0 keys
  step settings 0 settings
  step doctor 0 doctor
  step midi 0 midi --seconds 1
  step simulate 0 simulate --users 2 --json
  step listen 0 listen --json beat.wav
  step library-scan 0 library scan "$presets"
  step library-search 0 library search ember
  step render 0 render "$presets\\ambient\\calm\\silk_thread.milk" --frames 10 --save 10 --out render
  step perform 0 perform --audio beat.wav --seconds 3 --size 320x180 --out demo.webp --log set.jsonl
  step replay 0 replay set.jsonl --audio beat.wav
  step play 0 play --audio demo --size 320x180 --seconds 15
  step audit 0 bake audit --library "$presets" --out audit --limit 12
  step report 0 bake report --out audit
  step pack "0 4" bake pack --audit audit --name small --size 6
  step index-check 2 index check packs/small
  step overnight 0 bake overnight --library "$presets" --pack night --out night --smoke
  step taste 0 taste export taste.json
}

case ${1:-} in
  '') build release; start_wine; failed=0; run_all; say "output of each command: $work"; exit $failed ;;
  zip) build dist; pack "${2:?the folder for the zip}" ;;
  *) sed -n '4,5s/^# *//p' "$0" >&2; exit 2 ;;
esac
