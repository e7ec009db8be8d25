// What a convolution and its transpose have in common: results on a grid of positions, each a sum over taps that read
// the input at a distance from the position. A convolution is one such grid. The transpose with a stride is several,
// interleaved: the results whose places have the same remainder modulo the stride use the same taps, and each of them
// is a convolution of stride 1.
#pragma once
#include "cpu/conv_shape.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Slots of threadScratch of a convolution. The first belong to the thread that runs the kernel and are read by all, the
// others to each thread that works on a task.
constexpr int kSlotPacked = 0, kSlotShared = 1, kSlotSums = 2, kSlotLines = 3;
constexpr int kSlotWindow = 4, kSlotTable = 5, kSlotSegments = 6, kSlotProducts = 7;

// The results along one dimension that use the same taps: places first, first + outStep, ... Result j reads the input
// at j * step + position + t * distance, with the weights of tap kernel + t * kernelStep.
struct GridLine {
  int64_t first = 0, count = 1;
  int64_t taps = 0, position = 0, distance = 1, kernel = 0, kernelStep = 1;
  int64_t tapsBefore = 0;  // of the lines before this one
  int64_t low(int64_t j, int64_t step) const { return j * step + position; }
  int64_t high(int64_t j, int64_t step) const { return low(j, step) + (taps - 1) * distance; }
};

struct Grid {
  GridLine line[3];
  int64_t taps() const { return line[0].taps * line[1].taps * line[2].taps; }
};

struct Correlation {
  int64_t images = 0, groups = 1, cin = 0, cout = 0;  // channels of a group
  int64_t in[3], out[3], step[3], outStep[3];
  const GridLine* lines[3];  // lineCount[d] of them
  int64_t lineCount[3], lineTaps[3];
  int64_t kernel[3], taps = 0;
  int64_t weightOut = 0, weightIn = 0;  // steps of the weight from an output or input channel to the next

  int64_t grids() const { return lineCount[0] * lineCount[1] * lineCount[2]; }
  Grid grid(int64_t i) const {
    return {{lines[0][i / (lineCount[1] * lineCount[2])], lines[1][i / lineCount[2] % lineCount[1]],
             lines[2][i % lineCount[2]]}};
  }
  // Of the grids before this one.
  int64_t tapsBefore(const Grid& g) const {
    return g.line[0].tapsBefore * lineTaps[1] * lineTaps[2] +
           g.line[0].taps * (g.line[1].tapsBefore * lineTaps[2] + g.line[1].taps * g.line[2].tapsBefore);
  }
  int64_t usedTaps() const { return lineTaps[0] * lineTaps[1] * lineTaps[2]; }
  int64_t positions() const {
    int64_t most = 1;
    for (int d = 0; d < 3; d++) most *= lines[d][0].count;  // the first line is the longest
    return most;
  }
  double flops() const {
    return 2.0 * static_cast<double>(images) * static_cast<double>(groups * cout) *
           static_cast<double>(cin * usedTaps()) * static_cast<double>(positions());
  }
};

inline Correlation forwardCorrelation(const ConvShape& s) {
  Correlation c;
  c.images = s.images;
  c.groups = s.groups;
  c.cin = s.cin;
  c.cout = s.cout;
  c.taps = s.taps;
  c.weightOut = s.cin * s.taps;
  c.weightIn = s.taps;
  GridLine* lines = convScratch<GridLine>(kSlotLines, 3);
  for (int d = 0; d < 3; d++) {
    c.in[d] = s.in[d];
    c.out[d] = s.out[d];
    c.kernel[d] = s.kernel[d];
    c.step[d] = s.stride[d];
    c.outStep[d] = 1;
    lines[d] = {0, s.out[d], s.kernel[d], -s.padding[d], s.dilation[d], 0, 1, 0};
    c.lines[d] = lines + d;
    c.lineCount[d] = 1;
    c.lineTaps[d] = s.kernel[d];
  }
  return c;
}

inline int64_t greatestDivisor(int64_t a, int64_t b) {
  while (b != 0) {
    const int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

// Along a dimension.
constexpr int64_t kMostSingles = 16;

// From y, the input here, to x.
inline Correlation transposedCorrelation(const ConvShape& s) {
  Correlation c;
  c.images = s.images;
  c.groups = s.groups;
  c.cin = s.cout;
  c.cout = s.cin;
  c.taps = s.taps;
  c.weightOut = s.taps;
  c.weightIn = s.cin * s.taps;
  int64_t strides[3], total = 0;
  for (int d = 0; d < 3; d++) {
    // The stride of a single position is a matter of choice: one beyond all distances gives each result the tap that
    // meets the position, and no others. Not of too many results: each is a grid of its own.
    const int64_t reach = s.kernel[d] * s.dilation[d];
    const bool single = s.out[d] == 1 && s.in[d] > 1 && s.in[d] <= kMostSingles && reach <= kSizeLimit;
    strides[d] = single ? s.in[d] + s.padding[d] + reach : s.stride[d];
    total += std::min(strides[d], s.in[d]);
  }
  GridLine* lines = convScratch<GridLine>(kSlotLines, total);
  for (int d = 0; d < 3; d++) {
    const int64_t stride = strides[d], dilation = s.dilation[d], common = greatestDivisor(dilation, stride);
    c.in[d] = s.out[d];
    c.out[d] = s.in[d];
    c.kernel[d] = s.kernel[d];
    c.step[d] = 1;
    c.outStep[d] = stride;
    c.lines[d] = lines;
    c.lineCount[d] = std::min(stride, s.in[d]);
    c.lineTaps[d] = 0;
    for (int64_t r = 0; r < c.lineCount[d]; r++) {
      // Tap k of the convolution took x's place i to (i + padding - k dilation) / stride.
      const int64_t every = stride / common, start = r + s.padding[d];
      int64_t k = 0;
      while (k < s.kernel[d] && k < every && (start - k * dilation) % stride != 0) k++;
      GridLine line;
      line.first = r;
      line.count = (s.in[d] - r + stride - 1) / stride;
      line.taps = k < s.kernel[d] && k < every ? (s.kernel[d] - 1 - k) / every + 1 : 0;
      line.distance = dilation / common;
      line.kernel = k + (line.taps - 1) * every;
      line.kernelStep = -every;
      line.position = (start - line.kernel * dilation) / stride;
      line.tapsBefore = c.lineTaps[d];
      c.lineTaps[d] += line.taps;
      *lines++ = line;
    }
  }
  return c;
}

// Images, or parts of them along the first dimension that has several positions, that make a task.
struct Pieces {
  int axis = 2;
  int64_t positions = 1, perImage = 1, imagesEach = 1, count = 1;

  // `bytes` of input a piece, about; more than one image only if they are small.
  Pieces(const Correlation& c, int64_t elementSize, int64_t bytes, int64_t wanted) {
    axis = c.lines[0][0].count > 1 ? 0 : c.lines[1][0].count > 1 ? 1 : 2;
    const int64_t all = c.lines[axis][0].count;
    int64_t area = elementSize * c.cin * c.groups;
    for (int d = axis + 1; d < 3; d++) area *= c.in[d];
    const double line = static_cast<double>(area) * static_cast<double>(std::min(c.step[axis], c.in[axis]));
    const double fit = std::max(1.0, static_cast<double>(bytes) / line);
    if (fit >= 2.0 * static_cast<double>(all)) {
      positions = all;
      imagesEach = std::min(c.images, static_cast<int64_t>(std::min(fit / static_cast<double>(all), 1e9)));
      if (c.images / imagesEach < wanted) imagesEach = std::max<int64_t>(1, c.images / wanted);
    } else {
      perImage = divideUp(all, static_cast<int64_t>(std::min(fit, 1e9)));
    }
    if (imagesEach == 1 && c.images * perImage < wanted) perImage = std::min(all, divideUp(wanted, c.images));
    positions = divideUp(all, perImage);
    perImage = divideUp(all, positions);
    imagesEach = divideUp(c.images, divideUp(c.images, imagesEach));
    count = divideUp(c.images, imagesEach) * perImage;
  }
};

// A piece: images [image, image + images), positions [begin, end) along the axis.
struct Piece {
  int64_t image, images;
  int axis;
  int64_t begin, end;

  Piece(const Correlation& c, const Pieces& pieces, int64_t i) {
    image = i / pieces.perImage * pieces.imagesEach;
    images = std::min(pieces.imagesEach, c.images - image);
    axis = pieces.axis;
    begin = i % pieces.perImage * pieces.positions;
    end = begin + pieces.positions;
  }
  // The positions of a line in this piece, [from, to).
  int64_t from(int d, const GridLine& line) const { return d == axis ? std::min(begin, line.count) : 0; }
  int64_t to(int d, const GridLine& line) const { return d == axis ? std::min(end, line.count) : line.count; }
};

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
