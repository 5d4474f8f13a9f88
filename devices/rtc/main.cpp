// kiln-rtc: the vendors' run-time compilers as a command-line compiler, in a process that may die.
//
//     kiln-rtc nvrtc LIBRARY SOURCE OUTPUT cubin|ptx OPTION …
//     kiln-rtc hiprtc LIBRARY SOURCE OUTPUT code OPTION …
//     kiln-rtc nvrtc|hiprtc LIBRARY --version
//
// LIBRARY is opened as the system's loader does. The compiler's log goes to the standard output.
// Exit codes: 0 compiled; 1 the compiler's diagnostics are in the log; 2 wrong use, or no such
// library.

#include <cstdio>
#include <string_view>
#include <vector>

#include "devices/rtc/run_time_compiler.h"

int main(int count, char** values) {
  const std::vector<std::string_view> arguments(values + 1, values + count);
  return kiln::devices::run_rtc(arguments);
}
