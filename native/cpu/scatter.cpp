// scatter, scatterReduce, linearIndex: writing at places that an index tensor names, and the places of several index
// tensors.
#include "cpu/index_walk.h"
#include "cpu/strided.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Copying needs to know an element's size only.
template <class T>
void putCopies(Context& ctx, const Walk& apart, const Walk& ordered, const TensorView& out, const TensorView& index,
               const TensorView& src, const Selected& selected) {
  const auto assign = [](T& place, T value) { place = value; };
  if (index.dtype == DType::Int32)
    put(ctx, apart, ordered, out.as<T>(), index.as<const int32_t>(), src.as<const T>(), selected, assign);
  else
    put(ctx, apart, ordered, out.as<T>(), index.as<const int64_t>(), src.as<const T>(), selected, assign);
}

// The type in which elements are combined.
template <class T>
THALWEG_INLINE auto wide(T x) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>)
    return toFloat(x);
  else if constexpr (std::is_same_v<T, Boolean>)
    return static_cast<uint8_t>(x.byte != 0);
  else
    return x;
}

// NaN wins over everything.
template <class C>
THALWEG_INLINE C larger(C a, C b) {
  return a > b || a != a ? a : b;
}
template <class C>
THALWEG_INLINE C smaller(C a, C b) {
  return a < b || a != a ? a : b;
}
template <class C>
THALWEG_INLINE C product(C a, C b) {
  // uint8_t would be multiplied as int, which is fine; the wider ones must wrap.
  if constexpr (std::is_integral_v<C>)
    return static_cast<C>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  else
    return a * b;
}

template <class T>
void putReduced(Context& ctx, const Walk& apart, const Walk& ordered, const TensorView& out, const TensorView& index,
                const TensorView& src, const Selected& selected, ReduceKind kind) {
  put(ctx, apart, ordered, out.as<T>(), index.as<const int64_t>(), src.as<const T>(), selected,
      [kind](T& place, T value) {
        const auto a = wide(place), b = wide(value);
        place = convertValue<T>(kind == ReduceKind::Prod  ? product(a, b)
                                : kind == ReduceKind::Max ? larger(a, b)
                                                          : smaller(a, b));
      });
}

// position = position * size + index, index counted from the end if negative.
template <class I>
void appendIndex(int64_t* position, const I* index, int64_t stride, int64_t n, int64_t size, int64_t dim, bool first) {
  for (int64_t i = 0; i < n; i++) {
    const int64_t value = index[i * stride];
    const int64_t from0 = value < 0 ? value + size : value;
    if (static_cast<uint64_t>(from0) >= static_cast<uint64_t>(size)) outOfRange(Selected{"index", dim, size, 0}, value);
    const uint64_t before = first ? 0 : static_cast<uint64_t>(position[i]) * static_cast<uint64_t>(size);
    position[i] = static_cast<int64_t>(before + static_cast<uint64_t>(from0));
  }
}

int64_t exactSize(double value) {
  if (!(value >= 0 && value <= 9007199254740991.0)) fail(ErrorKind::Shape, "linearIndex: %g is no size", value);
  return static_cast<int64_t>(value);
}

}  // namespace

void scatter(Context& ctx, const TensorView& outView, const TensorView& indexView, const TensorView& srcView,
             int64_t dim) {
  scatterWith("scatter", outView, indexView, srcView, dim, [&](auto&&... given) {
    switch (itemSize(outView.dtype)) {
      case 1: return putCopies<uint8_t>(ctx, given...);
      case 2: return putCopies<uint16_t>(ctx, given...);
      case 4: return putCopies<uint32_t>(ctx, given...);
      default: return putCopies<uint64_t>(ctx, given...);
    }
  });
}

void scatterReduce(Context& ctx, const TensorView& outView, const TensorView& indexView, const TensorView& srcView,
                   int64_t dim, int64_t kind) {
  const char* op = "scatterReduce";
  const ReduceKind reduction = checkScatterReduce(op, indexView, kind);
  scatterWith(op, outView, indexView, srcView, dim, [&](auto&&... given) {
    withType(outView.dtype,
             [&](auto* type) { putReduced<std::remove_pointer_t<decltype(type)>>(ctx, given..., reduction); });
  });
}

void linearIndex(Context& ctx, const TensorView& out, TensorList indices, Scalars sizes) {
  const char* op = "linearIndex";
  checkLinearIndex(op, out, indices, sizes);
  Strided walks[kMaxDims];
  int64_t extents[kMaxDims], dims[kMaxDims];
  for (int64_t k = 0; k < indices.count; k++) {
    const TensorView& index = indices[k];
    mergeDims(walks[k], index.shape, index.strides, index.ndim);
    extents[k] = exactSize(sizes[2 * k]);
    dims[k] = exactSize(sizes[2 * k + 1]);
  }
  parallelFor(ctx.pool, out.numel(), kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t k = 0; k < indices.count; k++) {
      int64_t* position = out.as<int64_t>() + begin;
      forRuns(walks[k], begin, end - begin, [&](int64_t offset, int64_t stride, int64_t n) {
        if (indices[k].dtype == DType::Int32)
          appendIndex(position, indices[k].as<const int32_t>() + offset, stride, n, extents[k], dims[k], k == 0);
        else
          appendIndex(position, indices[k].as<const int64_t>() + offset, stride, n, extents[k], dims[k], k == 0);
        position += n;
      });
    }
  });
}

}  // namespace thalweg::cpu::THALWEG_ISA
