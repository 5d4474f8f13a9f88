#include "client/tunectl/json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/time/time.h"
#include "kiln/v1/problem.pb.h"

namespace kiln::tunectl {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// "STATE_SUCCEEDED" of enum State → "succeeded".
std::string enumerator(const EnumValueDescriptor& value) {
  std::string name = value.name();
  // The zero value carries the enum's prefix in front of UNSPECIFIED.
  const std::string zero = value.type()->value(0)->name();
  const size_t prefix = zero.rfind("UNSPECIFIED");
  if (prefix != std::string::npos && name.compare(0, prefix, zero, 0, prefix) == 0) {
    name.erase(0, prefix);
  }
  return absl::AsciiStrToLower(name);
}

Json scalar(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& from = *message.GetReflection();
  const bool many = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return many ? from.GetRepeatedInt32(message, &field, index) : from.GetInt32(message, &field);
    case FieldDescriptor::CPPTYPE_INT64:
      return many ? from.GetRepeatedInt64(message, &field, index) : from.GetInt64(message, &field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return many ? from.GetRepeatedUInt32(message, &field, index)
                  : from.GetUInt32(message, &field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return many ? from.GetRepeatedUInt64(message, &field, index)
                  : from.GetUInt64(message, &field);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return many ? from.GetRepeatedFloat(message, &field, index) : from.GetFloat(message, &field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return many ? from.GetRepeatedDouble(message, &field, index)
                  : from.GetDouble(message, &field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return many ? from.GetRepeatedBool(message, &field, index) : from.GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return enumerator(many ? *from.GetRepeatedEnum(message, &field, index)
                             : *from.GetEnum(message, &field));
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text =
          many ? from.GetRepeatedString(message, &field, index) : from.GetString(message, &field);
      return field.type() == FieldDescriptor::TYPE_BYTES ? absl::Base64Escape(text) : text;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return to_json(many ? from.GetRepeatedMessage(message, &field, index)
                          : from.GetMessage(message, &field));
  }
  return nullptr;
}

int64_t integer_field(const Message& message, const char* name) {
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
  return field->cpp_type() == FieldDescriptor::CPPTYPE_INT32
             ? message.GetReflection()->GetInt32(message, field)
             : message.GetReflection()->GetInt64(message, field);
}

Json config_json(const v1::Config& config) {
  Json object = Json::object();
  for (const auto& entry : config.entries()) {
    object[entry.parameter()] = entry.label().empty() ? Json(entry.value()) : Json(entry.label());
  }
  return object;
}

Json value_json(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kInteger:
      return value.integer();
    case v1::Value::kReal:
      return value.real();
    case v1::Value::kBoolean:
      return value.boolean();
    case v1::Value::kChoice:
      return value.choice();
    case v1::Value::KIND_NOT_SET:
      break;
  }
  return nullptr;
}

}  // namespace

Json to_json(const Message& message) {
  const std::string& type = message.GetDescriptor()->full_name();
  if (type == "google.protobuf.Duration") {
    return static_cast<double>(integer_field(message, "seconds")) +
           1e-9 * static_cast<double>(integer_field(message, "nanos"));
  }
  if (type == "google.protobuf.Timestamp") {
    return absl::FormatTime(absl::RFC3339_full,
                            absl::FromUnixSeconds(integer_field(message, "seconds")) +
                                absl::Nanoseconds(integer_field(message, "nanos")),
                            absl::UTCTimeZone());
  }
  if (const auto* config = dynamic_cast<const v1::Config*>(&message)) return config_json(*config);
  if (const auto* value = dynamic_cast<const v1::Value*>(&message)) return value_json(*value);

  Json object = Json::object();
  const Reflection& reflection = *message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    Json& entry = object[field.name()];
    if (field.is_repeated()) {
      entry = Json::array();
      for (int k = 0; k < reflection.FieldSize(message, &field); ++k) {
        entry.push_back(scalar(message, field, k));
      }
    } else if (field.real_containing_oneof() != nullptr && !reflection.HasField(message, &field)) {
      object.erase(field.name());
    } else if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
               reflection.HasField(message, &field)) {
      entry = scalar(message, field, 0);
    }
  }
  return object;
}

std::string json_text(const Json& document) {
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace kiln::tunectl
