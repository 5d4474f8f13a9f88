# Targets carry the folders' names: room `tuner` is the library kiln_tuner. A room's sources are the
# .cpp files in its folder and the folders named in DIRECTORIES; main programs are left to
# kiln_program().

add_library(kiln_options INTERFACE)
target_compile_features(kiln_options INTERFACE cxx_std_20)
target_compile_options(kiln_options INTERFACE "$<BUILD_INTERFACE:-Wall;-Wextra;-Werror>")
# Debian's libraries are built by gcc, whose mangling of constrained templates newer clangs left.
target_compile_options(kiln_options INTERFACE $<$<CXX_COMPILER_ID:Clang>:-fclang-abi-compat=17>)
target_include_directories(kiln_options INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
if(KILN_SANITIZE)
  target_compile_options(kiln_options INTERFACE -fsanitize=${KILN_SANITIZE} -fno-omit-frame-pointer
                                                -fno-sanitize-recover=all -g1)
  target_link_options(kiln_options INTERFACE -fsanitize=${KILN_SANITIZE})
endif()

function(kiln_room name)
  cmake_parse_arguments(ROOM "" "" "DIRECTORIES;LINK" ${ARGN})
  set(sources)
  foreach(directory . ${ROOM_DIRECTORIES})
    file(GLOB found CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${directory}/*.cpp)
    list(APPEND sources ${found})
  endforeach()
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(sources)
    add_library(kiln_${name} STATIC ${sources})
    target_link_libraries(kiln_${name} PUBLIC kiln_options ${ROOM_LINK})
  else()
    add_library(kiln_${name} INTERFACE)
    target_link_libraries(kiln_${name} INTERFACE kiln_options ${ROOM_LINK})
  endif()
endfunction()

# An executable made of one main.cpp.
function(kiln_program name main)
  cmake_parse_arguments(PROGRAM "" "DESTINATION" "LINK" ${ARGN})
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${main})
    return()
  endif()
  add_executable(${name} ${main})
  target_link_libraries(${name} PRIVATE kiln_options ${PROGRAM_LINK})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  install(TARGETS ${name} DESTINATION ${PROGRAM_DESTINATION})
endfunction()

# Tests of one room: every .cpp file under tests/<room>.
function(kiln_test room)
  cmake_parse_arguments(TEST "" "" "LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${room}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(test_${room} ${sources})
  target_link_libraries(test_${room} PRIVATE kiln_options kiln_test_main ${TEST_LINK})
  target_compile_definitions(test_${room} PRIVATE
    KILN_SOURCE_DIRECTORY="${PROJECT_SOURCE_DIR}" KILN_BINARY_DIRECTORY="${CMAKE_BINARY_DIR}")
  set_target_properties(test_${room} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${room} COMMAND test_${room})
endfunction()
