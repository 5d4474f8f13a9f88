# Configuring and building with CMake, Ninja, clang and ccache. Sourced.

# Compilations at once: the processors this process may use, at 1.5 GiB of memory each.
build_jobs() {
  local processors memory_kib
  processors=$(nproc)
  memory_kib=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
  local by_memory=$((memory_kib / (1536 * 1024)))
  ((by_memory >= 1)) || by_memory=1
  echo $((processors < by_memory ? processors : by_memory))
}

# configure DIRECTORY [CMAKE_OPTION ...]
configure() {
  local directory=$1
  shift
  # Paths relative to the checkout let checkouts share what ccache holds.
  export CCACHE_BASEDIR=$kiln_root CCACHE_NOHASHDIR=1
  quietly "configure-${directory##*/}" cmake -S "$kiln_root" -B "$directory" -G Ninja \
    -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 \
    -DCMAKE_CXX_COMPILER_LAUNCHER=ccache "$@"
}

# configure_sanitized address | thread: in build-address (undefined behaviour too; the tests and the
# fuzzers share it, since the fuzzers' counters cost little) or build-thread.
configure_sanitized() {
  local kind=$1 checks=$1 fuzz=OFF
  [[ $kind == thread ]] || checks=address,undefined,fuzzer-no-link fuzz=ON
  kiln_build=$kiln_root/build-$kind
  configure "$kiln_build" -DKILN_SANITIZE="$checks" -DKILN_FUZZ="$fuzz" -DKILN_BENCHMARKS=OFF
}

# build DIRECTORY [TARGET ...]; shows how far it is: on a terminal in place, else every tenth.
build() {
  local directory=$1 log="$kiln_logs/build-${1##*/}.log" status=0
  shift
  export CCACHE_BASEDIR=$kiln_root CCACHE_NOHASHDIR=1
  mkdir -p "$kiln_logs"
  NINJA_STATUS='[%f/%t] ' ninja -C "$directory" -j "$(build_jobs)" "$@" 2>&1 </dev/null |
    tee "$log" | show_progress || status=${PIPESTATUS[0]}
  if ((status)); then
    grep -v '^\[[0-9]*/[0-9]*\] ' "$log" | tail -n 80 >&2
    fail "the build failed; the whole output is in ${log#"$kiln_root"/}"
  fi
}

show_progress() {
  local line done total tenth last=-1
  while IFS= read -r line; do
    [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] || continue
    done=${BASH_REMATCH[1]} total=${BASH_REMATCH[2]}
    if [[ -t 1 ]]; then
      printf '\r    %d of %d\e[K' "$done" "$total"
    else
      tenth=$((10 * done / total))
      ((tenth == last)) || printf '    %d of %d\n' "$done" "$total"
      last=$tenth
    fi
  done
  if [[ -t 1 && -n ${total:-} ]]; then printf '\r\e[K'; fi
}
