#!/bin/sh
# Tests the GPUs of this machine: are Kiln's kernels right, and how fast are they?
#   ./selftest [--device NAME]... [--seconds N] [--report FILE]
#     --device   cuda:0, hip:0, host, emulator:warp32, …; default every GPU that is found
#     --seconds  at most, default 500
#     --report   default selftest.json; `tunectl import` reads it
# With a python3 that has PyTorch, its attention and convolutions are timed beside Kiln's.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
report=selftest.json seconds=500 devices=''
while [ $# -gt 0 ]; do
  case $1 in
    --device) devices="$devices --device ${2:?--device needs a name}"; shift ;;
    --seconds) seconds=${2:?--seconds needs a number}; shift ;;
    --report) report=${2:?--report needs a file}; shift ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; [ "$1" = --help ] && exit; exit 2 ;;
  esac
  shift
done
python=${PYTHON:-python3}
"$python" -c 'import torch' >/dev/null 2>&1 || python=''
# PyTorch's part comes last; without it all the time is Kiln's.
compare=0
[ -z "$python" ] || compare=$((seconds * 3 / 10))
status=0
# shellcheck disable=SC2086 # names hold no blanks
"$here/libexec/kiln/kiln-selftest" $devices --kernels "$here/kernels" --report "$report" \
  --seconds $((seconds - compare)) || status=$?
if [ -n "$python" ] && [ -f "$report" ] && [ $status -le 1 ]; then
  "$python" "$here/compare.py" "$report" "$compare" || echo "selftest: PyTorch's part failed" >&2
fi
exit $status
