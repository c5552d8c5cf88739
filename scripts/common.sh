# Sourced by the scripts beside it, which set `root`: what they share.
# shellcheck shell=sh
: "${root:?}"

say() {
    printf '%s\n' "$*"
}

step() {
    printf '\n==> %s\n' "$*"
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# mpirun as root, with more ranks than cores, beside other runs on the same cores (no binding), on this machine alone (no
# TCP, about whose interfaces Open MPI 5 may print warnings, and no look for other networks, which takes 0.2 s), and in containers that forbid reading another process's
# memory. The OMPI names are Open MPI 4's, the PRTE ones Open MPI 5's.
mpi_environment() {
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    export PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
    export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
    export PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe PRTE_MCA_hwloc_default_binding_policy=none
    export OMPI_MCA_btl=self,vader OMPI_MCA_pml=ob1
    export OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_btl_sm_use_cma=0
}

# Everything that a script writes goes below this folder: the source tree, or that of --build.
place=$root

# write_below FOLDER: that of --build, made where it is missing.
write_below() {
    [ -n "${1:-}" ] || die "--build wants a folder"
    mkdir -p "$1" || die "$1: this folder cannot be made"
    place=$(cd "$1" && pwd)
}

# writable: or says what to do.
writable() {
    [ -w "$place" ] || die "$place: nothing can be written here: --build FOLDER names another place for what is built"
}

# configure FOLDER OPTION...: sets a build folder up, or anew when it was made for another place.
configure() {
    folder=$1
    shift
    mkdir -p "$folder"
    if [ -f "$folder/build.ninja" ]; then
        meson setup --reconfigure "$@" "$folder" "$root" >"$folder/configure.log" 2>&1 </dev/null && return
        rm -rf "$folder"
        mkdir "$folder"
    fi
    if ! meson setup "$@" "$folder" "$root" >"$folder/configure.log" 2>&1 </dev/null; then
        cat "$folder/configure.log" >&2
        die "configuring the build failed; more in $folder/meson-logs/meson-log.txt"
    fi
}

# compile FOLDER [TARGET...]: shows what the compiler says only when it fails.
compile() {
    folder=$1
    if ! ninja -C "$@" >"$folder/compile.log" 2>&1 </dev/null; then
        cat "$folder/compile.log" >&2
        die "the build failed"
    fi
}
