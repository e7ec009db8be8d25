#include "cuda/programs.h"

#include <cmath>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "cuda/launch.h"

namespace thalweg::cuda {
namespace {

const char* opcodeName(Opcode op) {
  static constexpr const char* names[] = {
#define OPCODE(name, arity) #name,
#include "opcodes.def"
#undef OPCODE
  };
  return names[static_cast<int>(op)];
}

// The message of a program's divisions by zero. Sites are known by the address of their format: one for each name, for
// the life of the process.
const char* divisionMessage(const std::string& name) {
  static std::mutex mutex;
  static auto* messages = new std::unordered_map<std::string, std::unique_ptr<std::string>>;
  const std::lock_guard lock(mutex);
  std::unique_ptr<std::string>& message = (*messages)[name];
  if (!message) {
    message = std::make_unique<std::string>();
    for (char c : name) message->append(c == '%' ? 2 : 1, c);  // it is a format of printf
    *message += ": integer division by zero";
  }
  return message->c_str();
}

}  // namespace

void checkProgram(const Program& program, ComputeType type, Scalars scalars) {
  if (scalars.count != program.scalars)
    fail(ErrorKind::Native, "%s: %lld scalars given, the program takes %d", program.name.c_str(),
         static_cast<long long>(scalars.count), program.scalars);
  if (type != ComputeType::Int64) return;
  for (const Instruction& i : program.code)
    if (!hasIntegerMeaning(i.op))
      fail(ErrorKind::DType, "%s: %s is not defined for integers", program.name.c_str(), opcodeName(i.op));
}

FaultSite divisionSite(Queue& queue, const Program& program) {
  for (const Instruction& i : program.code)
    if (divides(i.op)) return queue.faultSite(ErrorKind::Native, divisionMessage(program.name));
  return {nullptr, 0};
}

Queue::Programs::~Programs() {
  for (auto& [id, uploaded] : byId)
    if (uploaded.memory != nullptr) cudaFree(uploaded.memory);
}

Queue::Programs& programsOf(Queue& queue) {
  if (!queue.programs) queue.programs = std::make_shared<Queue::Programs>();
  return *queue.programs;
}

const InterpretedProgram& interpretedProgram(Queue& queue, const Program& p) {
  auto& byId = programsOf(queue).byId;
  const auto found = byId.find(p.id);
  if (found != byId.end()) return found->second.program;

  const auto operandOf = [&](int r) -> unsigned {
    if (r < p.inputs) return static_cast<unsigned>(r);
    if (r < p.firstTemporary()) return kUniform + static_cast<unsigned>(r - p.firstScalar());
    return static_cast<unsigned>(r - p.firstTemporary() + p.inputs);
  };
  // Code and constants as words of 8 bytes, then the outputs in four to a word.
  std::vector<uint64_t> words;
  for (const Instruction& i : p.code) {
    const int arity = opcodeArity(i.op);
    const unsigned a = operandOf(i.a);
    words.push_back(
        encodeInstruction(i.op, operandOf(i.dst), a, arity > 1 ? operandOf(i.b) : a, arity > 2 ? operandOf(i.c) : a));
  }
  for (double x : p.constants) words.push_back(__builtin_bit_cast(uint64_t, x));
  std::vector<uint16_t> outputs;
  for (uint16_t r : p.outputRegisters) outputs.push_back(static_cast<uint16_t>(operandOf(r)));
  const size_t head = words.size();
  words.resize(head + (outputs.size() + 3) / 4);
  std::memcpy(words.data() + head, outputs.data(), outputs.size() * sizeof(uint16_t));

  Queue::Programs::Uploaded& uploaded = byId[p.id];
  try {
    const auto bytes = static_cast<int64_t>(words.size() * sizeof(uint64_t));
    checkCuda(cudaMalloc(&uploaded.memory, static_cast<size_t>(bytes)), "allocating memory for a program");
    queue.upload(uploaded.memory, words.data(), bytes);
    const auto* memory = static_cast<const uint64_t*>(uploaded.memory);
    uploaded.program = {memory,
                        reinterpret_cast<const double*>(memory + p.code.size()),
                        reinterpret_cast<const uint16_t*>(memory + head),
                        static_cast<int32_t>(p.code.size()),
                        p.inputs,
                        p.outputs,
                        p.temporaries,
                        p.scalars,
                        static_cast<int32_t>(p.constants.size()),
                        divisionSite(queue, p)};
  } catch (...) {
    if (uploaded.memory != nullptr) cudaFree(uploaded.memory);
    byId.erase(p.id);
    throw;
  }
  return uploaded.program;
}

}  // namespace thalweg::cuda
