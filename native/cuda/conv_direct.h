// Convolutions of groups with few channels, depthwise ones above all: tiles of a product would be nearly empty, so each
// result has a thread (or, as a sum over all positions, a block).
#pragma once
#include "cuda/conv_maps.h"
#include "cuda/gemm_epilogue.h"

namespace thalweg::cuda {

// y at a place of its image, one thread each, channels fastest; both ways of a CorrelationMap, whose lines are not
// used.
template <class T>
__global__ void directKernel(CorrelationMap map, const T* x, const T* weight, const T* bias, T* y, int64_t count) {
  const int64_t threads = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += threads) {
    int64_t rest = i, at[3], to = 0;
    const int64_t channel = takeOff(rest, map.cout), group = takeOff(rest, map.groups);
    for (int d = 2; d >= 0; d--) {
      const int64_t place = takeOff(rest, map.out[d]);
      to += place * map.to.at[d];
      at[d] = map.transposed ? place + map.padding[d] : place * map.stride[d] - map.padding[d];
    }
    to += rest * map.to.image + (group * map.cout + channel) * map.to.channel;
    const T* const image = x + map.groupOfA(group) + rest * map.from.image;
    const T* const w = weight + map.groupOfB(group) + map.columnOfB(channel);
    // The place along d that a tap reads; negative: none.
    const auto find = [&](int d, int64_t tap) -> int64_t {
      int64_t place = at[d] + (map.transposed ? -tap : tap) * map.dilation[d];
      if (map.transposed && place >= 0 && map.stride[d] != 1) {
        int64_t next = place;
        if (takeOff(next, map.stride[d]) != 0) return -1;
        place = next;
      }
      return place < map.in[d] ? place : -1;
    };
    Sum<T> sum = 0;
    for (int64_t z = 0; z < map.kernel[0]; z++) {
      const int64_t atZ = find(0, z);
      if (atZ < 0) continue;
      for (int64_t v = 0; v < map.kernel[1]; v++) {
        const int64_t atY = find(1, v);
        if (atY < 0) continue;
        for (int64_t u = 0; u < map.kernel[2]; u++) {
          const int64_t atX = find(2, u);
          if (atX < 0) continue;
          const T* from = image + atZ * map.from.at[0] + atY * map.from.at[1] + atX * map.from.at[2];
          const T* by = w + ((z * map.kernel[1] + v) * map.kernel[2] + u) * map.weightTap;
          for (int64_t c = 0; c < map.cin; c++)
            sum += convert<Sum<T>>(from[c * map.from.channel]) * convert<Sum<T>>(by[c * map.weightIn]);
        }
      }
    }
    if (bias) sum += convert<Sum<T>>(bias[group * map.cout + channel]);
    y[to] = convert<T>(sum);
  }
}

// The gradient of weights: kLanes output channels side by side, kStreams threads each share the positions of a piece.
constexpr int kLanes = 32, kStreams = 8;

// partial[piece][row][channel of all groups], row = [tap][c]; the pieces have `each` positions.
template <class T>
__global__ void directWeightKernel(WeightMap map, const T* x, const T* gradient, Sum<T>* partial, int64_t pieces,
                                   int64_t each) {
  __shared__ Sum<T> sums[kStreams][kLanes];
  const int lane = static_cast<int>(threadIdx.x), stream = static_cast<int>(threadIdx.y);
  const int64_t channels = map.groups * map.cout, across = (channels + kLanes - 1) / kLanes;
  const int64_t rows = map.taps * map.cin, positions = map.images * map.out[0] * map.out[1] * map.out[2];
  for (int64_t job = blockIdx.x; job < across * rows * pieces; job += gridDim.x) {
    int64_t rest = job;
    const int64_t row = takeOff(rest, rows), channel = takeOff(rest, across) * kLanes + lane, piece = rest;
    Sum<T> sum = 0;
    if (channel < channels) {
      WeightMap::State state;
      const Place tap = map.place(state, row);
      const T* const from = x + map.groupOfA(channel / map.cout);
      const T* const g = gradient + channel * map.gradient.channel;
      const int64_t end = (piece + 1) * each < positions ? (piece + 1) * each : positions;
      for (int64_t k = piece * each + stream; k < end; k += kStreams) {
        Place place;
        const int64_t at = map.step(state, k, place);
        bool inside = true;
        for (int d = 0; d < 3; d++) inside = inside && place.at[d] + tap.at[d] < static_cast<uint32_t>(map.in[d]);
        if (inside) sum += convert<Sum<T>>(from[place.offset + tap.offset]) * convert<Sum<T>>(g[at]);
      }
    }
    sums[stream][lane] = sum;
    __syncthreads();
    if (stream == 0 && channel < channels) {
      for (int s = 1; s < kStreams; s++) sum += sums[s][lane];
      partial[(piece * rows + row) * channels + channel] = sum;
    }
    __syncthreads();
  }
}

template <class T>
__global__ void joinDirectWeight(WeightMap map, const Sum<T>* partial, T* out, int64_t pieces) {
  const int64_t channels = map.groups * map.cout, count = map.taps * map.cin * channels;
  const int64_t threads = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += threads) {
    Sum<T> sum = partial[i];
    for (int64_t piece = 1; piece < pieces; piece++) sum += partial[piece * count + i];
    int64_t row = i;
    const int64_t channel = takeOff(row, channels);
    out[channel * map.columnOfResult() + map.rowOfResult({}, row)] = convert<T>(sum);
  }
}

}  // namespace thalweg::cuda
