# Writes the registry of families and the embedded kernel sources.

string(REPLACE "," ";" families "${FAMILIES}")
set(declarations "")
set(entries "")
foreach(family ${families})
  string(APPEND declarations "namespace ${family} {\nconst Family& family();\n}\n")
  string(APPEND entries "&${family}::family(), ")
endforeach()
file(WRITE ${REGISTRY}.new "#include \"templates/registry.h\"

namespace kiln {
${declarations}
std::vector<const Family*> families() { return {${entries}}; }
}  // namespace kiln
")
file(COPY_FILE ${REGISTRY}.new ${REGISTRY} ONLY_IF_DIFFERENT)

file(GLOB_RECURSE headers RELATIVE ${TEMPLATES} ${TEMPLATES}/*/*.h)
set(files "")
set(contracts runtime/host/abi.h runtime/emulator/abi.h)
foreach(header ${headers} ${contracts})
  if(header MATCHES "^runtime/")
    file(READ ${REPOSITORY}/${header} content)
  else()
    file(READ ${TEMPLATES}/${header} content)
  endif()
  # String literals are limited to 64 KiB by the standard's minimum; clang and gcc take more.
  string(APPEND files "    {\"${header}\", R\"KILN_SOURCE(${content})KILN_SOURCE\"},\n")
endforeach()
file(WRITE ${EMBEDDED}.new "#include \"templates/registry.h\"

namespace kiln {
const std::map<std::string, std::string, std::less<>>& embedded_sources() {
  static const std::map<std::string, std::string, std::less<>> sources = {
${files}  };
  return sources;
}
}  // namespace kiln
")
file(COPY_FILE ${EMBEDDED}.new ${EMBEDDED} ONLY_IF_DIFFERENT)
file(TOUCH ${REGISTRY} ${EMBEDDED})
