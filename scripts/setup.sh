#!/bin/sh
# Looks for the compilers and emulators that verification uses and installs what is missing, where it may.
# Quiet when everything is there. Never fails: a command that needs a missing tool says so itself (TH5001).
set -u

have() { command -v "$1" >/dev/null 2>&1; }

has_wasm_clang() {
    for clang in clang /opt/homebrew/opt/llvm/bin/clang /usr/local/opt/llvm/bin/clang; do
        if have "$clang" && "$clang" --print-targets 2>/dev/null | grep -q wasm32; then
            for linker in wasm-ld "$("$clang" --print-prog-name=wasm-ld)" /opt/homebrew/opt/lld/bin/wasm-ld \
                /usr/local/opt/lld/bin/wasm-ld; do
                if have "$linker"; then return 0; fi
            done
        fi
    done
    return 1
}

# gcc prints the bare name back for a file that it does not find.
has_newlib() {
    have arm-none-eabi-gcc && [ "$(arm-none-eabi-gcc -print-file-name=nano.specs)" != nano.specs ]
}

apt=""
brew=""
casks=""
missing=""
need() {
    missing="$missing, $1"
    apt="$apt $2"
    brew="$brew $3"
    casks="$casks $4"
}

have cc || need "a C compiler" "gcc libc6-dev" "" ""
has_wasm_clang || need "clang with wasm-ld" "clang lld" "llvm lld" ""
has_newlib || need "arm-none-eabi-gcc with newlib" "gcc-arm-none-eabi libnewlib-arm-none-eabi" "" "gcc-arm-embedded"
have qemu-system-arm || need "qemu-system-arm" "qemu-system-arm" "qemu" ""
[ -n "$missing" ] || exit 0
missing=${missing#, }

say() { printf '%s\n' "setup: $*" >&2; }

# The lists hold several words on purpose.
# shellcheck disable=SC2086
install_with_apt() {
    root="env"
    if [ "$(id -u)" -ne 0 ]; then
        if ! have sudo || ! sudo -n true 2>/dev/null; then
            say "missing: $missing. To verify on every target: sudo apt-get install$apt"
            return
        fi
        root="sudo -n env"
    fi
    say "installing:$apt"
    $root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $apt >/dev/null 2>&1 ||
        { $root apt-get update -qq >/dev/null 2>&1 &&
            $root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $apt >/dev/null; } ||
        say "could not install:$apt. Without them, some targets cannot be verified."
}

# shellcheck disable=SC2086
install_with_brew() {
    have cc || say "a C compiler is missing: xcode-select --install"
    if [ -n "${brew# }" ] && ! brew install --quiet $brew >&2; then say "could not install:$brew"; fi
    if [ -n "${casks# }" ] && ! brew install --quiet --cask $casks >&2; then say "could not install:$casks"; fi
    return 0
}

if have apt-get; then
    install_with_apt
elif have brew; then
    install_with_brew
else
    say "missing: $missing. The targets that need them cannot be verified here."
fi
exit 0
