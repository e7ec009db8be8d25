# Programs that are compiled together with the CUDA device instead of while a program runs: THALWEG_BUILTIN_SOURCES, made
# from native/cuda/builtins/programs.txt in the build's folder. See native/cuda/builtins/table.h.
set(THALWEG_CUDA_BUILTINS ON CACHE BOOL "compile the library's own elementwise programs with the CUDA plugin")
set(THALWEG_BUILTIN_SOURCES "")
if(NOT THALWEG_CUDA_BUILTINS)
  return()
endif()

# What lists them, and finds them.
set(THALWEG_BUILTINS ${CMAKE_SOURCE_DIR}/native/cuda/builtins)
set(THALWEG_BUILTIN_LISTING ${THALWEG_BUILTINS}/listing.cpp ${CMAKE_SOURCE_DIR}/native/program.cpp
  ${CMAKE_SOURCE_DIR}/native/program_steps.cpp)
add_executable(thalweg_write_builtins EXCLUDE_FROM_ALL
  ${THALWEG_BUILTINS}/write_builtins.cpp ${THALWEG_BUILTIN_LISTING} ${CMAKE_SOURCE_DIR}/native/cuda/generate.cpp
  ${CMAKE_SOURCE_DIR}/native/runtime/error.cpp)
target_link_libraries(thalweg_write_builtins PRIVATE thalweg_options)
set_target_properties(thalweg_write_builtins PROPERTIES CXX_EXTENSIONS OFF)

# Fewer files compile faster in all, because each has the headers to read; more of them, on more processors.
set(THALWEG_BUILTIN_FILES 3)
set(THALWEG_BUILTIN_FOLDER ${CMAKE_BINARY_DIR}/builtins)
file(MAKE_DIRECTORY ${THALWEG_BUILTIN_FOLDER})
math(EXPR THALWEG_BUILTIN_LAST "${THALWEG_BUILTIN_FILES} - 1")
set(THALWEG_BUILTIN_KERNELS "")
foreach(file RANGE ${THALWEG_BUILTIN_LAST})
  list(APPEND THALWEG_BUILTIN_KERNELS ${THALWEG_BUILTIN_FOLDER}/builtins_${file}.cu)
endforeach()
set(THALWEG_BUILTIN_TABLE ${THALWEG_BUILTIN_FOLDER}/builtins.cpp)
add_custom_command(OUTPUT ${THALWEG_BUILTIN_KERNELS} ${THALWEG_BUILTIN_TABLE}
  COMMAND thalweg_write_builtins ${THALWEG_BUILTINS}/programs.txt ${THALWEG_BUILTIN_FOLDER} ${THALWEG_BUILTIN_FILES}
  DEPENDS thalweg_write_builtins ${THALWEG_BUILTINS}/programs.txt VERBATIM)
set(THALWEG_BUILTIN_SOURCES ${THALWEG_BUILTIN_KERNELS} ${THALWEG_BUILTIN_TABLE} ${THALWEG_BUILTINS}/table.cpp)

# A check of the table, on the objects of a library that has been compiled from THALWEG_BUILTIN_SOURCES, and what they need.
macro(thalweg_check_builtins objects)
  add_executable(thalweg_builtin_programs EXCLUDE_FROM_ALL
    ${CMAKE_SOURCE_DIR}/native/test/builtin_programs.cpp ${THALWEG_BUILTIN_LISTING}
    ${CMAKE_SOURCE_DIR}/native/cuda/generate.cpp ${CMAKE_SOURCE_DIR}/native/runtime/error.cpp
    $<TARGET_OBJECTS:${objects}> ${ARGN})
  target_compile_definitions(thalweg_builtin_programs PRIVATE THALWEG_HAS_BUILTINS)
  target_link_libraries(thalweg_builtin_programs PRIVATE thalweg_options Threads::Threads ${CMAKE_DL_LIBS})
  set_target_properties(thalweg_builtin_programs PROPERTIES CXX_EXTENSIONS OFF LINKER_LANGUAGE CXX)
endmacro()
