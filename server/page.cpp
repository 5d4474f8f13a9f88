#include "server/page.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace kiln::server {

StatusOr<db::Page> page_of(int page_size, const std::string& page_token) {
  if (page_size < 0) {
    return invalid_field("page_size", absl::StrCat(page_size), "0 (the default) or more");
  }
  db::Page page;
  page.limit = page_size == 0 ? kDefaultPageSize : std::min(page_size, kMaxPageSize);
  if (page_token.empty()) return page;
  if (!absl::SimpleAtoi(page_token, &page.after) || page.after < 0) {
    return invalid_field("page_token", page_token, "the next_page_token of the page before");
  }
  return page;
}

std::string next_page_token(const db::Page& page, size_t rows, int64_t last_id) {
  return int64_t(rows) < page.limit ? std::string() : absl::StrCat(last_id);
}

}  // namespace kiln::server
