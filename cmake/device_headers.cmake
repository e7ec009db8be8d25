# The headers that programs are compiled with at run time, as text in a source file: device_headers.cpp in the build's
# folder. See native/cuda/nvrtc.h.
set(THALWEG_DEVICE_HEADERS
  functors.h functors_approximate.h functors_float.h functors_integer.h functors_scalar.h functors_wide.h reduce_kind.h
  special.h runtime/dtype.h cuda/convert.h cuda/fault.h cuda/generated.h cuda/map_kernel.h cuda/reduce_kernel.h
  cuda/reduce_ops.h cuda/vectors.h)
# In their place there is one of our own.
set(THALWEG_PRELUDE_NAMES bit cmath cstdint limits type_traits cuda_runtime.h cuda/launch.h)

set(THALWEG_DEVICE_TEXT "#include \"cuda/device_headers.h\"\n\nnamespace thalweg::cuda {\n\nconst DeviceHeader deviceHeaders[] = {\n")
set(THALWEG_DEVICE_COUNT 0)
foreach(header IN LISTS THALWEG_DEVICE_HEADERS THALWEG_PRELUDE_NAMES)
  set(file ${header})
  if(header IN_LIST THALWEG_PRELUDE_NAMES)
    set(file cuda/nvrtc_prelude.h)
  endif()
  file(READ ${CMAKE_SOURCE_DIR}/native/${file} text)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/native/${file})
  string(APPEND THALWEG_DEVICE_TEXT "    {\"${header}\", R\"header(${text})header\"},\n")
  math(EXPR THALWEG_DEVICE_COUNT "${THALWEG_DEVICE_COUNT} + 1")
endforeach()
string(APPEND THALWEG_DEVICE_TEXT "};\nconst int deviceHeaderCount = ${THALWEG_DEVICE_COUNT};\n\n}  // namespace thalweg::cuda\n")
set(THALWEG_DEVICE_SOURCE ${CMAKE_BINARY_DIR}/device_headers.cpp)
# Untouched where nothing has changed.
set(THALWEG_DEVICE_BEFORE "")
if(EXISTS ${THALWEG_DEVICE_SOURCE})
  file(READ ${THALWEG_DEVICE_SOURCE} THALWEG_DEVICE_BEFORE)
endif()
if(NOT THALWEG_DEVICE_BEFORE STREQUAL THALWEG_DEVICE_TEXT)
  file(WRITE ${THALWEG_DEVICE_SOURCE} "${THALWEG_DEVICE_TEXT}")
endif()
