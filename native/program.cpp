#include "program.h"

#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "runtime/error.h"

namespace thalweg {
namespace {

constexpr uint32_t kMaxPrograms = 1 << 16;

// Entries are written once, under the mutex, and read without it.
std::atomic<const Program*> registry[kMaxPrograms];
std::mutex registryMutex;
uint32_t registryCount = 0;

std::unordered_map<std::string, uint32_t>& registryIndex() {
  // Never destroyed: other threads may still run at exit.
  static auto* index = new std::unordered_map<std::string, uint32_t>;
  return *index;
}

[[noreturn]] void refuse(const Program& p, const char* what, long long value) {
  fail(ErrorKind::Native, "program %s: %s: %lld", p.name.c_str(), what, value);
}

template <class T>
void append(std::string& key, const T& value) {
  key.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

// All of the content, bit for bit: -0 and 0 are different constants.
std::string contentKey(const Program& p) {
  std::string key;
  key.reserve(p.name.size() + 32 + 8 * p.constants.size() + 10 * p.code.size() + 2 * p.outputRegisters.size());
  append(key, p.inputs);
  append(key, p.outputs);
  append(key, p.scalars);
  append(key, p.temporaries);
  append(key, p.constants.size());
  append(key, p.code.size());
  for (double x : p.constants) append(key, x);
  for (const Instruction& i : p.code) append(key, i);
  for (uint16_t r : p.outputRegisters) append(key, r);
  return key + p.name;
}

}  // namespace

void validateProgram(const Program& p) {
  if (p.inputs < 0 || p.inputs > kMaxProgramOperands) refuse(p, "bad number of inputs", p.inputs);
  if (p.outputs < 1 || p.outputs > kMaxProgramOperands) refuse(p, "bad number of outputs", p.outputs);
  if (p.scalars < 0 || p.scalars > kMaxRegisters) refuse(p, "bad number of scalars", p.scalars);
  if (p.temporaries < 0 || p.temporaries > kMaxRegisters) refuse(p, "bad number of temporaries", p.temporaries);
  if (p.constants.size() > kMaxRegisters)
    refuse(p, "bad number of constants", static_cast<long long>(p.constants.size()));
  const int registers = p.registers(), firstTemporary = p.firstTemporary();
  if (registers > kMaxRegisters) refuse(p, "too many registers", registers);
  if (p.outputRegisters.size() != static_cast<size_t>(p.outputs))
    refuse(p, "output registers do not match outputs", static_cast<long long>(p.outputRegisters.size()));

  bool isOutput[kMaxRegisters] = {}, written[kMaxRegisters] = {};
  for (uint16_t r : p.outputRegisters) {
    if (r >= registers) refuse(p, "an output names a register out of range", r);
    isOutput[r] = true;
  }
  for (int r = 0; r < firstTemporary; r++) written[r] = true;
  for (const Instruction& i : p.code) {
    if (static_cast<int>(i.op) >= kOpcodeCount) refuse(p, "unknown opcode", static_cast<long long>(i.op));
    const uint16_t operands[] = {i.a, i.b, i.c};
    for (int k = 0; k < opcodeArity(i.op); k++) {
      if (operands[k] >= registers) refuse(p, "an instruction reads a register out of range", operands[k]);
      if (!written[operands[k]]) refuse(p, "an instruction reads a register before it is written", operands[k]);
    }
    if (i.dst < firstTemporary || i.dst >= registers)
      refuse(p, "an instruction writes a register that is not a temporary", i.dst);
    if (isOutput[i.dst] && written[i.dst]) refuse(p, "the register of an output is written twice", i.dst);
    written[i.dst] = true;
  }
  for (uint16_t r : p.outputRegisters)
    if (!written[r]) refuse(p, "the register of an output is never written", r);
}

const Program* internProgram(Program&& program) {
  validateProgram(program);
  // Operands that an opcode does not have: equal programs shall be equal in every byte.
  for (Instruction& i : program.code) {
    const int arity = opcodeArity(i.op);
    if (arity < 2) i.b = 0;
    if (arity < 3) i.c = 0;
  }
  std::string key = contentKey(program);
  const std::lock_guard lock(registryMutex);
  auto [entry, isNew] = registryIndex().try_emplace(std::move(key), registryCount + 1);
  if (!isNew) return registry[entry->second].load(std::memory_order_relaxed);
  if (registryCount + 1 >= kMaxPrograms) {
    registryIndex().erase(entry);
    refuse(program, "more programs than the registry holds", kMaxPrograms - 1);
  }
  prepareSteps(program);
  program.id = ++registryCount;
  const Program* result = new Program(std::move(program));
  registry[result->id].store(result, std::memory_order_release);
  return result;
}

const Program* findProgram(uint32_t id) {
  return id < kMaxPrograms ? registry[id].load(std::memory_order_acquire) : nullptr;
}

}  // namespace thalweg
