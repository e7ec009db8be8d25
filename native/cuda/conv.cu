// Convolution and its two gradients: which algorithm each gets. Plain products where a position has one tap (gemm.h),
// thread by thread where groups have few channels (conv_direct.h), cuDNN where it is there and can (cudnn_conv.h), else
// products whose left side is read from images (conv_tile.h); conv_maps.h says what these compute. 16-bit operands of
// the last are converted.
#include "cuda/conv_direct.h"
#include "cuda/conv_tile.h"
#include "cuda/cudnn_conv.h"
#include "cuda/gemm_split.h"

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kMostBlocks = int64_t{1} << 30;
constexpr int kScratchOfWeights = 0, kScratchOfParts = 1;
// 16-bit operands as float32.
constexpr int kScratchOfWideX = 2, kScratchOfWideWeight = 3, kScratchOfWideY = 4, kScratchOfWideBias = 5;
// Groups with fewer channels on the side of the result have no tiles.
constexpr int64_t kFewChannels = 8;

// Calls f with a null pointer to the type of a floating dtype.
template <class F>
void withFloat(DType dtype, F&& f) {
  switch (dtype) {
    case DType::Float64: return f(static_cast<double*>(nullptr));
    case DType::Float16: return f(static_cast<Half*>(nullptr));
    case DType::BFloat16: return f(static_cast<BFloat16*>(nullptr));
    default: return f(static_cast<float*>(nullptr));
  }
}

// Without input channels or positions: the bias, or zero.
template <class T>
__global__ void fillBiasKernel(T* out, const T* bias, int64_t channels, int64_t count) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step)
    out[i] = bias ? bias[i % channels] : T{};
}
template <class T>
void fillBias(Queue& queue, const char* op, const TensorView& out, const TensorView& bias) {
  readImages(op, "the result", out, true);
  const int64_t count = out.numel();
  LAUNCH((fillBiasKernel<T>), gridFor(queue, count, kThreads), kThreads, 0, queue, out.as<T>(),
         bias.defined ? bias.as<const T>() : nullptr, out.shape[1], count);
}

// packed[group][tap][input channel][output channel] of weights with the strides of the map.
template <class T>
__global__ void packKernel(T* packed, const T* weight, CorrelationMap map, int64_t taps, int64_t count) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    int64_t rest = i;
    const int64_t out = takeOff(rest, map.cout), in = takeOff(rest, map.cin), tap = takeOff(rest, taps);
    packed[i] = weight[rest * map.weightGroup + out * map.weightOut + in * map.weightIn + tap * map.weightTap];
  }
}

CorrelationMap correlationOf(const ConvShape& s, bool transposed, const ImageLayout& from, const ImageLayout& to) {
  CorrelationMap map;
  map.images = s.images;
  map.groups = s.groups;
  map.cin = transposed ? s.cout : s.cin;
  map.cout = transposed ? s.cin : s.cout;
  map.transposed = transposed;
  map.from = from;
  map.to = to;
  map.weightOut = transposed ? s.taps : s.cin * s.taps;
  map.weightIn = transposed ? s.cin * s.taps : s.taps;
  map.weightTap = 1;
  map.weightGroup = s.cout * s.cin * s.taps;
  for (int d = 0; d < 3; d++) {
    map.in[d] = transposed ? s.out[d] : s.in[d];
    map.out[d] = transposed ? s.in[d] : s.out[d];
    map.kernel[d] = s.kernel[d];
    map.padding[d] = s.padding[d];
    map.dilation[d] = s.dilation[d];
    map.stride[d] = s.stride[d];
    // The stride of a single position is a matter of choice: one beyond all distances gives each result the tap that
    // meets the position, and no others. Not of too many results: each is a grid of its own.
    constexpr int64_t kMostSingles = 16;
    const int64_t reach = s.kernel[d] * s.dilation[d];
    if (transposed && s.out[d] == 1 && s.in[d] > 1 && s.in[d] <= kMostSingles && reach <= kSizeLimit)
      map.stride[d] = s.in[d] + s.padding[d] + reach;
    map.lines[d] = transposed ? std::min(map.stride[d], map.out[d]) : 1;
  }
  return map;
}

template <class T, class Map, class Shape>
void launchMap(Queue& queue, MapProblem<T, Map> p) {
  const int64_t rows = p.map.mostRows(), columns = p.map.columns();
  p.tilesDown = divideUp(rows, Shape::kRows);
  p.tilesAcross = divideUp(columns, Shape::kColumns);
  const int64_t tiles = p.tilesDown * p.tilesAcross * p.map.groups * p.map.grids();
  const int64_t outputs = rows * columns * p.map.groups;
  const Split split = splitFor(queue, p.map.grids() == 1 ? tiles : kMostBlocks, p.map.mostDepth(), Shape::kDepth,
                               outputs * static_cast<int64_t>(sizeof(T)));
  p.splits = split.count;
  p.steps = split.steps;
  p.partial = split.count > 1 ? queue.scratch<T>(kScratchOfParts, outputs * split.count) : nullptr;
  const int64_t blocks = std::min(tiles * split.count, kMostBlocks);
  LAUNCH((mapKernel<T, Map, Shape>), static_cast<unsigned>(blocks), Shape::kThreads, 0, queue, p);
  if (split.count > 1) LAUNCH((joinMapSplits<T, Map>), gridFor(queue, outputs, kThreads), kThreads, 0, queue, p);
}

template <class T, class Map>
void multiplyMap(Queue& queue, const MapProblem<T, Map>& p) {
  const int64_t rows = p.map.mostRows(), columns = p.map.columns();
  const auto tiles = [&](int64_t size) {
    return divideUp(rows, size) * divideUp(columns, size) * p.map.groups * p.map.grids();
  };
  if constexpr (sizeof(T) == 4)
    if (tiles(128) >= queue.multiprocessors && std::min(rows, columns) > 64)
      return launchMap<T, Map, LargeTile>(queue, p);
  if (tiles(64) < queue.multiprocessors || std::min(rows, columns) <= 32) return launchMap<T, Map, SmallTile>(queue, p);
  launchMap<T, Map, std::conditional_t<sizeof(T) == 8, MediumWideTile, MediumTile>>(queue, p);
}

// A kernel of one tap with nothing around: a position of the one side belongs to the same of the other.
bool isPointwise(const ConvShape& s) {
  bool pointwise = s.groups == 1 && s.taps == 1;
  for (int d = 0; d < 3; d++) pointwise = pointwise && s.stride[d] == 1 && s.padding[d] == 0 && s.in[d] == s.out[d];
  return pointwise;
}

// The positions of all images as rows of one product, or of one for each image.
template <class T>
void multiplyPointwise(Queue& queue, const ConvShape& s, const T* from, const ImageLayout& layout, int64_t channels,
                       const T* weight, int64_t weightIn, int64_t weightOut, int64_t outputs, const T* bias, T* to) {
  Product<T> p{s.outSize, outputs,  channels,  from, layout.at[2], layout.channel,
               weight,    weightIn, weightOut, to,   outputs};
  p.bias = bias;
  p.biasCs = 1;
  if (layout.channelsLast())
    p.m *= s.images;
  else
    p.batch.add(s.images, layout.image, 0, s.outSize * outputs);
  gemm(queue, p);
}

// Weights in the order in which the kernels of a correlation read them.
template <class T>
const T* packWeights(Queue& queue, const Convolution& c, CorrelationMap& map) {
  const int64_t count = c.weight.numel();
  T* const packed = queue.scratch<T>(kScratchOfWeights, count);
  LAUNCH((packKernel<T>), gridFor(queue, count, kThreads), kThreads, 0, queue, packed, c.weight.as<const T>(), map,
         c.shape.taps, count);
  map.weightOut = 1;
  map.weightIn = map.cout;
  map.weightTap = map.cin * map.cout;
  return packed;
}

WeightMap weightMapOf(const ConvShape& s, const ImageLayout& from, const ImageLayout& gradient) {
  WeightMap map;
  map.images = s.images;
  map.groups = s.groups;
  map.cin = s.cin;
  map.cout = s.cout;
  map.taps = s.taps;
  map.from = from;
  map.gradient = gradient;
  for (int d = 0; d < 3; d++) {
    map.in[d] = s.in[d];
    map.out[d] = s.out[d];
    map.kernel[d] = s.kernel[d];
    map.stride[d] = s.stride[d];
    map.padding[d] = s.padding[d];
    map.dilation[d] = s.dilation[d];
  }
  return map;
}

template <class T>
void directWeight(Queue& queue, const WeightMap& map, const T* x, const T* gradient, T* out) {
  const int64_t channels = map.groups * map.cout, rows = map.mostRows(), positions = map.mostDepth();
  // Pieces enough to keep the device busy, of at least 64 positions for each stream, in not too much memory.
  const int64_t jobs = divideUp(channels, kLanes) * rows;
  int64_t pieces = std::min(divideUp(8 * queue.multiprocessors, jobs), divideUp(positions, 64 * kStreams));
  pieces = std::max<int64_t>(1, std::min(pieces, (int64_t{32} << 20) / (channels * rows)));
  const int64_t each = divideUp(positions, pieces);
  pieces = divideUp(positions, each);
  Sum<T>* const partial = queue.scratch<Sum<T>>(kScratchOfParts, pieces * rows * channels);
  LAUNCH((directWeightKernel<T>), static_cast<unsigned>(std::min(jobs * pieces, kMostBlocks)), dim3(kLanes, kStreams),
         0, queue, map, x, gradient, partial, pieces, each);
  LAUNCH((joinDirectWeight<T>), gridFor(queue, rows * channels, kThreads), kThreads, 0, queue, map, partial, out,
         pieces);
}

// A convolution or its transpose.
template <class T>
void correlate(Context& context, const Convolution& c);
// The gradient of the weight.
template <class T>
void multiplyGradients(Context& context, const Convolution& c);

template <class T>
void convolve(Context& context, const Convolution& c) {
  c.kind == ConvKind::BackwardWeight ? multiplyGradients<T>(context, c) : correlate<T>(context, c);
}

// A copy of a 16-bit operand in float32, or the place for such a result.
TensorView widened(Context& context, int slot, const TensorView& view, bool isResult) {
  TensorView wide = view;
  wide.dtype = DType::Float32;
  wide.data = reinterpret_cast<char*>(queueOf(context).scratch<float>(slot, view.numel()));
  if (!isResult) copy(context, wide, view);
  return wide;
}

// Of 16-bit operands, in float32.
void convolveWide(Context& context, const Convolution& c) {
  Convolution wide = c;
  wide.x = widened(context, kScratchOfWideX, c.x, c.kind == ConvKind::BackwardData);
  wide.weight = widened(context, kScratchOfWideWeight, c.weight, c.kind == ConvKind::BackwardWeight);
  wide.y = widened(context, kScratchOfWideY, c.y, c.kind == ConvKind::Forward);
  if (c.bias.defined) static_cast<TensorView&>(wide.bias) = widened(context, kScratchOfWideBias, c.bias, false);
  convolve<float>(context, wide);
  copy(context, c.result(), wide.result());
}

template <class T>
void correlate(Context& context, const Convolution& c) {
  Queue& queue = queueOf(context);
  const ConvShape& s = c.shape;
  const bool transposed = c.kind == ConvKind::BackwardData;
  const TensorView& input = transposed ? c.y : c.x;
  const TensorView& out = c.result();
  const ImageLayout from = readImages(c.op, "the input", input, false), to = readImages(c.op, "the result", out, true);
  const T* const bias = c.bias.defined ? c.bias.as<const T>() : nullptr;
  CorrelationMap map = correlationOf(s, transposed, from, to);
  if (isPointwise(s))
    return multiplyPointwise<T>(queue, s, input.as<const T>(), from, map.cin, c.weight.as<const T>(), map.weightIn,
                                map.weightOut, map.cout, bias, out.as<T>());
  if (s.groups > 1 && map.cout < kFewChannels) {
    const T* const packed = packWeights<T>(queue, c, map);
    for (int d = 0; d < 3; d++) map.stride[d] = s.stride[d];
    const int64_t results = out.numel();
    LAUNCH((directKernel<T>), gridFor(queue, results, kThreads), kThreads, 0, queue, map, input.as<const T>(), packed,
           bias, out.as<T>(), results);
    return;
  }
  if (convolveByCudnn(context, c)) return;
  if constexpr (sizeof(T) == 2) {
    convolveWide(context, c);
  } else {
    MapProblem<T, CorrelationMap> p{};
    p.a = input.as<const T>();
    p.b = packWeights<T>(queue, c, map);
    p.map = map;
    p.c = out.as<T>();
    p.bias = bias;
    p.aAlongDepth = from.channelsLast() && map.cin >= 4;
    p.bAlongDepth = false;
    multiplyMap(queue, p);
  }
}

template <class T>
void multiplyGradients(Context& context, const Convolution& c) {
  Queue& queue = queueOf(context);
  const ConvShape& s = c.shape;
  const T *const x = c.x.as<const T>(), *const g = c.y.as<const T>();
  T* const out = c.weight.as<T>();
  const ImageLayout from = readImages(c.op, "x", c.x, false), gradient = readImages(c.op, "g", c.y, false);
  if (isPointwise(s) && from.channelsLast() && gradient.channelsLast())
    return gemm(queue, Product<T>{s.cout, s.cin, s.images * s.outSize, g, 1, s.cout, x, s.cin, 1, out, s.cin});
  const WeightMap map = weightMapOf(s, from, gradient);
  if (s.groups > 1 && s.cout < kFewChannels) return directWeight<T>(queue, map, x, g, out);
  if (convolveByCudnn(context, c)) return;
  if constexpr (sizeof(T) == 2) {
    convolveWide(context, c);
  } else {
    MapProblem<T, WeightMap> p{};
    p.map = map;
    p.a = x;
    p.b = g;
    p.c = out;
    p.aAlongDepth = !from.channelsLast();
    p.bAlongDepth = !gradient.channelsLast();
    multiplyMap(queue, p);
  }
}

void run(Context& context, const Convolution& c) {
  const TensorView& out = c.result();
  if (emptyView(out)) return;
  Queue& queue = queueOf(context);
  withFloat(out.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    if (c.shape.taps > 0) return convolve<T>(context, c);
    if (c.kind != ConvKind::BackwardWeight) return fillBias<T>(queue, c.op, out, c.bias);
    checkCuda(cudaMemsetAsync(out.data, 0, static_cast<size_t>(out.numel()) * sizeof(T), queue.stream),
              "clearing a gradient");
  });
}

}  // namespace

void convForward(Context& context, const TensorView& out, const TensorView& x, const TensorView& weight,
                 const OptionalTensor& bias, Scalars geometry) {
  run(context, readConvolution("convForward", ConvKind::Forward, x, weight, out, bias, geometry, Floats::All));
}

void convBackwardData(Context& context, const TensorView& out, const TensorView& g, const TensorView& weight,
                      const OptionalTensor& bias, Scalars geometry) {
  run(context,
      readConvolution("convBackwardData", ConvKind::BackwardData, out, weight, g, bias, geometry, Floats::All));
}

void convBackwardWeight(Context& context, const TensorView& out, const TensorView& g, const TensorView& x,
                        Scalars geometry) {
  run(context, readConvolution("convBackwardWeight", ConvKind::BackwardWeight, x, out, g, OptionalTensor{}, geometry,
                               Floats::All));
}

}  // namespace thalweg::cuda
