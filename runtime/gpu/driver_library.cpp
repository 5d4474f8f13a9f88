#include "runtime/gpu/driver_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace kiln::runtime {

StatusOr<DriverLibrary> DriverLibrary::open(std::span<const char* const> names,
                                            std::string_view remedy) {
  std::string why;
  for (const char* name : names) {
    if (void* handle = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return DriverLibrary(name, handle);
    if (why.empty()) why = dlerror();
  }
  return absl::UnavailableError(fmt::format("no driver ({}); {}", printable(why, 120), remedy));
}

void* DriverLibrary::address_of(const char* symbol) const {
  return dlsym(handle_, symbol);
}

Status DriverLibrary::lacks(const char* symbol) const {
  return absl::UnavailableError(
      fmt::format("{} lacks {}: the driver is too old; install a newer one", name_, symbol));
}

StatusOr<DriverFunctions> DriverLibrary::find_all(const DriverNames& names) const {
  DriverFunctions functions{};
  Status status;
  auto need = [&](const char* symbol, auto& function) { status.Update(find(symbol, function)); };
  need(names.initialise, functions.initialise);
  need(names.driver_version, functions.driver_version);
  need(names.device_count, functions.device_count);
  need(names.device, functions.device);
  need(names.device_name, functions.device_name);
  need(names.device_memory, functions.device_memory);
  need(names.allocate, functions.allocate);
  need(names.free, functions.free);
  need(names.upload, functions.upload);
  need(names.download, functions.download);
  need(names.load, functions.load);
  need(names.unload, functions.unload);
  need(names.entry, functions.entry);
  need(names.launch, functions.launch);
  need(names.fill, functions.fill);
  need(names.copy, functions.copy);
  need(names.stream, functions.stream);
  need(names.wait_stream, functions.wait_stream);
  need(names.synchronize, functions.synchronize);
  need(names.event, functions.event);
  need(names.record, functions.record);
  need(names.wait_event, functions.wait_event);
  need(names.elapsed_ms, functions.elapsed_ms);
  if (!status.ok()) return status;
  return functions;
}

GraphFunctions DriverLibrary::find_graphs(const GraphNames& names) const {
  GraphFunctions graphs;
  const bool all = find(names.begin, graphs.begin).ok() && find(names.end, graphs.end).ok() &&
                   find(names.instantiate, graphs.instantiate).ok() &&
                   find(names.launch, graphs.launch).ok() &&
                   find(names.destroy, graphs.destroy).ok() &&
                   find(names.destroy_executable, graphs.destroy_executable).ok();
  return all ? graphs : GraphFunctions{};
}

}  // namespace kiln::runtime
