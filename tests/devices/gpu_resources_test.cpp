#include <elf.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <nlohmann/json.hpp>

#include "devices/compile/disassembly.h"
#include "devices/compile/translation_unit.h"
#include "devices/cuda/cubin.h"
#include "devices/gpu/architecture.h"
#include "devices/gpu/elf_sections.h"
#include "devices/hip/code_object.h"

namespace kiln::devices {
namespace {

using Catch::Contains;

// An ELF file of one section with this content.
std::string elf_file(const std::string& name, uint32_t type, const std::string& content) {
  const std::string names = std::string(1, '\0') + name + '\0' + ".shstrtab" + '\0';
  Elf64_Ehdr header = {};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 3;
  header.e_shstrndx = 2;
  header.e_shoff = sizeof(header) + content.size() + names.size();
  Elf64_Shdr sections[3] = {};
  sections[1].sh_name = 1;
  sections[1].sh_type = type;
  sections[1].sh_offset = sizeof(header);
  sections[1].sh_size = content.size();
  sections[2].sh_name = uint32_t(name.size() + 2);
  sections[2].sh_type = SHT_STRTAB;
  sections[2].sh_offset = sizeof(header) + content.size();
  sections[2].sh_size = names.size();
  std::string file(reinterpret_cast<const char*>(&header), sizeof(header));
  file += content + names;
  file.append(reinterpret_cast<const char*>(sections), sizeof(sections));
  return file;
}

std::string note(const std::string& owner, uint32_t type, const std::string& content) {
  const Elf64_Nhdr header{uint32_t(owner.size() + 1), uint32_t(content.size()), type};
  std::string text(reinterpret_cast<const char*>(&header), sizeof(header));
  text += owner + '\0';
  text.resize((text.size() + 3) / 4 * 4);
  text += content;
  text.resize((text.size() + 3) / 4 * 4);
  return text;
}

constexpr const char* kLog =
    "ptxas info    : Compiling entry function 'forward' for 'sm_80'\n"
    "ptxas info    : Function properties for forward\n"
    "ptxas         .     24 bytes stack frame, 16 bytes spill stores, 20 bytes spill loads\n"
    "ptxas info    : Used 168 registers, used 1 barriers, 2048 bytes smem, 512 bytes cmem[0]\n";

TEST_CASE("A compiler's log tells what a cubin's entries take") {
  const std::vector<std::string> entries = {"forward"};
  const std::string file = elf_file(".text.forward", SHT_PROGBITS, "code");
  const auto uses = read_cubin(file, kLog, entries);
  REQUIRE(uses.ok());
  CHECK(uses->front().registers == 168);
  CHECK(uses->front().spill_bytes == 20);
  CHECK(uses->front().stack_bytes == 24);
  CHECK(uses->front().scratchpad_bytes == 2048);
  CHECK_THAT(std::string(read_cubin(file, "", entries).status().message()), Contains("forward"));
  CHECK_FALSE(read_cubin("not a file", kLog, entries).ok());
}

TEST_CASE("A code object tells what its kernels take") {
  const nlohmann::json document = {{"amdhsa.kernels",
                                    {{{".name", "forward"},
                                      {".vgpr_count", 120},
                                      {".sgpr_count", 48},
                                      {".vgpr_spill_count", 5},
                                      {".private_segment_fixed_size", 24},
                                      {".group_segment_fixed_size", 16384}}}}};
  const std::vector<uint8_t> packed = nlohmann::json::to_msgpack(document);
  const std::string notes =
      note("other", 1, "abc") + note("AMDGPU", 32, std::string(packed.begin(), packed.end()));
  const std::string file = elf_file(".note", SHT_NOTE, notes);
  const std::vector<std::string> entries = {"forward"};
  const auto uses = read_code_object(file, entries);
  INFO(uses.status());
  REQUIRE(uses.ok());
  CHECK(uses->front().registers == 120);
  CHECK(uses->front().scalar_registers == 48);
  CHECK(uses->front().spill_bytes == 20);
  CHECK(uses->front().stack_bytes == 24);
  CHECK(uses->front().scratchpad_bytes == 16384);
  const std::vector<std::string> others = {"backward"};
  CHECK_THAT(std::string(read_code_object(file, others).status().message()), Contains("backward"));
  // Cut anywhere, it is refused or still tells the same: never read beyond its end.
  for (size_t size = 0; size < file.size(); ++size) {
    const auto cut = read_code_object(std::string_view(file).substr(0, size), entries);
    if (cut.ok()) CHECK(*cut == *uses);
  }
}

TEST_CASE("Instructions are counted function by function") {
  const InstructionCounts sass = count_sass(
      "\t.section\t.text.forward,\"ax\",@progbits\n"
      "        .global         forward\n"
      "forward:\n.text.forward:\n"
      "        /*0000*/                   IMAD.MOV.U32 R1, RZ, RZ, c[0x0][0x28] ;\n"
      "        /*0010*/               @P0 HMMA.16816.F32.BF16 R4, R8, R12, R4 ;\n"
      ".L_x_1:\n"
      "        /*0020*/              @!P1 BRA `(.L_x_1) ;\n"
      "\t.section\t.text.merge,\"ax\",@progbits\n"
      "        /*0000*/                   HGMMA.64x64x16.F32.BF16 R24, gdesc[UR8], R24, gsb0 ;\n");
  CHECK(sass.at("forward").all == 3);
  CHECK(sass.at("forward").matrix == 1);
  CHECK(sass.at("forward").warpgroup == 0);
  CHECK(sass.at("merge").all == 1);
  CHECK(sass.at("merge").matrix == 1);
  CHECK(sass.at("merge").warpgroup == 1);
  const InstructionCounts gcn = count_gcn(
      "variant.co:\tfile format elf64-amdgpu\n\nDisassembly of section .text:\n\n<forward>:\n"
      "\ts_load_dwordx2 s[0:1], s[4:5], 0x0\n"
      "\tv_mfma_f32_16x16x16_f16 a[0:3], v[0:1], v[2:3], a[0:3]\n"
      "\n0000000000001900 <merge>:\n\tv_wmma_f32_16x16x16_f16 v[0:7], v[8:15], v[16:23], v[0:7]\n");
  CHECK(gcn.at("forward").all == 2);
  CHECK(gcn.at("forward").matrix == 1);
  CHECK(gcn.at("merge").matrix == 1);
}

TEST_CASE("Occupancy follows the scarcest resource") {
  const GpuArchitecture& a100 = *find_gpu_architecture("sm_80");
  auto of = [](const GpuArchitecture& architecture, BlockUse use) {
    const auto result = occupancy(architecture, use);
    INFO(result.status());
    REQUIRE(result.ok());
    return *result;
  };
  // NVIDIA's occupancy calculator for compute capability 8.0.
  CHECK(of(a100, {.threads = 256, .registers = 32}).blocks == 8);
  CHECK(of(a100, {.threads = 256, .registers = 32}).fraction == 1);
  CHECK(of(a100, {.threads = 256, .registers = 128}).blocks == 2);
  CHECK(of(a100, {.threads = 256, .registers = 128}).limit == "registers");
  CHECK(of(a100, {.threads = 128, .registers = 168}).blocks == 3);
  CHECK(of(a100, {.threads = 128, .registers = 32, .scratchpad_bytes = 40 << 10}).blocks == 4);
  CHECK(of(a100, {.threads = 32, .registers = 16}).blocks == 32);
  const GpuArchitecture& mi300 = *find_gpu_architecture("gfx942");
  CHECK(of(mi300, {.threads = 256, .registers = 128}).blocks == 4);
  CHECK(of(mi300, {.threads = 256, .registers = 512}).blocks == 1);
  const GpuArchitecture& navi = *find_gpu_architecture("gfx1100");
  CHECK(of(navi, {.threads = 128, .registers = 256}).blocks == 5);
}

TEST_CASE("A block that no multiprocessor holds is refused with what it has too much of") {
  const GpuArchitecture& ada = *find_gpu_architecture("sm_120");
  auto message = [&](BlockUse use) {
    const Status status = occupancy(ada, use).status();
    CHECK(status.code() == absl::StatusCode::kResourceExhausted);
    return std::string(status.message());
  };
  CHECK_THAT(message({.threads = 2048}), Contains("2048 threads"));
  CHECK_THAT(message({.threads = 128, .scratchpad_bytes = 128 << 10}), Contains("scratchpad"));
  CHECK_THAT(message({.threads = 1024, .registers = 128}), Contains("registers"));
}

TEST_CASE("Entries are named as plans name them") {
  CHECK(entry_name("kiln::attention_forward::ForwardPart") == "forward_part");
  CHECK(entry_name("Scale") == "scale");
}

}  // namespace
}  // namespace kiln::devices
