// Convolutions as products of matrices, a[row, k] * b[k, column], of which a is never stored: its elements are read
// from images, at places that the row and k have a part in each. Two such maps: results at positions (a convolution and
// its transpose), and the gradient of weights.
#pragma once
#include "cuda/divide.h"
#include "operands/conv.h"

namespace thalweg::cuda {

// The part that a row or k has in a place of an image. The sum of two is a place if it is below the image's size along
// each dimension: one before the image wraps, and one far behind stays large. Offsets wrap where there is no place.
struct Place {
  uint64_t offset;
  uint32_t at[3];
};

__device__ inline uint32_t within(int64_t x, int64_t low, int64_t high) {
  return static_cast<uint32_t>(x < low ? low : x > high ? high : x);
}

// The results along one dimension that use the same taps: places first, first + every, ... Result j reads the input at
// j * step + position + t * distance, with the weights of tap kernel + t * kernelStep.
struct GridLine {
  int64_t first, every, count;
  int64_t step, taps, position, distance, kernel, kernelStep;
};

// A convolution is one grid of positions. The transpose with a stride is several, interleaved: the results whose places
// have the same remainder modulo the stride use the same taps, and each of them is a convolution of stride 1, whose
// taps go backwards.
struct CorrelationMap {
  int64_t images, groups, cin, cout;  // channels of a group, as this map reads and writes them
  int64_t in[3], out[3], kernel[3], stride[3], padding[3], dilation[3];
  bool transposed;
  int64_t lines[3];  // along each dimension
  ImageLayout from, to;
  int64_t weightOut, weightIn, weightTap, weightGroup;  // steps in the weights

  struct State {
    GridLine line[3];
  };

  __host__ __device__ int64_t grids() const { return lines[0] * lines[1] * lines[2]; }
  __host__ __device__ int64_t columns() const { return cout; }
  // Of the first line, which is the longest.
  int64_t mostRows() const {
    int64_t rows = images;
    for (int d = 0; d < 3; d++) rows *= transposed ? (out[d] + stride[d] - 1) / stride[d] : out[d];
    return rows;
  }
  int64_t mostDepth() const { return cin * kernel[0] * kernel[1] * kernel[2]; }

  __device__ void prepare(State& state, int64_t grid, int d) const {
    for (int k = 2; k > d; k--) grid /= lines[k];
    const int64_t r = grid % lines[d];
    GridLine line{0, 1, 1, 1, 0, 0, 1, 0, 1};
    if (!transposed) {
      line.count = out[d];
      line.step = stride[d];
      line.taps = kernel[d];
      line.position = -padding[d];
      line.distance = dilation[d];
    } else {
      // Tap k of the convolution took the place i of its input to (i + padding - k dilation) / stride.
      int64_t common = dilation[d], rest = stride[d];
      while (rest != 0) {
        const int64_t next = common % rest;
        common = rest;
        rest = next;
      }
      const int64_t every = stride[d] / common, start = r + padding[d];
      const int64_t most = kernel[d] < every ? kernel[d] : every;
      int64_t k = 0;
      while (k < most && (start - k * dilation[d]) % stride[d] != 0) k++;
      line.first = r;
      line.every = stride[d];
      line.count = (out[d] - r + stride[d] - 1) / stride[d];
      line.taps = k < most ? (kernel[d] - 1 - k) / every + 1 : 0;
      line.position = k < most ? (start - k * dilation[d]) / stride[d] : 0;
      line.distance = -(dilation[d] / common);
      line.kernel = k;
      line.kernelStep = every;
    }
    state.line[d] = line;
  }
  __device__ int64_t rows(const State& s) const { return images * s.line[0].count * s.line[1].count * s.line[2].count; }
  __device__ int64_t depth(const State& s) const { return cin * s.line[0].taps * s.line[1].taps * s.line[2].taps; }

  // A row is [image][position of the grid].
  __device__ Place place(const State& s, int64_t row) const {
    constexpr int64_t kFar = int64_t{1} << 30;
    Place place{};
    for (int d = 2; d >= 0; d--) {
      const int64_t at = takeOff(row, s.line[d].count) * s.line[d].step + s.line[d].position;
      place.offset += static_cast<uint64_t>(at) * static_cast<uint64_t>(from.at[d]);
      // Taps lead on by up to 2^32 - 2^30, or back by up to 2^31.
      place.at[d] = transposed ? within(at, -1, 2 * kFar - 1) : within(at, -kFar, kFar);
    }
    place.offset += static_cast<uint64_t>(row * from.image);
    return place;
  }
  // Of a row that does not exist: no step leads to a place.
  __device__ Place nowhere() const { return {0, {transposed ? ~0u : 1u << 30, 0, 0}}; }
  // k is [tap][channel], so that neighbouring k are neighbours in channels-last images.
  __device__ int64_t step(const State& s, int64_t k, Place& place) const {
    constexpr int64_t kFar = int64_t{1} << 30;
    const int64_t channel = takeOff(k, cin);
    int64_t tap[3], number = 0;
    place.offset = static_cast<uint64_t>(channel * from.channel);
    for (int d = 2; d >= 0; d--) {
      tap[d] = takeOff(k, s.line[d].taps);
      const int64_t at = tap[d] * s.line[d].distance;
      place.offset += static_cast<uint64_t>(at) * static_cast<uint64_t>(from.at[d]);
      place.at[d] = transposed ? within(at, -2 * kFar, 0) : within(at, 0, 5 * kFar / 2);
    }
    for (int d = 0; d < 3; d++) number = number * kernel[d] + s.line[d].kernel + tap[d] * s.line[d].kernelStep;
    return number * weightTap + channel * weightIn;
  }
  __device__ int64_t columnOfB(int64_t column) const { return column * weightOut; }
  __device__ int64_t rowOfResult(const State& s, int64_t row) const {
    int64_t offset = 0;
    for (int d = 2; d >= 0; d--)
      offset += (takeOff(row, s.line[d].count) * s.line[d].every + s.line[d].first) * to.at[d];
    return offset + row * to.image;
  }
  __host__ __device__ int64_t columnOfResult() const { return to.channel; }
  __device__ int64_t groupOfA(int64_t group) const { return group * cin * from.channel; }
  __device__ int64_t groupOfB(int64_t group) const { return group * weightGroup; }
  __device__ int64_t groupOfResult(int64_t group) const { return group * cout * to.channel; }
};

// The gradient of weight[o][c][tap]: rows are [tap][c], columns o, and k the positions of all images.
struct WeightMap {
  int64_t images, groups, cin, cout;
  int64_t in[3], out[3], kernel[3], stride[3], padding[3], dilation[3];
  int64_t taps;
  ImageLayout from, gradient;

  struct State {};

  __host__ __device__ int64_t grids() const { return 1; }
  __host__ __device__ int64_t columns() const { return cout; }
  int64_t mostRows() const { return taps * cin; }
  int64_t mostDepth() const { return images * out[0] * out[1] * out[2]; }
  __device__ void prepare(State&, int64_t, int) const {}
  __device__ int64_t rows(const State&) const { return taps * cin; }
  __device__ int64_t depth(const State&) const { return images * out[0] * out[1] * out[2]; }

  __device__ Place place(const State&, int64_t row) const {
    Place place{};
    place.offset = static_cast<uint64_t>(takeOff(row, cin) * from.channel);
    for (int d = 2; d >= 0; d--) {
      const int64_t at = takeOff(row, kernel[d]) * dilation[d];
      place.offset += static_cast<uint64_t>(at) * static_cast<uint64_t>(from.at[d]);
      place.at[d] = within(at, 0, 5 * (int64_t{1} << 30) / 2);
    }
    return place;
  }
  __device__ Place nowhere() const { return {0, {5u << 29, 0, 0}}; }
  __device__ int64_t step(const State&, int64_t k, Place& place) const {
    int64_t offset = 0;
    place.offset = 0;
    for (int d = 2; d >= 0; d--) {
      const int64_t position = takeOff(k, out[d]), at = position * stride[d] - padding[d];
      offset += position * gradient.at[d];
      place.offset += static_cast<uint64_t>(at) * static_cast<uint64_t>(from.at[d]);
      place.at[d] = within(at, -(int64_t{1} << 30), int64_t{1} << 30);
    }
    place.offset += static_cast<uint64_t>(k * from.image);
    return offset + k * gradient.image;
  }
  __device__ int64_t columnOfB(int64_t column) const { return column * gradient.channel; }
  __device__ int64_t rowOfResult(const State&, int64_t row) const {
    const int64_t channel = takeOff(row, cin);
    return channel * taps + row;
  }
  __host__ __device__ int64_t columnOfResult() const { return cin * taps; }
  __device__ int64_t groupOfA(int64_t group) const { return group * cin * from.channel; }
  __device__ int64_t groupOfB(int64_t group) const { return group * cout * gradient.channel; }
  __device__ int64_t groupOfResult(int64_t group) const { return group * cout * cin * taps; }
};

}  // namespace thalweg::cuda
