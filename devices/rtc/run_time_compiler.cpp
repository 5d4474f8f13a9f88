#include "devices/rtc/run_time_compiler.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

namespace kiln::devices {
namespace {

constexpr int kCompiled = 0, kDiagnosed = 1, kWrongUse = 2;

int refuse(std::string_view what) {
  fmt::print("{}\n", what);
  return kWrongUse;
}

// The functions of a library, both vendors' alike but for the prefix.
struct Interface {
  using Program = void*;
  int (*version)(int*, int*);
  int (*create)(Program*, const char*, const char*, int, const char* const*, const char* const*);
  int (*compile)(Program, int, const char* const*);
  int (*destroy)(Program*);
  int (*log_size)(Program, size_t*);
  int (*log)(Program, char*);
  int (*code_size)(Program, size_t*);
  int (*code)(Program, char*);
  const char* (*error)(int);
};

class Library {
 public:
  explicit Library(const char* path) : handle_(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {}
  bool is_open() const { return handle_ != nullptr; }

  template <class F>
  bool find(F& function, const std::string& name) {
    function = reinterpret_cast<F>(dlsym(handle_, name.c_str()));
    if (function == nullptr) missing_ = name;
    return function != nullptr;
  }
  const std::string& missing() const { return missing_; }

 private:
  void* handle_;
  std::string missing_;
};

bool load(Library& library, std::string_view vendor, std::string_view form, Interface& api) {
  const std::string prefix(vendor);
  const std::string code = form == "cubin" ? "CUBIN" : form == "ptx" ? "PTX" : "Code";
  return library.find(api.version, prefix + "Version") &&
         library.find(api.error, prefix + "GetErrorString") &&
         library.find(api.create, prefix + "CreateProgram") &&
         library.find(api.compile, prefix + "CompileProgram") &&
         library.find(api.destroy, prefix + "DestroyProgram") &&
         library.find(api.log_size, prefix + "GetProgramLogSize") &&
         library.find(api.log, prefix + "GetProgramLog") &&
         library.find(api.code_size, prefix + "Get" + code + "Size") &&
         library.find(api.code, prefix + "Get" + code);
}

using Getter = int (*)(Interface::Program, char*);
using SizeGetter = int (*)(Interface::Program, size_t*);

std::string fetch(Interface::Program program, SizeGetter size_of, Getter get) {
  size_t size = 0;
  if (size_of(program, &size) != 0 || size == 0) return {};
  std::string text(size, '\0');
  if (get(program, text.data()) != 0) return {};
  return text;
}

int compile(const Interface& api, const std::string& source, const std::string& output,
            bool is_text, std::span<const std::string_view> options) {
  std::ifstream file(source, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) return refuse("cannot read " + source);
  Interface::Program program = nullptr;
  if (int error = api.create(&program, text.c_str(), source.c_str(), 0, nullptr, nullptr)) {
    return refuse(api.error(error));
  }
  const auto destroy = [&](Interface::Program p) { api.destroy(&p); };
  const std::unique_ptr<void, decltype(destroy)> owner(program, destroy);
  const std::vector<std::string> owned(options.begin(), options.end());
  std::vector<const char*> pointers;
  for (const std::string& option : owned)
    pointers.push_back(option.c_str());
  const int error = api.compile(program, int(pointers.size()), pointers.data());
  // Both count the zero behind the text.
  const std::string log = fetch(program, api.log_size, api.log);
  fmt::print("{}\n", log.c_str());
  if (error != 0) {
    fmt::print("{}\n", api.error(error));
    return kDiagnosed;
  }
  std::string code = fetch(program, api.code_size, api.code);
  if (is_text && !code.empty()) code.pop_back();
  if (code.empty()) {
    fmt::print("the compiler made no code of this form for the architecture\n");
    return kDiagnosed;
  }
  std::ofstream made(output, std::ios::binary);
  made.write(code.data(), std::streamsize(code.size())).flush();
  return made ? kCompiled : refuse("cannot write " + output + ": No space left on device?");
}

}  // namespace

int run_rtc(std::span<const std::string_view> arguments) {
  const bool asks = arguments.size() == 3 && arguments[2] == "--version";
  if ((!asks && arguments.size() < 5) || (arguments[0] != "nvrtc" && arguments[0] != "hiprtc")) {
    return refuse("kiln-rtc is started by Kiln's compilers and does nothing by itself");
  }
  const std::string path(arguments[1]);
  Library library(path.c_str());
  if (!library.is_open()) return refuse(dlerror());
  const std::string_view form = !asks                     ? arguments[4]
                                : arguments[0] == "nvrtc" ? std::string_view("ptx")
                                                          : "code";
  Interface api{};
  if (!load(library, arguments[0], form, api)) {
    return refuse(fmt::format("{} lacks {}: it is too old", path, library.missing()));
  }
  if (asks) {
    int major = 0, minor = 0;
    if (int error = api.version(&major, &minor)) return refuse(api.error(error));
    fmt::print("{}.{}\n", major, minor);
    return kCompiled;
  }
  return compile(api, std::string(arguments[2]), std::string(arguments[3]), form == "ptx",
                 arguments.subspan(5));
}

}  // namespace kiln::devices
