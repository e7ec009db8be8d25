#include "cpu/dispatch.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "runtime/error.h"

namespace thalweg::cpu {

#ifdef THALWEG_HAS_SSE2
namespace sse2 {
extern const KernelTable table;
}
#endif
#ifdef THALWEG_HAS_AVX2
namespace avx2 {
extern const KernelTable table;
}
#endif
#ifdef THALWEG_HAS_AVX512
namespace avx512 {
extern const KernelTable table;
}
#endif
#ifdef THALWEG_HAS_NEON
namespace neon {
extern const KernelTable table;
}
#endif

#if defined(THALWEG_HAS_AVX2)
// x86-64-v3 also has F16C, LZCNT and MOVBE, which __builtin_cpu_supports does not name in all compilers. Every
// processor with AVX2 and BMI2 has LZCNT and MOVBE; F16C can be switched off by a hypervisor.
static bool hasHalfConversion() {
  unsigned eax, ebx, ecx, edx;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_F16C);
}
#endif

static std::vector<const KernelTable*> availableTables() {
  std::vector<const KernelTable*> tables;
#ifdef THALWEG_HAS_SSE2
  tables.push_back(&sse2::table);
#endif
#ifdef THALWEG_HAS_AVX2
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
      __builtin_cpu_supports("bmi2") && hasHalfConversion())
    tables.push_back(&avx2::table);
#endif
#ifdef THALWEG_HAS_AVX512
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    tables.push_back(&avx512::table);
#endif
#ifdef THALWEG_HAS_NEON
  tables.push_back(&neon::table);
#endif
  return tables;
}

std::vector<std::string> availableIsas() {
  std::vector<std::string> names;
  for (const KernelTable* table : availableTables()) names.push_back(table->isa);
  return names;
}

const KernelTable& selectTable(const char* forced) {
  const std::vector<const KernelTable*> tables = availableTables();
  if (!forced || !*forced) return *tables.back();
  std::string choices;
  for (const KernelTable* table : tables) {
    if (std::string(forced) == table->isa) return *table;
    choices += (choices.empty() ? "" : ", ") + std::string(table->isa);
  }
  fail(ErrorKind::Device, "THALWEG_CPU=%.32s is not an instruction set of this machine; it has %s", forced,
       choices.c_str());
}

}  // namespace thalweg::cpu
