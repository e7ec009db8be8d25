// Elementwise programs interpreted on the device. Every thread has the registers of kVector elements in shared memory,
// and all threads run the same instructions: an instruction is decoded once for several elements, and no branch
// diverges. It runs any program at once; compiled programs (generate.h) are faster, and give the same bits.
#pragma once
#include "../program.h"
#include "cuda/fault.h"
#include "cuda/vectors.h"
#include "functors.h"

namespace thalweg::cuda {

// Shared memory that a block may have without asking for more.
constexpr int64_t kBlockSharedBytes = 48 << 10;

// A program in device memory. An instruction is one word: the opcode, then dst, a, b, c in 9 bits each. An operand
// below kUniform is a register of each element: an input, or behind the inputs a temporary. From kUniform on it is a
// value that all share: a scalar, or behind the scalars a constant.
struct InterpretedProgram {
  const uint64_t* code;
  const double* constants;
  const uint16_t* outputs;  // operands
  int32_t length, inputCount, outputCount, temporaries, scalarCount, constantCount;
  FaultSite division;  // of integers by zero

  __host__ __device__ int slots() const { return inputCount + temporaries; }
  __host__ __device__ int uniforms() const { return scalarCount + constantCount; }
};

constexpr unsigned kUniform = 256;
constexpr int kOperandBits = 9;

inline uint64_t encodeInstruction(Opcode op, unsigned dst, unsigned a, unsigned b, unsigned c) {
  uint64_t word = c;
  word = word << kOperandBits | b;
  word = word << kOperandBits | a;
  word = word << kOperandBits | dst;
  return word << 8 | static_cast<uint64_t>(op);
}
static_assert(kOpcodeCount <= 256 && kMaxRegisters <= static_cast<int>(kUniform));

// What an instruction means for one element. Integers have fewer opcodes: IntegerOps has no body for the others, which
// the host refuses (hasIntegerMeaning) before anything is launched.
inline bool hasIntegerMeaning(Opcode op) {
  switch (op) {
    case Opcode::neg:
    case Opcode::abs:
    case Opcode::sign:
    case Opcode::square:
    case Opcode::floor:
    case Opcode::ceil:
    case Opcode::round:
    case Opcode::trunc:
    case Opcode::isnan:
    case Opcode::isinf:
    case Opcode::isfinite:
    case Opcode::logicalNot:
    case Opcode::bitwiseNot:
    case Opcode::add:
    case Opcode::sub:
    case Opcode::mul:
    case Opcode::div:
    case Opcode::floorDiv:
    case Opcode::remainder:
    case Opcode::fmod:
    case Opcode::pow:
    case Opcode::maximum:
    case Opcode::minimum:
    case Opcode::fmax:
    case Opcode::fmin:
    case Opcode::eq:
    case Opcode::ne:
    case Opcode::lt:
    case Opcode::le:
    case Opcode::gt:
    case Opcode::ge:
    case Opcode::bitwiseAnd:
    case Opcode::bitwiseOr:
    case Opcode::bitwiseXor:
    case Opcode::bitwiseLeftShift:
    case Opcode::bitwiseRightShift:
    case Opcode::fma:
    case Opcode::select: return true;
    default: return false;
  }
}
inline bool divides(Opcode op) {
  return op == Opcode::div || op == Opcode::floorDiv || op == Opcode::remainder || op == Opcode::fmod;
}

// Functions of many instructions: a loop over the lanes has one copy of them.
constexpr bool isLong(Opcode op) {
  return (op >= Opcode::exp && op <= Opcode::sigmoid) || (op >= Opcode::floorDiv && op <= Opcode::hypot);
}

// op(a, b, c), not inlined: it is long, and the kernels of this file share it.
template <class T>
__device__ __attribute__((noinline)) Packed<T, kVector<T>> runInstruction(Opcode op, Packed<T, kVector<T>> a,
                                                                          Packed<T, kVector<T>> b,
                                                                          Packed<T, kVector<T>> c, FaultSite division) {
  constexpr int V = kVector<T>;
#define APPLY1(f) f(a.at[v])
#define APPLY2(f) f(a.at[v], b.at[v])
#define APPLY3(f) f(a.at[v], b.at[v], c.at[v])
#define CASE(name, apply, f)                          \
  case Opcode::name:                                  \
    if constexpr (isLong(Opcode::name)) {             \
      THALWEG_NO_UNROLL                               \
      for (int v = 0; v < V; v++) a.at[v] = apply(f); \
    } else {                                          \
      THALWEG_UNROLL_LOOP                             \
      for (int v = 0; v < V; v++) a.at[v] = apply(f); \
    }                                                 \
    break;
  if constexpr (std::is_same_v<T, int64_t>) {
    using Ops = IntegerOps<ScalarMath<int64_t>>;
    if (op >= Opcode::div && op <= Opcode::fmod) {
      bool zero = false;
      for (int v = 0; v < V; v++) zero |= b.at[v] == 0;
      if (zero) division.report(0, 0);
    }
    switch (op) {
      CASE(neg, APPLY1, Ops::neg)
      CASE(abs, APPLY1, Ops::abs)
      CASE(sign, APPLY1, Ops::sign)
      CASE(square, APPLY1, Ops::square)
      CASE(isnan, APPLY1, Ops::zero)
      CASE(isinf, APPLY1, Ops::zero)
      CASE(isfinite, APPLY1, Ops::one)
      CASE(logicalNot, APPLY1, Ops::logicalNot)
      CASE(bitwiseNot, APPLY1, Ops::bitwiseNot)
      CASE(add, APPLY2, Ops::add)
      CASE(sub, APPLY2, Ops::sub)
      CASE(mul, APPLY2, Ops::mul)
      CASE(div, APPLY2, Ops::div)
      CASE(floorDiv, APPLY2, Ops::floorDiv)
      CASE(remainder, APPLY2, Ops::remainder)
      CASE(fmod, APPLY2, Ops::fmod)
      CASE(pow, APPLY2, Ops::pow)
      CASE(maximum, APPLY2, Ops::maximum)
      CASE(minimum, APPLY2, Ops::minimum)
      CASE(fmax, APPLY2, Ops::maximum)
      CASE(fmin, APPLY2, Ops::minimum)
      CASE(eq, APPLY2, Ops::eq)
      CASE(ne, APPLY2, Ops::ne)
      CASE(lt, APPLY2, Ops::lt)
      CASE(le, APPLY2, Ops::le)
      CASE(gt, APPLY2, Ops::gt)
      CASE(ge, APPLY2, Ops::ge)
      CASE(bitwiseAnd, APPLY2, Ops::bitwiseAnd)
      CASE(bitwiseOr, APPLY2, Ops::bitwiseOr)
      CASE(bitwiseXor, APPLY2, Ops::bitwiseXor)
      CASE(bitwiseLeftShift, APPLY2, Ops::bitwiseLeftShift)
      CASE(bitwiseRightShift, APPLY2, Ops::bitwiseRightShift)
      CASE(fma, APPLY3, Ops::fma)
      CASE(select, APPLY3, Ops::select)
      default: break;  // floor, ceil, round, trunc
    }
  } else {
    using Ops = FloatOps<ScalarMath<T>>;
    switch (op) {
#define OPCODE(name, arity) CASE(name, APPLY##arity, Ops::name)
#include "opcodes.def"
#undef OPCODE
    }
  }
#undef APPLY1
#undef APPLY2
#undef APPLY3
#undef CASE
  return a;
}

template <class T>
class Interpreter {
 public:
  using Value = T;
  static constexpr int kVector = cuda::kVector<T>;
  static constexpr int kFixedInputs = 0;
  static constexpr int kUnroll = 1;
  static constexpr int kLinear = -1;

  // The bytes of shared memory, all in all.
  static int64_t sharedBytes(const InterpretedProgram& program, int threads) {
    return uniformBytes(program) + static_cast<int64_t>(program.slots()) * threads * kSlotBytes;
  }
  // The threads of a block, a power of two, so that their registers and `more` bytes for each fit.
  static int threadsFor(const InterpretedProgram& program, int64_t more) {
    int threads = 256;
    while (threads > 1 && sharedBytes(program, threads) + more * threads > kBlockSharedBytes) threads /= 2;
    return threads;
  }

  // All threads of the block call it together. `scalars` are bits of float64.
  __device__ Interpreter(const InterpretedProgram& program, const int64_t* scalars, char* memory)
      : program_(program),
        uniforms_(reinterpret_cast<T*>(memory)),
        slots_(reinterpret_cast<T*>(memory + uniformBytes(program)) + threadIdx.x * kVector),
        step_(static_cast<int>(blockDim.x) * kVector) {
    for (int i = static_cast<int>(threadIdx.x); i < program.uniforms(); i += static_cast<int>(blockDim.x))
      uniforms_[i] = convert<T>(i < program.scalarCount ? __builtin_bit_cast(double, scalars[i])
                                                        : program.constants[i - program.scalarCount]);
    __syncthreads();
  }

  __device__ int inputs() const { return program_.inputCount; }
  __device__ int outputs() const { return program_.outputCount; }
  __device__ DType dtype(const uint8_t* dtypes, int operand) const { return static_cast<DType>(dtypes[operand]); }

  __device__ void input(int i, const T (&values)[kVector]) {
    Lanes lanes;
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < kVector; v++) lanes.at[v] = values[v];
    write(static_cast<unsigned>(i), lanes);
  }
  __device__ void output(int k, T (&values)[kVector]) const {
    const Lanes lanes = read(program_.outputs[k]);
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < kVector; v++) values[v] = lanes.at[v];
  }

  __device__ void evaluate() {
    for (int pc = 0; pc < program_.length; pc++) {
      const uint64_t word = program_.code[pc];
      constexpr unsigned mask = (1u << kOperandBits) - 1;
      const unsigned dst = static_cast<unsigned>(word >> 8) & mask;
      const Lanes a = read(static_cast<unsigned>(word >> (8 + kOperandBits)) & mask);
      const Lanes b = read(static_cast<unsigned>(word >> (8 + 2 * kOperandBits)) & mask);
      const Lanes c = read(static_cast<unsigned>(word >> (8 + 3 * kOperandBits)) & mask);
      write(dst, runInstruction<T>(static_cast<Opcode>(word & 0xff), a, b, c, program_.division));
    }
  }

 private:
  using Lanes = Packed<T, kVector>;
  static constexpr int64_t kSlotBytes = static_cast<int64_t>(sizeof(T)) * kVector;

  const InterpretedProgram& program_;
  T* uniforms_;
  T* slots_;  // of this thread; one slot from the next is step_ values away
  int step_;

  __host__ __device__ static int64_t uniformBytes(const InterpretedProgram& program) {
    return (program.uniforms() * static_cast<int64_t>(sizeof(T)) + kSlotBytes - 1) / kSlotBytes * kSlotBytes;
  }
  __device__ Lanes read(unsigned operand) const {
    if (operand < kUniform) return *reinterpret_cast<const Lanes*>(slots_ + operand * step_);
    Lanes lanes;
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < kVector; v++) lanes.at[v] = uniforms_[operand - kUniform];
    return lanes;
  }
  __device__ void write(unsigned slot, const Lanes& lanes) { *reinterpret_cast<Lanes*>(slots_ + slot * step_) = lanes; }
};

}  // namespace thalweg::cuda
