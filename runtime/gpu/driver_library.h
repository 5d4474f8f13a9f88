// The functions that both vendors' drivers have, under their own names.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/status.h"
#include "runtime/gpu/driver.h"

namespace kiln::runtime {

// All return 0 when done, else the driver's error number.
struct DriverFunctions {
  using Address = GpuDriver::Address;
  using Handle = GpuDriver::Handle;

  int (*initialise)(unsigned flags);
  int (*driver_version)(int*);
  int (*device_count)(int*);
  int (*device)(int*, int ordinal);
  int (*device_name)(char*, int length, int device);
  int (*device_memory)(size_t*, int device);
  int (*allocate)(Address*, size_t);
  int (*free)(Address);
  int (*upload)(Address, const void*, size_t);
  int (*download)(void*, Address, size_t);
  int (*load)(Handle*, const void*);
  int (*unload)(Handle);
  int (*entry)(Handle*, Handle module, const char*);
  int (*launch)(Handle, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                Handle stream, void** parameters, void** extra);
  int (*fill)(Address, unsigned char, size_t, Handle stream);
  int (*copy)(Address, Address, size_t, Handle stream);
  int (*stream)(Handle*, unsigned flags);
  int (*wait_stream)(Handle);
  int (*synchronize)();
  int (*event)(Handle*, unsigned flags);
  int (*record)(Handle, Handle stream);
  int (*wait_event)(Handle);
  int (*elapsed_ms)(float*, Handle, Handle);
};

// Functions of newer drivers: null where there are none.
struct GraphFunctions {
  using Handle = GpuDriver::Handle;

  int (*begin)(Handle stream, int mode) = nullptr;
  int (*end)(Handle stream, Handle* graph) = nullptr;
  int (*instantiate)(Handle* executable, Handle graph, unsigned long long flags) = nullptr;
  int (*launch)(Handle executable, Handle stream) = nullptr;
  int (*destroy)(Handle graph) = nullptr;
  int (*destroy_executable)(Handle) = nullptr;
};
// Names in their order.
struct GraphNames {
  const char* begin;
  const char* end;
  const char* instantiate;
  const char* launch;
  const char* destroy;
  const char* destroy_executable;
};

// Names in the order of DriverFunctions.
struct DriverNames {
  const char* initialise;
  const char* driver_version;
  const char* device_count;
  const char* device;
  const char* device_name;
  const char* device_memory;
  const char* allocate;
  const char* free;
  const char* upload;
  const char* download;
  const char* load;
  const char* unload;
  const char* entry;
  const char* launch;
  const char* fill;
  const char* copy;
  const char* stream;
  const char* wait_stream;
  const char* synchronize;
  const char* event;
  const char* record;
  const char* wait_event;
  const char* elapsed_ms;
};

// A shared library that stays open until the process ends: drivers do not survive being closed.
class DriverLibrary {
 public:
  // The first of `names` that opens. UNAVAILABLE with the loader's words and `remedy`.
  static StatusOr<DriverLibrary> open(std::span<const char* const> names, std::string_view remedy);

  // UNAVAILABLE names what the library lacks: it is too old.
  template <class F>
  Status find(const char* symbol, F& function) const {
    function = reinterpret_cast<F>(address_of(symbol));
    return function ? absl::OkStatus() : lacks(symbol);
  }
  StatusOr<DriverFunctions> find_all(const DriverNames& names) const;
  // All of them or none.
  GraphFunctions find_graphs(const GraphNames& names) const;

 private:
  DriverLibrary(std::string name, void* handle) : name_(std::move(name)), handle_(handle) {}
  void* address_of(const char* symbol) const;
  Status lacks(const char* symbol) const;

  std::string name_;
  void* handle_;
};

}  // namespace kiln::runtime
