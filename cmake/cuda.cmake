# The CUDA device. thalweg_cuda is the plugin that the addon opens (thalweg-cuda-cu13.so beside thalweg.node), compiled by
# nvcc from native/cuda; npm run build:cuda asks for it by THALWEG_CUDA=ON, and no other build does, because it takes
# minutes. thalweg_cuda_emulated is the same files as ordinary C++, a device for tests (npm run test:cuda-emu).
file(GLOB THALWEG_CUDA_SOURCES CONFIGURE_DEPENDS
  ${CMAKE_SOURCE_DIR}/native/cuda/*.cu ${CMAKE_SOURCE_DIR}/native/cuda/*.cpp)
# What both have of the addon's files.
set(THALWEG_CUDA_SHARED ${CMAKE_SOURCE_DIR}/native/runtime/error.cpp)
# Libraries whose functions are found at run time; of each the header, if it is there, when the plugin is compiled.
set(THALWEG_CUDA_HEADERS CUBLASLT:cublasLt.h CUDNN:cudnn.h NCCL:nccl.h NVRTC:nvrtc.h)

# What programs are compiled with at run time.
include(${CMAKE_SOURCE_DIR}/cmake/device_headers.cmake)
# Some are compiled with the device.
include(${CMAKE_SOURCE_DIR}/cmake/builtins.cmake)

set(THALWEG_CUDA OFF CACHE BOOL "build the plugin for NVIDIA GPUs (needs nvcc 13)")
set(THALWEG_CUDA_FAST_COMPILE OFF CACHE BOOL "optimise the plugin's kernels little: for builds that only see whether they compile")

# ---- the emulated device --------------------------------------------------------------------------------------------
# Not together with the plugin: a .cu file has one language in a build.
if(NOT THALWEG_CUDA AND THALWEG_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND NOT APPLE)
  file(GLOB THALWEG_EMULATION CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/native/cuda/emulated/*.cpp)
  add_library(thalweg_cuda_emulated MODULE EXCLUDE_FROM_ALL
    ${THALWEG_CUDA_SOURCES} ${THALWEG_EMULATION} ${THALWEG_CUDA_SHARED}
    ${CMAKE_SOURCE_DIR}/native/cuda/builtins/listing.cpp ${CMAKE_SOURCE_DIR}/native/cuda/builtins/record.cpp
    ${CMAKE_SOURCE_DIR}/native/program.cpp ${CMAKE_SOURCE_DIR}/native/program_steps.cpp)
  set_source_files_properties(${THALWEG_CUDA_SOURCES} ${THALWEG_BUILTIN_SOURCES} PROPERTIES LANGUAGE CXX)
  # Kernels that are compiled as C++ have no use for optimisation: a test launches few threads, and builds should be
  # quick.
  target_compile_options(thalweg_cuda_emulated PRIVATE "SHELL:-x c++" -O1 -fno-strict-aliasing -Wno-unknown-pragmas)
  target_compile_definitions(thalweg_cuda_emulated PRIVATE THALWEG_CUDA_EMULATED)
  target_include_directories(thalweg_cuda_emulated BEFORE PRIVATE ${CMAKE_SOURCE_DIR}/native/cuda/emulated)
  # Sanitizers are for the interpreter, which has all programs then.
  if(THALWEG_CUDA_BUILTINS AND NOT THALWEG_SANITIZE)
    add_library(thalweg_emulated_builtins OBJECT EXCLUDE_FROM_ALL ${THALWEG_BUILTIN_SOURCES})
    target_compile_options(thalweg_emulated_builtins PRIVATE
      "SHELL:-x c++" -O1 -fno-strict-aliasing -Wno-unknown-pragmas)
    target_compile_definitions(thalweg_emulated_builtins PRIVATE THALWEG_CUDA_EMULATED THALWEG_HAS_BUILTINS)
    target_include_directories(thalweg_emulated_builtins BEFORE PRIVATE ${CMAKE_SOURCE_DIR}/native/cuda/emulated)
    target_link_libraries(thalweg_emulated_builtins PRIVATE thalweg_options)
    set_target_properties(thalweg_emulated_builtins PROPERTIES THALWEG_EMULATED ON CXX_EXTENSIONS OFF
      POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
    target_sources(thalweg_cuda_emulated PRIVATE $<TARGET_OBJECTS:thalweg_emulated_builtins>)
    target_compile_definitions(thalweg_cuda_emulated PRIVATE THALWEG_HAS_BUILTINS)
  endif()
  foreach(library IN LISTS THALWEG_CUDA_HEADERS)
    string(REPLACE ":" ";" library "${library}")
    list(GET library 0 name)
    list(GET library 1 header)
    if(EXISTS ${CMAKE_SOURCE_DIR}/native/cuda/emulated/${header})
      target_compile_definitions(thalweg_cuda_emulated PRIVATE THALWEG_HAS_${name})
    endif()
  endforeach()
  target_link_libraries(thalweg_cuda_emulated PRIVATE thalweg_options ${CMAKE_DL_LIBS})
  set_target_properties(thalweg_cuda_emulated PROPERTIES THALWEG_EMULATED ON
    PREFIX "" OUTPUT_NAME thalweg-cuda-emulated SUFFIX ".so" LINKER_LANGUAGE CXX CXX_EXTENSIONS OFF
    POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY ${THALWEG_OUTPUT_DIR})

  # cuBLASLt for the emulated device, in a folder of its own: THALWEG_CUDA_LIB_DIRS names it for tests.
  add_library(thalweg_fake_cublaslt MODULE EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/native/test/fake_cublaslt.cpp)
  target_include_directories(thalweg_fake_cublaslt BEFORE PRIVATE ${CMAKE_SOURCE_DIR}/native/cuda/emulated)
  target_link_libraries(thalweg_fake_cublaslt PRIVATE thalweg_options)
  set_target_properties(thalweg_fake_cublaslt PROPERTIES
    PREFIX "" OUTPUT_NAME libcublasLt SUFFIX .so.13 CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden
    LIBRARY_OUTPUT_DIRECTORY ${THALWEG_OUTPUT_DIR}/fake)

  # cuDNN likewise: a file for each family of operations.
  file(GLOB THALWEG_FAKE_CUDNN CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/native/test/fake_cudnn*.cpp)
  add_library(thalweg_fake_cudnn MODULE EXCLUDE_FROM_ALL ${THALWEG_FAKE_CUDNN})
  target_include_directories(thalweg_fake_cudnn BEFORE PRIVATE ${CMAKE_SOURCE_DIR}/native/cuda/emulated)
  target_link_libraries(thalweg_fake_cudnn PRIVATE thalweg_options)
  set_target_properties(thalweg_fake_cudnn PROPERTIES
    PREFIX "" OUTPUT_NAME libcudnn SUFFIX .so.9 CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden
    LIBRARY_OUTPUT_DIRECTORY ${THALWEG_OUTPUT_DIR}/fake)

  # What the real cuDNN, where it is found, says of devices that are only described to it, or not there: a program for
  # each family, with the files of native/cuda that describe it. Some of it looks for a driver.
  add_library(thalweg_absent_driver MODULE EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/native/test/absent_driver.cpp)
  set_target_properties(thalweg_absent_driver PROPERTIES PREFIX "" SUFFIX ".so")
  target_link_options(thalweg_absent_driver PRIVATE -Wl,-soname,libcuda.so.1)
  function(thalweg_cudnn_program name)
    add_executable(thalweg_${name} EXCLUDE_FROM_ALL
      ${CMAKE_SOURCE_DIR}/native/test/${name}.cpp ${CMAKE_SOURCE_DIR}/native/cuda/cudnn.cpp
      ${CMAKE_SOURCE_DIR}/native/cuda/library.cpp ${CMAKE_SOURCE_DIR}/native/cuda/library_search.cpp
      ${THALWEG_CUDA_SHARED})
    foreach(file IN LISTS ARGN)
      target_sources(thalweg_${name} PRIVATE ${CMAKE_SOURCE_DIR}/native/cuda/${file})
    endforeach()
    target_compile_definitions(thalweg_${name} PRIVATE
      THALWEG_HAS_CUBLASLT THALWEG_HAS_CUDNN "ABSENT_DRIVER=\"$<TARGET_FILE:thalweg_absent_driver>\"")
    target_include_directories(thalweg_${name} BEFORE PRIVATE ${CMAKE_SOURCE_DIR}/native/cuda/emulated)
    target_link_libraries(thalweg_${name} PRIVATE thalweg_options ${CMAKE_DL_LIBS})
    set_target_properties(thalweg_${name} PROPERTIES CXX_EXTENSIONS OFF)
    add_dependencies(thalweg_${name} thalweg_absent_driver)
  endfunction()
  thalweg_cudnn_program(cudnn_plans cudnn_conv_graph.cpp)
  thalweg_cudnn_program(cudnn_attention_plans cudnn_attention_graph.cpp)
  thalweg_cudnn_program(cudnn_rnn_plans)

  # A test of generated programs against the interpreter, both as ordinary C++.
  add_executable(thalweg_generated_programs EXCLUDE_FROM_ALL
    ${CMAKE_SOURCE_DIR}/native/test/generated_programs.cpp ${CMAKE_SOURCE_DIR}/native/cuda/generate.cpp
    ${CMAKE_SOURCE_DIR}/native/cuda/interpreted.cu ${CMAKE_SOURCE_DIR}/native/cuda/map_plan.cu
    ${CMAKE_SOURCE_DIR}/native/cuda/programs.cu ${CMAKE_SOURCE_DIR}/native/cuda/queue.cpp
    ${CMAKE_SOURCE_DIR}/native/cuda/capture.cpp ${CMAKE_SOURCE_DIR}/native/cuda/copy_stream.cpp
    ${CMAKE_SOURCE_DIR}/native/cuda/cuda_error.cpp
    ${CMAKE_SOURCE_DIR}/native/cuda/staging.cpp ${CMAKE_SOURCE_DIR}/native/cuda/reduce_plan.cu ${CMAKE_SOURCE_DIR}/native/program.cpp
    ${CMAKE_SOURCE_DIR}/native/program_steps.cpp ${THALWEG_EMULATION} ${THALWEG_CUDA_SHARED})
  # No contraction: which products it takes depends on what surrounds them.
  target_compile_options(thalweg_generated_programs PRIVATE
    "SHELL:-x c++" -O1 -fno-strict-aliasing -ffp-contract=off -Wno-unknown-pragmas)
  target_compile_definitions(thalweg_generated_programs PRIVATE THALWEG_CUDA_EMULATED)
  target_include_directories(thalweg_generated_programs BEFORE PRIVATE ${CMAKE_SOURCE_DIR}/native/cuda/emulated)
  target_link_libraries(thalweg_generated_programs PRIVATE thalweg_options Threads::Threads ${CMAKE_DL_LIBS})
  set_target_properties(thalweg_generated_programs PROPERTIES CXX_EXTENSIONS OFF ENABLE_EXPORTS ON)

  # A test of how NVIDIA's libraries are found, with libraries made for it.
  add_executable(thalweg_libraries EXCLUDE_FROM_ALL
    ${CMAKE_SOURCE_DIR}/native/test/libraries.cpp ${CMAKE_SOURCE_DIR}/native/cuda/library.cpp
    ${CMAKE_SOURCE_DIR}/native/cuda/library_search.cpp ${THALWEG_CUDA_SHARED})
  target_compile_definitions(thalweg_libraries PRIVATE
    THALWEG_CUDA_EMULATED "FAKES=\"$<TARGET_FILE_DIR:thalweg_fake_new>\"")
  target_link_libraries(thalweg_libraries PRIVATE thalweg_options ${CMAKE_DL_LIBS})
  set(THALWEG_FAKE_new 13 92400 HAS_ANSWER)
  set(THALWEG_FAKE_old 13 80907 HAS_ANSWER)
  set(THALWEG_FAKE_cuda12 12 91002 HAS_ANSWER)
  set(THALWEG_FAKE_lacking 13 92400)
  foreach(fake new old cuda12 lacking)
    list(POP_FRONT THALWEG_FAKE_${fake} cuda cudnn)
    add_library(thalweg_fake_${fake} MODULE EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/native/test/fake_library.cpp)
    target_compile_definitions(thalweg_fake_${fake} PRIVATE
      CUDA_MAJOR=${cuda} CUDNN_NUMBER=${cudnn} ${THALWEG_FAKE_${fake}})
    set_target_properties(thalweg_fake_${fake} PROPERTIES PREFIX "" SUFFIX ".so")
    add_dependencies(thalweg_libraries thalweg_fake_${fake})
  endforeach()
endif()

if(TARGET thalweg_emulated_builtins)
  thalweg_check_builtins(thalweg_emulated_builtins ${THALWEG_EMULATION})
  target_compile_definitions(thalweg_builtin_programs PRIVATE THALWEG_CUDA_EMULATED)
  target_include_directories(thalweg_builtin_programs BEFORE PRIVATE ${CMAKE_SOURCE_DIR}/native/cuda/emulated)
endif()

# A test of generated programs: NVRTC compiles them all, or the host's compiler, to compare with the interpreter.
# It needs no GPU.
if(NOT THALWEG_CUDA AND NOT APPLE)
  add_executable(thalweg_nvrtc_programs EXCLUDE_FROM_ALL
    ${CMAKE_SOURCE_DIR}/native/test/nvrtc_programs.cpp ${CMAKE_SOURCE_DIR}/native/cuda/generate.cpp
    ${CMAKE_SOURCE_DIR}/native/cuda/nvrtc.cpp ${CMAKE_SOURCE_DIR}/native/cuda/library.cpp
    ${CMAKE_SOURCE_DIR}/native/cuda/library_search.cpp ${CMAKE_SOURCE_DIR}/native/program.cpp
    ${CMAKE_SOURCE_DIR}/native/program_steps.cpp ${THALWEG_DEVICE_SOURCE} ${THALWEG_CUDA_SHARED})
  target_link_libraries(thalweg_nvrtc_programs PRIVATE thalweg_options ${CMAKE_DL_LIBS})
  set_target_properties(thalweg_nvrtc_programs PROPERTIES CXX_EXTENSIONS OFF)
endif()

# ---- the plugin -----------------------------------------------------------------------------------------------------
if(NOT THALWEG_CUDA)
  return()
endif()

# Where else than on PATH (CUDACXX names one, too).
find_program(THALWEG_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda /opt/cuda PATH_SUFFIXES bin)
if(THALWEG_NVCC AND NOT DEFINED ENV{CUDACXX} AND NOT CMAKE_CUDA_COMPILER)
  set(CMAKE_CUDA_COMPILER ${THALWEG_NVCC})
endif()
# Machine code for every architecture of CUDA 13, and PTX of the newest for those that come after it. Set before the
# language is enabled: CMake would choose one that CUDA 13 has no more.
set(THALWEG_CUDA_ARCHITECTURES "75-real;80-real;86-real;89-real;90-real;100-real;120" CACHE STRING
  "architectures of GPUs to build the plugin for, in the words of CMAKE_CUDA_ARCHITECTURES")
set(CMAKE_CUDA_ARCHITECTURES ${THALWEG_CUDA_ARCHITECTURES})
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT CMAKE_CUDA_HOST_COMPILER)
  set(CMAKE_CUDA_HOST_COMPILER ${CMAKE_CXX_COMPILER})
endif()
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  message(STATUS "thalweg: no nvcc was found, so the CUDA plugin is not built (install CUDA 13, or set CUDACXX)")
  return()
endif()
enable_language(CUDA)
if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 13)
  message(STATUS "thalweg: ${CMAKE_CUDA_COMPILER} is version ${CMAKE_CUDA_COMPILER_VERSION} and the CUDA plugin needs 13, so it is not built")
  return()
endif()
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
  # CMake 3.25 (Debian 12) knows of no C++20 in nvcc 13.
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
endif()
find_package(CUDAToolkit REQUIRED)

add_library(thalweg_cuda MODULE EXCLUDE_FROM_ALL ${THALWEG_CUDA_SOURCES} ${THALWEG_CUDA_SHARED}
  ${THALWEG_DEVICE_SOURCE})
set_target_properties(thalweg_cuda PROPERTIES
  PREFIX "" OUTPUT_NAME thalweg-cuda-cu${CUDAToolkit_VERSION_MAJOR} SUFFIX ".so" LINKER_LANGUAGE CXX
  CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
  CUDA_STANDARD 20 CUDA_STANDARD_REQUIRED ON CUDA_EXTENSIONS OFF CUDA_RUNTIME_LIBRARY Static
  POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden CUDA_VISIBILITY_PRESET hidden
  VISIBILITY_INLINES_HIDDEN ON SKIP_BUILD_RPATH ON
  LIBRARY_OUTPUT_DIRECTORY ${THALWEG_OUTPUT_DIR})
target_include_directories(thalweg_cuda PRIVATE ${CMAKE_SOURCE_DIR}/native)
target_include_directories(thalweg_cuda SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS})
target_link_libraries(thalweg_cuda PRIVATE CUDA::cudart_static Threads::Threads ${CMAKE_DL_LIBS})
# One binary for many distributions, as the addon: see CMakeLists.txt.
target_link_options(thalweg_cuda PRIVATE
  -static-libstdc++ -Wl,--exclude-libs,ALL -Wl,--gc-sections -Wl,--no-undefined -Wl,-z,nodelete)
set(THALWEG_CUDA_HOST_OPTIONS -ffp-contract=fast -fno-math-errno -Wall -Wextra)
set(THALWEG_CUDA_OPTIONS --expt-relaxed-constexpr --compress-mode=size)
if(THALWEG_CUDA_FAST_COMPILE)
  list(APPEND THALWEG_CUDA_OPTIONS --Ofast-compile=max)
endif()
if(THALWEG_WERROR)
  list(APPEND THALWEG_CUDA_HOST_OPTIONS -Werror)
  list(APPEND THALWEG_CUDA_OPTIONS --Werror=all-warnings)
endif()
string(REPLACE ";" "," THALWEG_CUDA_HOST_LIST "${THALWEG_CUDA_HOST_OPTIONS}")
set(THALWEG_CUDA_ALL_OPTIONS
  "$<$<COMPILE_LANGUAGE:CXX>:${THALWEG_CUDA_HOST_OPTIONS}>"
  "$<$<COMPILE_LANGUAGE:CUDA>:${THALWEG_CUDA_OPTIONS};-Xcompiler=${THALWEG_CUDA_HOST_LIST}>")
target_compile_options(thalweg_cuda PRIVATE ${THALWEG_CUDA_ALL_OPTIONS})

if(THALWEG_CUDA_BUILTINS)
  # Compiled as the rest of the plugin.
  add_library(thalweg_cuda_builtins OBJECT EXCLUDE_FROM_ALL ${THALWEG_BUILTIN_SOURCES})
  set_target_properties(thalweg_cuda_builtins PROPERTIES
    CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
    CUDA_STANDARD 20 CUDA_STANDARD_REQUIRED ON CUDA_EXTENSIONS OFF CUDA_RUNTIME_LIBRARY Static
    POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden CUDA_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)
  target_include_directories(thalweg_cuda_builtins PRIVATE ${CMAKE_SOURCE_DIR}/native)
  target_include_directories(thalweg_cuda_builtins SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS})
  target_compile_options(thalweg_cuda_builtins PRIVATE ${THALWEG_CUDA_ALL_OPTIONS})
  target_compile_definitions(thalweg_cuda_builtins PRIVATE THALWEG_HAS_BUILTINS)
  target_sources(thalweg_cuda PRIVATE $<TARGET_OBJECTS:thalweg_cuda_builtins>)
  target_compile_definitions(thalweg_cuda PRIVATE THALWEG_HAS_BUILTINS)
  thalweg_check_builtins(thalweg_cuda_builtins)
  target_link_libraries(thalweg_builtin_programs PRIVATE CUDA::cudart_static)
endif()

# Headers: in folders that are named, in the toolkit, in what pip installed.
string(REPLACE ":" ";" THALWEG_CUDA_INCLUDE_DIRS "${THALWEG_CUDA_INCLUDE_DIRS};$ENV{THALWEG_CUDA_INCLUDE_DIRS}")
file(GLOB THALWEG_CUDA_PIP
  $ENV{VIRTUAL_ENV}/lib/python3*/site-packages $ENV{CONDA_PREFIX}/lib/python3*/site-packages
  $ENV{HOME}/.local/lib/python3*/site-packages /usr/local/lib/python3*/site-packages
  /usr/local/lib/python3*/dist-packages)
set(THALWEG_CUDA_HINTS ${THALWEG_CUDA_INCLUDE_DIRS})
foreach(packages IN LISTS THALWEG_CUDA_INCLUDE_DIRS THALWEG_CUDA_PIP)
  foreach(inside cu13 cublas cudnn nccl cuda_nvrtc)
    list(APPEND THALWEG_CUDA_HINTS ${packages}/nvidia/${inside}/include)
  endforeach()
endforeach()
set(THALWEG_CUDA_FOUND "")
foreach(library IN LISTS THALWEG_CUDA_HEADERS)
  string(REPLACE ":" ";" library "${library}")
  list(GET library 0 name)
  list(GET library 1 header)
  find_path(THALWEG_${name}_INCLUDE ${header} HINTS ${CUDAToolkit_INCLUDE_DIRS} ${THALWEG_CUDA_HINTS}
    ENV CUDA_HOME ENV CUDA_PATH ENV CUDNN_PATH PATH_SUFFIXES include)
  if(name STREQUAL "CUDNN" AND THALWEG_CUDNN_INCLUDE)
    # Its graph interface is not that of older versions.
    set(THALWEG_CUDNN_MAJOR "")
    if(EXISTS ${THALWEG_CUDNN_INCLUDE}/cudnn_version.h)
      file(STRINGS ${THALWEG_CUDNN_INCLUDE}/cudnn_version.h THALWEG_CUDNN_MAJOR REGEX "define CUDNN_MAJOR")
      string(REGEX REPLACE "[^0-9]" "" THALWEG_CUDNN_MAJOR "${THALWEG_CUDNN_MAJOR}")
    endif()
    if(NOT THALWEG_CUDNN_MAJOR GREATER_EQUAL 9)
      list(APPEND THALWEG_CUDA_FOUND "no cudnn.h of version 9 (${THALWEG_CUDNN_INCLUDE} has another)")
      continue()
    endif()
  endif()
  if(THALWEG_${name}_INCLUDE)
    target_include_directories(thalweg_cuda SYSTEM PRIVATE ${THALWEG_${name}_INCLUDE})
    target_compile_definitions(thalweg_cuda PRIVATE THALWEG_HAS_${name})
    list(APPEND THALWEG_CUDA_FOUND "${header}")
  else()
    list(APPEND THALWEG_CUDA_FOUND "no ${header}")
  endif()
endforeach()
list(JOIN THALWEG_CUDA_FOUND ", " THALWEG_CUDA_FOUND)
list(JOIN THALWEG_CUDA_ARCHITECTURES " " THALWEG_CUDA_LIST)
message(STATUS "thalweg: CUDA plugin with nvcc ${CMAKE_CUDA_COMPILER_VERSION} for ${THALWEG_CUDA_LIST}; ${THALWEG_CUDA_FOUND}")
