// gather, scatterAdd, embedding, embeddingBackward: reading and adding at places that an index tensor names.
#include <cstring>

#include "cpu/index_walk.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// -- reading ----------------------------------------------------------------------------------------------------------

template <class T, class I>
void take(Context& ctx, const Walk& walk, T* out, const I* index, const T* x, const Selected& selected) {
  const int64_t* strides = walk.strides[walk.ndim - 1];
  const int64_t outStride = strides[0], indexStride = strides[1], xStride = strides[2];
  const bool rows = indexStride == 0 && outStride == 1 && xStride == 1;
  parallelFor(ctx.pool, walk.numel(), kGrain, [&](int64_t begin, int64_t end) {
    forWalk(walk, begin, end - begin, [&](const Offsets& at, int64_t n) {
      T* to = out + at.values;
      const I* which = index + at.index;
      const T* from = x + at.places;
      if (rows) {
        std::memcpy(to, from + placeOf(selected, *which), static_cast<size_t>(n) * sizeof(T));
        return;
      }
      for (int64_t i = 0; i < n; i++) to[i * outStride] = from[placeOf(selected, which[i * indexStride]) + i * xStride];
    });
  });
}

template <class T>
void takeIndexed(Context& ctx, const Walk& walk, const TensorView& out, const TensorView& index, const TensorView& x,
                 const Selected& selected) {
  if (index.dtype == DType::Int32)
    take(ctx, walk, out.as<T>(), index.as<const int32_t>(), x.as<const T>(), selected);
  else
    take(ctx, walk, out.as<T>(), index.as<const int64_t>(), x.as<const T>(), selected);
}

// Copying needs to know an element's size only.
void takeAny(Context& ctx, const Walk& walk, const TensorView& out, const TensorView& index, const TensorView& x,
             const Selected& selected) {
  switch (itemSize(out.dtype)) {
    case 1: return takeIndexed<uint8_t>(ctx, walk, out, index, x, selected);
    case 2: return takeIndexed<uint16_t>(ctx, walk, out, index, x, selected);
    case 4: return takeIndexed<uint32_t>(ctx, walk, out, index, x, selected);
    default: return takeIndexed<uint64_t>(ctx, walk, out, index, x, selected);
  }
}

// -- adding -----------------------------------------------------------------------------------------------------------

template <class T>
THALWEG_INLINE void addTo(T& a, T b) {
  if constexpr (std::is_same_v<T, Half>)
    a = toHalf(toFloat(a) + toFloat(b));
  else if constexpr (std::is_same_v<T, BFloat16>)
    a = toBFloat16(toFloat(a) + toFloat(b));
  else if constexpr (std::is_same_v<T, Boolean>)
    a.byte = (a.byte | b.byte) != 0;
  else if constexpr (std::is_integral_v<T>)
    a = static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) + static_cast<std::make_unsigned_t<T>>(b));
  else
    a += b;
}

void putAny(Context& ctx, const Walk& apart, const Walk& ordered, const TensorView& out, const TensorView& index,
            const TensorView& src, const Selected& selected) {
  withType(out.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const auto add = [](T& place, T value) { addTo(place, value); };
    if (index.dtype == DType::Int32)
      put(ctx, apart, ordered, out.as<T>(), index.as<const int32_t>(), src.as<const T>(), selected, add);
    else
      put(ctx, apart, ordered, out.as<T>(), index.as<const int64_t>(), src.as<const T>(), selected, add);
  });
}

// -- embeddings -------------------------------------------------------------------------------------------------------

// Rows of g added to those of a table, in the order of the indices. Threads share out the columns: rows may be the
// same.
template <class T, class I>
void addRows(Context& ctx, T* weight, const T* g, const I* indices, int64_t count, int64_t columns,
             const Selected& selected) {
  constexpr int64_t kColumns = 128;  // enough for a piece not to read the indices in vain
  parallelFor(ctx.pool, (columns + kColumns - 1) / kColumns, 2 * kGrain / (count * kColumns),
              [&](int64_t p, int64_t q) {
                const int64_t first = p * kColumns, n = std::min(q * kColumns, columns) - first;
                for (int64_t i = 0; i < count; i++) {
                  T* __restrict to = weight + placeOf(selected, indices[i]) + first;
                  const T* __restrict from = g + i * columns + first;
                  for (int64_t c = 0; c < n; c++) to[c] += from[c];
                }
              });
}

template <class T>
void addRowsAt(Context& ctx, const TensorView& weight, const TensorView& g, const TensorView& indices,
               const Selected& selected) {
  const int64_t count = indices.numel(), columns = weight.shape[1];
  if (indices.dtype == DType::Int32)
    addRows(ctx, weight.as<T>(), g.as<const T>(), indices.as<const int32_t>(), count, columns, selected);
  else
    addRows(ctx, weight.as<T>(), g.as<const T>(), indices.as<const int64_t>(), count, columns, selected);
}

}  // namespace

void gather(Context& ctx, const TensorView& outView, const TensorView& xView, const TensorView& indexView,
            int64_t dim) {
  const char* op = "gather";
  const TensorView out = atLeast1d(outView), x = atLeast1d(xView), index = atLeast1d(indexView);
  checkGather(op, out, x, index, dim);
  if (index.numel() == 0) return;
  Walk walk;
  for (int d = 0; d < index.ndim; d++)
    walk.add(index.shape[d], out.strides[d], index.strides[d], d == dim ? 0 : x.strides[d]);
  walk.finish();
  takeAny(ctx, walk, out, index, x, Selected{op, dim, x.shape[dim], x.strides[dim]});
}

void scatterAdd(Context& ctx, const TensorView& out, const TensorView& index, const TensorView& src, int64_t dim) {
  scatterWith("scatterAdd", out, index, src, dim, [&](auto&&... given) { putAny(ctx, given...); });
}

void embedding(Context& ctx, const TensorView& out, const TensorView& weight, const TensorView& indices) {
  const char* op = "embedding";
  checkEmbedding(op, out, "out", weight, indices);
  if (out.numel() == 0) return;
  Walk walk;
  for (int d = 0; d < indices.ndim; d++) walk.add(indices.shape[d], out.strides[d], indices.strides[d], 0);
  walk.add(weight.shape[1], out.strides[out.ndim - 1], 0, weight.strides[1]);
  walk.finish();
  takeAny(ctx, walk, out, indices, weight, Selected{op, 0, weight.shape[0], weight.strides[0]});
}

void embeddingBackward(Context& ctx, const TensorView& weight, const TensorView& g, const TensorView& indices) {
  const char* op = "embeddingBackward";
  checkEmbedding(op, g, "g", weight, indices);
  if (g.numel() == 0) return;
  const Selected selected = {op, 0, weight.shape[0], weight.strides[0]};
  const bool floats = weight.dtype == DType::Float32 || weight.dtype == DType::Float64;
  if (floats && weight.isContiguous() && g.isContiguous() && indices.isContiguous())
    return weight.dtype == DType::Float32 ? addRowsAt<float>(ctx, weight, g, indices, selected)
                                          : addRowsAt<double>(ctx, weight, g, indices, selected);
  Walk apart, ordered;
  for (int d = 0; d < indices.ndim; d++) ordered.add(indices.shape[d], g.strides[d], indices.strides[d], 0);
  apart.add(weight.shape[1], g.strides[g.ndim - 1], 0, weight.strides[1]);
  apart.finish();
  ordered.finish();
  putAny(ctx, apart, ordered, weight, indices, g, selected);
}

}  // namespace thalweg::cpu::THALWEG_ISA
