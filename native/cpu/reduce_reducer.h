// An operation of reduce_ops.h behind a virtual interface: the walks of reduce_walk.h are compiled once for each
// compute type and call it for a few hundred elements at a time.
#pragma once
#include "cpu/convert.h"
#include "cpu/reduce_ops.h"
#include "cpu/reduce_plan.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

struct Request {
  Context& ctx;
  ReduceKind kind;
  const Program& program;
  TensorList outs;
  Scalars scalars;
  ReducePlan plan;
};

template <class V>
THALWEG_NOINLINE void storeResults(const Request& q, int output, int64_t first, const V* values, int64_t n) {
  const TensorView& out = q.outs[output];
  forRuns(q.plan.outs[output], first, n, [&](int64_t offset, int64_t stride, int64_t run) {
    storeRun(values, out.dtype, out.data + offset * itemSize(out.dtype), stride, run);
    values += run;
  });
}

// States and lanes are opaque to the walks: memory aligned to 8 (states) or to a vector (lanes).
template <class T>
class Reducer {
 public:
  const int64_t stateBytes;

  virtual void start(char* states, int64_t n) const = 0;
  // n elements into one state; `index` is the position of the first.
  virtual void tile(char* state, const T* p, int64_t n, int64_t index) const = 0;
  // a[i] = a[i] joined with b[i], whose elements come later.
  virtual void combine(char* a, const char* b, int64_t n) const = 0;
  // Writes results [first, first + n), in the order of the plan.
  virtual void finish(const Request& q, int64_t first, const char* states, int64_t n) const = 0;

  virtual void startLanes(char* lanes, int width) const = 0;
  // `rows` rows of `width` columns into the lanes; `row` counts those before.
  virtual void step(char* lanes, const T* p, int64_t stride, int width, int64_t row, int64_t rows) const = 0;
  // states[c] = column c: `fold` groups of `width` lanes, of `rows` rows each. Row r of group g is element
  // base + g + r * fold of the reduction.
  virtual void readLanes(char* states, const char* lanes, int64_t rows, int64_t width, int64_t fold,
                         int64_t base) const = 0;

 protected:
  explicit Reducer(int64_t stateBytes) : stateBytes(stateBytes) {}
  ~Reducer() = default;
};

template <class T, class Op>
class ReducerOf final : public Reducer<T> {
  using State = typename Op::State;
  using Lanes = typename Op::Lanes;
  static State* of(char* p) { return reinterpret_cast<State*>(p); }
  static const State* of(const char* p) { return reinterpret_cast<const State*>(p); }

 public:
  explicit ReducerOf(const Op& op) : Reducer<T>(sizeof(State)), op_(op) {}

  void start(char* states, int64_t n) const override {
    for (int64_t i = 0; i < n; i++) of(states)[i] = op_.start();
  }
  void tile(char* state, const T* p, int64_t n, int64_t index) const override { op_.tile(*of(state), p, n, index); }
  void combine(char* a, const char* b, int64_t n) const override {
    for (int64_t i = 0; i < n; i++) op_.combine(of(a)[i], of(b)[i]);
  }
  void finish(const Request& q, int64_t first, const char* bytes, int64_t n) const override {
    constexpr int64_t kBlock = 256;
    typename Op::Value values[kBlock];
    typename Op::Second seconds[kBlock];
    const bool onlySecond = q.kind == ReduceKind::ArgMax || q.kind == ReduceKind::ArgMin;
    for (int64_t i = 0; i < n; i += kBlock) {
      const State* states = of(bytes) + i;
      const int64_t m = n - i < kBlock ? n - i : kBlock;
      if (!onlySecond) {
        for (int64_t j = 0; j < m; j++) values[j] = op_.first(states[j]);
        storeResults(q, 0, first + i, values, m);
        if (q.outs.count == 1) continue;
      }
      for (int64_t j = 0; j < m; j++) seconds[j] = op_.second(states[j]);
      storeResults(q, onlySecond ? 0 : 1, first + i, seconds, m);
    }
  }

  void startLanes(char* lanes, int width) const override { op_.startLanes(*reinterpret_cast<Lanes*>(lanes), width); }
  void step(char* lanes, const T* p, int64_t stride, int width, int64_t row, int64_t rows) const override {
    Lanes& l = *reinterpret_cast<Lanes*>(lanes);
    int64_t r = 0;
    for (; r + 8 <= rows; r += 8) stepRows<8>(l, p + r * stride, stride, width, row + r);
    for (; r < rows; r++) stepRows<1>(l, p + r * stride, stride, width, row + r);
  }
  void readLanes(char* states, const char* lanes, int64_t rows, int64_t width, int64_t fold,
                 int64_t base) const override {
    const Lanes& l = *reinterpret_cast<const Lanes*>(lanes);
    for (int64_t g = 0; g < fold; g++)
      for (int64_t c = 0; c < width; c++)
        op_.combine(of(states)[c], op_.lane(l, static_cast<int>(g * width + c), rows, base + g, fold));
  }

 private:
  // What is left of a vector of columns goes through a padded copy; the lanes have room for it.
  template <int M>
  void stepRows(Lanes& l, const T* p, int64_t stride, int width, int64_t row) const {
    constexpr int L = thalweg::cpu::THALWEG_ISA::lanes<T>;
    T padded[M * L];
    for (int j = 0; j < width; j += L) {
      const T* from = p + j;
      int64_t step = stride;
      if (j + L > width) {
        std::memset(padded, 0, sizeof padded);
        for (int r = 0; r < M; r++)
          std::memcpy(padded + r * L, from + r * stride, static_cast<size_t>(width - j) * sizeof(T));
        from = padded;
        step = L;
      }
      op_.template step<M>(l, j, from, step, row);
    }
  }

  Op op_;
};

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
