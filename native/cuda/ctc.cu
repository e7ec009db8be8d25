// Connectionist temporal classification (Graves et al. 2006): the probability of a sequence of labels, summed over all
// its alignments with the frames of the input, and its gradient.
//
// An alignment walks through the labels with a blank before, between and behind them: 2 * L + 1 states. All is done in
// log space and in float64: rounding adds up over frames. A block has a sequence and goes from frame to frame, each of
// its threads with some of the states.
#include <limits>

#include "cuda/convert.h"
#include "cuda/kernel.h"
#include "cuda/team.h"
#include "operands/ctc.h"

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256;
// Of scratch memory.
constexpr int kStartSlot = 0, kRowSlot = 1, kShareSlot = 2, kLinkSlot = 3;

__device__ constexpr double minusInfinity() { return -std::numeric_limits<double>::infinity(); }

// The operands that both directions share. Lengths and labels are checked on the device.
struct Problem {
  const char* logProbs;
  DType dtype;
  int64_t strides[3];
  int64_t frames, batch, classes, blank;
  const int64_t *targets, *inputLengths, *targetLengths;
  double* alpha;
  int64_t labels, row;  // in all; of padded rows [N, row], or 0 where all sequences are in one row
  bool zeroInfinity;

  // States of a frame, of all sequences.
  __host__ __device__ int64_t states() const { return 2 * labels + batch; }
};

Problem problemOf(const char* op, const TensorView& logProbs, const TensorView& targets, const TensorView& inputLengths,
                  const TensorView& targetLengths, const TensorView& alpha, int64_t blank, bool zeroInfinity) {
  const CtcSizes sizes = checkCtc(op, logProbs, targets, inputLengths, targetLengths, alpha, blank);
  return {logProbs.data,
          logProbs.dtype,
          {logProbs.strides[0], logProbs.strides[1], logProbs.strides[2]},
          sizes.frames,
          sizes.batch,
          sizes.classes,
          blank,
          targets.as<const int64_t>(),
          inputLengths.as<const int64_t>(),
          targetLengths.as<const int64_t>(),
          alpha.as<double>(),
          targets.numel(),
          sizes.rows ? targets.shape[1] : -1,
          zeroInfinity};
}

// -- lengths
// ------------------------------------------------------------------------------------------------------------

struct LengthFaults {
  FaultSite target, input, total;
};

// One block. starts[n]: where sequence n begins among the targets; starts[batch]: 1 if all lengths are good. In one row
// the lengths say where each sequence begins: all of them must fit before anything is read.
__global__ void __launch_bounds__(kThreads) checkLengthsKernel(int64_t* starts, Problem p, LengthFaults faults) {
  __shared__ int64_t shared[kMostWarps];
  const bool rows = p.row >= 0;
  int64_t total = 0;
  for (int64_t n0 = 0; n0 < p.batch; n0 += blockDim.x) {
    const int64_t n = n0 + threadIdx.x;
    const bool mine = n < p.batch;
    const int64_t labels = mine ? p.targetLengths[n] : 0, frames = mine ? p.inputLengths[n] : 0;
    // Lengths out of range are found before the sums behind them are used.
    const int64_t counted = labels < 0 || labels > p.labels ? 0 : labels;
    int64_t all;
    const int64_t before = total + sumBefore(counted, shared, all), most = rows ? p.row : p.labels - before;
    const bool badLabels = labels < 0 || labels > most, badFrames = frames < 0 || frames > p.frames;
    const int64_t first = joinBlock(mine && (badLabels || badFrames) ? n : p.batch, TakeSmaller(), shared);
    if (first < p.batch) {
      if (n == first) {
        if (badLabels)
          faults.target.report(n, labels, most);
        else
          faults.input.report(n, frames, p.frames);
      }
      if (threadIdx.x == 0) starts[p.batch] = 0;
      return;
    }
    if (mine) starts[n] = rows ? n * p.row : before;
    total += all;
  }
  if (threadIdx.x != 0) return;
  const bool good = rows || total == p.labels;
  if (!good) faults.total.report(total, p.labels);
  starts[p.batch] = good;
}

// -- a sequence
// ---------------------------------------------------------------------------------------------------------

struct Sequence {
  const Problem& p;
  int64_t n, first, frames, labels, states;
  const int64_t* targets;
  double* alpha;

  __device__ Sequence(const Problem& p, const int64_t* starts, int64_t n)
      : p(p),
        n(n),
        first(starts[n]),
        frames(p.inputLengths[n]),
        labels(p.targetLengths[n]),
        states(2 * labels + 1),
        targets(p.targets + first),
        alpha(p.alpha + p.frames * (2 * first + n)) {}

  // Whether all labels are classes; the same for all threads.
  __device__ bool check(const FaultSite& fault, int64_t* shared) const {
    int64_t bad = labels;
    for (int64_t i = threadIdx.x; i < labels; i += blockDim.x)
      if (targets[i] < 0 || targets[i] >= p.classes) bad = bad < i ? bad : i;
    bad = joinBlock(bad, TakeSmaller(), shared);
    if (bad == labels) return true;
    if (threadIdx.x == 0) fault.report(first + bad, targets[bad], p.classes);
    return false;
  }

  __device__ int64_t label(int64_t s) const { return s % 2 == 0 ? p.blank : targets[s / 2]; }
  // A blank may be left out in front of state s, between two labels that differ.
  __device__ bool skips(int64_t s) const { return s % 2 == 1 && (s == 1 || targets[s / 2] != targets[s / 2 - 1]); }
  __device__ double logProb(int64_t t, int64_t c) const {
    return loadAny<double>(p.logProbs, p.dtype, t * p.strides[0] + n * p.strides[1] + c * p.strides[2]);
  }

  // The log likelihood, from the states of the last frame.
  __device__ double total() const {
    if (frames == 0) return labels == 0 ? 0 : minusInfinity();
    const double* last = alpha + frames * states - 1;
    const double a = last[0], b = labels > 0 ? last[-1] : minusInfinity();
    const double top = a > b || a != a ? a : b;
    return top == minusInfinity() ? top : top + std::log(std::exp(a - top) + std::exp(b - top));
  }
};

// log(exp(a) + exp(b) + exp(c))
__device__ inline double addLogs(double a, double b, double c) {
  double top = a > b ? a : b;
  top = top > c ? top : c;
  if (top == minusInfinity()) top = 0;  // nothing leads here: the sum below is 0
  return std::log(std::exp(a - top) + std::exp(b - top) + std::exp(c - top)) + top;
}

__global__ void __launch_bounds__(kThreads)
    ctcForwardKernel(char* loss, Problem p, const int64_t* starts, FaultSite fault) {
  __shared__ int64_t shared[kMostWarps];
  if (starts[p.batch] == 0) return;
  for (int64_t n = blockIdx.x; n < p.batch; n += gridDim.x) {
    const Sequence q(p, starts, n);
    if (!q.check(fault, shared)) continue;
    for (int64_t t = 0; t < q.frames; t++) {
      const double* before = q.alpha + (t - 1) * q.states;
      double* now = q.alpha + t * q.states;
      for (int64_t s = threadIdx.x; s < q.states; s += blockDim.x) {
        double sum;
        if (t == 0)
          sum = s <= 1 ? 0 : minusInfinity();
        else
          sum = addLogs(before[s], s >= 1 ? before[s - 1] : minusInfinity(),
                        s >= 2 && q.skips(s) ? before[s - 2] : minusInfinity());
        now[s] = sum + q.logProb(t, q.label(s));
      }
      __syncthreads();
    }
    if (threadIdx.x != 0) continue;
    double value = -q.total();
    if (p.zeroInfinity && value == -minusInfinity()) value = 0;
    storeAny(loss, p.dtype, n, value);
  }
}

// Scratch memory for all sequences: rows [2, states], shares [states], links [2, labels].
struct Workspace {
  double *rows, *shares;
  int64_t *next, *before;
};

// gx = g * (exp(logProbs) - the probability that the frame has the class)
__global__ void __launch_bounds__(kThreads) ctcBackwardKernel(char* gx, const char* g, int64_t gStride, Problem p,
                                                              const int64_t* starts, Workspace w, FaultSite fault) {
  __shared__ int64_t shared[kMostWarps];
  __shared__ double sharedSums[kMostWarps];
  if (starts[p.batch] == 0) return;
  for (int64_t n = blockIdx.x; n < p.batch; n += gridDim.x) {
    const Sequence q(p, starts, n);
    if (!q.check(fault, shared)) continue;
    const double likelihood = q.total(), factor = loadAny<double>(g, p.dtype, n * gStride);
    const bool impossible = likelihood == minusInfinity();
    const double fill = impossible && !p.zeroInfinity ? std::numeric_limits<double>::quiet_NaN() : 0;
    // Frames without alignments.
    for (int64_t t = impossible ? 0 : q.frames; t < p.frames; t++)
      for (int64_t c = threadIdx.x; c < p.classes; c += blockDim.x)
        storeAny(gx, p.dtype, (t * p.batch + n) * p.classes + c, t < q.frames ? fill : 0.0);
    if (impossible) continue;
    // The places of a label: each knows the next one, and whether there is one before.
    int64_t *next = w.next + q.first, *before = w.before + q.first;
    for (int64_t i = threadIdx.x; i < q.labels; i += blockDim.x) {
      int64_t j = i + 1, k = i - 1;
      while (j < q.labels && q.targets[j] != q.targets[i]) j++;
      while (k >= 0 && q.targets[k] != q.targets[i]) k--;
      next[i] = j < q.labels ? j : -1;
      before[i] = k;
    }
    double* shares = w.shares + 2 * q.first + n;
    for (int64_t t = q.frames - 1; t >= 0; t--) {
      // What follows frame t from each state; a row has the frame's own log probabilities in it as well.
      double* now = w.rows + t % 2 * p.states() + 2 * q.first + n;
      const double* later = w.rows + (t + 1) % 2 * p.states() + 2 * q.first + n;
      double blanks = 0;
      for (int64_t s = threadIdx.x; s < q.states; s += blockDim.x) {
        double follows;
        if (t == q.frames - 1)
          follows = s >= q.states - 2 ? 0 : minusInfinity();
        else
          follows = addLogs(later[s], s + 1 < q.states ? later[s + 1] : minusInfinity(),
                            s + 2 < q.states && q.skips(s + 2) ? later[s + 2] : minusInfinity());
        const int64_t label = q.label(s);
        const double share = std::exp(q.alpha[t * q.states + s] + follows - likelihood);
        now[s] = follows + q.logProb(t, label);
        shares[s] = share;
        if (label == p.blank) blanks += share;
      }
      blanks = joinBlock(blanks, AddUp(), sharedSums);
      const int64_t to = (t * p.batch + n) * p.classes;
      for (int64_t c = threadIdx.x; c < p.classes; c += blockDim.x)
        storeAny(gx, p.dtype, to + c, (std::exp(q.logProb(t, c)) - (c == p.blank ? blanks : 0)) * factor);
      __syncthreads();
      // Classes that are labels, once more: a thread for each adds up its places in their order.
      for (int64_t i = threadIdx.x; i < q.labels; i += blockDim.x) {
        const int64_t label = q.targets[i];
        if (before[i] >= 0 || label == p.blank) continue;
        double sum = 0;
        for (int64_t j = i; j >= 0; j = next[j]) sum += shares[2 * j + 1];
        storeAny(gx, p.dtype, to + label, (std::exp(q.logProb(t, label)) - sum) * factor);
      }
      __syncthreads();
    }
  }
}

int64_t* checkLengths(Queue& queue, const Problem& p, const LengthFaults& faults) {
  int64_t* starts = queue.scratch<int64_t>(kStartSlot, p.batch + 1);
  LAUNCH(checkLengthsKernel, 1, kThreads, 0, queue, starts, p, faults);
  return starts;
}

}  // namespace

void ctcLoss(Context& context, const TensorView& loss, const TensorView& alpha, const TensorView& logProbs,
             const TensorView& targets, const TensorView& inputLengths, const TensorView& targetLengths, int64_t blank,
             bool zeroInfinity) {
  const char* op = "ctcLoss";
  const Problem p = problemOf(op, logProbs, targets, inputLengths, targetLengths, alpha, blank, zeroInfinity);
  requireVector(op, "loss", loss, logProbs.dtype);
  if (loss.ndim != 1 || loss.shape[0] != p.batch)
    fail(ErrorKind::Shape, "%s: the losses have shape %s for a batch of %lld", op, shapeText(loss).c_str(),
         static_cast<long long>(p.batch));
  Queue& queue = queueOf(context);
  const int64_t* starts =
      checkLengths(queue, p,
                   {queue.faultSite(ErrorKind::Index, "ctcLoss: targetLengths[%lld] is %lld, with %lld targets left"),
                    queue.faultSite(ErrorKind::Index, "ctcLoss: inputLengths[%lld] is %lld, with %lld frames"),
                    queue.faultSite(ErrorKind::Index, "ctcLoss: targetLengths add up to %lld, with %lld targets")});
  const FaultSite fault = queue.faultSite(ErrorKind::Index, "ctcLoss: target %lld is %lld, with %lld classes");
  if (p.batch == 0) return;
  LAUNCH(ctcForwardKernel, gridFor(queue, p.batch * kThreads, kThreads), kThreads, 0, queue, loss.data, p, starts,
         fault);
}

void ctcLossBackward(Context& context, const TensorView& gx, const TensorView& g, const TensorView& alpha,
                     const TensorView& logProbs, const TensorView& targets, const TensorView& inputLengths,
                     const TensorView& targetLengths, int64_t blank, bool zeroInfinity) {
  const char* op = "ctcLossBackward";
  const Problem p = problemOf(op, logProbs, targets, inputLengths, targetLengths, alpha, blank, zeroInfinity);
  requireVector(op, "gx", gx, logProbs.dtype);
  if (!sameShape(gx, logProbs))
    fail(ErrorKind::Shape, "%s: gx %s must have the shape of logProbs %s", op, shapeText(gx).c_str(),
         shapeText(logProbs).c_str());
  if (!g.defined || g.dtype != logProbs.dtype) fail(ErrorKind::DType, "%s: g must be of logProbs' dtype", op);
  if (g.ndim != 1 || g.shape[0] != p.batch)
    fail(ErrorKind::Shape, "%s: g has shape %s for a batch of %lld", op, shapeText(g).c_str(),
         static_cast<long long>(p.batch));
  Queue& queue = queueOf(context);
  const int64_t* starts = checkLengths(
      queue, p,
      {queue.faultSite(ErrorKind::Index, "ctcLossBackward: targetLengths[%lld] is %lld, with %lld targets left"),
       queue.faultSite(ErrorKind::Index, "ctcLossBackward: inputLengths[%lld] is %lld, with %lld frames"),
       queue.faultSite(ErrorKind::Index, "ctcLossBackward: targetLengths add up to %lld, with %lld targets")});
  const FaultSite fault = queue.faultSite(ErrorKind::Index, "ctcLossBackward: target %lld is %lld, with %lld classes");
  if (p.batch == 0) return;
  Workspace w;
  w.rows = queue.scratch<double>(kRowSlot, 2 * p.states());
  w.shares = queue.scratch<double>(kShareSlot, p.states());
  w.next = queue.scratch<int64_t>(kLinkSlot, 2 * p.labels);
  w.before = w.next + p.labels;
  LAUNCH(ctcBackwardKernel, gridFor(queue, p.batch * kThreads, kThreads), kThreads, 0, queue, gx.data, g.data,
         g.strides[0], p, starts, w, fault);
}

}  // namespace thalweg::cuda
