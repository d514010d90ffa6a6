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

# rustc's linker and the C compiler for SQLite come with Visual Studio's build tools.
function Install-BuildTools {
    $vswhere = Join-Path ${env:ProgramFiles(x86)} 'Microsoft Visual Studio\Installer\vswhere.exe'
    $component = 'Microsoft.VisualStudio.Component.VC.Tools.x86.x64'
    if ((Test-Path $vswhere) -and (& $vswhere -products * -requires $component -property installationPath)) { return }
    if (-not (Get-Command winget -ErrorAction SilentlyContinue)) {
        Say 'the Visual C++ build tools are missing and winget is not here; install them by hand and run this again'
        return
    }
    Say 'installing the Visual C++ build tools with winget'
    winget install --exact --id Microsoft.VisualStudio.2022.BuildTools `
        --accept-package-agreements --accept-source-agreements `
        --override '--passive --wait --add Microsoft.VisualStudio.Workload.VCTools --includeRecommended'
}

Install-BuildTools
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
