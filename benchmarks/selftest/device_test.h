// One device: are its kernels right, and what does a short tuning reach?

#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "benchmarks/selftest/cases.h"
#include "benchmarks/selftest/kernel_list.h"
#include "db/store.h"
#include "devices/device.h"
#include "tuner/tuner.h"

namespace kiln::selftest {

struct Failure {
  std::string problem;
  std::string config;
  std::string message;
};
nlohmann::json to_json(const std::vector<Failure>& failures);

struct Correctness {
  int64_t passed = 0;
  int64_t left_out = 0;    // for lack of time or of a compiler, or too much for an emulated GPU
  int64_t pruned = 0;      // spills too much, or takes more than a block may have
  double worst_error = 0;  // of the tolerance
  std::vector<Failure> failures;
  std::vector<std::string> families;  // that have no kernels here
};
nlohmann::json to_json(const Correctness& result);

struct Tuned {
  std::vector<db::WinnerRow> winners;
  std::vector<Failure> failures;
  int64_t left_out = 0;
};

class DeviceTest {
 public:
  // `kernels`: the folder of a bundle's compiled kernels; empty: none. `scratch`: for this alone.
  static StatusOr<std::unique_ptr<DeviceTest>> open(const std::string& name,
                                                    const std::string& kernels,
                                                    const std::string& scratch);

  const devices::Device& device() const { return *device_; }
  // The compiler, or why only what the bundle brings can be run.
  const StatusOr<std::string>& toolchain() const { return toolchain_; }

  Correctness verify(std::chrono::milliseconds time);
  Tuned tune(std::chrono::milliseconds time);

 private:
  std::vector<Config> configs_of(const Case& tested, int others) const;

  std::unique_ptr<devices::Device> device_;
  std::unique_ptr<tuner::Tuner> tuner_;
  KernelList kernels_;
  StatusOr<std::string> toolchain_;
};

}  // namespace kiln::selftest
