#include "server/request_check.h"

#include <google/protobuf/descriptor.h>

#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"

namespace kiln::server {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Where a field sits; a string is made of it only when it is at fault.
struct Place {
  const Place* parent = nullptr;
  const FieldDescriptor* field = nullptr;
  int index = -1;

  std::string path() const {
    std::string text = parent && parent->field ? parent->path() + "." : std::string();
    absl::StrAppend(&text, field->name());
    if (index >= 0) absl::StrAppend(&text, "[", index, "]");
    return text;
  }
};

Status check_message(const Message& message, const Place& parent);

Status check_value(const Message& message, const Reflection& reflection, const Place& place) {
  const FieldDescriptor* field = place.field;
  const bool repeated = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string scratch;
      const std::string& text =
          repeated ? reflection.GetRepeatedStringReference(message, field, place.index, &scratch)
                   : reflection.GetStringReference(message, field, &scratch);
      if (text.size() <= kMaxStringBytes) return absl::OkStatus();
      return invalid_field(place.path(), text.substr(0, 32) + "…",
                           absl::StrCat("at most ", kMaxStringBytes, " bytes, not ", text.size()));
    }
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      const double number = repeated ? reflection.GetRepeatedDouble(message, field, place.index)
                                     : reflection.GetDouble(message, field);
      if (std::isfinite(number)) return absl::OkStatus();
      return invalid_field(place.path(), absl::StrCat(number), "a finite number");
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int number = repeated ? reflection.GetRepeatedEnumValue(message, field, place.index)
                                  : reflection.GetEnumValue(message, field);
      if (field->enum_type()->FindValueByNumber(number) != nullptr) return absl::OkStatus();
      return invalid_field(place.path(), absl::StrCat(number),
                           absl::StrCat("a value of ", field->enum_type()->name()));
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return check_message(repeated ? reflection.GetRepeatedMessage(message, field, place.index)
                                    : reflection.GetMessage(message, field),
                           place);
    default:
      return absl::OkStatus();
  }
}

Status check_message(const Message& message, const Place& parent) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> set;
  reflection.ListFields(message, &set);
  for (const FieldDescriptor* field : set) {
    Place place{&parent, field, -1};
    if (!field->is_repeated()) {
      KILN_RETURN_IF_ERROR(check_value(message, reflection, place));
      continue;
    }
    const int size = reflection.FieldSize(message, field);
    if (size > kMaxEntries) {
      return invalid_field(place.path(), absl::StrCat(size, " entries"),
                           absl::StrCat("at most ", kMaxEntries, " entries"));
    }
    for (place.index = 0; place.index < size; ++place.index) {
      KILN_RETURN_IF_ERROR(check_value(message, reflection, place));
    }
  }
  return absl::OkStatus();
}

}  // namespace

Status check_request(const Message& request) {
  return check_message(request, Place{});
}

}  // namespace kiln::server
