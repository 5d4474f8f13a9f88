# What every script starts with: strict mode, the checkout's root, the functions beside this file.
# Sourced.

set -euo pipefail
kiln_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
kiln_build=$kiln_root/build
kiln_logs=$kiln_root/build/logs
export LC_ALL=C.UTF-8
cd "$kiln_root"

# shellcheck source-path=SCRIPTDIR
source scripts/lib/log.sh
source scripts/lib/packages.sh
source scripts/lib/build.sh
source scripts/lib/daemon.sh
source scripts/lib/bundle.sh
