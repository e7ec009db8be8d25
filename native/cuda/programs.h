// Programs on the device: uploaded once for each queue, and kept as long as it lives.
#pragma once
#include <string>
#include <unordered_map>

#include "cuda/interpreter.h"
#include "cuda/queue.h"
#include "operands/program.h"

namespace thalweg::cuda {

// Fails when the program has an instruction without a meaning in the type, or when scalars.count is wrong.
void checkProgram(const Program& program, ComputeType type, Scalars scalars);

// Where integer divisions by zero of this program are reported.
FaultSite divisionSite(Queue& queue, const Program& program);

// What a queue has of programs.
struct Queue::Programs {
  struct Uploaded {
    void* memory = nullptr;
    InterpretedProgram program;
  };
  std::unordered_map<uint32_t, Uploaded> byId;
  std::unordered_map<std::string, const void*> compiled;  // kernels by what they depend on; null: there is none

  ~Programs();
};
Queue::Programs& programsOf(Queue& queue);

// The program as the interpreter reads it.
const InterpretedProgram& interpretedProgram(Queue& queue, const Program& program);

}  // namespace thalweg::cuda
