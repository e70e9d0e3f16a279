# Sourced by ./start and ./test, which set `me` and stand in the top folder: install what is missing, build.

say() {
    printf '%s: %s\n' "$me" "$*" >&2
}

die() {
    say "$@"
    exit 4
}

# Debian packages of these groups of tools/packages.txt that are not installed.
missing_packages() {
    local wanted have
    wanted=$(awk -v groups=" $* " '!/^#/ && index(groups, " " $1 " ") { print $2 }' tools/packages.txt)
    # Names with an architecture behind them ("libc6:amd64") and packages that provide another's name do not matter here.
    have=$(dpkg-query --show --showformat='${db:Status-Status} ${Package}\n' $wanted 2>/dev/null | awk '$1 == "installed" { print $2 }')
    # The colon stands for no package at all, so that grep always has a pattern.
    printf '%s\n' $wanted | grep -vxF -e : -e "${have:-:}"
}

install_packages() {
    [ $# -gt 0 ] || return 0
    local as=''
    command -v apt-get >/dev/null || die "this is not Debian; install by hand what these packages hold: $*"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "needs packages and may not install them; as root: apt-get install $*"
        as=sudo
    fi
    say "installing $*"
    # A list of packages that is fresh enough saves the longest step; a stale one fails and is renewed.
    $as env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >"$log" 2>&1 ||
        { $as apt-get update -qq >>"$log" 2>&1 &&
            $as env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >>"$log" 2>&1; } ||
        { tail -n 20 "$log" >&2; die "apt-get could not install the packages (above); repeat when the package archive is reachable"; }
}

# prepare GROUP...: all packages of the groups, and DuckDB for the lake.
prepare() {
    mkdir -p build-logs || die "cannot write in $(pwd)"
    log=build-logs/install.log
    local missing
    mapfile -t missing < <(missing_packages "$@")
    install_packages "${missing[@]}"
    if [ ! -f third_party/duckdb/version ]; then
        local tools=()
        command -v npm >/dev/null || tools+=(npm)
        command -v openssl >/dev/null || tools+=(openssl)
        install_packages "${tools[@]}"
    fi
    tools/get-duckdb >build-logs/duckdb.log 2>&1 ||
        { cat build-logs/duckdb.log >&2; die "no DuckDB, so no lake (above); repeat when the npm registry is reachable"; }
}

# build FOLDER [MESON OPTION...]: make or renew a build folder; says how long it took when it took long.
build() {
    local folder=$1 begin=$SECONDS
    shift
    if [ ! -f "$folder/build.ninja" ]; then
        say "building in $folder"
        rm -rf "$folder"
        meson setup "$folder" "$@" >"build-logs/$folder.log" 2>&1 || { tail -n 20 "build-logs/$folder.log" >&2; die "meson setup $folder failed (above)"; }
    fi
    ninja -C "$folder" >"build-logs/$folder-ninja.log" 2>&1 || { grep -v '^\[' "build-logs/$folder-ninja.log" | tail -n 40 >&2; die "the build in $folder failed (above)"; }
    [ $((SECONDS - begin)) -lt 2 ] || say "built $folder in $((SECONDS - begin)) s"
}
