#include "tuner/worker/child_buffers.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace kiln::tuner::worker {

namespace {

constexpr int64_t kGuardBytes = 1 << 20;  // address space only

void populate(char* data, int64_t bytes, bool writable) {
  if (data == nullptr || bytes == 0) return;
  if (madvise(data, size_t(bytes), writable ? MADV_POPULATE_WRITE : MADV_POPULATE_READ) == 0) {
    return;
  }
  for (int64_t i = 0; i < bytes; i += kPageBytes) {  // kernels before 5.14
    volatile char* byte = data + i;
    const char value = *byte;
    if (writable) *byte = value;
  }
}

}  // namespace

StatusOr<char*> ChildBuffers::map_guarded(int fd, int64_t offset, int64_t bytes, int protection) {
  KILN_ASSIGN_OR_RETURN(Mapping reserved, Mapping::map(-1, 0, bytes + 2 * kGuardBytes, PROT_NONE,
                                                       MAP_PRIVATE | MAP_NORESERVE));
  char* inside = reserved.data() + kGuardBytes;
  const int flags = MAP_FIXED | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);
  if (mmap(inside, size_t(bytes), protection, flags, fd, offset) == MAP_FAILED) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot map ", bytes, " bytes of a buffer: ", strerror(errno)));
  }
  mappings_.push_back(std::move(reserved));
  return inside;
}

StatusOr<ChildBuffers> ChildBuffers::map(const RunRequest& request, int inputs, int outputs) {
  ChildBuffers buffers;
  buffers.request_ = &request;
  for (int i = 0; i < request.tensors; ++i) {
    const TensorPlace& place = request.tensor[i];
    KILN_ASSIGN_OR_RETURN(
        char* region,
        buffers.map_guarded(place.output ? outputs : inputs, place.region_offset,
                            place.region_bytes, place.output ? PROT_READ | PROT_WRITE : PROT_READ));
    char* data = region + (place.data_offset - place.region_offset);
    buffers.guarded_.push_back(data);
    buffers.watched_.push_back({.begin = uintptr_t(region - kGuardBytes),
                                .end = uintptr_t(region + place.region_bytes + kGuardBytes),
                                .first = uintptr_t(data),
                                .tensor = i});
  }
  const int64_t copies = request.copies;
  if (copies > 0 && request.input_copy_bytes > 0) {
    KILN_ASSIGN_OR_RETURN(buffers.input_copies_,
                          buffers.map_guarded(inputs, request.input_guarded_bytes,
                                              copies * request.input_copy_bytes, PROT_READ));
  }
  if (copies > 0 && request.output_copy_bytes > 0) {
    KILN_ASSIGN_OR_RETURN(
        buffers.output_copies_,
        buffers.map_guarded(outputs, request.output_guarded_bytes,
                            copies * request.output_copy_bytes, PROT_READ | PROT_WRITE));
  }
  return buffers;
}

std::vector<runtime::Tensor> ChildBuffers::guarded(bool without_optional) const {
  std::vector<runtime::Tensor> tensors(guarded_.size());
  for (size_t i = 0; i < guarded_.size(); ++i) {
    if (!(without_optional && request_->tensor[i].optional)) tensors[i].data = guarded_[i];
  }
  return tensors;
}

void ChildBuffers::select_copy(int64_t copy, std::vector<runtime::Tensor>& tensors) const {
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TensorPlace& place = request_->tensor[i];
    if (place.output) {
      tensors[i].data = output_copies_ + (place.timing_offset - request_->output_guarded_bytes) +
                        copy * request_->output_copy_bytes;
    } else {
      tensors[i].data = input_copies_ + (place.timing_offset - request_->input_guarded_bytes) +
                        copy * request_->input_copy_bytes;
    }
  }
}

void ChildBuffers::populate_copies() const {
  populate(input_copies_, request_->copies * request_->input_copy_bytes, false);
  populate(output_copies_, request_->copies * request_->output_copy_bytes, true);
}

StatusOr<void*> ChildBuffers::make_workspace(int64_t bytes, bool zero) {
  if (bytes == 0) return nullptr;
  const int64_t pages = round_to_pages(bytes);
  KILN_ASSIGN_OR_RETURN(char* region, map_guarded(-1, 0, pages, PROT_READ | PROT_WRITE));
  // All ones are NaN in every floating type: a variant that reads what it has not written shows.
  if (!zero) memset(region, 0xff, size_t(pages));
  return region + (pages - bytes) / 64 * 64;
}

}  // namespace kiln::tuner::worker
