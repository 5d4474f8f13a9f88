# A kilnd of one's own in a temporary directory, which ends with the script. Sourced.

# start_daemon: sets $daemon_socket; needs build/bin/kilnd.
start_daemon() {
  daemon_directory=$(mktemp -d "${TMPDIR:-/tmp}/kiln.XXXXXX")
  daemon_socket=$daemon_directory/kilnd.sock
  trap stop_daemon EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  # A group of its own, so that Ctrl-C reaches this script first, which then ends it in order.
  setsid "$kiln_build/bin/kilnd" --socket "$daemon_socket" --state-dir "$daemon_directory/state" \
    --background never >"$daemon_directory/kilnd.log" 2>&1 </dev/null &
  daemon_pid=$!
  local attempt
  for ((attempt = 0; attempt < 200; ++attempt)); do
    [[ -S $daemon_socket ]] && return
    kill -0 "$daemon_pid" 2>/dev/null || break
    sleep 0.05
  done
  cat "$daemon_directory/kilnd.log" >&2
  fail "kilnd did not start"
}

# Asks kilnd to end, waits, removes its directory. The script's exit status stays.
stop_daemon() {
  local status=$?
  trap - EXIT INT TERM HUP
  if [[ -n ${daemon_pid:-} ]]; then
    kill -TERM "$daemon_pid" 2>/dev/null || true
    local attempt
    for ((attempt = 0; attempt < 240; ++attempt)); do
      kill -0 "$daemon_pid" 2>/dev/null || break
      sleep 0.05
    done
    kill -KILL "$daemon_pid" 2>/dev/null || true
    wait "$daemon_pid" 2>/dev/null || true
  fi
  [[ -z ${daemon_directory:-} ]] || rm -rf "$daemon_directory"
  exit "$status"
}
