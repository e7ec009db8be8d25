// gather, scatterAdd, embedding, embeddingBackward: reading and adding at places that an index tensor names.
#include "cuda/kernel.h"
#include "cuda/scatter.h"

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256;

// Operands of the walk: out, index, x. Out of range: nothing is written.
template <class U, class I>
__global__ void takeKernel(U* out, const I* index, const U* x, Walk<3> walk, Selected selected) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < walk.count; i += step) {
    const Offsets<3> at = walk.locate(i);
    const int64_t value = index[at.at[1]];
    if (selected.takes(value)) out[at.at[0]] = x[value * selected.stride + at.at[2]];
  }
}

struct Take {
  Walk<3> walk;
  Selected selected;
  char* out;
  const char *index, *x;
  bool wideIndex;
  int64_t unit;  // bytes
};

// Rows that are contiguous on both sides are copied in units as large as their sizes and addresses allow.
void widen(Take& take) {
  Walk<3>& walk = take.walk;
  if (walk.ndim == 0) return;
  const int last = walk.ndim - 1;
  if (walk.strides[last][0] != 1 || walk.strides[last][1] != 0 || walk.strides[last][2] != 1) return;
  const auto allows = [&](int64_t bytes) {
    bool fits = reinterpret_cast<uintptr_t>(take.out) % static_cast<uintptr_t>(bytes) == 0 &&
                reinterpret_cast<uintptr_t>(take.x) % static_cast<uintptr_t>(bytes) == 0 &&
                walk.shape[last] * take.unit % bytes == 0 && take.selected.stride * take.unit % bytes == 0;
    for (int d = 0; d < last && fits; d++)
      fits = walk.strides[d][0] * take.unit % bytes == 0 && walk.strides[d][2] * take.unit % bytes == 0;
    return fits;
  };
  int64_t bytes = 16;
  while (bytes > take.unit && !allows(bytes)) bytes /= 2;
  const int64_t factor = bytes / take.unit;
  if (factor <= 1) return;
  walk.count /= factor;
  walk.shape[last] /= factor;
  for (int d = 0; d < last; d++) {
    walk.strides[d][0] /= factor;
    walk.strides[d][2] /= factor;
  }
  take.selected.stride /= factor;
  take.unit = bytes;
}

template <class U>
void takeUnits(Queue& queue, const Take& take) {
  const unsigned blocks = gridFor(queue, take.walk.count, kThreads);
  U* out = reinterpret_cast<U*>(take.out);
  const U* x = reinterpret_cast<const U*>(take.x);
  if (take.wideIndex)
    LAUNCH((takeKernel<U, int64_t>), blocks, kThreads, 0, queue, out, reinterpret_cast<const int64_t*>(take.index), x,
           take.walk, take.selected);
  else
    LAUNCH((takeKernel<U, int32_t>), blocks, kThreads, 0, queue, out, reinterpret_cast<const int32_t*>(take.index), x,
           take.walk, take.selected);
}

void takeAny(Queue& queue, Take take) {
  widen(take);
  switch (take.unit) {
    case 1: return takeUnits<uint8_t>(queue, take);
    case 2: return takeUnits<uint16_t>(queue, take);
    case 4: return takeUnits<uint32_t>(queue, take);
    case 8: return takeUnits<uint64_t>(queue, take);
    default: return takeUnits<uint4>(queue, take);
  }
}

}  // namespace

void gather(Context& context, const TensorView& outView, const TensorView& xView, const TensorView& indexView,
            int64_t dim) {
  const char* op = "gather";
  const TensorView out = atLeast1d(outView), x = atLeast1d(xView), index = atLeast1d(indexView);
  checkGather(op, out, x, index, dim);
  if (index.numel() == 0) return;
  Queue& queue = queueOf(context);
  Take take{};
  for (int d = 0; d < index.ndim; d++)
    take.walk.add(index.shape[d], out.strides[d], index.strides[d], d == dim ? 0 : x.strides[d]);
  take.selected = {x.shape[dim], x.strides[dim], outOfRangeSite(queue, op, dim)};
  take.out = out.data;
  take.index = index.data;
  take.x = x.data;
  take.wideIndex = index.dtype == DType::Int64;
  take.unit = itemSize(out.dtype);
  takeAny(queue, take);
}

void scatterAdd(Context& context, const TensorView& out, const TensorView& index, const TensorView& src, int64_t dim) {
  scatterAlong(queueOf(context), "scatterAdd", out, index, src, dim, Combine::Sum);
}

void embedding(Context& context, const TensorView& out, const TensorView& weight, const TensorView& indices) {
  const char* op = "embedding";
  checkEmbedding(op, out, "out", weight, indices);
  if (out.numel() == 0) return;
  Queue& queue = queueOf(context);
  Take take{};
  for (int d = 0; d < indices.ndim; d++) take.walk.add(indices.shape[d], out.strides[d], indices.strides[d], 0);
  take.walk.add(weight.shape[1], out.strides[out.ndim - 1], 0, weight.strides[1]);
  take.selected = {weight.shape[0], weight.strides[0], outOfRangeSite(queue, op, 0)};
  take.out = out.data;
  take.index = indices.data;
  take.x = weight.data;
  take.wideIndex = indices.dtype == DType::Int64;
  take.unit = itemSize(out.dtype);
  takeAny(queue, take);
}

void embeddingBackward(Context& context, const TensorView& weight, const TensorView& g, const TensorView& indices) {
  const char* op = "embeddingBackward";
  checkEmbedding(op, g, "g", weight, indices);
  if (g.numel() == 0) return;
  Queue& queue = queueOf(context);
  Scatter scatter{};
  for (int d = 0; d < indices.ndim; d++) scatter.ordered.add(indices.shape[d], g.strides[d], indices.strides[d]);
  scatter.columns.add(weight.shape[1], g.strides[g.ndim - 1], weight.strides[1]);
  scatter.out = weight.data;
  scatter.src = g.data;
  scatter.index = indices.data;
  scatter.wideIndex = indices.dtype == DType::Int64;
  scatter.combine = Combine::Sum;
  scatter.selected = {weight.shape[0], weight.strides[0], outOfRangeSite(queue, op, 0)};
  scatterInOrder(queue, weight.dtype, scatter);
}

}  // namespace thalweg::cuda
