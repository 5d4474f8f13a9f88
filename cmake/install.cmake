# The installed tree: programs (kiln_program), and the client library with what it links, so that
#     find_package(Kiln)   target_link_libraries(... Kiln::client)
# works. Headers keep their paths in the repository under include/kiln.

include(CMakePackageConfigHelpers)

set(kiln_installed kiln_options kiln_core kiln_runtime kiln_messages kiln_error_details kiln_proto
                   kiln_client)
foreach(target ${kiln_installed})
  string(REPLACE "kiln_" "" name ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  get_target_property(type ${target} TYPE)
  set(scope PUBLIC)
  if(type STREQUAL "INTERFACE_LIBRARY")
    set(scope INTERFACE)
  endif()
  target_include_directories(${target} ${scope}
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/kiln>)
endforeach()
install(TARGETS ${kiln_installed} EXPORT KilnTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT client)
install(EXPORT KilnTargets NAMESPACE Kiln:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Kiln COMPONENT client)

foreach(room core runtime client/kiln)
  install(DIRECTORY ${room}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/kiln/${room} COMPONENT client
          FILES_MATCHING PATTERN "*.h")
endforeach()
install(DIRECTORY proto/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/kiln/proto COMPONENT client
        FILES_MATCHING PATTERN "*.h")
install(DIRECTORY proto/kiln DESTINATION ${CMAKE_INSTALL_DATADIR}/kiln/proto COMPONENT client
        FILES_MATCHING PATTERN "*.proto")
install(DIRECTORY ${CMAKE_BINARY_DIR}/proto/kiln ${CMAKE_BINARY_DIR}/proto/google
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/kiln COMPONENT client FILES_MATCHING PATTERN "*.pb.h")
install(DIRECTORY ${CMAKE_BINARY_DIR}/client/generated/client
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/kiln COMPONENT client)
install(DIRECTORY client/examples DESTINATION ${CMAKE_INSTALL_DATADIR}/kiln COMPONENT client)

configure_package_config_file(cmake/KilnConfig.cmake.in KilnConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Kiln)
write_basic_package_version_file(KilnConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/KilnConfig.cmake ${CMAKE_BINARY_DIR}/KilnConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Kiln COMPONENT client)
