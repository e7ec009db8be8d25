// What normalisations make of the moments and sums of pieces (norm_partials.h): statistics, slopes, and gradients of
// parameters. And the map of all elements by them.
#pragma once
#include "cuda/norm_partials.h"

namespace thalweg::cuda {
namespace {

// -- statistics and slopes: of each item and group of columns
// -----------------------------------------------------------

template <class T>
struct Statistics {
  T *mean, *variance, *rstd;  // mean and variance may be null
  bool centred;               // else rstd is that of the mean square
  double eps;
};

// A warp for each (item, group).
template <class T>
__global__ void __launch_bounds__(kNormThreads)
    finishMomentsKernel(Statistics<T> t, const Moments* partials, Partials p, int64_t each) {
  const Team<kWarp> team;
  for (int64_t unit = team.first(); unit < p.batch * p.groups; unit += team.step()) {
    const int64_t item = unit / p.groups, first = (unit - item * p.groups) * each;
    Moments all = {0, 0, 0};
    for (int64_t i = team.lane(); i < p.pieces * each; i += kWarp) {
      const int64_t piece = i / each;
      all = JoinMoments()(all, partials[(item * p.pieces + piece) * p.columns + first + (i - piece * each)]);
    }
    all = team.join(all, JoinMoments(), static_cast<Moments*>(nullptr));
    if (team.lane() != 0) continue;
    if (t.mean) t.mean[unit] = static_cast<T>(all.mean);
    if (t.variance) t.variance[unit] = static_cast<T>(all.variance());
    t.rstd[unit] = static_cast<T>(1 / std::sqrt((t.centred ? all.variance() : all.meanSquare()) + t.eps));
  }
}

// rstd, if not given, is made from the variance.
template <class T>
__global__ void __launch_bounds__(kNormThreads) rstdKernel(T* rstd, const T* variance, int64_t n, double eps) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += step)
    rstd[i] = static_cast<T>(1 / std::sqrt(static_cast<double>(variance[i]) + eps));
}

// Of gx = (g weight - offset - (x - mean) slope) rstd, from sums of g and g (x - mean) over `count` elements.
template <class T>
struct Slopes {
  T *offset, *slope;
  const T *rstd, *weight;  // weight may be null, or applied before
  double count;
  bool centred;
  int64_t fold, channels;  // neighbouring columns of a channel; channels follow each other from item to item
};
template <class T>
__global__ void __launch_bounds__(kNormThreads)
    finishSlopesKernel(Slopes<T> t, const Sums* partials, Partials p, int64_t each) {
  const Team<kWarp> team;
  for (int64_t unit = team.first(); unit < p.batch * p.groups; unit += team.step()) {
    const int64_t item = unit / p.groups, first = (unit - item * p.groups) * each;
    Sums all = {0, 0};
    for (int64_t i = team.lane(); i < p.pieces * each; i += kWarp) {
      const int64_t piece = i / each, column = first + (i - piece * each);
      const Sums sums = partials[(item * p.pieces + piece) * p.columns + column];
      const double w = t.weight ? static_cast<double>(t.weight[(item * p.columns + column) / t.fold % t.channels]) : 1;
      all = JoinSums()(all, Sums{w * sums.first, w * sums.second});
    }
    all = team.join(all, JoinSums(), static_cast<Sums*>(nullptr));
    if (team.lane() != 0) continue;
    const double rstd = static_cast<double>(t.rstd[unit]);
    t.offset[unit] = t.centred ? static_cast<T>(all.first / t.count) : T(0);
    t.slope[unit] = static_cast<T>(all.second / t.count * rstd * rstd);
  }
}

// -- gradients of parameters
// ---------------------------------------------------------------------------------------------

// Sums of a channel lie at [outer, channels, fold]. What the second ones are multiplied by is rstd of
//   (item of `outer`) * groups + channel / each, where `pieces` neighbours of `outer` are of an item; or of
//   place / perRstd, if that is given; without rstd, 1.
template <class T>
struct ParameterSums {
  T *gWeight, *gBias;  // either may be null
  const T* rstd;
  int64_t outer, channels, fold;
  int64_t pieces, groups, each, perRstd;
};
template <class T>
__global__ void __launch_bounds__(kNormThreads) finishParametersKernel(ParameterSums<T> t, const Sums* partials) {
  __shared__ Sums shared[kNormThreads];
  for (int64_t c0 = static_cast<int64_t>(blockIdx.x) * blockDim.x; c0 < t.channels;
       c0 += static_cast<int64_t>(gridDim.x) * blockDim.x) {
    const int64_t channel = c0 + threadIdx.x;
    Sums all = {0, 0};
    for (int64_t i = threadIdx.y; channel < t.channels && i < t.outer * t.fold; i += blockDim.y) {
      const int64_t o = i / t.fold, place = (o * t.channels + channel) * t.fold + (i - o * t.fold);
      Sums sums = partials[place];
      if (t.rstd) {
        const int64_t from = t.perRstd ? place / t.perRstd : o / t.pieces * t.groups + channel / t.each;
        sums.second *= static_cast<double>(t.rstd[from]);
      }
      all = JoinSums()(all, sums);
    }
    all = joinColumn(all, JoinSums(), shared);
    if (threadIdx.y != 0 || channel >= t.channels) continue;
    if (t.gWeight) t.gWeight[channel] = static_cast<T>(all.second);
    if (t.gBias) t.gBias[channel] = static_cast<T>(all.first);
  }
}

template <class T>
void finishParameters(Queue& queue, const ParameterSums<T>& t, const Sums* partials) {
  if (!t.gWeight && !t.gBias) return;
  LAUNCH((finishParametersKernel<T>), gridFor(queue, t.channels * (kNormThreads / kWarp), kNormThreads),
         dim3(kWarp, kNormThreads / kWarp), 0, queue, t, partials);
}
template <class T>
void finishMoments(Queue& queue, const Statistics<T>& t, const Moments* partials, const Partials& p) {
  LAUNCH((finishMomentsKernel<T>), gridFor(queue, p.batch * p.groups * kWarp, kNormThreads), kNormThreads, 0, queue, t,
         partials, p, p.each());
}
template <class T>
void finishSlopes(Queue& queue, const Slopes<T>& t, const Sums* partials, const Partials& p) {
  LAUNCH((finishSlopesKernel<T>), gridFor(queue, p.batch * p.groups * kWarp, kNormThreads), kNormThreads, 0, queue, t,
         partials, p, p.each());
}

// -- the maps
// ------------------------------------------------------------------------------------------------------------

// Which parameters and statistics element i has. Parameters: i / inner % channels. Statistics: those of the channel, of
// i / row, or of i / row * groups + channel / each.
struct Places {
  enum Of { Channel, Row, Group };
  int64_t count, inner, channels;
  Of of;
  int64_t row, groups, each;
  bool narrow = false, vectors = false;

  Places(int64_t count, int64_t inner, int64_t channels, Of of, int64_t row = 1, int64_t groups = 1, int64_t each = 1)
      : count(count), inner(inner), channels(channels), of(of), row(row), groups(groups), each(each) {
    narrow = count <= INT32_MAX;
  }

  // 16 bytes at a time: they are of one channel, or of neighbouring ones.
  template <class T>
  void align(std::initializer_list<const T*> pointers) {
    constexpr int V = Pack<T>::kCount;
    vectors = inner == 1 ? channels % V == 0 : inner % V == 0;
    if (of != Channel) vectors = vectors && row % V == 0;
    vectors = vectors && count % V == 0;
    for (const T* p : pointers) vectors = vectors && isAligned(p);
  }
  __device__ int64_t channelOf(int64_t i) const {
    const int64_t run = inner == 1 ? i : quotient(i, inner, narrow);
    return run - quotient(run, channels, narrow) * channels;
  }
  __device__ int64_t statOf(int64_t i, int64_t channel) const {
    if (of == Channel) return channel;
    const int64_t at = quotient(i, row, narrow);
    return of == Row ? at : at * groups + quotient(channel, each, narrow);
  }
};

// f(value..., channel, statistics) for each element; T of `inputs` are read, one is written.
template <class T, int kInputs, class F>
__device__ inline void mapPlaces(T* out, const T* const (&inputs)[kInputs], const Places& p, F&& f) {
  constexpr int V = Pack<T>::kCount;
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  const int64_t start = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (p.vectors) {
    for (int64_t i = start * V; i < p.count; i += step * V) {
      Pack<T> packs[kInputs], result;
      for (int k = 0; k < kInputs; k++) packs[k] = *reinterpret_cast<const Pack<T>*>(inputs[k] + i);
      const int64_t first = p.channelOf(i), stat = p.statOf(i, first);
      THALWEG_UNROLL
      for (int j = 0; j < V; j++) {
        const int64_t channel = p.inner == 1 ? first + j : first;
        T values[kInputs];
        for (int k = 0; k < kInputs; k++) values[k] = packs[k].at[j];
        result.at[j] = f(values, channel, p.of == Places::Row || p.inner > 1 ? stat : p.statOf(i, channel));
      }
      *reinterpret_cast<Pack<T>*>(out + i) = result;
    }
    return;
  }
  for (int64_t i = start; i < p.count; i += step) {
    const int64_t channel = p.channelOf(i);
    T values[kInputs];
    for (int k = 0; k < kInputs; k++) values[k] = inputs[k][i];
    out[i] = f(values, channel, p.statOf(i, channel));
  }
}

// mean may be null: 0; weight 1, bias 0.
template <class T>
struct NormTensors {
  const T *mean, *rstd, *weight, *bias;
};

template <class T>
__global__ void __launch_bounds__(kNormThreads) normalizeKernel(T* out, const T* x, NormTensors<T> t, Places p) {
  const T* const inputs[] = {x};
  mapPlaces(out, inputs, p, [&](const auto& v, int64_t channel, int64_t stat) {
    const T centred = t.mean ? v[0] - t.mean[stat] : v[0];
    const T scale = t.weight ? t.rstd[stat] * t.weight[channel] : t.rstd[stat];
    return centred * scale + (t.bias ? t.bias[channel] : T(0));
  });
}

template <class T>
__global__ void __launch_bounds__(kNormThreads)
    slopesKernel(T* gx, const T* g, const T* x, NormTensors<T> t, const T* offset, const T* slope, Places p) {
  const T* const inputs[] = {g, x};
  mapPlaces(gx, inputs, p, [&](const auto& v, int64_t channel, int64_t stat) {
    const T weighted = t.weight ? v[0] * t.weight[channel] : v[0];
    const T centred = t.mean ? v[1] - t.mean[stat] : v[1];
    return ((weighted - offset[stat]) - centred * slope[stat]) * t.rstd[stat];
  });
}

template <class T>
void normalizeAll(Queue& queue, T* out, const T* x, const NormTensors<T>& t, Places p) {
  p.align<T>({out, x});
  LAUNCH((normalizeKernel<T>), gridFor(queue, divideUp(p.count, p.vectors ? Pack<T>::kCount : 1), kNormThreads),
         kNormThreads, 0, queue, out, x, t, p);
}
template <class T>
void applySlopes(Queue& queue, T* gx, const T* g, const T* x, const NormTensors<T>& t, const T* offset, const T* slope,
                 Places p) {
  p.align<T>({gx, g, x});
  LAUNCH((slopesKernel<T>), gridFor(queue, divideUp(p.count, p.vectors ? Pack<T>::kCount : 1), kNormThreads),
         kNormThreads, 0, queue, gx, g, x, t, offset, slope, p);
}

}  // namespace
}  // namespace thalweg::cuda
