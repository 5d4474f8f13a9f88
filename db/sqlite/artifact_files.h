// Artifacts as files: <directory>/<hash>, whole or absent.
//
// A file is written under a temporary name, synced and renamed, and its digest is compared when it
// is read. Thread-safe as far as different hashes go; the store serialises the rest.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"

namespace kiln::db {

class ArtifactFiles {
 public:
  explicit ArtifactFiles(std::string directory) : directory_(std::move(directory)) {}

  // 32 hexadecimal digits in lower case, as digest() writes them; anything else is no file name.
  static bool is_hash(std::string_view hash);

  Status prepare();  // makes the directory (mode 0700)
  Status put(const std::string& hash, std::string_view bytes);
  // The bytes; nullopt when there is no such file; DATA_LOSS when its digest differs.
  StatusOr<std::optional<std::string>> read(const std::string& hash) const;
  Status remove(const std::string& hash);  // OK when there is none
  // Names of all files that were made whole.
  StatusOr<std::vector<std::string>> list() const;
  // Removes temporary files that a killed process left. Only while nobody puts.
  StatusOr<int64_t> remove_temporaries();

 private:
  std::string path_of(std::string_view hash) const;
  std::string directory_;
};

}  // namespace kiln::db
