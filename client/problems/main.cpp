// Writes client/kiln/problems.h: a struct a family with the fields of its schema as members, so
// that a framework's misspelt field is a compile error. Argument: the file to write.

#include <cctype>
#include <cstdio>
#include <fstream>
#include <string>

#include "core/value.h"
#include "templates/registry.h"

namespace kiln {
namespace {

// "attention_forward" -> "AttentionForward"
std::string type_name(const std::string& name) {
  std::string type;
  bool upper = true;
  for (char c : name) {
    if (c != '_') type += upper ? char(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = c == '_';
  }
  return type;
}

// A member's type and, after " = ", its default. Required fields start at a value that the schema
// refuses or that says nothing; the daemon checks all the same.
std::string member(const Field& field) {
  const std::string value = field.default_value ? to_text(*field.default_value) : "";
  switch (field.type) {
    case FieldType::kInteger:
      return "int64_t " + field.name + " = " + (value.empty() ? "0" : value);
    case FieldType::kReal:
      return "double " + field.name + " = " + (value.empty() ? "0" : value);
    case FieldType::kBoolean:
      return "bool " + field.name + " = " + (value.empty() ? "false" : value);
    case FieldType::kChoice:
      break;
  }
  const std::string type = type_name(field.name);
  return type + " " + field.name + " = " + type +
         "::" + (value.empty() ? field.choices.front() : value);
}

std::string text_function(const Field& field) {
  std::string text = "  static const char* text(" + type_name(field.name) + " value) {\n";
  text += "    switch (value) {\n";
  for (const std::string& choice : field.choices) {
    text +=
        "      case " + type_name(field.name) + "::" + choice + ": return \"" + choice + "\";\n";
  }
  return text + "    }\n    return \"\";\n  }\n";
}

std::string structure(const Schema& schema) {
  std::string text = "// " + schema.documentation() + "\n";
  text += "struct " + type_name(schema.family()) + " {\n";
  for (const Field& field : schema.fields()) {
    if (field.type != FieldType::kChoice) continue;
    text += "  enum class " + type_name(field.name) + " : uint8_t { ";
    for (const std::string& choice : field.choices) {
      text += choice + (choice == field.choices.back() ? " };\n" : ", ");
    }
  }
  text += "\n";
  for (const Field& field : schema.fields()) {
    text += std::string("  // ") + (field.default_value ? "" : "(required) ") +
            field.documentation + "\n";
    text += "  " + member(field) + ";\n";
  }
  text += "\n  ProblemBuilder builder() const {\n    ProblemBuilder builder(\"" + schema.family() +
          "\");\n";
  for (const Field& field : schema.fields()) {
    const bool choice = field.type == FieldType::kChoice;
    text += "    builder.set(\"" + field.name + "\", " +
            (choice ? "text(" + field.name + ")" : field.name) + ");\n";
  }
  text += "    return builder;\n  }\n\n private:\n";
  for (const Field& field : schema.fields()) {
    if (field.type == FieldType::kChoice) text += text_function(field);
  }
  return text + "};\n\n";
}

std::string header() {
  std::string text =
      "// Problems of every family as structs; generated from the families' schemas.\n"
      "//\n"
      "//     client->prepare(kiln::problems::AttentionForward{.batch = 1, …}.builder());\n\n"
      "#pragma once\n\n#include <cstdint>\n\n#include \"client/kiln/problem_builder.h\"\n\n"
      "namespace kiln::problems {\n\n";
  for (const Family* family : families())
    text += structure(family->schema());
  return text + "}  // namespace kiln::problems\n";
}

}  // namespace
}  // namespace kiln

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: %s FILE\n", arguments[0]);
    return 2;
  }
  std::ofstream file(arguments[1]);
  file << kiln::header();
  file.close();
  return file ? 0 : 1;
}
