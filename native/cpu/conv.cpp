// Convolution and its two gradients, as products with the patch matrix (a row for each input channel and tap, a column
// for each output position), of which only a tile that fits the second-level cache exists at a time. 1x1 kernels need
// no patches. Groups of one input channel go without products: conv_direct.h.
#include "cpu/conv_direct.h"
#include "cpu/gemm.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kTileBytes = 3 << 17;
constexpr int64_t kForwardRows = 512;   // of a tile: what a product takes at once of its inner dimension
constexpr int64_t kBackwardRows = 256;  // fewer, for more tasks
constexpr int64_t kFewTasks = 8;
constexpr int64_t kWantedTasks = 16;
constexpr int64_t kPartialBytes = int64_t{64} << 20;

// n cut into equal blocks of at most about `most`, each but the last a multiple of `unit`.
struct Blocks {
  int64_t n, size, count;
  Blocks(int64_t n, int64_t most, int64_t unit) : n(n) {
    const int64_t pieces = divideUp(n, std::max(most / unit * unit, unit));
    size = roundUp(divideUp(n, pieces), unit);
    count = divideUp(n, size);
  }
  int64_t begin(int64_t i) const { return i * size; }
  int64_t length(int64_t i) const { return std::min(size, n - i * size); }
};

template <class T>
Blocks channelBlocks(const ConvShape& s, int64_t rows) {
  return Blocks(s.cin, rows / s.taps, 1);
}

template <class T>
Blocks pixelBlocks(const ConvShape& s, int64_t rows) {
  return Blocks(s.outSize, std::min<int64_t>(kTileBytes / static_cast<int64_t>(sizeof(T)) / rows, 4096), NR<T>);
}

// Runs f(task) on all threads; few large tasks one after the other, with all threads on the products of each.
template <class F>
void forTasks(Context& ctx, const ConvShape& s, int64_t tasks, F&& f) {
  const int64_t grain = tasks < kFewTasks ? tasks : convGrain(s, tasks);
  parallelFor(ctx.pool, tasks, grain, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; task++) f(task);
  });
}

template <class T>
void forwardOf(Context& ctx, const ConvShape& s, T* out, const T* x, const T* weight, const T* bias) {
  const Plane<T> plane(s);
  if (plane.suits) return directForward(ctx, s, plane, out, x, weight, bias);
  const bool pointwise = s.pointwise();
  const Blocks channels = channelBlocks<T>(s, pointwise ? s.cin : kForwardRows);
  const Blocks pixels = pixelBlocks<T>(s, channels.size * s.taps);
  const int64_t depth = s.depth();
  forTasks(ctx, s, s.images * s.groups * pixels.count, [&](int64_t task) {
    const int64_t part = task / pixels.count, group = part % s.groups;
    const int64_t p0 = pixels.begin(task % pixels.count), n = pixels.length(task % pixels.count);
    T* to = out + part * s.cout * s.outSize + p0;
    if (bias != nullptr) fillRows(to, s.cout, n, s.outSize, bias + group * s.cout);
    for (int64_t block = 0; block < channels.count; block++) {
      const int64_t c0 = channels.begin(block), rows = channels.length(block) * s.taps;
      const T* from = x + (part * s.cin + c0) * s.inSize;
      int64_t ld = s.inSize;
      if (pointwise) {
        from += p0;
      } else {
        ld = pixels.size;
        T* tile = convScratch<T>(kSlotTile, rows * ld);
        gatherPatches(s, from, channels.length(block), p0, p0 + n, tile, ld);
        from = tile;
      }
      gemm(ctx.pool, Product<T>{s.cout, n, rows, weight + group * s.cout * depth + c0 * s.taps, depth, 1, from, ld, 1,
                                to, s.outSize, bias != nullptr || block > 0});
    }
  });
}

template <class T>
void backwardDataOf(Context& ctx, const ConvShape& s, T* out, const T* g, const T* weight, const T* bias) {
  const Plane<T> plane(s);
  if (plane.suits) return directBackwardData(ctx, s, plane, out, g, weight, bias);
  const int64_t depth = s.depth();
  if (s.pointwise()) {
    const Blocks pixels = pixelBlocks<T>(s, s.cout);
    return forTasks(ctx, s, s.images * s.groups * pixels.count, [&](int64_t task) {
      const int64_t part = task / pixels.count, group = part % s.groups;
      const int64_t p0 = pixels.begin(task % pixels.count), n = pixels.length(task % pixels.count);
      T* to = out + part * s.cin * s.inSize + p0;
      if (bias != nullptr) fillRows(to, s.cin, n, s.inSize, bias + group * s.cin);
      gemm(ctx.pool, Product<T>{s.cin, n, s.cout, weight + group * s.cout * depth, 1, depth,
                                g + part * s.cout * s.outSize + p0, s.outSize, 1, to, s.inSize, bias != nullptr});
    });
  }
  // A task owns some channels of an image: no other adds to them.
  const Blocks channels = channelBlocks<T>(s, kBackwardRows);
  const Blocks pixels = pixelBlocks<T>(s, channels.size * s.taps);
  forTasks(ctx, s, s.images * s.groups * channels.count, [&](int64_t task) {
    const int64_t part = task / channels.count, group = part % s.groups;
    const int64_t c0 = channels.begin(task % channels.count), count = channels.length(task % channels.count);
    const int64_t rows = count * s.taps, ld = pixels.size;
    T* to = out + (part * s.cin + c0) * s.inSize;
    fillRows(to, count, s.inSize, s.inSize, bias != nullptr ? bias + group * s.cin + c0 : nullptr);
    T* tile = convScratch<T>(kSlotTile, rows * ld);
    for (int64_t block = 0; block < pixels.count; block++) {
      const int64_t p0 = pixels.begin(block), n = pixels.length(block);
      gemm(ctx.pool, Product<T>{rows, n, s.cout, weight + group * s.cout * depth + c0 * s.taps, 1, depth,
                                g + part * s.cout * s.outSize + p0, s.outSize, 1, tile, ld});
      addPatches(s, to, count, p0, p0 + n, tile, ld);
    }
  });
}

// Sums over all images: cut into parts by size alone, whose sums are added up in order. f(target, owner, begin, end)
// writes the sum of units [begin, end) to what target holds of one owner.
template <class T, class F>
void sumInParts(Context& ctx, const ConvShape& s, T* out, int64_t size, int64_t owners, int64_t units, F&& f) {
  const int64_t bytes = size * static_cast<int64_t>(sizeof(T));
  const int64_t wanted = std::min({units, divideUp(kWantedTasks, owners), kPartialBytes / bytes + 1});
  const Blocks parts(units, divideUp(units, wanted), 1);
  T* sums = parts.count == 1 ? out : convScratch<T>(kSlotPartial, parts.count * size);
  parallelFor(ctx.pool, owners * parts.count, convGrain(s, owners * parts.count), [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; task++) {
      const int64_t part = task / owners, from = parts.begin(part);
      f(sums + part * size, task % owners, from, from + parts.length(part));
    }
  });
  if (parts.count == 1) return;
  parallelFor(ctx.pool, size, 4096, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) out[i] = sums[i];
    for (int64_t part = 1; part < parts.count; part++) {
      const T* __restrict from = sums + part * size;
      T* __restrict to = out;
      for (int64_t i = begin; i < end; i++) to[i] += from[i];
    }
  });
}

template <class T>
void directBackwardWeight(Context& ctx, const ConvShape& s, const Plane<T>& plane, T* out, const T* g, const T* x) {
  const int64_t width = s.out[2], padded = roundUp(width, lanes<T>), lines = s.outSize / width;
  sumInParts(ctx, s, out, s.groups * s.cout * s.taps, s.groups, s.images,
             [&](T* sums, int64_t group, int64_t begin, int64_t end) {
               const int64_t* offsets = plane.offsets(s);
               T* rows = convScratch<T>(kSlotTile, lines * padded);
               T* target = sums + group * s.cout * s.taps;
               fillRows<T>(target, 1, s.cout * s.taps, 0, nullptr);
               for (int64_t image = begin; image < end; image++) {
                 const int64_t channel = image * s.groups + group;
                 const T* from = plane.load(s, x + channel * s.inSize);
                 for (int64_t m = 0; m < s.cout; m++) {
                   const T* line = g + (channel * s.cout + m) * s.outSize;
                   for (int64_t l = 0; l < lines; l++) {
                     for (int64_t i = 0; i < width; i++) rows[l * padded + i] = line[l * width + i];
                     for (int64_t i = width; i < padded; i++) rows[l * padded + i] = 0;
                   }
                   directBackwardTaps(s, plane, from, offsets, rows, target + m * s.taps);
                 }
               }
             });
}

template <class T>
void backwardWeightOf(Context& ctx, const ConvShape& s, T* out, const T* g, const T* x) {
  const Plane<T> plane(s);
  if (plane.suits) return directBackwardWeight(ctx, s, plane, out, g, x);
  const bool pointwise = s.pointwise();
  const Blocks channels = channelBlocks<T>(s, kBackwardRows);
  const Blocks pixels = pixelBlocks<T>(s, channels.size * s.taps);
  const int64_t depth = s.depth(), ld = pointwise ? s.inSize : pixels.size;
  sumInParts(ctx, s, out, s.groups * s.cout * depth, s.groups * channels.count, s.images * pixels.count,
             [&](T* sums, int64_t owner, int64_t begin, int64_t end) {
               const int64_t group = owner / channels.count, block = owner % channels.count;
               const int64_t c0 = channels.begin(block), rows = channels.length(block) * s.taps;
               for (int64_t unit = begin; unit < end; unit++) {
                 const int64_t part = unit / pixels.count * s.groups + group;
                 const int64_t p0 = pixels.begin(unit % pixels.count), n = pixels.length(unit % pixels.count);
                 const T* from = x + (part * s.cin + c0) * s.inSize;
                 if (pointwise) {
                   from += p0;
                 } else {
                   T* tile = convScratch<T>(kSlotTile, rows * ld);
                   gatherPatches(s, from, channels.length(block), p0, p0 + n, tile, ld);
                   from = tile;
                 }
                 gemm(ctx.pool, Product<T>{s.cout, rows, n, g + part * s.cout * s.outSize + p0, s.outSize, 1, from, 1,
                                           ld, sums + group * s.cout * depth + c0 * s.taps, depth, unit > begin});
               }
             });
}

// Calls f with a null pointer to float or double.
template <class F>
void withFloat(DType dtype, F&& f) {
  dtype == DType::Float64 ? f(static_cast<double*>(nullptr)) : f(static_cast<float*>(nullptr));
}

// Without input channels or positions: the bias, or zero.
template <class T>
void fillBias(const TensorView& out, const T* bias) {
  int64_t size = 1;
  for (int d = 2; d < out.ndim; d++) size *= out.shape[d];
  for (int64_t n = 0; n < out.shape[0]; n++)
    fillRows(out.as<T>() + n * out.shape[1] * size, out.shape[1], size, size, bias);
}

}  // namespace

void convForward(Context& ctx, const TensorView& out, const TensorView& x, const TensorView& weight,
                 const OptionalTensor& bias, Scalars geometry) {
  const ConvShape s = readConvShape("convForward", x, weight, out, geometry);
  checkConvBias("convForward", bias, out);
  if (emptyView(out)) return;
  withFloat(out.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* b = bias.defined ? bias.as<const T>() : nullptr;
    if (s.taps == 0) return fillBias(out, b);
    forwardOf(ctx, s, out.as<T>(), x.as<const T>(), weight.as<const T>(), b);
  });
}

void convBackwardData(Context& ctx, const TensorView& out, const TensorView& g, const TensorView& weight,
                      const OptionalTensor& bias, Scalars geometry) {
  const ConvShape s = readConvShape("convBackwardData", out, weight, g, geometry);
  checkConvBias("convBackwardData", bias, out);
  if (emptyView(out)) return;
  withFloat(out.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* b = bias.defined ? bias.as<const T>() : nullptr;
    if (s.taps == 0) return fillBias(out, b);
    backwardDataOf(ctx, s, out.as<T>(), g.as<const T>(), weight.as<const T>(), b);
  });
}

void convBackwardWeight(Context& ctx, const TensorView& out, const TensorView& g, const TensorView& x,
                        Scalars geometry) {
  const ConvShape s = readConvShape("convBackwardWeight", x, out, g, geometry);
  if (emptyView(out)) return;
  withFloat(out.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    if (s.taps == 0) return fillBias<T>(out, nullptr);
    backwardWeightOf(ctx, s, out.as<T>(), g.as<const T>(), x.as<const T>());
  });
}

}  // namespace thalweg::cpu::THALWEG_ISA
