// A program over a piece of one group of tensors.
//
// The dimensions are merged as far as the strides of all operands allow. Where the innermost one is long, the walk goes
// along its rows: what lies contiguously there is read and written in place, and a value that is repeated along the row
// (a column that is broadcast) is loaded once for each row. Other groups go tile by tile, each operand for itself.
#pragma once
#include "cpu/convert.h"
#include "cpu/program_tile.h"
#include "cpu/stream_store.h"
#include "cpu/strided.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kMinRow = 32;  // elements of a row that are worth setting up
constexpr int64_t kLongRow = int64_t{1} << 40;

// Conservative: the ranges of memory of both.
inline bool overlap(const TensorView& a, const TensorView& b) {
  const auto end = [](const TensorView& v) {
    int64_t last = 0;
    for (int d = 0; d < v.ndim; d++) last += (v.shape[d] - 1) * v.strides[d];
    return reinterpret_cast<uintptr_t>(v.data) + static_cast<uintptr_t>((last + 1) * itemSize(v.dtype));
  };
  return reinterpret_cast<uintptr_t>(a.data) < end(b) && reinterpret_cast<uintptr_t>(b.data) < end(a);
}

// The iteration space of all operands (outputs, then inputs) with common dimensions.
struct Space {
  int ndim = 0;
  int64_t shape[kMaxDims + 1];
  int64_t strides[2 * kMaxProgramOperands][kMaxDims + 1];

  Space(const TensorView* outs, int outputs, const TensorView* ins, int inputs) {
    const TensorView& first = outs[0];
    const int operands = outputs + inputs;
    int64_t stride[2 * kMaxProgramOperands];
    for (int d = 0; d < first.ndim; d++) {
      const int64_t size = first.shape[d];
      if (size == 1) continue;
      bool merge = ndim > 0;
      for (int k = 0; k < operands; k++) {
        const TensorView& v = k < outputs ? outs[k] : ins[k - outputs];
        const int own = d - (first.ndim - v.ndim);
        stride[k] = own < 0 || v.shape[own] == 1 ? 0 : v.strides[own];
        merge = merge && strides[k][ndim - 1] == stride[k] * size;
      }
      if (!merge) shape[ndim++] = 1;
      shape[ndim - 1] *= size;
      for (int k = 0; k < operands; k++) strides[k][ndim - 1] = stride[k];
    }
    if (ndim == 0) {
      shape[0] = 1;
      ndim = 1;
      for (int k = 0; k < operands; k++) strides[k][0] = 1;
    }
  }

  // Where an input lies across the rows, they are cut into short ones that follow each other down a strip: each cache
  // line of that input then serves several rows while it is near.
  void cutAcross(int operands) {
    constexpr int64_t kStrip = 64;
    const int last = ndim - 1;
    if (last == 0 || shape[last] % kStrip != 0 || shape[last] == kStrip) return;
    bool across = false;
    for (int k = 0; k < operands; k++) across |= strides[k][last] > 1 && strides[k][last - 1] == 1;
    if (!across) return;
    shape[last + 1] = kStrip;
    const int64_t strips = shape[last] / kStrip;
    shape[last] = shape[last - 1];
    shape[last - 1] = strips;
    for (int k = 0; k < operands; k++) {
      int64_t* s = strides[k];
      s[last + 1] = s[last];
      s[last] = s[last - 1];
      s[last - 1] = s[last + 1] * kStrip;
    }
    ndim++;
  }
};

template <class T>
class GroupRun {
 public:
  // All arguments must outlive it.
  GroupRun(const Program& program, Scalars scalars, const TensorView* outs, const TensorView* ins)
      : program_(program),
        outs_(outs),
        ins_(ins),
        space_(outs, program.outputs, ins, program.inputs),
        tile_(program, ins, scalars, outs[0].shape, outs[0].ndim) {
    space_.cutAcross(program.outputs + program.inputs);
    for (int k = 0; k < program.outputs; k++) {
      const int r = program.outputRegisters[static_cast<size_t>(k)];
      bool own = r >= program.firstTemporary() && outs[k].dtype == dtypeOf<T>;
      for (int j = 0; own && j < k; j++) own = program.outputRegisters[static_cast<size_t>(j)] != r;
      uint64_t later = own ? program.laterReads[static_cast<size_t>(k)] : 0;
      for (; later != 0; later &= later - 1)
        if (overlap(outs[k], ins[__builtin_ctzll(later)])) own = false;
      mayWriteInPlace_[k] = own;
      // An input handed on as an output is stored after the others: another output must not have changed it by then.
      if (r < program.inputs)
        for (int j = 0; j < program.outputs; j++)
          if (j != k && overlap(outs[j], ins[r])) tile_.copyInput(r);
    }
  }

  // Elements [begin, end) of the iteration space.
  void run(int64_t begin, int64_t end) {
    if (space_.ndim == 1 || space_.shape[space_.ndim - 1] >= kMinRow)
      runRows(begin, end);
    else
      runTiles(begin, end);
  }

 private:
  using Workspace = typename TileProgram<T>::Workspace;

  enum class Read : uint8_t { Once, InPlace, OncePerRow, Copied };
  enum class Write : uint8_t { InPlace, Streamed, Stored };

  struct Rows {
    Read reads[kMaxProgramOperands];
    Write writes[kMaxProgramOperands];
    int64_t chunk;  // the most elements that are evaluated at once
    bool streams = false;
    StepBody<T> streamed = nullptr;  // the whole program, if it is one step with such a body
  };

  void plan(Rows& rows) const {
    const int last = space_.ndim - 1;
    const int outputs = program_.outputs;
    bool inPlace = tile_.needsNoTiles();
    for (int i = 0; i < program_.inputs; i++) {
      const int64_t stride = space_.strides[outputs + i][last];
      bool handedOn = false;
      for (uint16_t r : program_.outputRegisters) handedOn |= r == i;
      rows.reads[i] = tile_.uniform(i)                                                         ? Read::Once
                      : stride == 1 && ins_[i].dtype == dtypeOf<T> && tile_.readableInPlace(i) ? Read::InPlace
                      : stride == 0 && !handedOn                                               ? Read::OncePerRow
                                                                                               : Read::Copied;
      inPlace = inPlace && rows.reads[i] != Read::Copied;
    }
    const bool inPlaceReads = inPlace;
    for (int k = 0; k < outputs; k++) {
      const bool own = mayWriteInPlace_[k] && space_.strides[k][last] == 1;
      rows.writes[k] = !own ? Write::Stored : streamed(k) ? Write::Streamed : Write::InPlace;
      rows.streams |= rows.writes[k] == Write::Streamed;
      inPlace = inPlace && rows.writes[k] == Write::InPlace;
    }
    if constexpr (std::is_same_v<T, float>)
      if (inPlaceReads && outputs == 1 && rows.streams && tile_.steps().size() == 1) {
        rows.streamed = streamingBodyOf(tile_.steps()[0].code);
        inPlace = rows.streamed != nullptr;
      }
    // What needs no tiles, neither for temporaries nor for its operands, runs over the whole row.
    rows.chunk = inPlace ? kLongRow : kTile;
  }

  bool streamed(int k) const {
    if (space_.ndim != 1 || space_.shape[0] * static_cast<int64_t>(sizeof(T)) < kStreamBytes) return false;
    if (reinterpret_cast<uintptr_t>(outs_[k].data) % kVectorBytes != 0) return false;
    for (int i = 0; i < program_.inputs; i++)
      if (overlap(outs_[k], ins_[i])) return false;
    return true;
  }

  void runRows(int64_t begin, int64_t end) {
    Rows rows;
    plan(rows);
    Workspace w(tile_);
    const int outputs = program_.outputs, operands = outputs + program_.inputs, last = space_.ndim - 1;
    int64_t index[kMaxDims + 1];
    int64_t offsets[2 * kMaxProgramOperands] = {};
    uint64_t rest = static_cast<uint64_t>(begin);
    for (int d = last; d >= 0; d--) {
      const uint64_t size = static_cast<uint64_t>(space_.shape[d]);
      index[d] = d == 0 ? static_cast<int64_t>(rest) : static_cast<int64_t>(rest % size);
      if (d > 0) rest /= size;
      if (d < last)
        for (int k = 0; k < operands; k++) offsets[k] += index[d] * space_.strides[k][d];
    }
    for (int64_t left = end - begin;;) {
      const int64_t column = index[last];
      const int64_t inRow = space_.shape[last] - column, n = inRow < left ? inRow : left;
      char* at[2 * kMaxProgramOperands];
      for (int k = 0; k < operands; k++) {
        const TensorView& v = k < outputs ? outs_[k] : ins_[k - outputs];
        at[k] = v.data + (offsets[k] + column * space_.strides[k][last]) * itemSize(v.dtype);
      }
      runRow(w, rows, at, n);
      left -= n;
      if (left <= 0) break;
      index[last] = 0;
      for (int d = last - 1; d >= 0; d--) {
        for (int k = 0; k < operands; k++) offsets[k] += space_.strides[k][d];
        if (++index[d] < space_.shape[d] || d == 0) break;
        for (int k = 0; k < operands; k++) offsets[k] -= space_.shape[d] * space_.strides[k][d];
        index[d] = 0;
      }
    }
    if (rows.streams) streamFence();
  }

  // n elements along a row; at: where the first one of each operand is.
  void runRow(Workspace& w, const Rows& rows, char* const* at, int64_t n) {
    const int outputs = program_.outputs;
    for (int i = 0; i < program_.inputs; i++) {
      if (rows.reads[i] != Read::OncePerRow) continue;
      T value;
      loadRun<T>(&value, ins_[i].dtype, at[outputs + i], 1, 1);
      store<T>(w.tile(i), broadcast(value));
      w.registers[i] = {w.tile(i), 0};
    }
    for (int64_t done = 0; done < n;) {
      const int64_t left = n - done;
      // Steps run over whole vectors: what is left beyond them goes through our own tiles.
      const int64_t whole = (left < rows.chunk ? left : rows.chunk) / lanes<T> * lanes<T>;
      runChunk(w, rows, at, done, whole > 0 ? whole : left, whole == 0);
      done += whole > 0 ? whole : left;
    }
  }

  void runChunk(Workspace& w, const Rows& rows, char* const* at, int64_t done, int64_t n, bool ragged) {
    const int outputs = program_.outputs, last = space_.ndim - 1;
    for (int i = 0; i < program_.inputs; i++) {
      if (rows.reads[i] == Read::Once || rows.reads[i] == Read::OncePerRow) continue;
      const int64_t stride = space_.strides[outputs + i][last];
      char* from = at[outputs + i] + done * stride * itemSize(ins_[i].dtype);
      if (rows.reads[i] == Read::InPlace && (!ragged || tile_.steps().empty())) {
        w.registers[i].data = reinterpret_cast<T*>(from);
      } else {
        w.registers[i].data = w.tile(i);
        loadRun<T>(w.tile(i), ins_[i].dtype, from, stride, n);
      }
    }
    for (int k = 0; k < outputs; k++) {
      if (rows.writes[k] == Write::Stored) continue;
      const int r = program_.outputRegisters[static_cast<size_t>(k)];
      w.registers[r].data = (rows.writes[k] == Write::InPlace || rows.streamed != nullptr) && !ragged
                                ? reinterpret_cast<T*>(at[k]) + done
                                : w.tile(r);
    }
    if (rows.streamed != nullptr && !ragged) return rows.streamed(tile_.steps()[0], w.registers, n);
    tile_.execute(w, n);
    for (int k = 0; k < outputs; k++) {
      if (rows.writes[k] == Write::InPlace && !ragged) continue;
      const T* value = w.registers[program_.outputRegisters[static_cast<size_t>(k)]].data;
      const int64_t stride = space_.strides[k][last];
      char* to = at[k] + done * stride * itemSize(outs_[k].dtype);
      if (rows.writes[k] == Write::Streamed && !ragged)
        streamStore(reinterpret_cast<T*>(to), value, n);
      else
        storeRun<T>(value, outs_[k].dtype, to, stride, n);
    }
  }

  void runTiles(int64_t begin, int64_t end) {
    struct Output {
      char* data;
      DType dtype;
      bool inPlace;
      Strided dims;
    };
    Output outputs[kMaxProgramOperands];
    for (int k = 0; k < program_.outputs; k++) {
      Output& o = outputs[k];
      o.data = outs_[k].data;
      o.dtype = outs_[k].dtype;
      mergeDims(o.dims, outs_[k].shape, outs_[k].strides, outs_[k].ndim);
      o.inPlace = mayWriteInPlace_[k] && o.dims.contiguous();
    }
    Workspace w(tile_);
    T* targets[kMaxProgramOperands];
    for (int64_t at = begin; at < end; at += kTile) {
      const int n = end - at < kTile ? static_cast<int>(end - at) : kTile;
      for (int k = 0; k < program_.outputs; k++)
        targets[k] = outputs[k].inPlace ? reinterpret_cast<T*>(outputs[k].data) + at : nullptr;
      const T* const* values = tile_.eval(w, at, n, targets);
      for (int k = 0; k < program_.outputs; k++) {
        const T* value = values[k];
        if (value == targets[k]) continue;
        const Output& o = outputs[k];
        forRuns(o.dims, at, n, [&](int64_t offset, int64_t stride, int64_t run) {
          storeRun<T>(value, o.dtype, o.data + offset * itemSize(o.dtype), stride, run);
          value += run;
        });
      }
    }
  }

  const Program& program_;
  const TensorView *outs_, *ins_;
  bool mayWriteInPlace_[kMaxProgramOperands];
  Space space_;
  TileProgram<T> tile_;
};

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
