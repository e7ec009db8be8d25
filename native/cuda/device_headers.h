// The headers that generated programs are compiled with, as text: made from this folder by CMake.
#pragma once

namespace thalweg::cuda {

struct DeviceHeader {
  const char* name;  // as it is included
  const char* text;
};
extern const DeviceHeader deviceHeaders[];
extern const int deviceHeaderCount;

}  // namespace thalweg::cuda
