// The tile interpreter of elementwise programs: each step runs over a tile of elements that stays in the first-level
// cache. Shared by map and the reductions. The steps' loops are in program_bodies.cpp and program_pairs.cpp.
#pragma once
#include <cstdint>

#include "../kernel.h"
#include "cpu/program_bodies.h"
#include "cpu/simd.h"
#include "cpu/strided.h"
#include "operands/program.h"

namespace thalweg::cpu::THALWEG_ISA {

constexpr int kTile = 256;       // elements per tile; with larger tiles the registers leave the cache
constexpr int kProgramSlot = 0;  // the threadScratch slot of the registers

// A guess of the cost of one element, in units of one simple instruction; for choosing a grain.
int programCost(const Program& program);

// A program prepared for one iteration space. T is the compute type. The program has passed validateProgram(); the
// constructor fails when it has an instruction without a meaning in T, or when scalars.count is wrong.
// All arguments must outlive it.
template <class T>
class TileProgram {
 public:
  using Register = TileRegister<T>;

  // One thread's registers. It lives in threadScratch(kProgramSlot), so a thread has one at a time: make it inside the
  // parallel body, after the TileProgram.
  struct Workspace {
    explicit Workspace(const TileProgram& prepared);
    T* tile(int r) { return reinterpret_cast<T*>(memory + r * kTileBytes); }  // a register's own memory
    char* memory;
    StepBody<T>* bodies;                // of the steps, in order
    Register registers[kMaxRegisters];  // where each value is now: its tile, an input's memory, or a target
    const T* outputs[kMaxProgramOperands];
  };

  // ins: one view for each input, broadcastable (right-aligned) to shape; ndim <= kMaxDims.
  TileProgram(const Program& program, const TensorView* ins, Scalars scalars, const int64_t* shape, int ndim);

  // Evaluates elements [begin, begin + n), n <= kTile, of the row-major iteration space. Returns for each output a
  // pointer to n values, valid until the next eval of the workspace; they may lie in an input's own memory.
  // targets: null, or for each output null or memory for n values that the register of that output may use as its tile
  // (then the pointer returned is that one, else the caller copies). Only meant for registers that are temporaries.
  const T* const* eval(Workspace& workspace, int64_t begin, int n, T* const* targets = nullptr) const;

  // The same for a caller that has put the operands where it likes: runs the steps over n values of every register.
  // Whole vectors are read and written.
  void execute(Workspace& workspace, int64_t n) const;

  // Never read this input in place: an output is about to be written over it.
  void copyInput(int i) {
    inputs_[i].inPlace = false;
    inputs_[i].copied = true;
  }
  // One value for the whole iteration space: the workspace has it already.
  bool uniform(int i) const { return inputs_[i].uniform; }
  bool readableInPlace(int i) const { return !inputs_[i].copied; }

  // Nothing is put into the tiles of temporaries: any number of values may be evaluated at once.
  bool needsNoTiles() const { return steps().size() == 1 || (std::is_same_v<T, float> && program_.listing >= 0); }
  const std::vector<Step>& steps() const { return std::is_same_v<T, float> ? program_.steps : program_.singles; }

 private:
  // Not a multiple of 4096, so that loads don't wait for stores of the same page offset.
  static constexpr int64_t kTileBytes = kTile * static_cast<int64_t>(sizeof(T)) + 64;

  struct Input {
    const char* data;
    DType dtype;
    bool inPlace;   // contiguous runs of T need no copy
    bool copied;    // never to be read in place
    bool uniform;   // one value for the whole space
    bool periodic;  // one short row, repeated: a bias
    Strided dims;
  };

  const Program& program_;
  Scalars scalars_;
  Input inputs_[kMaxProgramOperands];
};

extern template class TileProgram<float>;
extern template class TileProgram<double>;
extern template class TileProgram<int64_t>;

}  // namespace thalweg::cpu::THALWEG_ISA
