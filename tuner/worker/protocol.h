// What the tuner and its worker say to each other.
//
// The worker is a zygote: small, single-threaded, never running a variant itself. For every
// RunRequest it forks a child that loads the variants and then talks to the tuner over a channel of
// its own, command by command, until the tuner closes it. The zygote only waits for the child, ends
// it when asked to, and reports how it ended. A child on a GPU may be given other variants of the
// same problem later: its context and the tensors there are dear.
//
//     tuner ── RunRequest + descriptors ──► zygote ── fork ──► child
//     tuner ◄── Notice ── zygote
//     tuner ── Command ──► child ── Reply ──► tuner
//
// Messages are plain structures in packets of a SOCK_SEQPACKET pair: both ends are the same build
// on the same machine. The child shares its memory with the variant, so whatever it says is
// checked.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/status.h"

namespace kiln::tuner::worker {

inline constexpr uint32_t kProtocolVersion = 2;
inline constexpr int kControlFd = 3;  // of the zygote: its end of the control channel

inline constexpr int kMaxVariants = 8;    // in one child
inline constexpr int kMaxTensors = 32;    // arguments of a plan
inline constexpr int kMaxSymbols = 64;    // sized fields
inline constexpr int kMaxScalars = 64;    // scalar fields
inline constexpr int kMaxSamples = 1000;  // of one variant in one Time command
inline constexpr int kMaxText = 1000;     // of a message
inline constexpr int kMaxProbes = 2;      // kernels that measure a GPU

// Which peak a variant is measured against. GPUs: kBf16 are products of halves in the matrix units;
// reading counts as copying.
enum class Probe : uint8_t { kFma, kBf16, kRead, kCopy };

// Where one argument lies in the shared files (inputs or outputs).
struct TensorPlace {
  uint8_t output = 0;
  uint8_t optional = 0;
  int64_t bytes = 0;
  int64_t region_offset = 0;  // pages of its own, mapped between guard pages for verification
  int64_t region_bytes = 0;
  int64_t data_offset = 0;    // of the first element there
  int64_t timing_offset = 0;  // of the first element in copy 0 of the buffers that are timed
};

// Descriptors that travel with a RunRequest, in this order.
enum RunFd : int {
  kChannelFd,  // the child's end of its channel
  kJobFd,      // the variants
  kInputsFd,   // sealed: cannot be written
  kOutputsFd,
  kProbeFd,  // memory beyond the last-level cache for bandwidth probes
  kFaultFd,  // a FaultRecord
  kTextFd,   // standard output and error
  kRunFds
};

struct RunRequest {
  uint32_t version = kProtocolVersion;
  int32_t variants = 0;  // in the job file, see JobVariant
  int32_t tensors = 0;
  int32_t symbols = 0;
  int32_t scalars = 0;
  int32_t threads = 1;
  int32_t niceness = 0;
  int64_t input_guarded_bytes = 0;  // of the file of inputs, before the copies that are timed
  int64_t output_guarded_bytes = 0;
  int64_t copies = 0;  // of the buffers that are timed; 0: time on those of verification
  int64_t input_copy_bytes = 0;
  int64_t output_copy_bytes = 0;
  int64_t cpu_seconds = 0;   // RLIMIT_CPU
  int64_t memory_bytes = 0;  // that a variant may add to the child's address space
  int64_t output_limit = 0;  // bytes that may be printed
  char driver[8];            // "cuda", "hip": on that GPU; empty: on this processor
  int32_t ordinal = 0;       // of the GPU
  int32_t probes = 0;        // kernels behind the variants in the job file, by Probe from kFma on
  double probe_flops[kMaxProbes];  // of one of their blocks and iterations
  int32_t probe_blocks = 0;        // to launch of them
  int64_t flush_bytes = 0;         // written between launches that are timed cold (GPUs)
  TensorPlace tensor[kMaxTensors];
  int64_t symbol[kMaxSymbols];
  double scalar[kMaxScalars];
};

// Zygote to tuner.
struct Notice {
  enum class Kind : uint8_t { kReady, kEnded };
  Kind kind = Kind::kReady;
  int32_t wait_status = 0;  // kEnded, as waitpid gives it
  int64_t cpu_ns = 0;       // kEnded: user and system time of the child
};

// Tuner to zygote, beside RunRequest: end the child now.
struct KillRequest {
  uint32_t version = kProtocolVersion;
};

struct Command {
  enum class Kind : uint8_t { kLoad, kLaunch, kTime, kPeaks };
  Kind kind = Kind::kLaunch;
  // kLoad, GPUs: `variants` of the job file that comes along, without probes, take the place of
  // those before. kLaunch: runs one variant once on the guarded buffers. kTime: times variants 0 …
  // `variants` - 1 in turns, in each round after one run of the probe.
  int32_t variant = 0;
  int32_t variants = 1;
  uint8_t without_optional = 0;  // kLaunch: optional tensors are absent
  uint8_t warm = 0;              // kTime: an untimed launch before every sample
  Probe probe = Probe::kFma;
  int32_t max_samples = kMaxSamples;
  int64_t budget_ns = 0;       // kTime and kPeaks: wall-clock
  double expected_ns = 0;      // kTime: of a launch, by an earlier one; 0: unknown
  double target_width = 0.01;  // stop when the interval of every median is narrower, relative
  // Racing (one variant): dropped when clearly slower than `best_ns`, the best's time while the
  // probe gives `probe_reference`; 0: no race.
  double best_ns = 0;
  double probe_reference = 0;
};

// A Reply is followed by `values` doubles, or by a text for kFailed.
struct Reply {
  enum class Kind : uint8_t {
    kLoaded,      // variants are ready
    kFailed,      // a text with the reason, and the cause
    kLaunched,    // values: ns
    kSamples,     // values: ns a launch; one reply a variant
    kProbes,      // values: FLOP/s or bytes/s, one a sample; after the launches'
    kConditions,  // values: of a GpuConditions in its order, or none; after the probes'
    kPeaks,       // values: f32, bf16, read, copy
  };
  enum class Cause : uint8_t {
    kRefused,      // load or launch of the variant
    kOutOfBounds,  // it wrote where it must not
    kFaulted,      // what it did to its GPU ended the context
    kNoMemory,     // not the variant's: the GPU has no room for the tensors
    kNoDevice,     // not the variant's: the GPU does not work
  };
  Kind kind = Kind::kLoaded;
  Cause cause = Cause::kRefused;
  int32_t variant = 0;
  uint8_t dropped = 0;  // kSamples: lost the race
  int32_t values = 0;
};

// Written by the child's signal handler, read by the tuner after the child's end.
struct FaultRecord {
  volatile int32_t signal;   // 0: none
  volatile int32_t code;     // si_code
  volatile int64_t address;  // SIGSEGV, SIGBUS; SIGSYS: number of the system call
  volatile int32_t tensor;   // whose buffer or guard holds the address, -1: none
  volatile int64_t offset;   // of the address from that tensor's first byte
  volatile int32_t variant;  // running when it happened
};

// The variants of a request as they travel in the job file: strings with their length before them.
struct JobVariant {
  std::string artifact;
  std::string hash;
  std::string target_kind;
  std::string architecture;
  std::string plan_json;
};

void append_string(std::string& job, std::string_view text);
StatusOr<std::string_view> take_string(std::string_view& job);

}  // namespace kiln::tuner::worker
