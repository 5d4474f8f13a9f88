// Configs and fingerprints as text, as the database and exports hold them.

#include "core/fingerprint.h"
#include "core/space.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto text = kiln::fuzz::text(data, size);
  if (const auto config = kiln::Config::parse(text); config.ok()) {
    const auto again = kiln::Config::parse(config->text());
    kiln::fuzz::require(again.ok() && *again == *config, "a config survives its text");
  }
  if (const auto fingerprint = kiln::Fingerprint::parse(text); fingerprint.ok()) {
    const auto again = kiln::Fingerprint::parse(fingerprint->text());
    kiln::fuzz::require(again.ok() && *again == *fingerprint, "a fingerprint survives its text");
  }
  return 0;
}
