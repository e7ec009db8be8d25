// Whether the calling thread takes subnormal numbers as zeros, both as operands and as results: two bits of its
// floating-point control register. Threads that work on a job take the setting over from the one that starts it.
#pragma once
#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace thalweg {

#if defined(__x86_64__)
constexpr uint32_t kFlushBits = 0x8040;  // FTZ (bit 15) and DAZ (bit 6) of MXCSR
inline bool canFlushDenormals() { return true; }
inline bool flushesDenormals() { return (_mm_getcsr() & kFlushBits) == kFlushBits; }
inline void setFlushDenormals(bool flush) {
  if (flushesDenormals() == flush) return;
  _mm_setcsr(flush ? _mm_getcsr() | kFlushBits : _mm_getcsr() & ~kFlushBits);
}
#elif defined(__aarch64__)
constexpr uint64_t kFlushBits = uint64_t{1} << 24;  // FZ of FPCR
inline bool canFlushDenormals() { return true; }
inline uint64_t floatControl() {
  uint64_t control;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  return control;
}
inline bool flushesDenormals() { return (floatControl() & kFlushBits) != 0; }
inline void setFlushDenormals(bool flush) {
  if (flushesDenormals() == flush) return;
  const uint64_t control = flush ? floatControl() | kFlushBits : floatControl() & ~kFlushBits;
  asm volatile("msr fpcr, %0" ::"r"(control));
}
#else
inline bool canFlushDenormals() { return false; }
inline bool flushesDenormals() { return false; }
inline void setFlushDenormals(bool) {}
#endif

// The setting within a scope, for kernels that run on a thread of the host program.
class FlushScope {
 public:
  explicit FlushScope(bool flush) : before_(flushesDenormals()) { setFlushDenormals(flush); }
  ~FlushScope() { setFlushDenormals(before_); }
  FlushScope(const FlushScope&) = delete;
  FlushScope& operator=(const FlushScope&) = delete;

 private:
  const bool before_;
};

}  // namespace thalweg
