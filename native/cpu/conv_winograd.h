// Winograd's convolution of 3x3 kernels, F(4x4, 3x3): a tile of 4x4 results is 36 products instead of 144, between
// transforms that are additions and products with constants.
//
// A tile and a kernel are seen as polynomials, evaluated at the points 0, +-a, +-b and infinity (the transforms of the
// input and of the weight), multiplied there, and brought back (the transform of the output). The usual points are 1
// and 2; 2/3 and 3/2 keep all constants near 1, which halves the error. The gradient of the weight is the same bilinear
// map read in another direction: inputs as here, gradients through the output's transform turned around, the sums
// through the weight's.
#pragma once
#include "cpu/conv_transform.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int kPatch = 6, kPoints = 36;
constexpr float kA = 2.0f / 3, kB = 1.5f;
constexpr float kA2 = kA * kA, kB2 = kB * kB, kBoth = kA2 + kB2;  // a b = 1

// Six neighbouring inputs to values at the points.
THALWEG_INLINE void inputPoints(const V* d, int step, V* to, int toStep) {
  const V d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step];
  const V evenA = d4 - kB2 * d2, oddA = kA * (d3 - kB2 * d1);
  const V evenB = d4 - kA2 * d2, oddB = kB * (d3 - kA2 * d1);
  to[0] = d[0] - kBoth * d2 + d4;
  to[toStep] = evenA + oddA;
  to[2 * toStep] = evenA - oddA;
  to[3 * toStep] = evenB + oddB;
  to[4 * toStep] = evenB - oddB;
  to[5 * toStep] = d1 - kBoth * d3 + d[5 * step];
}

// Values at the points to four neighbouring results.
THALWEG_INLINE void outputPoints(const V* m, int step, V* to, int toStep) {
  const V sumA = m[step] + m[2 * step], differenceA = m[step] - m[2 * step];
  const V sumB = m[3 * step] + m[4 * step], differenceB = m[3 * step] - m[4 * step];
  to[0] = m[0] + sumA + sumB;
  to[toStep] = kA * differenceA + kB * differenceB;
  to[2 * toStep] = kA2 * sumA + kB2 * sumB;
  to[3 * toStep] = (kA2 * kA) * differenceA + (kB2 * kB) * differenceB + m[5 * step];
}

// The transpose of that.
THALWEG_INLINE void gradientPoints(const V* g, int step, V* to, int toStep) {
  const V g0 = g[0], g1 = g[step], g2 = g[2 * step], g3 = g[3 * step];
  const V evenA = g0 + kA2 * g2, oddA = kA * g1 + (kA2 * kA) * g3;
  const V evenB = g0 + kB2 * g2, oddB = kB * g1 + (kB2 * kB) * g3;
  to[0] = g0;
  to[toStep] = evenA + oddA;
  to[2 * toStep] = evenA - oddA;
  to[3 * toStep] = evenB + oddB;
  to[4 * toStep] = evenB - oddB;
  to[5 * toStep] = g3;
}

// Three taps to values at the points, divided by the product of each point's distances to the others.
constexpr float kAtA = 1 / (2 * kA2 * (kA2 - kB2)), kAtB = 1 / (2 * kB2 * (kB2 - kA2));
THALWEG_INLINE void weightPoints(const V* w, int step, V* to, int toStep) {
  const V w0 = w[0], w1 = w[step], w2 = w[2 * step];
  const V evenA = kAtA * (w0 + kA2 * w2), oddA = (kAtA * kA) * w1;
  const V evenB = kAtB * (w0 + kB2 * w2), oddB = (kAtB * kB) * w1;
  to[0] = w0;
  to[toStep] = evenA + oddA;
  to[2 * toStep] = evenA - oddA;
  to[3 * toStep] = evenB + oddB;
  to[4 * toStep] = evenB - oddB;
  to[5 * toStep] = w2;
}

// The transpose of that.
THALWEG_INLINE void weightGradientPoints(const V* s, int step, V* to, int toStep) {
  const V sumA = kAtA * (s[step] + s[2 * step]), differenceA = s[step] - s[2 * step];
  const V sumB = kAtB * (s[3 * step] + s[4 * step]), differenceB = s[3 * step] - s[4 * step];
  to[0] = s[0] + sumA + sumB;
  to[toStep] = (kAtA * kA) * differenceA + (kAtB * kB) * differenceB;
  to[2 * toStep] = kA2 * sumA + kB2 * sumB + s[5 * step];
}

// Channels-last images in tiles.
struct Tiles {
  int64_t height, width, channels;      // of an image
  int64_t low[2];                       // where the first tile begins
  int64_t down, across, perImage, all;  // of the grid of tiles
  Tiles(const Correlation& c, int64_t channels, const int64_t* size, int64_t lowY, int64_t lowX)
      : height(size[1]), width(size[2]), channels(channels), low{lowY, lowX} {
    down = divideUp(c.lines[1][0].count, kTile);
    across = divideUp(c.lines[2][0].count, kTile);
    perImage = down * across;
    all = c.images * perImage;
  }
  // The places of one tile's `side` x `side` elements, or `outside`.
  THALWEG_INLINE void find(const float* data, int64_t tile, int side, const float* outside, const float** to) const {
    const int64_t image = tile / perImage, r = tile % perImage;
    const int64_t y0 = r / across * kTile + low[0], x0 = r % across * kTile + low[1];
    for (int i = 0; i < side; i++)
      for (int j = 0; j < side; j++) {
        const int64_t y = y0 + i, x = x0 + j;
        const bool inside = y >= 0 && y < height && x >= 0 && x < width;
        to[i * side + j] = inside ? data + ((image * height + y) * width + x) * channels : outside;
      }
  }
};

// The planes of the points are apart by a little more than their size, lest all of them fall into the same cache sets.
constexpr int64_t kPlanePadding = 16;

struct Points {
  static constexpr int kPatch = 6;
  THALWEG_INLINE static void input(const V* d, int step, V* to, int toStep) { inputPoints(d, step, to, toStep); }
  THALWEG_INLINE static void gradient(const V* g, int step, V* to, int toStep) { gradientPoints(g, step, to, toStep); }
};
static_assert(Points::kPatch == kPatch && kPatch * kPatch == kPoints);

__attribute__((noinline)) inline void transformOutput(const Tiles& tiles, const float* from, int64_t plane,
                                                      int64_t tile, const float* bias, float* out) {
  constexpr int L = lanes<float>;
  const int64_t image = tile / tiles.perImage, r = tile % tiles.perImage;
  const int64_t y0 = r / tiles.across * kTile, x0 = r % tiles.across * kTile;
  const int64_t rows = std::min<int64_t>(kTile, tiles.height - y0),
                columns = std::min<int64_t>(kTile, tiles.width - x0);
  float* corner = out + ((image * tiles.height + y0) * tiles.width + x0) * tiles.channels;
  for (int64_t c = 0; c < tiles.channels; c += L) {
    V half[kTile * kPatch], result[kTile * kTile];
    THALWEG_UNROLL for (int j = 0; j < kPatch; j++) {
      V m[kPatch];
      THALWEG_UNROLL for (int i = 0; i < kPatch; i++) m[i] = load(from + (i * kPatch + j) * plane + c);
      outputPoints(m, 1, half + j, kPatch);
    }
    const V b = load(bias + c);
    THALWEG_UNROLL for (int i = 0; i < kTile; i++) outputPoints(half + i * kPatch, 1, result + i * kTile, 1);
    if (rows == kTile && columns == kTile) {
      THALWEG_UNROLL for (int i = 0; i < kTile; i++) THALWEG_UNROLL for (int j = 0; j < kTile; j++) {
        store(corner + (i * tiles.width + j) * tiles.channels + c, result[i * kTile + j] + b);
      }
    } else {
      for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
          store(corner + (i * tiles.width + j) * tiles.channels + c, result[i * kTile + j] + b);
    }
  }
}

// True where the fewer products outweigh the transforms: enough channels, whole vectors of them, tiles that are mostly
// used, and enough tiles for the larger weights.
inline bool winogradSuits(const Correlation& c) {
  if (c.groups != 1 || c.grids() != 1 || c.lines[0][0].count != 1 || c.in[0] != 1) return false;
  const GridLine& z = c.lines[0][0];
  if (z.taps != 1 || z.position != 0 || c.cin % 16 != 0 || c.cout % 16 != 0 || c.cin < 32 || c.cout < 32) return false;
  for (int d = 1; d < 3; d++) {
    const GridLine& line = c.lines[d][0];
    if (c.step[d] != 1 || line.taps != 3 || line.distance != 1) return false;
    if (line.position < -kPatch || line.position > c.in[d]) return false;
  }
  const int64_t down = divideUp(c.lines[1][0].count, kTile), across = divideUp(c.lines[2][0].count, kTile);
  const double used = static_cast<double>(c.positions()) / static_cast<double>(down * across * kTile * kTile);
  return used >= 0.6 && static_cast<double>(c.images) * static_cast<double>(down * across) >= 96;
}

// For each point, panel and input channel a row, from the rows that packWeights has made for each tap.
inline void transformWeights(Context& ctx, const Correlation& c, const Panels<float>& panels, const float* packed,
                             float* to) {
  constexpr int L = lanes<float>;
  const int64_t plane = c.cin * c.cout;
  parallelFor(ctx.pool, panels.count * c.cin, 8, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t panel = i / c.cin, channel = i % c.cin, width = panels.width(panel) * L;
      const float* from = packed + panels.first(panel) * 9 * c.cin + channel * width;
      float* target = to + panels.first(panel) * c.cin + channel * width;
      for (int64_t o = 0; o < width; o += L) {
        V taps[9], columns[18], row[kPatch];
        THALWEG_UNROLL for (int t = 0; t < 9; t++) taps[t] = load(from + t * c.cin * width + o);
        THALWEG_UNROLL for (int j = 0; j < 3; j++) weightPoints(taps + j, 3, columns + j, 3);
        THALWEG_UNROLL for (int p = 0; p < kPatch; p++) {
          weightPoints(columns + p * 3, 1, row, 1);
          THALWEG_UNROLL for (int j = 0; j < kPatch; j++) store(target + (p * kPatch + j) * plane + o, row[j]);
        }
      }
    }
  });
}

// Tiles that are transformed at once. Weights are read once for each batch.
inline int64_t tilesAtOnce(const Correlation& c, int64_t low, int64_t high) {
  const int64_t balanced = c.cin * c.cout / (c.cin + c.cout);
  return std::min(high, std::max(low, roundUp(balanced, 24)));
}

inline void winogradCorrelate(Context& ctx, const Correlation& c, const Images<const float>& x, const float* weight,
                              const float* bias, float* out) {
  const Panels<float> panels(c.cout);
  const Packed<float> packed = packWeights(ctx, c, panels, weight, bias);
  const int64_t weightPlane = c.cin * c.cout;
  float* points = convScratch<float>(kSlotSums, kPoints * weightPlane);
  transformWeights(ctx, c, panels, packed.weights, points);
  const float* input = asChannelsLast(ctx, x, c.images, c.cin, c.in[1] * c.in[2], kSlotShared);
  const Tiles from(c, c.cin, c.in, c.lines[1][0].position, c.lines[2][0].position);
  const Tiles to(c, c.cout, c.out, 0, 0);

  // What all batches share: zeros, places in a batch, and the pieces of the input channels.
  const int64_t batch = tilesAtOnce(c, 48, 192), batches = divideUp(from.all, batch);
  const int64_t widest = std::max(c.cin, c.cout) + kPanelVectors * lanes<float>;
  float* zeros = convScratch<float>(kSlotProducts, widest);
  for (int64_t i = 0; i < widest; i++) zeros[i] = 0;
  constexpr int64_t most = kProductBytes / static_cast<int64_t>(sizeof(float));
  const int64_t segmentCount = divideUp(c.cin, most);
  Segment* segments = convScratch<Segment>(kSlotSegments, segmentCount);
  for (int64_t s = 0; s < segmentCount; s++) {
    const int64_t begin = c.cin * s / segmentCount;
    segments[s] = {begin, c.cin * (s + 1) / segmentCount - begin};
  }
  int64_t* places = convScratch<int64_t>(kSlotTable, 2 * batch);
  for (int64_t t = 0; t < batch; t++) {
    places[t] = t * c.cin;
    places[batch + t] = t * c.cout;
  }

  const int64_t inputPlane = batch * c.cin + kPlanePadding, productPlane = batch * c.cout + kPlanePadding;
  // Few batches one after the other, with all threads on each; many side by side.
  parallelFor(ctx.pool, batches, batches < kWantedTasks ? batches : 1, [&](int64_t firstBatch, int64_t lastBatch) {
    float* transformed = convScratch<float>(kSlotWindow, kPoints * (inputPlane + productPlane));
    float* products = transformed + kPoints * inputPlane;
    for (int64_t b = firstBatch; b < lastBatch; b++) {
      const int64_t first = b * batch, count = std::min(batch, from.all - first);
      parallelFor(ctx.pool, count, 4, [&](int64_t begin, int64_t end) {
        for (int64_t t = begin; t < end; t++)
          transformInput<Points>(from, input, first + t, zeros, transformed + t * c.cin, inputPlane);
      });
      parallelFor(ctx.pool, kPoints * panels.count, panels.count, [&](int64_t begin, int64_t end) {
        for (int64_t unit = begin; unit < end; unit++) {
          const int64_t q = unit / panels.count, p = unit % panels.count;
          const int width = panels.width(p);
          Reads<float> reads;
          reads.count = count;
          reads.in = places;
          reads.out = places + batch;
          const float* rows = points + q * weightPlane + panels.first(p) * c.cin;
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

// out[o][channel][tap] from the sums, a row for each point, panel and input channel.
inline void writeWinogradWeight(const Correlation& c, const Panels<float>& panels, const float* sums, int64_t plane,
                                int64_t padded, int64_t panel, int64_t channel, float* out) {
  constexpr int L = lanes<float>;
  const int width = panels.width(panel) * L;
  for (int v = 0; v < width; v += L) {
    V taps[9 * L];
    for (int i = 0; i < L; i++) {
      const float* from = sums + panels.first(panel) * padded + (channel + i) * width + v;
      V half[18];
      THALWEG_UNROLL for (int j = 0; j < kPatch; j++) {
        V s[kPatch];
        THALWEG_UNROLL for (int p = 0; p < kPatch; p++) s[p] = load(from + (p * kPatch + j) * plane);
        weightGradientPoints(s, 1, half + j, kPatch);
      }
      THALWEG_UNROLL for (int p = 0; p < 3; p++) weightGradientPoints(half + p * kPatch, 1, taps + 9 * i + 3 * p, 1);
    }
    float* to = out + (panels.first(panel) + v) * c.cin * 9 + channel * 9;
    for (int k = 0; k < 9 * L; k += L) {
      V square[L];
      for (int i = 0; i < L; i++) square[i] = taps[k + i];
      transposeSquare<float>(square);
      for (int o = 0; o < L; o++) store(to + o * c.cin * 9 + k, square[o]);
    }
  }
}

inline void winogradWeight(Context& ctx, const Correlation& c, const Images<const float>& x,
                           const Images<const float>& g, float* out) {
  constexpr int L = lanes<float>;
  const Panels<float> panels(c.cout);
  const float* input = asChannelsLast(ctx, x, c.images, c.cin, c.in[1] * c.in[2], kSlotShared);
  const float* gradient = asChannelsLast(ctx, g, c.images, c.cout, c.out[1] * c.out[2], kSlotWindow);
  const Tiles from(c, c.cin, c.in, c.lines[1][0].position, c.lines[2][0].position);
  const Tiles to(c, c.cout, c.out, 0, 0);
  const int64_t batch = tilesAtOnce(c, 24, 384);
  int64_t most = 0;
  for (int64_t p = 0; p < panels.count; p++) most = std::max<int64_t>(most, kTilePositions[panels.width(p)]);
  const int64_t padded = c.cin + most;  // rows of the sums; the last tile may be partial
  const int64_t plane = padded * c.cout + kPlanePadding;
  float* sums = convScratch<float>(kSlotSums, kPoints * plane);
  std::memset(sums, 0, static_cast<size_t>(kPoints * plane) * sizeof(float));
  float* zeros = convScratch<float>(kSlotProducts, std::max(c.cin, c.cout));
  for (int64_t i = 0; i < std::max(c.cin, c.cout); i++) zeros[i] = 0;
  int64_t* places = convScratch<int64_t>(kSlotTable, batch + padded);
  int64_t* rows = places + batch;
  for (int64_t t = 0; t < batch; t++) places[t] = t * c.cin;
  for (int64_t r = 0; r < padded; r++) rows[r] = std::min(r, c.cin - 1);
  const int64_t inputPlane = batch * c.cin + kPlanePadding, gradientPlane = batch * c.cout + kPlanePadding;
  float* transformed = convScratch<float>(kSlotPacked, kPoints * (inputPlane + gradientPlane));
  float* gradients = transformed + kPoints * inputPlane;
  for (int64_t first = 0; first < from.all; first += batch) {
    const int64_t count = std::min(batch, from.all - first);
    parallelFor(ctx.pool, count, 4, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; t++) {
        transformInput<Points>(from, input, first + t, zeros, transformed + t * c.cin, inputPlane);
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
          for (int64_t r = 0; r < c.cin; r += MR) {
            const float* from = gradients + q * gradientPlane + panels.first(p) * batch;
            float* at = sums + q * plane + panels.first(p) * padded + r * width;
            if (c.cin - r <= MR / 2) {
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
  parallelFor(ctx.pool, panels.count * (c.cin / L), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
      writeWinogradWeight(c, panels, sums, plane, padded, i % panels.count, i / panels.count * L, out);
  });
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
