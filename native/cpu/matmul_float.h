// A batch of products of floating dtype: how each is computed is decided once. Included by the file of each dtype.
#pragma once
#include "cpu/matmul_gemv.h"
#include "cpu/matmul_parallel.h"
#include "cpu/matmul_turned.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// No terms: activation(bias).
template <class S>
void emptySum(const Problem<S>& p) {
  using T = Compute<S>;
  for (int64_t i = 0; i < p.m; i++) {
    for (int64_t j = 0; j < p.n; j += NR<T>) {
      const int columns = static_cast<int>(least(p.n - j, NR<T>));
      alignas(64) T tile[NR<T>] = {};
      finishTile(p, i, j, 1, columns, NV, tile, NR<T>);
      storeTile(p, i, j, 1, columns, tile, NR<T>);
    }
  }
}

template <class Scheme>
class Multiplication {
 public:
  using S = typename Scheme::Storage;

  // The algorithms want rows of out contiguous, and a single row rather than a single column.
  // `whole`: one thread is to do each product.
  Multiplication(const Problem<S>& given, bool whole)
      : swapped_((given.ccs != 1 && given.crs == 1 && given.m != 1) || (given.n == 1 && given.m != 1)),
        turned_(Scheme::inPlace && suitsTurning(oriented(given, swapped_))),
        p_(oriented(given, swapped_)),
        plan_(turned_ ? turnedProblem(p_) : p_),
        method_(choose(turned_ ? turnedProblem(p_) : p_, plan_, whole)) {}

  // One product of the batch; a, b and c are where its operands begin.
  void run(ThreadPool& pool, const S* a, const S* b, S* c) const {
    Problem<S> p = p_;
    p.a = swapped_ ? b : a;
    p.b = swapped_ ? a : b;
    p.c = c;
    if constexpr (Scheme::inPlace) {
      if (turned_) return runTurned(pool, p);
    }
    runMethod(pool, p);
  }

 private:
  enum class Method { Empty, Vector, Serial, Pieces, SplitK, Shared };

  void runTurned(ThreadPool& pool, const Problem<S>& p) const {
    Problem<S> turned = turnedProblem(p);
    turned.c = scratchOf<S>(kSlotC, turned.m * turned.crs);
    runMethod(pool, turned);
    turnResult(pool, turned.c, turned.crs, turned.m, turned.n, p.c, p.crs);
  }
  void runMethod(ThreadPool& pool, const Problem<S>& p) const {
    switch (method_) {
      case Method::Empty:
        if (!p.accumulate) emptySum(p);
        break;
      case Method::Vector: gemv(pool, p.accumulatingByBias()); break;
      case Method::Serial: multiplySerial<Scheme>(p, plan_); break;
      case Method::Pieces: multiplyInPieces<Scheme>(pool, p, plan_); break;
      case Method::SplitK:
        if constexpr (Scheme::inPlace) multiplySplitK(pool, p.accumulatingByBias());
        break;
      case Method::Shared: Gemm<Scheme>(p, plan_).shared(pool); break;
    }
  }

  static Problem<S> oriented(const Problem<S>& given, bool swapped) {
    Problem<S> p = swapped ? given.transposed() : given;
    if (p.n == 1) p.bcs = p.ccs = 1;
    return p;
  }
  static Method choose(const Problem<S>& p, const Plan<Scheme>& plan, bool whole) {
    if (p.k == 0) return Method::Empty;
    if (isGemv(p)) return Method::Vector;
    if (worthSplitting<Scheme>(p)) return Method::SplitK;
    if (flopsOf(p) < 2 * kTaskFlops) return Method::Serial;
    if (plan.dot) return whole ? Method::Serial : Method::Pieces;
    if (worthSharing<Scheme>(p)) return Method::Shared;
    return whole ? Method::Serial : Method::Pieces;
  }

  bool swapped_, turned_;
  Problem<S> p_;
  Plan<Scheme> plan_;
  Method method_;
};

// Small products are done whole, several to a task; large ones one after the other, each by all threads.
template <class Scheme, class S = typename Scheme::Storage>
void multiplyBatchWith(ThreadPool& pool, const Problem<S>& p, const Batch& batch) {
  const int64_t count = batch.count();
  const double flops = flopsOf(p) + 2.0 * static_cast<double>(p.m) * static_cast<double>(p.n);
  const bool whole = count > 1 && (flops < 2 * kTaskFlops || (count >= 16 && flops < 32 * kTaskFlops));
  const int64_t grain = whole ? (flops >= kTaskFlops ? 1 : static_cast<int64_t>(kTaskFlops / flops)) : count;
  const Multiplication<Scheme> multiplication(p, whole);
  parallelFor(pool, count, grain, [&](int64_t begin, int64_t end) {
    batch.forEach(begin, end, [&](int64_t atA, int64_t atB, int64_t atC) {
      // Without terms there is nothing to add an offset to.
      multiplication.run(pool, p.k > 0 ? p.a + atA : p.a, p.k > 0 ? p.b + atB : p.b, p.c + atC);
    });
  });
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
