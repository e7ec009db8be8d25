// Running sums, products, extremes and first-order recurrences along any dimension of any strides.
//
// Lines that lie apart in memory while their neighbours do not are worked on side by side, one in each lane; other
// lines one by one, in pieces that are converted to the compute type. A few long lines are cut: the parts are summed up
// at once, then each is scanned from the sum of those before.
#include <cmath>
#include <limits>

#include "cpu/lines.h"
#include "cpu/scan_vector.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kPiece = 512;    // elements of a line that are converted at once
constexpr int64_t kLanes = 128;    // lines side by side
constexpr int64_t kUnit = 16384;   // elements that are worth a chunk of their own
constexpr int64_t kPart = 65536;   // of a long line
constexpr int64_t kFewLines = 16;  // and there are fewer lines than this
constexpr int64_t kMaxParts = 256;

// Integers wrap, as in all kernels.
THALWEG_INLINE double plus(double a, double b) { return a + b; }
THALWEG_INLINE int64_t plus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
THALWEG_INLINE double times(double a, double b) { return a * b; }
THALWEG_INLINE int64_t times(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}

template <class T>
struct SumScan {
  using Value = T;
  using State = T;
  static THALWEG_INLINE State start() { return 0; }
  static THALWEG_INLINE void take(State& s, T x) { s = plus(s, x); }
  static THALWEG_INLINE void combine(State& s, State later) { s = plus(s, later); }
  static THALWEG_INLINE T value(State s) { return s; }
  template <class V>
  static THALWEG_INLINE V join(V a, V b) {
    return a + b;
  }
};

template <class T>
struct ProductScan {
  using Value = T;
  using State = T;
  static THALWEG_INLINE State start() { return 1; }
  static THALWEG_INLINE void take(State& s, T x) { s = times(s, x); }
  static THALWEG_INLINE void combine(State& s, State later) { s = times(s, later); }
  static THALWEG_INLINE T value(State s) { return s; }
  template <class V>
  static THALWEG_INLINE V join(V a, V b) {
    return a * b;
  }
};

// log(sum(exp(x))) as top + log(sum), where top is the largest so far.
struct LogSumScan {
  using Value = double;
  struct State {
    double top, sum;
  };
  static constexpr double kLowest = -std::numeric_limits<double>::infinity();
  static THALWEG_INLINE State start() { return {kLowest, 0}; }
  static THALWEG_INLINE void add(State& s, double top, double sum) {
    // Equal tops may be infinite, and then have no difference.
    if (top == s.top) {
      s.sum += sum;
    } else if (top > s.top) {
      s.sum = s.sum * std::exp(s.top - top) + sum;
      s.top = top;
    } else {
      s.sum += sum * std::exp(top - s.top);  // NaN too
    }
  }
  static THALWEG_INLINE void take(State& s, double x) {
    if (x != kLowest) add(s, x, 1);
  }
  static THALWEG_INLINE void combine(State& s, const State& later) {
    if (later.sum != 0) add(s, later.top, later.sum);
  }
  static THALWEG_INLINE double value(const State& s) { return s.sum == 0 ? kLowest : s.top + std::log(s.sum); }
};

// Calls f(first, n) for pieces of [begin, end), from the end if reverse.
template <class F>
THALWEG_INLINE void forPieces(int64_t begin, int64_t end, bool reverse, F&& f) {
  if (reverse) {
    for (int64_t to = end; to > begin; to -= kPiece) {
      const int64_t from = to - begin > kPiece ? to - kPiece : begin;
      f(from, to - from);
    }
  } else {
    for (int64_t from = begin; from < end; from += kPiece) f(from, end - from < kPiece ? end - from : kPiece);
  }
}

// Elements [begin, end) of a line; operand 0 is read and operand 1, unless `silent`, written.
template <class Op>
void scanLine(const Lines& lines, const char* in, char* out, int64_t begin, int64_t end, bool reverse, bool silent,
              typename Op::State& state) {
  using T = typename Op::Value;
  T piece[kPiece];
  typename Op::State s = state;
  // Within a vector, partial results are joined in another order than one after the other. Of float64 they might leave
  // the range of numbers where those do not.
  const bool inVectors = lines.views[0]->dtype != DType::Float64;
  forPieces(begin, end, reverse, [&](int64_t first, int64_t n) {
    loadRun(piece, lines.views[0]->dtype, in + first * lines.stepBytes(0), lines.step[0], n);
    if (silent) {
      for (int64_t i = 0; i < n; i++) Op::take(s, piece[reverse ? n - 1 - i : i]);
      return;
    }
    if (scanVectors<Op>(piece, n, reverse, inVectors, s)) {
    } else if (reverse) {
      for (int64_t i = n - 1; i >= 0; i--) {
        Op::take(s, piece[i]);
        piece[i] = Op::value(s);
      }
    } else {
      for (int64_t i = 0; i < n; i++) {
        Op::take(s, piece[i]);
        piece[i] = Op::value(s);
      }
    }
    storeRun(piece, lines.views[1]->dtype, out + first * lines.stepBytes(1), lines.step[1], n);
  });
  state = s;
}

// True if neighbouring lines are closer in memory than the elements of a line.
bool sideBySide(const Lines& lines) {
  return lines.step[0] != 1 && lines.size[0] > 1 && lines.side() >= 4 && lines.sideStride(0) <= lines.step[0];
}

// Calls f(first line, lines) for groups of up to kLanes neighbours.
template <class F>
void forGroups(Context& ctx, const Lines& lines, F&& f) {
  const int64_t side = lines.side(), groups = (side - 1) / kLanes + 1;
  parallelFor(ctx.pool, lines.count / side * groups, kUnit / (lines.size[0] * kLanes), [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; unit++) {
      const int64_t within = unit % groups * kLanes;
      f(unit / groups * side + within, side - within < kLanes ? side - within : kLanes);
    }
  });
}

template <class Op>
void scanBy(Context& ctx, const Lines& lines, bool reverse) {
  using T = typename Op::Value;
  using State = typename Op::State;
  const int64_t n = lines.size[0];
  if (sideBySide(lines)) {
    forGroups(ctx, lines, [&](int64_t line, int64_t width) {
      T row[kLanes];
      State states[kLanes];
      for (int64_t j = 0; j < width; j++) states[j] = Op::start();
      const char* in = lines.address(0, line);
      char* out = lines.address(1, line);
      for (int64_t k = 0; k < n; k++) {
        const int64_t i = reverse ? n - 1 - k : k;
        loadRun(row, lines.views[0]->dtype, in + i * lines.stepBytes(0), lines.sideStride(0), width);
        for (int64_t j = 0; j < width; j++) {
          Op::take(states[j], row[j]);
          row[j] = Op::value(states[j]);
        }
        storeRun(row, lines.views[1]->dtype, out + i * lines.stepBytes(1), lines.sideStride(1), width);
      }
    });
    return;
  }
  if (lines.count >= kFewLines || n < 2 * kPart) {
    parallelFor(ctx.pool, lines.count, kUnit / n, [&](int64_t begin, int64_t end) {
      for (int64_t line = begin; line < end; line++) {
        State state = Op::start();
        scanLine<Op>(lines, lines.address(0, line), lines.address(1, line), 0, n, reverse, false, state);
      }
    });
    return;
  }
  int64_t part = kPart;
  while ((n - 1) / part + 1 > kMaxParts) part *= 2;
  const int64_t parts = (n - 1) / part + 1;
  State states[kMaxParts];
  for (int64_t line = 0; line < lines.count; line++) {
    const char* in = lines.address(0, line);
    char* out = lines.address(1, line);
    // Part p in the order of the scan.
    const auto run = [&](int64_t p, bool silent) {
      const int64_t at = reverse ? parts - 1 - p : p, first = at * part;
      scanLine<Op>(lines, in, out, first, n - first < part ? n : first + part, reverse, silent, states[p]);
    };
    for (int64_t p = 0; p < parts; p++) states[p] = Op::start();
    parallelFor(ctx.pool, parts - 1, 1, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; p++) run(p, true);
    });
    State before = Op::start();
    for (int64_t p = 0; p < parts; p++) {
      const State own = states[p];
      states[p] = before;
      Op::combine(before, own);
    }
    parallelFor(ctx.pool, parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; p++) run(p, false);
    });
  }
}

// -- extremes
// -----------------------------------------------------------------------------------------------------------

template <class T>
THALWEG_INLINE bool wins(T x, T best, bool largest) {
  if constexpr (std::is_floating_point_v<T>) {
    if (x != x) return true;
    if (best != best) return false;
  }
  return largest ? x >= best : x <= best;
}

template <class T>
void extremeBy(Context& ctx, const Lines& lines, bool largest) {
  const int64_t n = lines.size[0];
  const DType dtype = lines.views[0]->dtype;
  if (sideBySide(lines)) {
    forGroups(ctx, lines, [&](int64_t line, int64_t width) {
      T row[kLanes], best[kLanes];
      int64_t where[kLanes];
      const char* in = lines.address(0, line);
      char *values = lines.address(1, line), *indices = lines.address(2, line);
      for (int64_t i = 0; i < n; i++) {
        loadRun(row, dtype, in + i * lines.stepBytes(0), lines.sideStride(0), width);
        for (int64_t j = 0; j < width; j++) {
          const bool better = i == 0 || wins(row[j], best[j], largest);
          best[j] = better ? row[j] : best[j];
          where[j] = better ? i : where[j];
        }
        storeRun(best, dtype, values + i * lines.stepBytes(1), lines.sideStride(1), width);
        storeRun(where, DType::Int64, indices + i * lines.stepBytes(2), lines.sideStride(2), width);
      }
    });
    return;
  }
  parallelFor(ctx.pool, lines.count, kUnit / n, [&](int64_t begin, int64_t end) {
    T piece[kPiece];
    int64_t places[kPiece];
    for (int64_t line = begin; line < end; line++) {
      const char* in = lines.address(0, line);
      char *values = lines.address(1, line), *indices = lines.address(2, line);
      T best{};
      int64_t where = -1;
      forPieces(0, n, false, [&](int64_t first, int64_t count) {
        loadRun(piece, dtype, in + first * lines.stepBytes(0), lines.step[0], count);
        for (int64_t i = 0; i < count; i++) {
          if (where < 0 || wins(piece[i], best, largest)) {
            best = piece[i];
            where = first + i;
          }
          piece[i] = best;
          places[i] = where;
        }
        storeRun(piece, dtype, values + first * lines.stepBytes(1), lines.step[1], count);
        storeRun(places, DType::Int64, indices + first * lines.stepBytes(2), lines.step[2], count);
      });
    }
  });
}

// -- recurrences
// --------------------------------------------------------------------------------------------------------

// Operands: a, b, out.
void linearLines(Context& ctx, const Lines& lines, bool reverse) {
  const int64_t n = lines.size[0];
  const DType aType = lines.views[0]->dtype, bType = lines.views[1]->dtype, outType = lines.views[2]->dtype;
  if (sideBySide(lines)) {
    forGroups(ctx, lines, [&](int64_t line, int64_t width) {
      double a[kLanes], b[kLanes], y[kLanes] = {};
      const char *aLine = lines.address(0, line), *bLine = lines.address(1, line);
      char* out = lines.address(2, line);
      for (int64_t k = 0; k < n; k++) {
        const int64_t i = reverse ? n - 1 - k : k;
        loadRun(a, aType, aLine + i * lines.stepBytes(0), lines.sideStride(0), width);
        loadRun(b, bType, bLine + i * lines.stepBytes(1), lines.sideStride(1), width);
        // What stands before the first element is multiplied with nothing, not even with NaN.
        for (int64_t j = 0; j < width; j++) y[j] = k == 0 ? b[j] : b[j] + a[j] * y[j];
        storeRun(y, outType, out + i * lines.stepBytes(2), lines.sideStride(2), width);
      }
    });
    return;
  }
  parallelFor(ctx.pool, lines.count, kUnit / n, [&](int64_t begin, int64_t end) {
    double a[kPiece], b[kPiece];
    for (int64_t line = begin; line < end; line++) {
      const char *aLine = lines.address(0, line), *bLine = lines.address(1, line);
      char* out = lines.address(2, line);
      double y = 0;
      bool first = true;
      forPieces(0, n, reverse, [&](int64_t from, int64_t count) {
        loadRun(a, aType, aLine + from * lines.stepBytes(0), lines.step[0], count);
        loadRun(b, bType, bLine + from * lines.stepBytes(1), lines.step[1], count);
        for (int64_t k = 0; k < count; k++) {
          const int64_t i = reverse ? count - 1 - k : k;
          y = first ? b[i] : b[i] + a[i] * y;
          first = false;
          b[i] = y;
        }
        storeRun(b, outType, out + from * lines.stepBytes(2), lines.step[2], count);
      });
    }
  });
}

}  // namespace

void scan(Context& ctx, const TensorView& out, const TensorView& x, int64_t dim, int64_t kind, bool reverse) {
  const TensorView* views[] = {&x, &out};
  const Lines lines("scan", views, 2, dim);
  lines.requireSameSize("scan");
  if (kind < 0 || kind > 2) fail(ErrorKind::Native, "scan: there is no kind %lld", static_cast<long long>(kind));
  const bool floats = isFloating(x.dtype);
  if (floats ? out.dtype != x.dtype : out.dtype != DType::Int64)
    fail(ErrorKind::DType, "scan: x is %s and out %s", dtypeName(x.dtype), dtypeName(out.dtype));
  if (kind == 2 && !floats) fail(ErrorKind::DType, "scan: logarithms need floats, not %s", dtypeName(x.dtype));
  if (lines.count == 0 || lines.size[0] == 0) return;
  if (kind == 2)
    scanBy<LogSumScan>(ctx, lines, reverse);
  else if (kind == 1)
    floats ? scanBy<ProductScan<double>>(ctx, lines, reverse) : scanBy<ProductScan<int64_t>>(ctx, lines, reverse);
  else
    floats ? scanBy<SumScan<double>>(ctx, lines, reverse) : scanBy<SumScan<int64_t>>(ctx, lines, reverse);
}

void scanExtreme(Context& ctx, const TensorView& values, const TensorView& indices, const TensorView& x, int64_t dim,
                 bool largest) {
  const TensorView* views[] = {&x, &values, &indices};
  const Lines lines("scanExtreme", views, 3, dim);
  lines.requireSameSize("scanExtreme");
  if (values.dtype != x.dtype || indices.dtype != DType::Int64)
    fail(ErrorKind::DType, "scanExtreme: x is %s, values %s and indices %s", dtypeName(x.dtype),
         dtypeName(values.dtype), dtypeName(indices.dtype));
  if (lines.count == 0 || lines.size[0] == 0) return;
  isFloating(x.dtype) ? extremeBy<double>(ctx, lines, largest) : extremeBy<int64_t>(ctx, lines, largest);
}

void scanLinear(Context& ctx, const TensorView& out, const TensorView& a, const TensorView& b, int64_t dim,
                bool reverse) {
  const TensorView* views[] = {&a, &b, &out};
  const Lines lines("scanLinear", views, 3, dim);
  lines.requireSameSize("scanLinear");
  for (const TensorView* view : views)
    if (!isFloating(view->dtype)) fail(ErrorKind::DType, "scanLinear: takes floats, not %s", dtypeName(view->dtype));
  if (lines.count == 0 || lines.size[0] == 0) return;
  linearLines(ctx, lines, reverse);
}

}  // namespace thalweg::cpu::THALWEG_ISA
