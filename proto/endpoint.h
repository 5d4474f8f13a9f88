// Where daemon and clients meet by default.

#pragma once

#include <string>

namespace kiln::proto {

// $XDG_RUNTIME_DIR/kiln/kilnd.sock; without that variable /run/kiln/kilnd.sock for root and
// /run/user/<uid>/kiln/kilnd.sock for others.
std::string default_socket();

}  // namespace kiln::proto
