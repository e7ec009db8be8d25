// Typed failures. `kind` names the TypeScript error class that the failure becomes.
#pragma once
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace thalweg {

enum class ErrorKind : uint8_t { Native, Shape, DType, Device, Disposed, Index, OutOfMemory, LinAlg };

inline const char* errorKindName(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::Shape: return "ShapeError";
    case ErrorKind::DType: return "DTypeError";
    case ErrorKind::Device: return "DeviceError";
    case ErrorKind::Disposed: return "DisposedError";
    case ErrorKind::Index: return "IndexError";
    case ErrorKind::LinAlg: return "LinAlgError";
    case ErrorKind::OutOfMemory: return "OutOfMemoryError";
    case ErrorKind::Native: break;
  }
  return "NativeError";
}

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind(kind) {}
  ErrorKind kind;
};

// fail(ErrorKind::Shape, "matmul: inner dimensions differ, %lld and %lld", k1, k2)
[[noreturn]] __attribute__((format(printf, 2, 3))) void fail(ErrorKind kind, const char* format, ...);

// The exception that is being caught, typed. What has no type of ours begins with `prefix`.
Error caughtError(const std::string& prefix = "");

}  // namespace thalweg
