# The shared libraries that programs take along, so that they run where none of our packages are.
# Sourced.

# Of the machine itself: its drivers are linked against them. What Debian 12 builds asks for glibc 2.34
# and the C++ library of GCC 12, or newer.
kiln_system_libraries='^(linux-vdso|ld-linux-x86-64|libc|libm|libdl|libpthread|librt|libstdc\+\+|libgcc_s)\.so'

# bundle_libraries DIRECTORY PROGRAM ...: copies the libraries that the programs and these libraries
# link into DIRECTORY.
bundle_libraries() {
  local directory=$1 name arrow path rest
  shift
  mkdir -p "$directory"
  ldd "$@" | sort -u | while read -r name arrow path rest; do
    [[ $arrow == '=>' && ! $name =~ $kiln_system_libraries ]] || continue
    [[ -f $path ]] || fail "$name, which ${*##*/} link, is not on this machine"
    # By the name they are asked for by; the file behind it has a longer one.
    install -m 644 "$(readlink -f "$path")" "$directory/$name"
  done
}
