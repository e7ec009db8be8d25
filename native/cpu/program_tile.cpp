// Programs prepared for one iteration space, and their evaluation tile by tile.
#include "cpu/program_tile.h"

#include "cpu/convert.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

const char* opcodeName(Opcode op) {
  static constexpr const char* names[] = {
#define OPCODE(name, arity) #name,
#include "opcodes.def"
#undef OPCODE
  };
  return names[static_cast<int>(op)];
}

bool divides(Opcode op) {
  return op == Opcode::div || op == Opcode::floorDiv || op == Opcode::remainder || op == Opcode::fmod;
}

void refuseZero(const Program& program, const TileProgram<int64_t>::Register& divisor, int64_t n) {
  const int64_t count = divisor.step == 0 ? 1 : n;
  bool zero = false;
  for (int64_t k = 0; k < count; k++) zero |= divisor.data[k] == 0;
  if (zero) fail(ErrorKind::Native, "%s: integer division by zero", program.name.c_str());
}

}  // namespace

int programCost(const Program& program) {
  int cost = program.inputs + program.outputs;
  for (const Instruction& i : program.code) {
    const bool heavy =
        (i.op >= Opcode::exp && i.op <= Opcode::sigmoid) || (i.op >= Opcode::floorDiv && i.op <= Opcode::hypot);
    cost += heavy ? 10 : 1;
  }
  return cost;
}

template <class T>
TileProgram<T>::TileProgram(const Program& program, const TensorView* ins, Scalars scalars, const int64_t* shape,
                            int ndim)
    : program_(program), scalars_(scalars) {
  if (scalars.count != program.scalars)
    fail(ErrorKind::Native, "%s: %lld scalars given, the program takes %d", program.name.c_str(),
         static_cast<long long>(scalars.count), program.scalars);
  if constexpr (std::is_same_v<T, int64_t>)
    for (const Instruction& i : program.code)
      if (bodyOf<T>(static_cast<uint16_t>(i.op)) == nullptr)
        fail(ErrorKind::DType, "%s: %s is not defined for integers", program.name.c_str(), opcodeName(i.op));
  for (int i = 0; i < program.inputs; i++) {
    Input& input = inputs_[i];
    input.data = ins[i].data;
    input.dtype = ins[i].dtype;
    mergeBroadcast(input.dims, ins[i], shape, ndim);
    input.copied = false;
    input.uniform = input.dims.uniform();
    input.periodic = input.dims.ndim == 2 && input.dims.strides[0] == 0 && input.dims.shape[1] <= kTile / 2;
    input.inPlace = input.dtype == dtypeOf<T> && !input.periodic;
  }
}

template <class T>
TileProgram<T>::Workspace::Workspace(const TileProgram& prepared) {
  const Program& p = prepared.program_;
  const int count = p.registers();
  const auto stepCount = static_cast<int64_t>(prepared.steps().size());
  memory = threadScratch(kProgramSlot, count * kTileBytes + stepCount * static_cast<int64_t>(sizeof(StepBody<T>)));
  bodies = reinterpret_cast<StepBody<T>*>(memory + count * kTileBytes);
  for (int64_t i = 0; i < stepCount; i++) bodies[i] = bodyOf<T>(prepared.steps()[static_cast<size_t>(i)].code);
  for (int r = 0; r < count; r++) registers[r] = {tile(r), lanes<T>};
  for (int i = 0; i < p.inputs; i++) {
    const Input& input = prepared.inputs_[i];
    if (!input.uniform) continue;
    T value;
    loadRun<T>(&value, input.dtype, input.data, 1, 1);
    store<T>(registers[i].data, broadcast(value));
    registers[i].step = 0;
  }
  const int constants = static_cast<int>(p.constants.size());
  for (int i = 0; i < p.scalars + constants; i++) {
    const double value = i < p.scalars ? prepared.scalars_[i] : p.constants[static_cast<size_t>(i - p.scalars)];
    Register& r = registers[p.firstScalar() + i];
    store<T>(r.data, broadcast(convertValue<T>(value)));
    r.step = 0;
  }
  // A whole tile of an equal value that is itself an output.
  for (int k = 0; k < p.outputs; k++) {
    Register& r = registers[p.outputRegisters[static_cast<size_t>(k)]];
    if (r.step != 0) continue;
    for (int e = lanes<T>; e < kTile; e += lanes<T>) store<T>(r.data + e, load<T>(r.data));
    r.step = lanes<T>;
  }
}

template <class T>
void TileProgram<T>::execute(Workspace& w, int64_t n) const {
  if constexpr (std::is_same_v<T, float>)
    if (program_.listing >= 0) return listingBody(program_.listing)(w.registers, program_.outputRegisters.data(), n);
  const StepBody<T>* body = w.bodies;
  for (const Step& step : steps()) {
    if constexpr (std::is_same_v<T, int64_t>)
      if (divides(static_cast<Opcode>(step.code))) refuseZero(program_, w.registers[step.operands[1]], n);
    (*body++)(step, w.registers, n);
  }
}

template <class T>
const T* const* TileProgram<T>::eval(Workspace& w, int64_t begin, int n, T* const* targets) const {
  const Program& program = program_;
  const bool whole = n % lanes<T> == 0;
  // Instructions run over whole vectors: beyond a ragged end only our own tiles may be touched.
  const bool mayReadInPlace = whole || program.code.empty();
  for (int i = 0; i < program.inputs; i++) {
    const Input& input = inputs_[i];
    if (input.uniform) continue;
    T* tile = w.tile(i);
    T* where = tile;
    const bool inPlace = input.inPlace && mayReadInPlace;
    // Of a repeated row only the first whole period is loaded; the rest is copied from the tile itself.
    const int period = input.periodic ? static_cast<int>(input.dims.shape[1]) : n;
    const int loaded = period < n ? period : n;
    forRuns(input.dims, begin, loaded, [&](int64_t offset, int64_t stride, int64_t run) {
      const char* src = input.data + offset * itemSize(input.dtype);
      if (inPlace && stride == 1 && run == n) {
        where = reinterpret_cast<T*>(const_cast<char*>(src));
        return;
      }
      loadRun<T>(tile, input.dtype, src, stride, run);
      tile += run;
    });
    for (int filled = loaded; filled < n; filled *= 2)
      std::memcpy(where + filled, where, static_cast<size_t>(filled < n - filled ? filled : n - filled) * sizeof(T));
    w.registers[i].data = where;
  }
  if (targets != nullptr)
    for (int k = 0; k < program.outputs; k++) {
      const int r = program.outputRegisters[static_cast<size_t>(k)];
      if (targets[k] != nullptr) w.registers[r].data = whole ? targets[k] : w.tile(r);
    }
  execute(w, n);
  for (int k = 0; k < program.outputs; k++)
    w.outputs[k] = w.registers[program.outputRegisters[static_cast<size_t>(k)]].data;
  return w.outputs;
}

template class TileProgram<float>;
template class TileProgram<double>;
template class TileProgram<int64_t>;

}  // namespace thalweg::cpu::THALWEG_ISA
