// What a daemon sends to its clients: refused, or converted so that it can be used. The first byte
// says which message the others are.

#include <string>
#include <utility>
#include <vector>

#include "core/problem.h"
#include "core/schema.h"
#include "kiln/v1/kiln.pb.h"
#include "proto/plan.h"
#include "proto/problem.h"
#include "proto/provenance.h"
#include "runtime/buffer_layout.h"
#include "runtime/checked_plan.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace kiln;

void use(const v1::Schema& message) {
  const auto schema = proto::from_message(message);
  if (!schema.ok()) return;
  const auto again = proto::from_message(proto::to_message(*schema));
  fuzz::require(again.ok(), "a schema survives its message");
  std::vector<std::pair<std::string, std::string>> fields;
  for (size_t i = 0; i < schema->fields().size(); ++i) {
    const Field& field = schema->fields()[i];
    for (const std::string text : {"0", "1", "-1", "9223372036854775807", "1e300", "true", ""}) {
      (void)schema->parse(i, text);
    }
    for (const int64_t size : {INT64_MIN, int64_t{0}, int64_t{5}, INT64_MAX}) {
      fuzz::require(field.bucketing.bucket(size) >= size, "a bucket holds its sizes");
    }
    fuzz::require(!schema->expectation(i).empty(), "an expectation has words");
    fields.emplace_back(field.name, field.choices.empty() ? "1" : field.choices[0]);
  }
  if (const auto problem = Problem::parse(*schema, fields); problem.ok()) {
    (void)problem->text();
    (void)problem->sizes();
    (void)problem->scalars();
  }
}

void use(const v1::Plan& message) {
  const auto plan = proto::from_message(message);
  if (!plan.ok()) return;
  const auto again = proto::from_message(proto::to_message(*plan));
  fuzz::require(again.ok() && *again == *plan, "a plan survives its message");
  const auto checked = runtime::check_plan(*plan);
  if (!checked.ok()) return;
  std::vector<int64_t> symbols;
  for (const auto& symbol : checked->symbols)
    symbols.push_back(symbol.maximum);
  (void)runtime::lay_out(*checked, symbols);
}

void use(const v1::Provenance& message) {
  const auto provenance = proto::from_message(message);
  if (!provenance.ok()) return;
  const v1::Provenance once = proto::to_message(*provenance);
  const auto again = proto::from_message(once);
  fuzz::require(
      again.ok() && proto::to_message(*again).SerializeAsString() == once.SerializeAsString(),
      "provenance survives its message");
}

void use(const v1::Artifact& message) {
  const auto artifact = proto::from_message(message);
  fuzz::require(!artifact.ok() || artifact->hash == message.hash(), "an artifact has its hash");
}

template <class Message>
void receive(const uint8_t* data, size_t size) {
  Message message;
  if (message.ParseFromArray(data, int(size))) use(message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  switch (data[0] % 4) {
    case 0:
      receive<v1::Schema>(data + 1, size - 1);
      break;
    case 1:
      receive<v1::Plan>(data + 1, size - 1);
      break;
    case 2:
      receive<v1::Provenance>(data + 1, size - 1);
      break;
    default:
      receive<v1::Artifact>(data + 1, size - 1);
      break;
  }
  return 0;
}
