// Convolution and its two gradients. All of it works on images whose channels lie side by side: results come out so,
// and contiguous operands are turned around as they are copied into windows. See conv_correlation.h for what is
// computed, conv_forward.h and conv_weight.h for how.
#include "cpu/conv_depthwise.h"
#include "cpu/conv_few.h"
#include "cpu/conv_forward.h"
#include "cpu/conv_spread.h"
#include "cpu/conv_strided.h"
#include "cpu/conv_weight.h"
#include "cpu/conv_winograd.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Calls f with a null pointer to float or double.
template <class F>
void withFloat(DType dtype, F&& f) {
  dtype == DType::Float64 ? f(static_cast<double*>(nullptr)) : f(static_cast<float*>(nullptr));
}

// Without input channels or positions: the bias, or zero.
template <class T>
void fillBias(const char* op, const TensorView& out, const OptionalTensor& bias) {
  const Images<T> images = imagesOf<T>(op, "the result", out, true);
  const int64_t channels = out.shape[1], positions = out.numel() / channels;
  for (int64_t p = 0; p < positions; p++)
    for (int64_t c = 0; c < channels; c++) images.data[p * channels + c] = bias.defined ? bias.as<const T>()[c] : T(0);
}

template <class T>
void convolve(Context& ctx, const char* op, const Correlation& c, const TensorView& out, const TensorView& x,
              const TensorView& weight, const OptionalTensor& bias, bool winograd) {
  const Images<const T> from = imagesOf<const T>(op, "the input", x, false);
  const Images<T> to = imagesOf<T>(op, "the result", out, true);
  const T* start = bias.defined ? bias.as<const T>() : nullptr;
  if (isDepthwise(c)) return depthwise(ctx, c, from, weight.as<const T>(), start, to);
  if constexpr (std::is_same_v<T, float>) {
    if (winograd && winogradSuits(c)) return winogradCorrelate(ctx, c, from, weight.as<const T>(), start, to.data);
    if (winograd && strided::suits(c)) return strided::correlate(ctx, c, from, weight.as<const T>(), start, to.data);
  }
  correlate(ctx, c, from, weight.as<const T>(), start, to);
}

}  // namespace

void convForward(Context& ctx, const TensorView& out, const TensorView& x, const TensorView& weight,
                 const OptionalTensor& bias, Scalars geometry) {
  const ConvShape s = readConvShape("convForward", x, weight, out, geometry);
  checkConvBias("convForward", bias, out);
  if (emptyView(out)) return;
  withFloat(out.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    if (s.taps == 0) return fillBias<T>("convForward", out, bias);
    if (fewPositions(s))
      return convolveFew<T>(ctx, s, imagesOf<const T>("convForward", "the input", x, false), weight.as<const T>(),
                            bias.defined ? bias.as<const T>() : nullptr,
                            imagesOf<T>("convForward", "the result", out, true));
    convolve<T>(ctx, "convForward", forwardCorrelation(s), out, x, weight, bias, s.winograd);
  });
}

void convBackwardData(Context& ctx, const TensorView& out, const TensorView& g, const TensorView& weight,
                      const OptionalTensor& bias, Scalars geometry) {
  const ConvShape s = readConvShape("convBackwardData", out, weight, g, geometry);
  checkConvBias("convBackwardData", bias, out);
  if (emptyView(out)) return;
  withFloat(out.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    if (s.taps == 0) return fillBias<T>("convBackwardData", out, bias);
    if (fewPositionsTransposed(s))
      return convolveFewTransposed<T>(ctx, s, imagesOf<const T>("convBackwardData", "the input", g, false),
                                      weight.as<const T>(), bias.defined ? bias.as<const T>() : nullptr,
                                      imagesOf<T>("convBackwardData", "the result", out, true));
    if (spreadSuits<T>(s))
      return spread(ctx, s, imagesOf<const T>("convBackwardData", "the input", g, false), weight.as<const T>(),
                    bias.defined ? bias.as<const T>() : nullptr,
                    imagesOf<T>("convBackwardData", "the result", out, true).data);
    convolve<T>(ctx, "convBackwardData", transposedCorrelation(s), out, g, weight, bias, s.winograd);
  });
}

void convBackwardWeight(Context& ctx, const TensorView& out, const TensorView& g, const TensorView& x,
                        Scalars geometry) {
  const ConvShape s = readConvShape("convBackwardWeight", x, out, g, geometry);
  if (emptyView(out)) return;
  withFloat(out.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    if (s.taps == 0) {
      T* to = out.as<T>();
      for (int64_t i = 0; i < out.numel(); i++) to[i] = 0;
      return;
    }
    const Correlation c = forwardCorrelation(s);
    const Images<const T> from = imagesOf<const T>("convBackwardWeight", "x", x, false);
    const Images<const T> gradient = imagesOf<const T>("convBackwardWeight", "g", g, false);
    if (isDepthwise(c)) return depthwiseWeight(ctx, c, from, gradient, out.as<T>());
    if constexpr (std::is_same_v<T, float>) {
      if (s.winograd && winogradSuits(c)) return winogradWeight(ctx, c, from, gradient, out.as<T>());
      if (s.winograd && strided::suits(c)) return strided::correlateWeight(ctx, c, from, gradient, out.as<T>());
    }
    correlateWeight<T>(ctx, c, from, gradient, out.as<T>());
  });
}

}  // namespace thalweg::cpu::THALWEG_ISA
