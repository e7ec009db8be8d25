// scatter, scatterReduce, linearIndex: writing at places that an index tensor names, and the places of several index
// tensors.
#include "cuda/scatter.h"

#include <mutex>
#include <set>
#include <string>

#include "cuda/kernel.h"

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256;

// The index tensors of one place, each with the size of its dimension.
struct Subscripts {
  int count;
  const char* index[kMaxDims];
  bool wide[kMaxDims];
  Walk<1> walk[kMaxDims];
  Selected selected[kMaxDims];
};

// position = position * size + index, index counted from the end if negative.
__global__ void linearPositions(int64_t* out, int64_t count, Subscripts s) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    uint64_t position = 0;
    for (int k = 0; k < s.count; k++) {
      const Selected& selected = s.selected[k];
      const int64_t value = loadIndex(s.index[k], s.wide[k], s.walk[k].locate(i).at[0]);
      int64_t from0 = value < 0 ? value + selected.size : value;
      if (static_cast<uint64_t>(from0) >= static_cast<uint64_t>(selected.size)) {
        selected.fault.report(value, selected.size);
        from0 = 0;
      }
      position = position * static_cast<uint64_t>(selected.size) + static_cast<uint64_t>(from0);
    }
    out[i] = static_cast<int64_t>(position);
  }
}

int64_t exactSize(double value) {
  if (!(value >= 0 && value <= 9007199254740991.0)) fail(ErrorKind::Shape, "linearIndex: %g is no size", value);
  return static_cast<int64_t>(value);
}

}  // namespace

FaultSite outOfRangeSite(Queue& queue, const char* op, int64_t dim) {
  // Sites are told apart by the addresses of their formats, which stay. There are as many as kernels and dimensions.
  static std::set<std::string> formats;
  static std::mutex mutex;
  std::string format = std::string(op) + ": index %lld is out of range for ";
  if (dim >= 0 && dim < 64)
    format += "dimension " + std::to_string(dim) + " of size %lld";
  else
    format += "a dimension of size %lld";
  const std::lock_guard lock(mutex);
  return queue.faultSite(ErrorKind::Index, formats.insert(format).first->c_str());
}

void scatterAlong(Queue& queue, const char* op, const TensorView& outView, const TensorView& indexView,
                  const TensorView& srcView, int64_t dim, Combine combine) {
  const TensorView out = atLeast1d(outView), index = atLeast1d(indexView), src = atLeast1d(srcView);
  checkScatter(op, out, index, src, dim);
  if (index.numel() == 0) return;
  Scatter scatter{};
  for (int d = 0; d < index.ndim; d++) {
    if (d == dim)
      scatter.ordered.add(index.shape[d], src.strides[d], index.strides[d]);
    else if (index.strides[d] == 0)
      scatter.columns.add(index.shape[d], src.strides[d], out.strides[d]);
    else
      scatter.lines.add(index.shape[d], src.strides[d], index.strides[d], out.strides[d]);
  }
  scatter.out = out.data;
  scatter.src = src.data;
  scatter.index = index.data;
  scatter.wideIndex = index.dtype == DType::Int64;
  scatter.combine = combine;
  scatter.selected = {out.shape[dim], out.strides[dim], outOfRangeSite(queue, op, dim)};
  scatterInOrder(queue, out.dtype, scatter);
}

void scatter(Context& context, const TensorView& out, const TensorView& index, const TensorView& src, int64_t dim) {
  scatterAlong(queueOf(context), "scatter", out, index, src, dim, Combine::Assign);
}

void scatterReduce(Context& context, const TensorView& out, const TensorView& index, const TensorView& src, int64_t dim,
                   int64_t kind) {
  const char* op = "scatterReduce";
  const ReduceKind reduction = checkScatterReduce(op, index, kind);
  scatterAlong(queueOf(context), op, out, index, src, dim,
               reduction == ReduceKind::Prod  ? Combine::Prod
               : reduction == ReduceKind::Max ? Combine::Max
                                              : Combine::Min);
}

void linearIndex(Context& context, const TensorView& out, TensorList indices, Scalars sizes) {
  const char* op = "linearIndex";
  checkLinearIndex(op, out, indices, sizes);
  Queue& queue = queueOf(context);
  Subscripts subscripts{};
  subscripts.count = static_cast<int>(indices.count);
  for (int k = 0; k < subscripts.count; k++) {
    const TensorView& index = indices[k];
    subscripts.index[k] = index.data;
    subscripts.wide[k] = index.dtype == DType::Int64;
    subscripts.walk[k] = walkOf(index);
    const int64_t size = exactSize(sizes[2 * k]), dim = exactSize(sizes[2 * k + 1]);
    subscripts.selected[k] = {size, 0, outOfRangeSite(queue, "index", dim)};
  }
  const int64_t count = out.numel();
  if (count == 0) return;
  LAUNCH(linearPositions, gridFor(queue, count, kThreads), kThreads, 0, queue, out.as<int64_t>(), count, subscripts);
}

}  // namespace thalweg::cuda
