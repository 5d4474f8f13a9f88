# What the scripts need from Debian and from Python's registry, installed by name. Nothing is
# installed that is there already; proxies and indexes are those of the machine. Sourced.

# What building and running Kiln takes.
kiln_build_packages=(
  clang-19 cmake ninja-build ccache pkg-config
  libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc
  libsqlite3-dev libspdlog-dev libfmt-dev libcli11-dev libyaml-cpp-dev nlohmann-json3-dev
  libeigen3-dev libxxhash-dev libboost-context-dev catch2
  python3 python3-venv ca-certificates
)
# What serving the CPU takes beside installed programs and their libraries: kernels' compiler.
kiln_run_packages=(clang-19)
kiln_sanitizer_packages=(libclang-rt-19-dev llvm-19)
kiln_lint_packages=(clang-format-19 clang-tidy-19)

# Compilers and disassemblers for GPUs, which need no GPU: NVIDIA's from Python's registry, AMD's
# from Debian (clang compiles for AMD; it links with lld).
kiln_gpu_packages=(lld-19 llvm-19 libamdhip64-5 libhiprtc-builtins5)
kiln_gpu_python=(nvidia-cuda-nvrtc nvidia-cuda-nvdisasm)

# The .proto files of google.rpc, which Debian does not package.
kiln_build_python=(googleapis-common-protos)
kiln_bench_python=(torch==2.13.0 numpy)

as_root() {
  if [[ $(id -u) == 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo --preserve-env=DEBIAN_FRONTEND "$@"
  else
    fail "needs root to run: $*"
  fi
}

installed() { [[ $(dpkg-query -W -f '${Status}' "$1" 2>/dev/null) == 'install ok installed' ]]; }

need_packages() {
  command -v dpkg-query >/dev/null || fail "needs a Debian 12 system, or these packages: $*"
  local missing=() package
  for package in "$@"; do
    installed "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  step "Installing ${#missing[@]} Debian packages: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  # The lists of a fresh machine are empty, those of an old one may be out of date.
  quietly apt-update as_root apt-get update
  quietly apt-install as_root apt-get install --yes --no-install-recommends \
    -o DPkg::Lock::Timeout=300 "${missing[@]}"
}

# need_python PACKAGE[==VERSION] ...: into .venv. Options for pip come from the array pip_options.
need_python() {
  local python=$kiln_root/.venv/bin/python
  if [[ ! -x $python ]] || ! "$python" -m pip --version >/dev/null 2>&1; then
    step "Making the Python environment .venv"
    quietly venv /usr/bin/python3 -m venv --clear "$kiln_root/.venv"
  fi
  local missing=() package
  for package in "$@"; do
    "$python" - "$package" <<'PYTHON' || missing+=("$package")
import sys
from importlib.metadata import PackageNotFoundError, version
name, _, wanted = sys.argv[1].partition("==")
try:
    found = version(name).partition("+")[0]
except PackageNotFoundError:
    sys.exit(1)
sys.exit(bool(wanted) and found != wanted)
PYTHON
  done
  ((${#missing[@]})) || return 0
  step "Installing Python packages: ${missing[*]}"
  quietly pip-install "$python" -m pip install --quiet "${pip_options[@]}" "${missing[@]}"
}

need_build_tools() {
  need_packages "${kiln_build_packages[@]}"
  local pip_options=(--no-deps)
  need_python "${kiln_build_python[@]}"
}

need_sanitizers() {
  need_packages "${kiln_sanitizer_packages[@]}"
  # Where they look for llvm-symbolizer, which Debian gives a version in /usr/bin.
  export PATH=$PATH:/usr/lib/llvm-19/bin
}

need_gpu_tools() {
  need_packages "${kiln_gpu_packages[@]}"
  local pip_options=(--no-deps)
  need_python "${kiln_gpu_python[@]}"
}

need_bench_tools() {
  local pip_options=()
  need_python "${kiln_bench_python[@]}"
}
