// Connectionist temporal classification (Graves et al. 2006): the probability of a sequence of labels, summed over all
// its alignments with the frames of the input, and its gradient.
//
// An alignment walks through the labels with a blank before, between and behind them: 2 * L + 1 states. All is done in
// log space and in float64: rounding adds up over frames. The states of a frame follow from those of the frame before
// with whole vectors; the walk from the end is that from the start through the reversed labels.
#include <cmath>
#include <limits>

#include "cpu/convert.h"
#include "cpu/kernel.h"
#include "cpu/vecmath.h"
#include "operands/ctc.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

using Ops = FloatOps<VectorMath<double>>;
using V = Vec<double>;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr int64_t kLanes = lanes<double>;
constexpr int64_t kFront = 8;     // in front of a row of states, so that states -1 and -2 can be read
constexpr int64_t kUnit = 16384;  // states that are worth a chunk of their own
constexpr int kScratchSlot = 4;

int64_t padded(int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

// The operands that both directions share, checked.
struct Problem {
  const char* op;
  const TensorView &logProbs, &targets, &inputLengths, &targetLengths, &alpha;
  int64_t frames, batch, classes, blank;
  bool rows;  // targets are padded rows [N, S], not all in one row

  Problem(const char* op, const TensorView& logProbs, const TensorView& targets, const TensorView& inputLengths,
          const TensorView& targetLengths, const TensorView& alpha, int64_t blank)
      : op(op),
        logProbs(logProbs),
        targets(targets),
        inputLengths(inputLengths),
        targetLengths(targetLengths),
        alpha(alpha),
        blank(blank) {
    const CtcSizes sizes = checkCtc(op, logProbs, targets, inputLengths, targetLengths, alpha, blank);
    frames = sizes.frames;
    batch = sizes.batch;
    classes = sizes.classes;
    rows = sizes.rows;
    // In one row the lengths say where each sequence begins: all of them must fit before anything is read.
    int64_t total = 0;
    for (int64_t n = 0; n < batch; n++) {
      const int64_t labels = targetLengths.as<int64_t>()[n], most = rows ? targets.shape[1] : targets.numel() - total;
      if (labels < 0 || labels > most)
        fail(ErrorKind::Index, "%s: targetLengths[%lld] is %lld, with %lld targets left", op, static_cast<long long>(n),
             static_cast<long long>(labels), static_cast<long long>(most));
      const int64_t length = inputLengths.as<int64_t>()[n];
      if (length < 0 || length > frames)
        fail(ErrorKind::Index, "%s: inputLengths[%lld] is %lld, with %lld frames", op, static_cast<long long>(n),
             static_cast<long long>(length), static_cast<long long>(frames));
      if (!rows) total += labels;
    }
    if (!rows && total != targets.numel())
      fail(ErrorKind::Index, "%s: targetLengths add up to %lld, with %lld targets", op, static_cast<long long>(total),
           static_cast<long long>(targets.numel()));
  }

  // Where sequence n begins among the targets.
  int64_t firstTarget(int64_t n) const {
    if (rows) return n * targets.shape[1];
    int64_t first = 0;
    for (int64_t i = 0; i < n; i++) first += targetLengths.as<int64_t>()[i];
    return first;
  }
  int64_t grain() const {
    const int64_t work = batch == 0 ? 1 : (2 * targets.numel() / batch + 1) * (frames < 1 ? 1 : frames);
    return kUnit / work;
  }
};

// The frame before the first: one alignment, in front of state 0. Both start states follow from it.
void startRow(double* row, int64_t width) {
  for (int64_t i = -kFront; i < width; i++) row[i] = -kInf;
  row[-1] = 0;
}

// out[s] = log(exp(row[s]) + exp(row[s - 1]) + exp(row[s - 2] + skip[s])) + add[s]
void advance(double* out, const double* row, const double* skip, const double* add, int64_t states) {
  for (int64_t s = 0; s < states; s += kLanes) {
    const V a = load(row + s), b = load(row + s - 1), c = load(row + s - 2) + load(skip + s);
    V top = a > b ? a : b;
    top = top > c ? top : c;
    top = top == -kInf ? V{} : top;  // nothing leads here: the sum below is 0
    const V sum = Ops::exp(a - top) + Ops::exp(b - top) + Ops::exp(c - top);
    V next = Ops::log(sum) + top;
    if (add != nullptr) next += load(add + s);
    store(out + s, next);
  }
  for (int64_t i = -kFront; i < 0; i++) out[i] = -kInf;
}

// One sequence of the batch, with memory to work in.
struct Sequence {
  int64_t n, frames, labels, states, width;
  double *alpha, *row, *next, *skip, *values, *classes, *counts;
  const int64_t* targets;
  const Problem& p;

  Sequence(const Problem& p, int64_t n, bool backward) : n(n), p(p) {
    frames = p.inputLengths.as<int64_t>()[n];
    labels = p.targetLengths.as<int64_t>()[n];
    states = 2 * labels + 1;
    width = padded(states);
    const int64_t first = p.firstTarget(n);
    targets = p.targets.as<int64_t>() + first;
    alpha = p.alpha.as<double>() + p.frames * (2 * first + n);
    for (int64_t i = 0; i < labels; i++)
      if (targets[i] < 0 || targets[i] >= p.classes)
        fail(ErrorKind::Index, "%s: target %lld is %lld, with %lld classes", p.op, static_cast<long long>(first + i),
             static_cast<long long>(targets[i]), static_cast<long long>(p.classes));
    const int64_t classWidth = backward || readsWholeRows() ? padded(p.classes) : 0;
    const int64_t rowBytes = (width + kFront) * static_cast<int64_t>(sizeof(double));
    char* memory = threadScratch(kScratchSlot, 4 * rowBytes + 2 * classWidth * static_cast<int64_t>(sizeof(double)));
    double** const buffers[] = {&row, &next, &skip, &values};
    for (int i = 0; i < 4; i++) *buffers[i] = reinterpret_cast<double*>(memory + i * rowBytes) + kFront;
    classes = reinterpret_cast<double*>(memory + 4 * rowBytes);
    counts = classes + classWidth;
    for (int64_t s = 0; s < width; s++) values[s] = -kInf;
    for (int64_t c = 0; c < classWidth; c++) classes[c] = 0;
    startRow(row, width);
    startRow(next, width);
  }

  bool readsWholeRows() const { return p.classes <= 4 * (labels + 1); }
  int64_t label(int64_t s) const { return s % 2 == 0 ? p.blank : targets[s / 2]; }

  // A blank may be left out between two labels that differ.
  void findSkips(bool reverse) {
    for (int64_t s = 0; s < width; s++) {
      bool allowed = false;
      if (s < states && s % 2 == 1)
        allowed = s == 1 || label(reverse ? states - 1 - s : s) != label(reverse ? states + 1 - s : s - 2);
      skip[s] = allowed ? 0 : -kInf;
    }
  }

  const char* frame(int64_t t) const {
    return p.logProbs.data + (t * p.logProbs.strides[0] + n * p.logProbs.strides[1]) * itemSize(p.logProbs.dtype);
  }
  void loadClasses(int64_t t) { loadRun(classes, p.logProbs.dtype, frame(t), p.logProbs.strides[2], p.classes); }
  // The log probability of each state's label.
  void loadStates(int64_t t) {
    if (readsWholeRows()) {
      loadClasses(t);
      for (int64_t s = 0; s < states; s++) values[s] = classes[label(s)];
      return;
    }
    const int64_t step = p.logProbs.strides[2] * itemSize(p.logProbs.dtype);
    double blank = 0;
    loadRun(&blank, p.logProbs.dtype, frame(t) + p.blank * step, 1, 1);
    for (int64_t s = 0; s < states; s += 2) values[s] = blank;
    for (int64_t i = 0; i < labels; i++)
      loadRun(&values[2 * i + 1], p.logProbs.dtype, frame(t) + targets[i] * step, 1, 1);
  }

  // The log likelihood, from the states of the last frame.
  double total() const {
    if (frames == 0) return labels == 0 ? 0 : -kInf;
    const double* last = alpha + frames * states - 1;
    const double a = last[0], b = labels > 0 ? last[-1] : -kInf;
    const double top = a > b || a != a ? a : b;
    return top == -kInf ? top : top + std::log(std::exp(a - top) + std::exp(b - top));
  }

  void forward() {
    findSkips(false);
    for (int64_t t = 0; t < frames; t++) {
      loadStates(t);
      advance(next, row, skip, values, states);
      for (int64_t s = 0; s < states; s++) alpha[t * states + s] = next[s];
      double* const previous = row;
      row = next;
      next = previous;
    }
  }

  // gx = g * (exp(logProbs) - the probability that the frame has the class)
  void backward(const TensorView& gx, double g, bool zeroInfinity) {
    const double likelihood = total();
    const int64_t size = itemSize(gx.dtype);
    const auto out = [&](int64_t t) { return gx.data + (t * p.batch + n) * p.classes * size; };
    const bool impossible = likelihood == -kInf;
    const double fill = impossible && !zeroInfinity ? std::numeric_limits<double>::quiet_NaN() : 0;
    for (int64_t c = 0; c < p.classes; c++) counts[c] = fill;
    if (impossible)
      for (int64_t t = 0; t < frames; t++) storeRun(counts, gx.dtype, out(t), 1, p.classes);
    for (int64_t c = 0; c < p.classes; c++) counts[c] = 0;
    for (int64_t t = frames; t < p.frames; t++) storeRun(counts, gx.dtype, out(t), 1, p.classes);
    if (impossible) return;
    findSkips(true);
    for (int64_t t = frames - 1; t >= 0; t--) {
      // `next`: what follows frame t, from the last state on; `row` of frame t + 1 has its own log probabilities in it.
      advance(next, row, skip, nullptr, states);
      for (int64_t s = 0; s < states; s++) values[s] = alpha[(t + 1) * states - 1 - s];
      for (int64_t s = 0; s < states; s += kLanes)
        store(values + s, Ops::exp(load(values + s) + load(next + s) - likelihood));
      for (int64_t c = 0; c < p.classes; c++) counts[c] = 0;
      for (int64_t s = 0; s < states; s++) counts[label(states - 1 - s)] += values[s];
      loadClasses(t);
      for (int64_t s = 0; s < states; s++) next[s] += classes[label(states - 1 - s)];
      for (int64_t c = 0; c < p.classes; c += kLanes)
        store(counts + c, (Ops::exp(load(classes + c)) - load(counts + c)) * g);
      storeRun(counts, gx.dtype, out(t), 1, p.classes);
      double* const previous = row;
      row = next;
      next = previous;
    }
  }
};

}  // namespace

void ctcLoss(Context& ctx, const TensorView& loss, const TensorView& alpha, const TensorView& logProbs,
             const TensorView& targets, const TensorView& inputLengths, const TensorView& targetLengths, int64_t blank,
             bool zeroInfinity) {
  const Problem p("ctcLoss", logProbs, targets, inputLengths, targetLengths, alpha, blank);
  requireVector(p.op, "loss", loss, logProbs.dtype);
  if (loss.ndim != 1 || loss.shape[0] != p.batch)
    fail(ErrorKind::Shape, "%s: the losses have shape %s for a batch of %lld", p.op, shapeText(loss).c_str(),
         static_cast<long long>(p.batch));
  parallelFor(ctx.pool, p.batch, p.grain(), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      Sequence sequence(p, n, false);
      sequence.forward();
      double value = -sequence.total();
      if (zeroInfinity && value == kInf) value = 0;
      storeRun(&value, loss.dtype, loss.data + n * itemSize(loss.dtype), 1, 1);
    }
  });
}

void ctcLossBackward(Context& ctx, const TensorView& gx, const TensorView& g, const TensorView& alpha,
                     const TensorView& logProbs, const TensorView& targets, const TensorView& inputLengths,
                     const TensorView& targetLengths, int64_t blank, bool zeroInfinity) {
  const Problem p("ctcLossBackward", logProbs, targets, inputLengths, targetLengths, alpha, blank);
  requireVector(p.op, "gx", gx, logProbs.dtype);
  if (!sameShape(gx, logProbs))
    fail(ErrorKind::Shape, "%s: gx %s must have the shape of logProbs %s", p.op, shapeText(gx).c_str(),
         shapeText(logProbs).c_str());
  if (!g.defined || g.dtype != logProbs.dtype) fail(ErrorKind::DType, "%s: g must be of logProbs' dtype", p.op);
  if (g.ndim != 1 || g.shape[0] != p.batch)
    fail(ErrorKind::Shape, "%s: g has shape %s for a batch of %lld", p.op, shapeText(g).c_str(),
         static_cast<long long>(p.batch));
  parallelFor(ctx.pool, p.batch, p.grain(), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      double factor = 0;
      loadRun(&factor, g.dtype, g.data + n * g.strides[0] * itemSize(g.dtype), 1, 1);
      Sequence sequence(p, n, true);
      sequence.backward(gx, factor, zeroInfinity);
    }
  });
}

}  // namespace thalweg::cpu::THALWEG_ISA
