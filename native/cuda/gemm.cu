// Which algorithm a product gets, and in what pieces.
#include "cuda/gemm.h"

#include "cuda/cublaslt.h"
#include "cuda/gemm_rows.h"
#include "cuda/gemm_split.h"
#include "cuda/gemm_tile.h"

namespace thalweg::cuda {
namespace {

constexpr int64_t kMostBlocks = int64_t{1} << 30;
template <class S, class Shape>
void launchTiles(Queue& queue, const Product<S>& p) {
  const int64_t down = divideUp(p.m, Shape::kRows), across = divideUp(p.n, Shape::kColumns);
  const int64_t outputs = p.m * p.n * p.batch.count;
  const auto [splits, steps] = splitFor(queue, down * across * p.batch.count, p.k, Shape::kDepth,
                                        outputs * static_cast<int64_t>(sizeof(Sum<S>)));
  Sum<S>* partial = splits > 1 ? queue.scratch<Sum<S>>(kScratchOfGemm, outputs * splits) : nullptr;
  const TileProblem<S> problem{p.m,   p.n,     p.k,  p.a,    p.ars,  p.acs, p.b,     p.brs,
                               p.bcs, p.batch, down, across, splits, steps, partial, Epilogue<S>(p)};
  const int64_t blocks = std::min(down * across * splits * p.batch.count, kMostBlocks);
  LAUNCH((tileKernel<S, Shape>), static_cast<unsigned>(blocks), Shape::kThreads, 0, queue, problem);
  if (splits > 1)
    LAUNCH((joinSplits<S>), gridFor(queue, outputs, 256), 256, 0, queue, partial, splits, p.m, p.n, p.batch,
           Epilogue<S>(p));
}

// Bias and activation of a product that was made without.
template <class S>
__global__ void finishKernel(int64_t m, int64_t n, ProductBatch batch, Epilogue<S> epilogue) {
  const int64_t count = batch.count * m * n, step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    int64_t rest = i;
    const int64_t column = takeOff(rest, n), row = takeOff(rest, m);
    epilogue.finish(BatchOffsets(batch, rest).c, row, column);
  }
}

template <class S>
void finish(Queue& queue, const Product<S>& p, const Epilogue<S>& epilogue) {
  const int64_t count = p.m * p.n * p.batch.count;
  LAUNCH((finishKernel<S>), gridFor(queue, count, 256), 256, 0, queue, p.m, p.n, p.batch, epilogue);
}

// False if the library does not have it.
template <class S>
bool multiplyByLibrary(Queue& queue, const Product<S>& p) {
  const LibraryProduct done = multiplyByCublasLt(queue, p);
  if (!done.launched) return false;
  Epilogue<S> epilogue(p);
  if constexpr (std::is_same_v<Sum<S>, float>) {
    if (done.sums) {
      const int64_t count = p.m * p.n * p.batch.count;
      epilogue.alpha = 1;
      LAUNCH((joinSplits<S>), gridFor(queue, count, 256), 256, 0, queue, done.sums, 1, p.m, p.n, p.batch, epilogue);
      return true;
    }
  }
  if (done.biasAdded) epilogue.bias = nullptr;
  if (epilogue.bias || p.activation != Activation::None) finish(queue, p, epilogue);
  return true;
}

// Products of at most kMostRows rows.
template <class S>
void launchRows(Queue& queue, const Product<S>& p) {
  const RowsProblem<S> problem{p.m, p.n, p.k, p.a, p.ars, p.acs, p.b, p.brs, p.bcs, p.batch, Epilogue<S>(p)};
  const bool dots = p.brs < p.bcs || p.n == 1;
  const int64_t blocks = std::min(divideUp(p.n, dots ? kStreams : kWarp) * p.batch.count, kMostBlocks);
  if (dots)
    LAUNCH((dotRowsKernel<S>), static_cast<unsigned>(blocks), kStreams * kWarp, 0, queue, problem);
  else
    LAUNCH((columnRowsKernel<S>), static_cast<unsigned>(blocks), kStreams * kWarp, 0, queue, problem);
}

template <class S>
void multiply(Queue& queue, const Product<S>& p) {
  if (p.m <= 0 || p.n <= 0 || p.batch.count <= 0) return;
  if constexpr (!std::is_integral_v<S>)
    if (multiplyByLibrary(queue, p)) return;
  if constexpr (std::is_same_v<Sum<S>, float> || std::is_same_v<S, double>)
    if (std::min(p.m, p.n) <= kMostRows) return launchRows(queue, p.m <= p.n ? p : p.transposed());
  const auto tiles = [&](int64_t size) { return divideUp(p.m, size) * divideUp(p.n, size) * p.batch.count; };
  // The largest tile of which there are enough for all multiprocessors. Sums of 64 bits need twice the registers.
  if constexpr (sizeof(Sum<S>) == 4 && sizeof(S) != 1)
    if (tiles(128) >= queue.multiprocessors && std::min(p.m, p.n) > 64) return launchTiles<S, LargeTile>(queue, p);
  if constexpr (std::is_same_v<S, float> || std::is_same_v<S, double>)
    if (tiles(64) < queue.multiprocessors || std::min(p.m, p.n) <= 32) return launchTiles<S, SmallTile>(queue, p);
  launchTiles<S, std::conditional_t<sizeof(Sum<S>) == 8, MediumWideTile, MediumTile>>(queue, p);
}

}  // namespace

void gemm(Queue& queue, const Product<float>& product) { multiply(queue, product); }
void gemm(Queue& queue, const Product<double>& product) { multiply(queue, product); }
void gemm(Queue& queue, const Product<Half>& product) { multiply(queue, product); }
void gemm(Queue& queue, const Product<BFloat16>& product) { multiply(queue, product); }
void gemm(Queue& queue, const Product<uint8_t>& product) { multiply(queue, product); }
void gemm(Queue& queue, const Product<uint32_t>& product) { multiply(queue, product); }
void gemm(Queue& queue, const Product<uint64_t>& product) { multiply(queue, product); }

void finishProduct(Queue& queue, const Product<float>& p) { finish(queue, p, Epilogue(p)); }
void finishProduct(Queue& queue, const Product<double>& p) { finish(queue, p, Epilogue(p)); }
void finishProduct(Queue& queue, const Product<Half>& p) { finish(queue, p, Epilogue(p)); }
void finishProduct(Queue& queue, const Product<BFloat16>& p) { finish(queue, p, Epilogue(p)); }

}  // namespace thalweg::cuda
