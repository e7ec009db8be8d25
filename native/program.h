// Elementwise programs: the instruction set that every device runs. Built by src/program.ts from an expression.
//
// Registers: [0, inputs) are the inputs, then `scalars` run-time scalars, then the constants, then temporaries. An
// instruction reads registers a, b, c (as many as its opcode's arity) and writes a temporary; temporaries may be
// reused, but the register of an output is written once and not reused. An output may name any register.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/tensor.h"

namespace thalweg {

// The opcodes, in the order of opcodes.def.
enum class Opcode : uint16_t {
#define OPCODE(name, arity) name,
#include "opcodes.def"
#undef OPCODE
};

constexpr int kOpcodeCount = 0
#define OPCODE(name, arity) +1
#include "opcodes.def"
#undef OPCODE
    ;

inline int opcodeArity(Opcode op) {
  constexpr int arities[] = {
#define OPCODE(name, arity) arity,
#include "opcodes.def"
#undef OPCODE
  };
  return arities[static_cast<int>(op)];
}

struct Instruction {
  Opcode op;
  uint16_t dst, a, b, c;
};

constexpr int kMaxRegisters = 256;
constexpr int kMaxProgramOperands = 64;  // inputs, and outputs

// What an interpreter runs at once: one instruction, or a pair of them of which the second takes the first one's result
// in a machine register and is its only reader. Fewer steps mean fewer loads and stores between them.
struct Step {
  static constexpr int kMaxOperands = 5;
  uint16_t code;  // of a single instruction its opcode, of a pair kOpcodeCount + pairIndex
  uint16_t dst;
  uint16_t operands[kMaxOperands];  // those of the first instruction, then the others of the second
};

// The pairs: each FIRST of pairs.def followed by each SECOND.
constexpr int kPairSeconds = 0
#define SECOND(name, arity, at) +1
#include "pairs.def"
    ;
constexpr int kPairCount = kPairSeconds * (0
#define FIRST(name, arity) +1
#include "pairs.def"
                                          );

struct Program {
  uint32_t id = 0;
  std::string name;  // for traces and error messages
  int inputs = 0, outputs = 0, scalars = 0, temporaries = 0;
  std::vector<double> constants;
  std::vector<Instruction> code;
  std::vector<uint16_t> outputRegisters;

  // Made by internProgram: the code as single instructions, and with pairs; and for each output the inputs that are
  // still read after its register has been written, in either of them.
  std::vector<Step> singles, steps;
  std::vector<uint64_t> laterReads;
  int listing = -1;  // of program_listings.h, if it is one of them

  int firstScalar() const { return inputs; }
  int firstConstant() const { return inputs + scalars; }
  int firstTemporary() const { return inputs + scalars + static_cast<int>(constants.size()); }
  int registers() const { return firstTemporary() + temporaries; }
};

// The type in which a program computes. Int64 serves all integer and bool types: results are truncated when stored.
enum class ComputeType : uint8_t { Float32, Float64, Int64 };

// float64 if any operand is; else float32 if any is a float; else int64. Float outputs of integer inputs (a / b) count.
inline ComputeType computeTypeOf(const TensorView* views, int64_t count, ComputeType seed = ComputeType::Int64) {
  ComputeType type = seed;
  for (int64_t i = 0; i < count; i++) {
    if (views[i].dtype == DType::Float64) return ComputeType::Float64;
    if (isFloating(views[i].dtype)) type = ComputeType::Float32;
  }
  return type;
}

// Fails unless every number in the program is in range, every temporary is written before it is read, and the register
// of an output is written once. Kernels rely on it.
void validateProgram(const Program& program);

// The number of registers that a step reads.
int stepOperands(const Step& step);
// Makes singles, steps, laterReads and listing of a valid program.
void prepareSteps(Program& program);

// The process-wide registry. internProgram validates, and returns the registered program of equal content (name
// included); ids start at 1 and programs are never freed, so the pointer stays good. Both may be called on any thread.
const Program* internProgram(Program&& program);
// Null if there is no such program. Lock-free.
const Program* findProgram(uint32_t id);

}  // namespace thalweg
