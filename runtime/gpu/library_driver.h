// What both vendors' drivers share, over the functions of their libraries.

#pragma once

#include <string>

#include "runtime/gpu/driver.h"
#include "runtime/gpu/driver_library.h"

namespace kiln::runtime {

class LibraryDriver : public GpuDriver {
 public:
  StatusOr<int> devices() const override;
  StatusOr<Address> allocate(int64_t bytes) override;
  void free(Address address) override;
  Status upload(Address to, const void* from, int64_t bytes) override;
  Status download(void* to, Address from, int64_t bytes) override;
  StatusOr<Handle> load(std::string_view artifact) override;
  void unload(Handle module) override;
  StatusOr<Handle> entry(Handle module, const std::string& name, int64_t scratchpad_bytes) override;
  Status launch(const Launch& launch, Handle stream) override;
  Status fill(Address to, uint8_t byte, int64_t bytes, Handle stream) override;
  Status copy(Address to, Address from, int64_t bytes, Handle stream) override;
  StatusOr<Handle> make_stream() override;
  Status synchronize(Handle stream) override;
  Status synchronize() override;
  StatusOr<Handle> make_event() override;
  Status record(Handle event, Handle stream) override;
  StatusOr<double> elapsed_ns(Handle from, Handle to) override;
  StatusOr<Handle> capture(Handle stream, const std::function<Status()>& enqueue) override;
  Status replay(Handle graph, Handle stream) override;
  void drop(Handle graph) override;

 protected:
  enum class Meaning : uint8_t { kOther, kNoDevice, kNoContext, kOutOfMemory, kTooOld, kLost };

  LibraryDriver(const DriverFunctions& functions, const GraphFunctions& graphs)
      : calls_(functions), graphs_(graphs) {}

  // By the vendor's numbers.
  virtual Meaning meaning_of(int error) const = 0;
  virtual std::string text_of(int error) const = 0;
  // Lets an entry have more scratchpad than it may have without asking.
  virtual Status allow_scratchpad(Handle entry, int64_t bytes) = 0;

  // OK for 0. `what`: "cannot load the kernel".
  Status check(int error, std::string_view what) const;
  StatusOr<GpuProperties> common_properties(int device) const;

 private:
  DriverFunctions calls_;
  GraphFunctions graphs_;
};

}  // namespace kiln::runtime
