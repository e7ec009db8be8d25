#include "runtime/error.h"

#include <new>

namespace thalweg {

void fail(ErrorKind kind, const char* format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  std::vsnprintf(text, sizeof text, format, args);
  va_end(args);
  throw Error(kind, text);
}

Error caughtError(const std::string& prefix) {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ErrorKind::OutOfMemory, prefix + "the system has no memory left");
  } catch (const std::exception& error) {
    return Error(ErrorKind::Native, prefix + error.what());
  }
}

}  // namespace thalweg
