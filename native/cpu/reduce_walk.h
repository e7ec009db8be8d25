// The three ways through a reduction's iteration space, for any Reducer:
//   groups    few elements to each result: a tile holds several whole reductions
//   rows      the innermost dimension is reduced; long rows are cut into pieces
//   columns   the innermost dimension is kept: rows of columns are accumulated vertically
// Pieces have sizes that depend on the shape only and are joined in order, so the number of threads does not matter.
#pragma once
#include <memory>
#include <optional>

#include "cpu/program_tile.h"
#include "cpu/reduce_reducer.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kUnit = 32768;          // elements that are worth a chunk of their own
constexpr int64_t kRowPiece = 2 * kUnit;  // of a long row
constexpr int64_t kGroup = kTile / 2;     // reductions up to this size share tiles
constexpr int64_t kMinRun = 64;           // a contiguous run that is worth a call of its own
constexpr int64_t kMaxRows = 1 << 30;     // of a block of columns; see ArgOp::Row
constexpr int64_t kEnoughUnits = 64;      // blocks of columns that keep any machine busy

enum class Walk { Groups, Rows, Columns };

// The values to reduce: read in place where the program is just an input of type T that lies well for the walk, else
// evaluated tile by tile.
template <class T>
struct Source {
  const ReducePlan& plan;
  std::optional<GroupStrides> strides;  // of what is read in place (not for groups: all of it is contiguous there)
  std::optional<TileProgram<T>> program;
  const T* data = nullptr;

  THALWEG_NOINLINE Source(const Request& q, Walk walk) : plan(q.plan) {
    if (q.program.code.empty() && plan.ins.size() == 1 && q.program.outputRegisters[0] == 0 &&
        plan.ins[0].dtype == dtypeOf<T> && readable(walk))
      data = plan.ins[0].as<T>();
    else
      program.emplace(q.program, plan.ins.data(), q.scalars, plan.shape, plan.ndim);
  }

 private:
  bool readable(Walk walk) {
    if (walk == Walk::Groups) return plan.ins[0].isContiguous();
    strides.emplace(plan, plan.ins[0]);
    const Strided& reduced = strides->reduced;
    const int last = reduced.ndim - 1;
    if (walk == Walk::Rows)
      return reduced.contiguous() || (reduced.strides[last] == 1 && reduced.shape[last] >= kMinRun);
    // Rows of up to kGroup columns are folded, which takes them to follow each other.
    return last == 0 && strides->inner.contiguous() && (plan.inner > kGroup || reduced.strides[0] == plan.inner);
  }
};

template <class T>
class Reader {
 public:
  explicit Reader(const Source<T>& source) : source_(source) {
    if (source.program) workspace_.emplace(*source.program);
  }
  const T* tile(int64_t begin, int64_t n) { return source_.program->eval(*workspace_, begin, static_cast<int>(n))[0]; }

 private:
  const Source<T>& source_;
  std::optional<typename TileProgram<T>::Workspace> workspace_;
};

// The bytes between one State and the next of a Reducer<T>, and of its Lanes.
constexpr int64_t kMaxStateBytes = 24;
constexpr int64_t kMaxLanesBytes = 2 * 8 * kMaxLanes;

template <class T>
THALWEG_NOINLINE void reduceGroups(Request& q, const Reducer<T>& op) {
  const ReducePlan& plan = q.plan;
  const int64_t group = plan.group(), inner = plan.inner, count = plan.count;
  const int64_t groupsPerTile = kTile / group;
  const Source<T> source(q, Walk::Groups);
  parallelFor(q.ctx.pool, plan.outer, kUnit / group, [&](int64_t begin, int64_t end) {
    Reader<T> reader(source);
    alignas(8) char states[kTile * kMaxStateBytes];
    T column[kGroup];
    for (int64_t o = begin; o < end; o += groupsPerTile) {
      const int64_t groups = end - o < groupsPerTile ? end - o : groupsPerTile;
      const T* p = source.data ? source.data + o * group : reader.tile(o * group, groups * group);
      op.start(states, groups * inner);
      char* s = states;
      for (int64_t g = 0; g < groups; g++, p += group) {
        for (int64_t i = 0; i < inner; i++, s += op.stateBytes) {
          const T* values = p;
          if (inner > 1) {
            for (int64_t r = 0; r < count; r++) column[r] = p[r * inner + i];
            values = column;
          }
          op.tile(s, values, count, 0);
        }
      }
      op.finish(q, o * inner, states, groups * inner);
    }
  });
}

template <class T>
THALWEG_NOINLINE void reduceRows(Request& q, const Reducer<T>& op) {
  const ReducePlan& plan = q.plan;
  const int64_t count = plan.count;
  const Source<T> source(q, Walk::Rows);
  const auto reducePiece = [&](char* state, Reader<T>& reader, int64_t row, int64_t begin, int64_t end) {
    op.start(state, 1);
    if (source.data) {
      const T* base = source.data + source.strides->outerOffset(row);
      forRuns(source.strides->reduced, begin, end - begin, [&](int64_t offset, int64_t, int64_t run) {
        op.tile(state, base + offset, run, begin);
        begin += run;
      });
      return;
    }
    for (int64_t i = begin; i < end; i += kTile) {
      const int64_t n = end - i < kTile ? end - i : kTile;
      op.tile(state, reader.tile(row * count + i, n), n, i);
    }
  };

  if (count <= kRowPiece) {
    parallelFor(q.ctx.pool, plan.outer, kUnit / count, [&](int64_t begin, int64_t end) {
      Reader<T> reader(source);
      constexpr int64_t kStates = 64;
      alignas(8) char states[kStates * kMaxStateBytes];
      for (int64_t row = begin; row < end; row += kStates) {
        const int64_t n = end - row < kStates ? end - row : kStates;
        for (int64_t i = 0; i < n; i++) reducePiece(states + i * op.stateBytes, reader, row + i, 0, count);
        op.finish(q, row, states, n);
      }
    });
    return;
  }
  const int64_t pieces = (count - 1) / kRowPiece + 1;
  const std::unique_ptr<char[]> states(new char[static_cast<size_t>(plan.outer * pieces * op.stateBytes)]);
  parallelFor(q.ctx.pool, plan.outer * pieces, 1, [&](int64_t begin, int64_t end) {
    Reader<T> reader(source);
    for (int64_t i = begin; i < end; i++) {
      const int64_t from = i % pieces * kRowPiece;
      reducePiece(states.get() + i * op.stateBytes, reader, i / pieces, from,
                  count - from < kRowPiece ? count : from + kRowPiece);
    }
  });
  for (int64_t row = 0; row < plan.outer; row++) {
    char* s = states.get() + row * pieces * op.stateBytes;
    for (int64_t i = 1; i < pieces; i++) op.combine(s, s + i * op.stateBytes, 1);
    op.finish(q, row, s, 1);
  }
}

// A block of columns: rows [begin, end) of columns [first, first + width) of outer index o. Where the rows are short,
// `fold` of them lie side by side in the lanes.
template <class T>
THALWEG_NOINLINE void reduceColumnBlock(const Reducer<T>& op, const Source<T>& source, Reader<T>& reader, int64_t o,
                                        int64_t begin, int64_t end, int64_t first, int64_t width, int64_t fold,
                                        char* states) {
  const ReducePlan& plan = source.plan;
  const int64_t wide = width * fold, steps = (end - begin) / fold;
  alignas(kVectorBytes) char l[kMaxLanesBytes];
  const int w = static_cast<int>(wide);
  op.startLanes(l, (w + lanes<T> - 1) / lanes<T> * lanes<T>);
  const T* base = nullptr;
  const int64_t at = (o * plan.count + begin) * plan.inner + first;  // of the iteration space
  if (source.data) {
    const int64_t rowStride = source.strides->reduced.strides[0];
    base = source.data + source.strides->outerOffset(o) + begin * rowStride + first;
    op.step(l, base, rowStride * fold, w, 0, steps);
  } else {
    for (int64_t s = 0; s < steps; s++) op.step(l, reader.tile(at + s * fold * plan.inner, wide), 0, w, s, 1);
  }
  op.start(states, width);
  if (steps > 0) op.readLanes(states, l, steps, width, fold, begin);
  const int64_t left = end - begin - steps * fold;
  if (left == 0) return;
  const int64_t done = steps * fold * plan.inner;  // fold > 1 here: whole rows
  const T* p = base ? base + done : reader.tile(at + done, left * plan.inner);
  for (int64_t r = 0; r < left; r++)
    for (int64_t c = 0; c < width; c++)
      op.tile(states + c * op.stateBytes, p + r * width + c, 1, begin + steps * fold + r);
}

template <class T>
THALWEG_NOINLINE void reduceColumns(Request& q, const Reducer<T>& op) {
  const ReducePlan& plan = q.plan;
  const int64_t count = plan.count, inner = plan.inner;
  const Source<T> source(q, Walk::Columns);
  const int64_t maxWidth = source.data ? kMaxLanes : kTile;
  const int64_t fold = inner <= kGroup ? kTile / inner : 1;
  const int64_t width = inner < maxWidth ? inner : maxWidth;
  const int64_t columnBlocks = (inner - 1) / width + 1;
  const int64_t blocks = plan.outer * columnBlocks;
  int64_t rows = count;
  if (blocks < kEnoughUnits && count > 2 * kUnit / width) {
    const int64_t byBlocks = (count - 1) / ((kEnoughUnits - 1) / blocks + 1) + 1, byWork = kUnit / width + 1;
    rows = byBlocks > byWork ? byBlocks : byWork;
    rows = ((rows - 1) / (8 * fold) + 1) * (8 * fold);
  }
  if (rows > kMaxRows) rows = kMaxRows / fold * fold;
  const int64_t rowBlocks = (count - 1) / rows + 1, blockBytes = width * op.stateBytes;

  std::unique_ptr<char[]> partial;
  if (rowBlocks > 1) partial.reset(new char[static_cast<size_t>(blocks * rowBlocks * blockBytes)]);
  parallelFor(q.ctx.pool, blocks * rowBlocks, kUnit / (rows * width), [&](int64_t begin, int64_t end) {
    Reader<T> reader(source);
    alignas(8) char local[kMaxLanes * kMaxStateBytes];
    for (int64_t i = begin; i < end; i++) {
      const int64_t block = i / rowBlocks, row = i % rowBlocks * rows;
      const int64_t o = block / columnBlocks, first = block % columnBlocks * width;
      const int64_t w = inner - first < width ? inner - first : width;
      char* states = partial ? partial.get() + i * blockBytes : local;
      reduceColumnBlock(op, source, reader, o, row, count - row < rows ? count : row + rows, first, w, fold, states);
      if (!partial) op.finish(q, o * inner + first, states, w);
    }
  });
  if (!partial) return;
  for (int64_t block = 0; block < blocks; block++) {
    char* states = partial.get() + block * rowBlocks * blockBytes;
    const int64_t first = block % columnBlocks * width;
    const int64_t w = inner - first < width ? inner - first : width;
    for (int64_t r = 1; r < rowBlocks; r++) op.combine(states, states + r * blockBytes, w);
    op.finish(q, block / columnBlocks * inner + first, states, w);
  }
}

template <class T>
THALWEG_NOINLINE void reduceWith(Request& q, const Reducer<T>& op) {
  const ReducePlan& plan = q.plan;
  if (plan.count == 0) {
    alignas(8) char empty[kMaxStateBytes];
    op.start(empty, 1);
    for (int64_t i = 0; i < plan.results(); i++) op.finish(q, i, empty, 1);
  } else if (plan.group() <= kGroup) {
    reduceGroups(q, op);
  } else if (plan.inner == 1) {
    reduceRows(q, op);
  } else {
    reduceColumns(q, op);
  }
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
