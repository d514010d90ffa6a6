# Sets up what is missing, builds aivj, and starts it (Windows 10 and later). Not tested yet.
# Arguments are handed to aivj: .\run.ps1 doctor
$ErrorActionPreference = 'Stop'
Set-Location $PSScriptRoot

function Say($text) { Write-Host "aivj setup: $text" }

function Install-Missing($command, $id, $name) {
    if (Get-Command $command -ErrorAction SilentlyContinue) { return }
    if (-not (Get-Command winget -ErrorAction SilentlyContinue)) {
        Say "$name is missing and winget is not here; install it by hand and run this again"
        return
    }
    Say "installing $name with winget"
    winget install --exact --id $id --accept-package-agreements --accept-source-agreements
}

Install-Missing 'cargo' 'Rustlang.Rustup' 'the Rust toolchain'
Install-Missing 'ffmpeg' 'Gyan.FFmpeg' 'ffmpeg'
$cargoBin = Join-Path $env:USERPROFILE '.cargo\bin'
if (Test-Path $cargoBin) { $env:PATH = "$cargoBin;$env:PATH" }
if (-not (Get-Command cargo -ErrorAction SilentlyContinue)) {
    Say 'cargo is still missing; open a new terminal after installing it from rustup.rs'
    exit 1
}

if (-not $env:CARGO_TARGET_DIR) { $env:CARGO_TARGET_DIR = Join-Path $env:LOCALAPPDATA 'aivj\target' }
cargo build --release --locked --quiet
if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
& (Join-Path $env:CARGO_TARGET_DIR 'release\aivj.exe') @args
exit $LASTEXITCODE
