// Group normalisation of channels-last images, and instance normalisation, whose groups are single channels. The
// channels of an item are columns: their moments are taken one by one and joined to those of a group.
#include "cpu/moments.h"
#include "cpu/norm_operands.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kUnit = 16384;  // elements that are worth a chunk of their own

// [n, s, c] in memory.
struct Groups {
  int64_t n, c, s, groups;
  bool stream;

  int64_t channels() const { return c / groups; }
  int64_t elements() const { return channels() * s; }
};

template <class T>
struct GroupTensors {
  const T *g, *x, *weight, *bias;
  T *out, *mean, *rstd, *gWeight, *gBias;
};

Groups groupsOf(const char* op, const TensorView& x, const TensorView& mean, const TensorView& rstd, int64_t groups,
                bool stream) {
  if (!requireImages(op, x)) fail(ErrorKind::Native, "%s: x is not channels-last", op);
  const int64_t c = x.shape[1];
  if (groups < 1 || c % groups != 0)
    fail(ErrorKind::Shape, "%s: x %s cannot have %lld groups", op, shapeText(x).c_str(),
         static_cast<long long>(groups));
  requireCount(op, mean, "mean", x, x.shape[0] * groups);
  requireCount(op, rstd, "rstd", x, x.shape[0] * groups);
  // Not empty: a tensor without elements counts as contiguous.
  return {x.shape[0], c, x.numel() / (x.shape[0] * c), groups, stream};
}

template <class T>
void forwardTyped(Context& ctx, const Groups& s, const GroupTensors<T>& t, double eps) {
  parallelFor(ctx.pool, s.n, kUnit / (s.c * s.s), [&](int64_t begin, int64_t end) {
    double* means = normScratch<double>(kPartialSlot, 2 * s.c);
    double* m2 = means + s.c;
    T* mean = normScratch<T>(kColumnSlot, 3 * s.c);
    T *scale = mean + s.c, *shift = scale + s.c;
    for (int64_t i = begin; i < end; i++) {
      const T* x = t.x + i * s.s * s.c;
      std::fill(means, means + 2 * s.c, 0.0);
      for (int64_t k = 0; k < s.c; k += kColumnTile)
        addColumns(x + k, s.s, s.c, std::min(s.c - k, kColumnTile), means + k, m2 + k, 0);
      for (int64_t group = 0; group < s.groups; group++) {
        Moments moments;
        const int64_t first = group * s.channels(), last = first + s.channels();
        for (int64_t c = first; c < last; c++) moments.join(means[c], m2[c], s.s);
        const double rstd = 1 / std::sqrt(moments.variance() + eps);
        t.mean[i * s.groups + group] = static_cast<T>(moments.mean);
        t.rstd[i * s.groups + group] = static_cast<T>(rstd);
        for (int64_t c = first; c < last; c++) {
          mean[c] = static_cast<T>(moments.mean);
          scale[c] = static_cast<T>(rstd * (t.weight ? static_cast<double>(t.weight[c]) : 1));
          shift[c] = t.bias ? t.bias[c] : T(0);
        }
      }
      T* out = t.out + i * s.s * s.c;
      for (int64_t r = 0; r < s.s; r++) affineColumns(out + r * s.c, x + r * s.c, s.c, mean, scale, shift, s.stream);
    }
    streamFence();
  });
}

template <class T>
void backwardTyped(Context& ctx, const Groups& s, const GroupTensors<T>& t) {
  // Each item's shares of the parameters' gradients.
  double* shares = normScratch<double>(kPartialSlot, 2 * s.n * s.c);
  parallelFor(ctx.pool, s.n, kUnit / (s.c * s.s), [&](int64_t begin, int64_t end) {
    T* mean = normScratch<T>(kColumnSlot, 4 * s.c);
    T *a = mean + s.c, *b = a + s.c, *d = b + s.c;
    for (int64_t i = begin; i < end; i++) {
      const T *x = t.x + i * s.s * s.c, *g = t.g + i * s.s * s.c;
      double *first = shares + 2 * i * s.c, *second = first + s.c;
      std::fill(first, first + 2 * s.c, 0.0);
      for (int64_t c = 0; c < s.c; c++) mean[c] = t.mean[i * s.groups + c / s.channels()];
      for (int64_t k = 0; k < s.c; k += kColumnTile)
        addColumnSums(g + k, x + k, s.s, s.c, std::min(s.c - k, kColumnTile), mean + k, first + k, second + k);
      for (int64_t group = 0; group < s.groups; group++) {
        const int64_t from = group * s.channels(), to = from + s.channels();
        const double rstd = static_cast<double>(t.rstd[i * s.groups + group]), n = static_cast<double>(s.elements());
        Sums sums;
        for (int64_t c = from; c < to; c++) {
          const double w = t.weight ? static_cast<double>(t.weight[c]) : 1;
          sums.join({w * first[c], w * second[c]});
          a[c] = static_cast<T>(rstd * w);
          second[c] *= rstd;
        }
        for (int64_t c = from; c < to; c++) {
          b[c] = static_cast<T>(rstd * sums.first / n);
          d[c] = static_cast<T>(rstd * rstd * rstd * sums.second / n);
        }
      }
      if (!t.out) continue;
      T* gx = t.out + i * s.s * s.c;
      for (int64_t r = 0; r < s.s; r++)
        gradientColumns(gx + r * s.c, g + r * s.c, x + r * s.c, s.c, mean, a, b, d, s.stream);
    }
    streamFence();
  });
  const auto finish = [&](T* out, int64_t offset) {
    if (!out) return;
    parallelFor(ctx.pool, s.c, kUnit / s.n, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; c++) {
        double sum = 0;
        for (int64_t i = 0; i < s.n; i++) sum += shares[2 * i * s.c + offset + c];
        out[c] = static_cast<T>(sum);
      }
    });
  };
  finish(t.gBias, 0);
  finish(t.gWeight, s.c);
}

}  // namespace

void normalizeGroups(Context& ctx, const TensorView& out, const TensorView& mean, const TensorView& rstd,
                     const TensorView& x, const OptionalTensor& weight, const OptionalTensor& bias, int64_t groups,
                     double eps) {
  const char* op = "normalizeGroups";
  const Groups s = groupsOf(op, x, mean, rstd, groups, streamed(x));
  requireSameImages(op, out, "out", x, true);
  if (weight.defined) requireCount(op, weight, "weight", x, s.c);
  if (bias.defined) requireCount(op, bias, "bias", x, s.c);
  withFloat(x, [&](auto type) {
    using T = decltype(type);
    forwardTyped<T>(ctx, s,
                    {nullptr, x.as<const T>(), dataOf<const T>(weight), dataOf<const T>(bias), out.as<T>(),
                     mean.as<T>(), rstd.as<T>(), nullptr, nullptr},
                    eps);
  });
}

void normalizeGroupsBackward(Context& ctx, const OptionalTensor& gx, const OptionalTensor& gWeight,
                             const OptionalTensor& gBias, const TensorView& g, const TensorView& x,
                             const TensorView& mean, const TensorView& rstd, const OptionalTensor& weight,
                             int64_t groups) {
  const char* op = "normalizeGroupsBackward";
  const Groups s = groupsOf(op, x, mean, rstd, groups, streamed(x));
  requireSameImages(op, g, "g", x, true);
  if (gx.defined) requireSameImages(op, gx, "gx", x, true);
  if (weight.defined) requireCount(op, weight, "weight", x, s.c);
  if (gWeight.defined) requireCount(op, gWeight, "gWeight", x, s.c);
  if (gBias.defined) requireCount(op, gBias, "gBias", x, s.c);
  withFloat(x, [&](auto type) {
    using T = decltype(type);
    backwardTyped<T>(ctx, s,
                     {g.as<const T>(), x.as<const T>(), dataOf<const T>(weight), nullptr, dataOf<T>(gx), mean.as<T>(),
                      rstd.as<T>(), dataOf<T>(gWeight), dataOf<T>(gBias)});
  });
}

}  // namespace thalweg::cpu::THALWEG_ISA
