// Winograd's algorithm for 4x4 kernels with stride 2, and for the transpose of such convolutions: F(4x4, 2x2).
//
// With a stride of 2 the taps of even and odd rows and columns never meet: the convolution is the sum of four
// convolutions of stride 1 with 2x2 taps, each of every other input. Seen from the other side, each of the four grids
// of the transpose is a convolution with 2x2 taps. A tile of 4x4 results of such a one is 25 products instead of 64,
// and the products of the four are added up before they are brought back. See conv_winograd.h for the idea; here the
// points are
// +-1/2, +-5/4 and infinity, for which the error is near that of the plain sums.
#pragma once
#include "cpu/conv_winograd.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {
namespace strided {

constexpr int kPatch = 5, kPoints = 25, kTaps = 16;
constexpr float kA = 0.5f, kB = 1.25f;
constexpr float kA2 = kA * kA, kB2 = kB * kB;
// One by the product of a point's distances to the others.
constexpr float kAtA = 1 / (2 * kA * (kA2 - kB2)), kAtB = 1 / (2 * kB * (kB2 - kA2));

// Five neighbouring inputs to values at the points.
THALWEG_INLINE void inputPoints(const V* d, int step, V* to, int toStep) {
  const V d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step];
  const V evenA = d3 - kB2 * d1, oddA = kA * (d2 - kB2 * d0);
  const V evenB = d3 - kA2 * d1, oddB = kB * (d2 - kA2 * d0);
  to[0] = evenA + oddA;
  to[toStep] = evenA - oddA;
  to[2 * toStep] = evenB + oddB;
  to[3 * toStep] = evenB - oddB;
  to[4 * toStep] = d[4 * step] - (kA2 + kB2) * d2 + (kA2 * kB2) * d0;
}

// Values at the points to four neighbouring results.
THALWEG_INLINE void outputPoints(const V* m, int step, V* to, int toStep) {
  const V sumA = m[0] + m[step], differenceA = m[0] - m[step];
  const V sumB = m[2 * step] + m[3 * step], differenceB = m[2 * step] - m[3 * step];
  to[0] = sumA + sumB;
  to[toStep] = kA * differenceA + kB * differenceB;
  to[2 * toStep] = kA2 * sumA + kB2 * sumB;
  to[3 * toStep] = (kA2 * kA) * differenceA + (kB2 * kB) * differenceB + m[4 * step];
}

// The transpose of that.
THALWEG_INLINE void gradientPoints(const V* g, int step, V* to, int toStep) {
  const V g0 = g[0], g1 = g[step], g2 = g[2 * step], g3 = g[3 * step];
  const V evenA = g0 + kA2 * g2, oddA = kA * g1 + (kA2 * kA) * g3;
  const V evenB = g0 + kB2 * g2, oddB = kB * g1 + (kB2 * kB) * g3;
  to[0] = evenA + oddA;
  to[toStep] = evenA - oddA;
  to[2 * toStep] = evenB + oddB;
  to[3 * toStep] = evenB - oddB;
  to[4 * toStep] = g3;
}

// Two taps to values at the points.
THALWEG_INLINE void weightPoints(const V* w, int step, V* to, int toStep) {
  const V w0 = w[0], w1 = w[step];
  to[0] = kAtA * w0 + (kAtA * kA) * w1;
  to[toStep] = (kAtA * kA) * w1 - kAtA * w0;
  to[2 * toStep] = kAtB * w0 + (kAtB * kB) * w1;
  to[3 * toStep] = (kAtB * kB) * w1 - kAtB * w0;
  to[4 * toStep] = w1;
}

// The transpose of that.
THALWEG_INLINE void weightGradientPoints(const V* s, int step, V* to, int toStep) {
  to[0] = kAtA * (s[0] - s[step]) + kAtB * (s[2 * step] - s[3 * step]);
  to[toStep] = (kAtA * kA) * (s[0] + s[step]) + (kAtB * kB) * (s[2 * step] + s[3 * step]) + s[4 * step];
}

// The tiles of one grid of results, and a channels-last image that they read or write: element (i, j) of a tile that
// begins at result (y, x) is position ((y + i) step + low, (x + j) step + low).
struct Tiles {
  int64_t height, width, channels;  // of an image
  int64_t step, low[2];
  int64_t down, across, perImage, all;
  Tiles(const Correlation& c, const Grid& grid, int64_t channels, const int64_t* size, int64_t step, int64_t lowY,
        int64_t lowX)
      : height(size[1]), width(size[2]), channels(channels), step(step), low{lowY, lowX} {
    down = divideUp(grid.line[1].count, kTile);
    across = divideUp(grid.line[2].count, kTile);
    perImage = down * across;
    all = c.images * perImage;
  }
  // The places of one tile's `side` x `side` elements, or `outside`.
  template <class T>
  THALWEG_INLINE void find(T* data, int64_t tile, int side, T* outside, T** to) const {
    const int64_t image = tile / perImage, r = tile % perImage;
    const int64_t y0 = r / across * kTile * step + low[0], x0 = r % across * kTile * step + low[1];
    for (int i = 0; i < side; i++)
      for (int j = 0; j < side; j++) {
        const int64_t y = y0 + i * step, x = x0 + j * step;
        const bool inside = y >= 0 && y < height && x >= 0 && x < width;
        to[i * side + j] = inside ? data + ((image * height + y) * width + x) * channels : outside;
      }
  }
};

struct Points {
  static constexpr int kPatch = 5;
  THALWEG_INLINE static void input(const V* d, int step, V* to, int toStep) { inputPoints(d, step, to, toStep); }
  THALWEG_INLINE static void gradient(const V* g, int step, V* to, int toStep) { gradientPoints(g, step, to, toStep); }
};
static_assert(Points::kPatch == kPatch && kPatch * kPatch == kPoints);

// Results outside the image are left out.
__attribute__((noinline)) inline void transformOutput(const Tiles& tiles, const float* from, int64_t plane,
                                                      int64_t tile, const float* bias, float* out) {
  constexpr int L = lanes<float>;
  float* places[kTile * kTile];
  tiles.find<float>(out, tile, kTile, nullptr, places);
  for (int64_t c = 0; c < tiles.channels; c += L) {
    V half[kTile * kPatch], result[kTile * kTile];
    THALWEG_UNROLL for (int j = 0; j < kPatch; j++) {
      V m[kPatch];
      THALWEG_UNROLL for (int i = 0; i < kPatch; i++) m[i] = load(from + (i * kPatch + j) * plane + c);
      outputPoints(m, 1, half + j, kPatch);
    }
    const V b = load(bias + c);
    THALWEG_UNROLL for (int i = 0; i < kTile; i++) outputPoints(half + i * kPatch, 1, result + i * kTile, 1);
    THALWEG_UNROLL for (int i = 0; i < kTile * kTile; i++) {
      if (places[i] != nullptr) store(places[i] + c, result[i] + b);
    }
  }
}

// The parts of the input that a grid of results reads: every `step`-th position in both dimensions, from each of the
// first ones. A convolution has four of them and one grid, its transpose one and four grids.
struct Phases {
  int64_t step, count, depth;  // depth: input channels of all phases
  explicit Phases(const Correlation& c) : step(c.step[1]), count(step * step), depth(count * c.cin) {}
  int64_t row(int64_t phase) const { return phase / step; }
  int64_t column(int64_t phase) const { return phase % step; }
  // The number of tap (i, j) of a phase among those of its grid.
  int64_t tap(int64_t phase, int64_t i, int64_t j) const {
    return (i * step + row(phase)) * 2 * step + j * step + column(phase);
  }
  Tiles tiles(const Correlation& c, const Grid& grid, int64_t phase) const {
    return Tiles(c, grid, c.cin, c.in, step, grid.line[1].position + row(phase), grid.line[2].position + column(phase));
  }
};

// True where the fewer products outweigh the transforms: enough channels, whole vectors of them, tiles that are mostly
// used, and enough tiles for the larger weights.
inline bool suits(const Correlation& c) {
  if (c.groups != 1 || c.lineCount[0] != 1 || c.lines[0][0].count != 1 || c.in[0] != 1 || c.lines[0][0].taps != 1)
    return false;
  if (c.lines[0][0].position != 0 || c.cin % 16 != 0 || c.cout % 16 != 0 || c.cin < 32 || c.cout < 32) return false;
  for (int d = 1; d < 3; d++) {
    if (c.kernel[d] != 4 || c.step[d] != c.step[1] || c.step[d] * c.outStep[d] != 2) return false;
    if (c.lineCount[d] != c.outStep[d]) return false;
    for (int64_t i = 0; i < c.lineCount[d]; i++) {
      const GridLine& line = c.lines[d][i];
      if (line.taps != 2 * c.step[d] || line.distance != 1 || line.count == 0) return false;
      if (line.position < -2 * kPatch || line.position > c.in[d]) return false;
    }
  }
  const int64_t down = divideUp(c.lines[1][0].count, kTile), across = divideUp(c.lines[2][0].count, kTile);
  const double used = static_cast<double>(c.positions()) / static_cast<double>(down * across * kTile * kTile);
  return used >= 0.6 && static_cast<double>(c.images) * static_cast<double>(down * across) >= 96;
}

// For each grid, point, panel, phase and input channel a row, from the rows that packWeights has made for each tap.
inline void transformWeights(Context& ctx, const Correlation& c, const Phases& phases, const Panels<float>& panels,
                             const float* packed, float* to) {
  constexpr int L = lanes<float>;
  const int64_t plane = phases.depth * c.cout, perGrid = panels.count * phases.depth;
  parallelFor(ctx.pool, c.grids() * perGrid, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t grid = i / perGrid, panel = i / phases.depth % panels.count, row = i % phases.depth;
      const int64_t phase = row / c.cin, channel = row % c.cin, width = panels.width(panel) * L;
      const float* from = packed + packedAt(c, panels, c.grid(grid), 0, panel) + channel * width;
      float* target = to + grid * kPoints * plane + panels.first(panel) * phases.depth + row * width;
      for (int64_t o = 0; o < width; o += L) {
        V taps[4], columns[2 * kPatch], points[kPatch];
        THALWEG_UNROLL for (int t = 0; t < 4; t++) {
          taps[t] = load(from + phases.tap(phase, t / 2, t % 2) * c.cin * width + o);
        }
        THALWEG_UNROLL for (int j = 0; j < 2; j++) weightPoints(taps + j, 2, columns + j, 2);
        THALWEG_UNROLL for (int p = 0; p < kPatch; p++) {
          weightPoints(columns + p * 2, 1, points, 1);
          THALWEG_UNROLL for (int j = 0; j < kPatch; j++) store(target + (p * kPatch + j) * plane + o, points[j]);
        }
      }
    }
  });
}

// Tiles that are transformed at once. Weights are read once for each batch.
inline int64_t tilesAtOnce(int64_t depth, int64_t cout, int64_t low, int64_t high) {
  return std::min(high, std::max(low, roundUp(depth * cout / (depth + cout), 24)));
}

inline void correlate(Context& ctx, const Correlation& c, const Images<const float>& x, const float* weight,
                      const float* bias, float* out) {
  const Phases phases(c);
  const Panels<float> panels(c.cout);
  const Packed<float> packed = packWeights(ctx, c, panels, weight, bias);
  const int64_t weightPlane = phases.depth * c.cout;
  float* points = convScratch<float>(kSlotSums, c.grids() * kPoints * weightPlane);
  transformWeights(ctx, c, phases, panels, packed.weights, points);
  const float* input = asChannelsLast(ctx, x, c.images, c.cin, c.in[1] * c.in[2], kSlotShared);

  // What all batches share: zeros, places in a batch, and the pieces of the inner dimension.
  const int64_t batch = tilesAtOnce(phases.depth, c.cout, 48, 192);
  const int64_t widest = std::max(c.cin, c.cout) + kPanelVectors * lanes<float>;
  float* zeros = convScratch<float>(kSlotProducts, widest);
  for (int64_t i = 0; i < widest; i++) zeros[i] = 0;
  constexpr int64_t most = kProductBytes / static_cast<int64_t>(sizeof(float));
  const int64_t segmentCount = divideUp(phases.depth, most);
  Segment* segments = convScratch<Segment>(kSlotSegments, segmentCount);
  for (int64_t s = 0; s < segmentCount; s++) {
    const int64_t begin = phases.depth * s / segmentCount;
    segments[s] = {begin, phases.depth * (s + 1) / segmentCount - begin};
  }
  int64_t* places = convScratch<int64_t>(kSlotTable, 2 * batch);
  for (int64_t t = 0; t < batch; t++) {
    places[t] = t * phases.depth;
    places[batch + t] = t * c.cout;
  }

  const int64_t inputPlane = batch * phases.depth + kPlanePadding, productPlane = batch * c.cout + kPlanePadding;
  const int64_t batches = divideUp(phases.tiles(c, c.grid(0), 0).all, batch), tasks = c.grids() * batches;
  // Few batches one after the other, with all threads on each; many side by side.
  parallelFor(ctx.pool, tasks, tasks < kWantedTasks ? tasks : 1, [&](int64_t firstTask, int64_t lastTask) {
    float* transformed = convScratch<float>(kSlotWindow, kPoints * (inputPlane + productPlane));
    float* products = transformed + kPoints * inputPlane;
    for (int64_t task = firstTask; task < lastTask; task++) {
      const int64_t index = task % c.grids(), first = task / c.grids() * batch;
      const Grid grid = c.grid(index);
      const Tiles to(c, grid, c.cout, c.out, c.outStep[1], grid.line[1].first, grid.line[2].first);
      if (first >= to.all) continue;
      const int64_t count = std::min(batch, to.all - first);
      parallelFor(ctx.pool, count * phases.count, 4 * phases.count, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
          const int64_t t = i / phases.count, phase = i % phases.count;
          transformInput<Points>(phases.tiles(c, grid, phase), input, first + t, zeros,
                                 transformed + t * phases.depth + phase * c.cin, inputPlane);
        }
      });
      parallelFor(ctx.pool, kPoints * panels.count, panels.count, [&](int64_t begin, int64_t end) {
        for (int64_t unit = begin; unit < end; unit++) {
          const int64_t q = unit / panels.count, p = unit % panels.count;
          const int width = panels.width(p);
          Reads<float> reads;
          reads.count = count;
          reads.in = places;
          reads.out = places + batch;
          const float* rows = points + (index * kPoints + q) * weightPlane + panels.first(p) * phases.depth;
          for (int64_t s = 0; s < segmentCount; s++)
            withVectors(width, [&](auto vectors) {
              productPanel<float, vectors.value>(reads, segments + s, 1, transformed + q * inputPlane,
                                                 rows + segments[s].offset * width * lanes<float>, zeros,
                                                 products + q * productPlane + panels.first(p), panels.valid(p), s > 0);
            });
        }
      });
      parallelFor(ctx.pool, count, 4, [&](int64_t begin, int64_t end) {
        for (int64_t t = begin; t < end; t++)
          transformOutput(to, products + t * c.cout, productPlane, first + t, packed.bias, out);
      });
    }
  });
}

// out[o][channel][tap] from the sums, a row for each point, panel, phase and input channel.
inline void writeWeight(const Correlation& c, const Phases& phases, const Panels<float>& panels, const float* sums,
                        int64_t plane, int64_t padded, int64_t panel, int64_t channel, float* out) {
  constexpr int L = lanes<float>;
  const int width = panels.width(panel) * L;
  for (int v = 0; v < width; v += L) {
    V taps[kTaps];
    for (int64_t phase = 0; phase < phases.count; phase++) {
      const float* from = sums + panels.first(panel) * padded + (phase * c.cin + channel) * width + v;
      V half[2 * kPatch];
      THALWEG_UNROLL for (int j = 0; j < kPatch; j++) {
        V s[kPatch];
        THALWEG_UNROLL for (int p = 0; p < kPatch; p++) s[p] = load(from + (p * kPatch + j) * plane);
        weightGradientPoints(s, 1, half + j, kPatch);
      }
      for (int i = 0; i < 2; i++) {
        V pair[2];
        weightGradientPoints(half + i * kPatch, 1, pair, 1);
        for (int j = 0; j < 2; j++) taps[phases.tap(phase, i, j)] = pair[j];
      }
    }
    float* to = out + ((panels.first(panel) + v) * c.cin + channel) * kTaps;
    for (int k = 0; k < kTaps; k += L) {
      V square[L];
      for (int i = 0; i < L; i++) square[i] = taps[k + i];
      transposeSquare<float>(square);
      for (int o = 0; o < L; o++) store(to + o * c.cin * kTaps + k, square[o]);
    }
  }
}

inline void correlateWeight(Context& ctx, const Correlation& c, const Images<const float>& x,
                            const Images<const float>& g, float* out) {
  constexpr int L = lanes<float>;
  const Phases phases(c);
  const Panels<float> panels(c.cout);
  const int64_t depth = phases.depth;
  const float* input = asChannelsLast(ctx, x, c.images, c.cin, c.in[1] * c.in[2], kSlotShared);
  const float* gradient = asChannelsLast(ctx, g, c.images, c.cout, c.out[1] * c.out[2], kSlotWindow);
  const Grid grid = c.grid(0);
  const Tiles to(c, grid, c.cout, c.out, 1, 0, 0);
  const int64_t batch = tilesAtOnce(depth, c.cout, 96, 384);
  int64_t most = 0;
  for (int64_t p = 0; p < panels.count; p++) most = std::max<int64_t>(most, kTilePositions[panels.width(p)]);
  const int64_t padded = depth + most;  // rows of the sums; the last tile may be partial
  const int64_t plane = padded * c.cout + kPlanePadding;
  float* sums = convScratch<float>(kSlotSums, kPoints * plane);
  std::memset(sums, 0, static_cast<size_t>(kPoints * plane) * sizeof(float));
  const int64_t widest = std::max(c.cin, c.cout);
  float* zeros = convScratch<float>(kSlotProducts, widest);
  for (int64_t i = 0; i < widest; i++) zeros[i] = 0;
  int64_t* places = convScratch<int64_t>(kSlotTable, batch + padded);
  int64_t* rows = places + batch;
  for (int64_t t = 0; t < batch; t++) places[t] = t * depth;
  for (int64_t r = 0; r < padded; r++) rows[r] = std::min(r, depth - 1);
  const int64_t inputPlane = batch * depth + kPlanePadding, gradientPlane = batch * c.cout + kPlanePadding;
  float* transformed = convScratch<float>(kSlotPacked, kPoints * (inputPlane + gradientPlane));
  float* gradients = transformed + kPoints * inputPlane;
  for (int64_t first = 0; first < to.all; first += batch) {
    const int64_t count = std::min(batch, to.all - first);
    parallelFor(ctx.pool, count, 4, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; t++) {
        for (int64_t phase = 0; phase < phases.count; phase++)
          transformInput<Points>(phases.tiles(c, grid, phase), input, first + t, zeros,
                                 transformed + t * depth + phase * c.cin, inputPlane);
        // In panels, so that the products read without gaps.
        transformGradient<Points>(to, gradient, first + t, zeros, gradients, gradientPlane, [&](int64_t o) {
          int64_t p = 0;
          while (p + 1 < panels.count && panels.first(p + 1) <= o) p++;
          return panels.first(p) * batch + t * panels.width(p) * L + o - panels.first(p);
        });
      }
    });
    parallelFor(ctx.pool, kPoints * panels.count, panels.count, [&](int64_t begin, int64_t end) {
      for (int64_t unit = begin; unit < end; unit++) {
        const int64_t q = unit / panels.count, p = unit % panels.count;
        withVectors(panels.width(p), [&](auto vectors) {
          constexpr int NV = vectors.value, MR = kTilePositions[NV], width = NV * L;
          const float* from = gradients + q * gradientPlane + panels.first(p) * batch;
          for (int64_t r = 0; r < depth; r += MR) {
            float* at = sums + q * plane + panels.first(p) * padded + r * width;
            if (depth - r <= MR / 2) {
              outerTile<float, (MR + 1) / 2, NV>(count, places, transformed + q * inputPlane, rows + r, from, width, at,
                                                 width);
            } else {
              outerTile<float, MR, NV>(count, places, transformed + q * inputPlane, rows + r, from, width, at, width);
            }
          }
        });
      }
    });
  }
  parallelFor(ctx.pool, panels.count * c.cin, 4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
      writeWeight(c, phases, panels, sums, plane, padded, i % panels.count, i / panels.count, out);
  });
}

}  // namespace strided
}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
