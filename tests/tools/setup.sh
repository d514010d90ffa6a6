#!/usr/bin/env bash
# Installs what building and running aivj requires, and prints what it installs. Sourced by `run` and `test`; does
# nothing if everything is present, and uses sudo only if something is missing.

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/aivj/target}"
[ -d "$HOME/.cargo/bin" ] && PATH="$HOME/.cargo/bin:$PATH"

say() { printf 'aivj setup: %s\n' "$*" >&2; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else say "please run as root: $*"; return 1; fi
}

# Vulkan driver package for the graphics card; Arch has one per vendor.
arch_driver() {
  case "$(cat /sys/class/drm/card*/device/vendor 2>/dev/null)" in
    *0x10de*) echo nvidia-utils ;;
    *0x1002*) echo vulkan-radeon ;;
    *0x8086*) echo vulkan-intel ;;
    *) echo vulkan-swrast ;;
  esac
}

# Lists the required packages, each line with a file or command that shows whether the package is installed:
# "probe|apt|dnf|pacman|brew", '-' if not needed.
wanted_packages() {
  sed "s/ARCH_DRIVER/$(arch_driver)/" <<'LIST'
curl|curl|curl|curl|-
pem|ca-certificates|ca-certificates|ca-certificates|-
cc|build-essential|gcc|base-devel|-
pkg-config|pkg-config|pkgconf-pkg-config|pkgconf|pkg-config
lib:alsa/asoundlib.h|libasound2-dev|alsa-lib-devel|alsa-lib|-
so:libvulkan.so.1|libvulkan1|vulkan-loader|vulkan-icd-loader|-
vk:icd|mesa-vulkan-drivers|mesa-vulkan-drivers|ARCH_DRIVER|-
so:libxkbcommon-x11.so.0|libxkbcommon-x11-0|libxkbcommon-x11|libxkbcommon-x11|-
so:libXcursor.so.1|libxcursor1|libXcursor|libxcursor|-
so:libXi.so.6|libxi6|libXi|libxi|-
so:libXrandr.so.2|libxrandr2|libXrandr|libxrandr|-
ffmpeg|ffmpeg|ffmpeg-free|ffmpeg|ffmpeg
LIST
}

# Lists the packages that only the tests need: a display server, a software rasteriser, clients of sound servers, and
# build dependencies of the features `jack` and `pipewire`.
test_packages() {
  cat <<'LIST'
dbus-daemon|dbus-daemon|dbus-daemon|dbus|-
pactl|pulseaudio-utils|pulseaudio-utils|libpulse|-
Xvfb|xvfb|xorg-x11-server-Xvfb|xorg-server-xvfb|-
vk:lvp|mesa-vulkan-drivers|mesa-vulkan-drivers|vulkan-swrast|-
lib:jack/jack.h|libjack-jackd2-dev|jack-audio-connection-kit-devel|jack2|-
lib:pipewire-0.3/pipewire/pipewire.h|libpipewire-0.3-dev|pipewire-devel|libpipewire|-
clang:lib|libclang-dev|clang-devel|clang|-
LIST
}

# Lists the sound and MIDI servers of the tests. Fedora and Arch replace PulseAudio with PipeWire; install PulseAudio by
# hand there.
server_packages() {
  cat <<'LIST'
pulseaudio|pulseaudio|-|-|-
pipewire|pipewire|pipewire|pipewire|-
wireplumber|wireplumber|wireplumber|wireplumber|-
pipewire-pulse|pipewire-pulse|pipewire-pulseaudio|pipewire-pulse|-
jackd|jackd2|jack-audio-connection-kit|jack2|-
LIST
}

# Installs the servers, unless one is in use: a second one could take its devices.
install_servers() {
  if [ -e "${XDG_RUNTIME_DIR:-/none}/pulse/native" ] || [ -e "${XDG_RUNTIME_DIR:-/none}/pipewire-0" ]; then
    say "a sound server is running, so no others are installed; if a test needs one of server_packages in" \
      "tests/tools/setup.sh, install it by hand or set AIVJ_NO_AUDIO=1"
  else
    install_missing server_packages
  fi
}

# Lists the shared libraries of the system; ldconfig is not on every user's path.
libraries() { PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null; }

any_file() {
  local file
  for file in "$@"; do [ -e "$file" ] && return 0; done
  return 1
}

present() {
  case "$1" in
    lib:*) [ -e "/usr/include/${1#lib:}" ] ;;
    so:*) case "$(libraries)" in *"${1#so:} "*) ;; *) return 1 ;; esac ;;
    pem) [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -d /etc/pki/tls/certs ] ;;
    vk:icd) any_file /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json ;;
    vk:lvp) any_file /usr/share/vulkan/icd.d/lvp_*.json ;;
    /*) [ -e "$1" ] ;;
    clang:lib) any_file /usr/lib/llvm-*/lib/libclang.so /usr/lib64/libclang.so /usr/lib/libclang.so ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

install_missing() {
  local manager field
  if command -v apt-get >/dev/null; then manager=apt field=2
  elif command -v dnf >/dev/null; then manager=dnf field=3
  elif command -v pacman >/dev/null; then manager=pacman field=4
  elif command -v brew >/dev/null; then manager=brew field=5
  else say "no known package manager; if the build fails, install a C compiler, ALSA headers and a Vulkan driver"; return 0; fi
  local missing=() line package
  while IFS= read -r line; do
    package=$(printf '%s' "$line" | cut -d'|' -f"$field")
    [ "$package" = - ] && continue
    present "${line%%|*}" || missing+=("$package")
  done < <("$@")
  [ ${#missing[@]} -eq 0 ] && return 0
  say "installing with $manager: ${missing[*]}"
  case $manager in
    apt) as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ;;
    dnf) as_root dnf install -y -q "${missing[@]}" ;;
    pacman) as_root pacman -S --needed --noconfirm --quiet "${missing[@]}" ;;
    brew) brew install --quiet "${missing[@]}" ;;
  esac || say "some packages could not be installed; continuing ('aivj doctor' lists what is missing)"
}

# Installs the toolchain pinned by rust-toolchain.toml; a newer one not managed by rustup is accepted.
install_rust() {
  local pinned found name
  pinned=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
  if command -v rustup >/dev/null; then
    rustup run "$pinned" cargo --version >/dev/null 2>&1 && return 0
    for name in $(rustup toolchain list --quiet); do
      if [ "$(rustup run "$name" cargo --version 2>/dev/null | cut -d' ' -f2)" = "$pinned" ]; then
        export RUSTUP_TOOLCHAIN="$name"
        return 0
      fi
    done
  else
    found=$(cargo --version 2>/dev/null | cut -d' ' -f2)
    [ -n "$found" ] && [ "$(printf '%s\n' "$pinned" "$found" | sort -V | head -n 1)" = "$pinned" ] && return 0
    say "installing rustup into ~/.cargo (Rust ${found:-not} found, $pinned needed)"
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --default-toolchain none >/dev/null
    PATH="$HOME/.cargo/bin:$PATH"
  fi
  say "installing Rust $pinned with rustup"
  rustup toolchain install "$pinned" --profile minimal --component rustfmt --component clippy >/dev/null
}
