// Paging of lists (page_size, page_token), over rows in the order of their ids.

#pragma once

#include <cstdint>
#include <string>

#include "core/status.h"
#include "db/store.h"

namespace kiln::server {

inline constexpr int kDefaultPageSize = 100;
inline constexpr int kMaxPageSize = 1000;  // larger wishes are cut, as the API's convention says

// INVALID_ARGUMENT for a negative size or a token that no list gave out.
StatusOr<db::Page> page_of(int page_size, const std::string& page_token);

// The token of the page after one of `rows` rows that ended with `last_id`; empty at the end.
std::string next_page_token(const db::Page& page, size_t rows, int64_t last_id);

}  // namespace kiln::server
