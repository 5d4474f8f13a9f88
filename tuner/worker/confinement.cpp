#include "tuner/worker/confinement.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/sanitizers.h"

namespace kiln::tuner::worker {

namespace {

constexpr int kFaultExit = 125;

FaultRecord* g_record = nullptr;
std::span<const WatchedRange> g_ranges;
alignas(16) char g_signal_stack[64 << 10];

extern "C" void on_fault(int signal, siginfo_t* info, void*) {
  if (g_record->signal == 0) {
    g_record->code = info->si_code;
    g_record->tensor = -1;
    if (signal == SIGSYS) {
      g_record->address = info->si_syscall;
    } else {
      const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
      g_record->address = int64_t(address);
      for (const WatchedRange& range : g_ranges) {
        if (address < range.begin || address >= range.end) continue;
        g_record->tensor = range.tensor;
        g_record->offset = int64_t(address) - int64_t(range.first);
      }
    }
    g_record->signal = signal;
  }
  _exit(kFaultExit);
}

Status limit(int resource, const char* name, uint64_t value) {
  const rlimit both = {value, value};
  if (setrlimit(__rlimit_resource(resource), &both) == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("cannot limit ", name, ": ", strerror(errno)));
}

int64_t address_space_bytes() {
  long pages = 0;
  if (FILE* file = fopen("/proc/self/statm", "re")) {
    if (fscanf(file, "%ld", &pages) != 1) pages = 0;
    fclose(file);
  }
  return int64_t(pages) * sysconf(_SC_PAGESIZE);
}

#if KILN_ADDRESS_SANITIZER || KILN_THREAD_SANITIZER
// A sanitizer makes system calls of its own: only processes are forbidden.
constexpr bool kListIsAllowed = false;
constexpr int kListed[] = {SYS_fork, SYS_vfork, SYS_clone, SYS_clone3, SYS_execve, SYS_execveat};
#else
// What the command loop, the thread pool, the allocator and the probes need.
constexpr bool kListIsAllowed = true;
constexpr int kListed[] = {
    SYS_futex,
    SYS_getrusage,
    SYS_sched_yield,
    SYS_sendmsg,
    SYS_recvmsg,
    SYS_clock_gettime,
    SYS_mmap,
    SYS_munmap,
    SYS_madvise,
    SYS_mprotect,
    SYS_brk,
    SYS_exit,
    SYS_exit_group,
    SYS_rt_sigreturn,
    SYS_rt_sigprocmask,
    SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_gettid,
    SYS_getpid,
    SYS_getcpu,
    SYS_sched_getaffinity,
    SYS_sched_setaffinity,
    SYS_restart_syscall,
    SYS_rseq,
    SYS_set_robust_list,
    SYS_sigaltstack,
    SYS_membarrier,
};
#endif

Status forbid_system_calls() {
  const sock_filter trap = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
  const sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  std::vector<sock_filter> program;
  const auto load = [&](size_t offset) {
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, uint32_t(offset)));
  };
  // The next instruction is executed when the loaded word is (or is not) `value`.
  const auto if_equal = [&](uint32_t value, bool equal) {
    program.push_back(
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, uint8_t(equal ? 0 : 1), uint8_t(equal ? 1 : 0)));
  };
  load(offsetof(seccomp_data, arch));
  if_equal(AUDIT_ARCH_X86_64, false);
  program.push_back(trap);
  load(offsetof(seccomp_data, nr));
  for (const int call : kListed) {
    if_equal(uint32_t(call), true);
    program.push_back(kListIsAllowed ? allow : trap);
  }
  if (kListIsAllowed) {
    // Printing is allowed: the text is kept, its length limited.
    if_equal(SYS_write, false);
    program.push_back(trap);
    load(offsetof(seccomp_data, args[0]));
    for (const uint32_t fd : {STDOUT_FILENO, STDERR_FILENO}) {
      if_equal(fd, true);
      program.push_back(allow);
    }
  }
  program.push_back(kListIsAllowed ? trap : allow);
  const sock_fprog filter = {static_cast<unsigned short>(program.size()), program.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) != 0) {
    return absl::UnavailableError(absl::StrCat("no seccomp filters: ", strerror(errno)));
  }
  return absl::OkStatus();
}

}  // namespace

void record_faults(FaultRecord& record, std::span<const WatchedRange> ranges) {
  g_record = &record;
  g_ranges = ranges;
  stack_t stack = {};
  stack.ss_sp = g_signal_stack;  // a variant may have used up its own
  stack.ss_size = sizeof g_signal_stack;
  sigaltstack(&stack, nullptr);
  struct sigaction action = {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS}) {
    sigaction(signal, &action, nullptr);
  }
}

Status confine(const Limits& limits) {
  KILN_RETURN_IF_ERROR(limit(RLIMIT_CORE, "core files", 0));
  KILN_RETURN_IF_ERROR(limit(RLIMIT_CPU, "CPU time", uint64_t(limits.cpu_seconds)));
  KILN_RETURN_IF_ERROR(limit(RLIMIT_FSIZE, "output", uint64_t(limits.output_bytes)));
  KILN_RETURN_IF_ERROR(
      limit(RLIMIT_AS, "memory", uint64_t(address_space_bytes() + limits.memory_bytes)));
  if (Status filtered = forbid_system_calls(); !absl::IsUnavailable(filtered)) return filtered;
  return limit(RLIMIT_NPROC, "processes", 0);  // the next best; does not bind root
}

}  // namespace kiln::tuner::worker
