// The dispatch table of one ISA. Compiled once per ISA, like every kernel file.
#include "cpu/kernel.h"

#define THALWEG_STRING_(x) #x
#define THALWEG_STRING(x) THALWEG_STRING_(x)

namespace thalweg::cpu::THALWEG_ISA {

extern const KernelTable table;
const KernelTable table = {
    THALWEG_STRING(THALWEG_ISA),
#define KERNEL(name, ...) &name,
#include "kernels.def"
#undef KERNEL
};

}  // namespace thalweg::cpu::THALWEG_ISA
