# Progress on standard output, one line a step; the commands' own output goes to files under
# build/logs and is shown only when a command fails. Sourced.

if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
  kiln_bold=$'\e[1m' kiln_red=$'\e[31m' kiln_plain=$'\e[0m'
else
  kiln_bold='' kiln_red='' kiln_plain=''
fi

step() { printf '%s==> %s%s\n' "$kiln_bold" "$*" "$kiln_plain"; }

fail() {
  printf '%s%s: %s%s\n' "$kiln_red" "${0##*/}" "$*" "$kiln_plain" >&2
  exit 1
}

# quietly NAME COMMAND [ARGUMENT ...]: runs the command with its output in build/logs/NAME.log;
# shows the log's end and fails when the command does.
quietly() {
  local name=$1 log="$kiln_logs/$1.log"
  shift
  mkdir -p "$kiln_logs"
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 60 "$log" >&2
    fail "$name failed; the whole output is in ${log#"$kiln_root"/}"
  fi
}
