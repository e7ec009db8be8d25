// Group normalisation of channels-last images, and instance normalisation, whose groups are single channels. The
// channels of an item are columns: their moments are taken one by one and joined to those of a group.
#include "cuda/norm_finish.h"

namespace thalweg::cuda {
namespace {

// [n, s, c] in memory.
struct Groups {
  int64_t n, c, s, groups;

  int64_t channels() const { return c / groups; }
  int64_t elements() const { return channels() * s; }
  Places places() const { return Places(n * s * c, 1, c, Places::Group, s * c, groups, channels()); }
};

Groups groupsOf(const char* op, const TensorView& x, const TensorView& mean, const TensorView& rstd, int64_t groups) {
  if (!requireImages(op, x)) fail(ErrorKind::Native, "%s: x is not channels-last", op);
  const int64_t c = x.shape[1];
  if (groups < 1 || c % groups != 0)
    fail(ErrorKind::Shape, "%s: x %s cannot have %lld groups", op, shapeText(x).c_str(),
         static_cast<long long>(groups));
  requireCount(op, mean, "mean", x, x.shape[0] * groups);
  requireCount(op, rstd, "rstd", x, x.shape[0] * groups);
  // Not empty: a tensor without elements counts as contiguous.
  return {x.shape[0], c, x.numel() / (x.shape[0] * c), groups};
}

}  // namespace

void normalizeGroups(Context& context, const TensorView& out, const TensorView& mean, const TensorView& rstd,
                     const TensorView& x, const OptionalTensor& weight, const OptionalTensor& bias, int64_t groups,
                     double eps) {
  const char* op = "normalizeGroups";
  const Groups s = groupsOf(op, x, mean, rstd, groups);
  requireSameImages(op, out, "out", x, true);
  if (weight.defined) requireCount(op, weight, "weight", x, s.c);
  if (bias.defined) requireCount(op, bias, "bias", x, s.c);
  Queue& queue = queueOf(context);
  withFloat(x, [&](auto type) {
    using T = decltype(type);
    const Columns columns(s.n, s.s, s.c);
    const Moments* partials = momentsOfColumns(queue, x.as<const T>(), columns);
    finishMoments<T>(queue, {mean.as<T>(), nullptr, rstd.as<T>(), true, eps}, partials, columns.partials(s.groups));
    normalizeAll<T>(queue, out.as<T>(), x.as<const T>(),
                    {mean.as<const T>(), rstd.as<const T>(), dataOf<const T>(weight), dataOf<const T>(bias)},
                    s.places());
  });
}

void normalizeGroupsBackward(Context& context, const OptionalTensor& gx, const OptionalTensor& gWeight,
                             const OptionalTensor& gBias, const TensorView& g, const TensorView& x,
                             const TensorView& mean, const TensorView& rstd, const OptionalTensor& weight,
                             int64_t groups) {
  const char* op = "normalizeGroupsBackward";
  const Groups s = groupsOf(op, x, mean, rstd, groups);
  requireSameImages(op, g, "g", x, true);
  if (gx.defined) requireSameImages(op, gx, "gx", x, true);
  if (weight.defined) requireCount(op, weight, "weight", x, s.c);
  if (gWeight.defined) requireCount(op, gWeight, "gWeight", x, s.c);
  if (gBias.defined) requireCount(op, gBias, "gBias", x, s.c);
  Queue& queue = queueOf(context);
  withFloat(x, [&](auto type) {
    using T = decltype(type);
    const T *gs = g.as<const T>(), *xs = x.as<const T>(), *means = mean.as<const T>(), *rstds = rstd.as<const T>();
    const Columns columns(s.n, s.s, s.c);
    const Sums* sums = sumsOfColumns<T>(queue, {gs, xs, means, nullptr, s.groups, s.channels(), 0}, columns);
    if (gx.defined) {
      T* offset = queue.scratch<T>(kSlopeSlot, 2 * s.n * s.groups);
      T* slope = offset + s.n * s.groups;
      finishSlopes<T>(queue,
                      {offset, slope, rstds, dataOf<const T>(weight), static_cast<double>(s.elements()), true, 1, s.c},
                      sums, columns.partials(s.groups));
      applySlopes<T>(queue, gx.as<T>(), gs, xs, {means, rstds, dataOf<const T>(weight), nullptr}, offset, slope,
                     s.places());
    }
    finishParameters<T>(queue,
                        {dataOf<T>(gWeight), dataOf<T>(gBias), rstds, s.n * columns.pieces, s.c, 1, columns.pieces,
                         s.groups, s.channels(), 0},
                        sums);
  });
}

}  // namespace thalweg::cuda
