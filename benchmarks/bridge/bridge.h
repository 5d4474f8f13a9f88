// Kiln for the benchmark drivers, which are Python: an embedded engine behind C functions.
//
// Functions that return a pointer return null when they fail, those that return an int a value
// other than 0; kiln_bench_error() then says why. Returned text is JSON, lives until the same
// thread's next call, and is UTF-8. A handle is used by one thread at a time.

#pragma once

#include <cstdint>

extern "C" {

struct KilnBench;
struct KilnBenchKernel;

const char* kiln_bench_error();

// Opens (or makes) the state in this directory, without background tuning.
KilnBench* kiln_bench_open(const char* state_directory, const char* worker_path);
void kiln_bench_close(KilnBench* bench);

// {"model", "instruction_set", "threads", "llc_bytes", "memory_bytes", "toolchain", "fingerprint"}
const char* kiln_bench_device(KilnBench* bench);

// `fields`: "batch=1 heads_q=8 …". {"text", "flops", "bytes", "bandwidth_bound", "convention"}
const char* kiln_bench_problem(KilnBench* bench, const char* family, const char* fields);

// Tunes unless a fresh winner exists, or in any case when `force`. {"tuned_now", "evaluations",
// "seconds", "space_size", "config", "default_ns", "winner_ns", "measurements": [{"at_seconds",
// "median_ns", "verdict", "config"}]}; measurements in order, times from the job's start.
const char* kiln_bench_tune(KilnBench* bench, const char* family, const char* fields,
                            double budget_seconds, int force);

// The winner's kernel, or with `use_default` that of the family's default config, for this problem.
KilnBenchKernel* kiln_bench_kernel(KilnBench* bench, const char* family, const char* fields,
                                   int use_default);
void kiln_bench_release(KilnBenchKernel* kernel);
// {"config", "arguments": [{"name", "dtype", "shape", "strides", "output", "optional"}]}
const char* kiln_bench_describe(KilnBenchKernel* kernel);
// One address and one array of strides (in elements) for each argument; returns when it is done.
int kiln_bench_launch(KilnBenchKernel* kernel, void* const* data, const int64_t* const* strides);

// The machine's rate at this moment, with all threads: "f32" and "bf16" in FLOP/s, "read" and
// "copy" in bytes/s. Negative when it fails (bf16: no products of bf16 in hardware).
double kiln_bench_probe(KilnBench* bench, const char* kind, double milliseconds);
}
