// Numbers as a person reads them: three significant digits and a unit.

#pragma once

#include <cstdint>
#include <string>

namespace kiln::tunectl {

std::string time_text(double nanoseconds);            // "812 ns", "12.4 µs", "3.21 ms", "1.20 s"
std::string bytes_text(double bytes);                 // "512 B", "1.50 MiB"
std::string rate_text(double per_second, char kind);  // 'f': "123 GFLOP/s"; 'b': "27.1 GB/s"
std::string percent_text(double fraction);            // "86.1 %"; "–" for 0 (not measured)
std::string ratio_text(double ratio);                 // "1.84×"
std::string count_text(int64_t count);                // "12,345"
// "1 job", "12,345 jobs".
std::string counted_text(int64_t count, const std::string& noun);

// How long something lasts: "8 s", "2 min 05 s", "3 h 10 min".
std::string span_text(double seconds);

// "2026-03-01 12:30:05" in local time, and how long ago: "5 min ago".
std::string moment_text(int64_t unix_seconds);
std::string ago_text(int64_t unix_seconds, int64_t now);

}  // namespace kiln::tunectl
