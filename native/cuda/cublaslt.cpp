#include "cuda/cublaslt.h"

#if defined(THALWEG_HAS_CUBLASLT)
#include <cublasLt.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_map>

#include "cuda/cublaslt_layout.h"
#include "cuda/library.h"
#if defined(THALWEG_CUDA_EMULATED)
#include "cuda/emulated/memory.h"
#endif

namespace thalweg::cuda {

LIBRARY_FUNCTION(cublasLtLibrary, cublasLtCreate);
LIBRARY_FUNCTION(cublasLtLibrary, cublasLtDestroy);
LIBRARY_FUNCTION(cublasLtLibrary, cublasLtMatmul);
LIBRARY_FUNCTION(cublasLtLibrary, cublasLtMatmulAlgoGetHeuristic);
LIBRARY_FUNCTION(cublasLtLibrary, cublasLtMatmulDescCreate);
LIBRARY_FUNCTION(cublasLtLibrary, cublasLtMatmulDescDestroy);
LIBRARY_FUNCTION(cublasLtLibrary, cublasLtMatmulDescSetAttribute);
LIBRARY_FUNCTION(cublasLtLibrary, cublasLtMatmulPreferenceCreate);
LIBRARY_FUNCTION(cublasLtLibrary, cublasLtMatmulPreferenceDestroy);
LIBRARY_FUNCTION(cublasLtLibrary, cublasLtMatmulPreferenceSetAttribute);
LIBRARY_FUNCTION(cublasLtLibrary, cublasLtMatrixLayoutCreate);
LIBRARY_FUNCTION(cublasLtLibrary, cublasLtMatrixLayoutDestroy);
LIBRARY_FUNCTION(cublasLtLibrary, cublasLtMatrixLayoutSetAttribute);
#if defined(THALWEG_CUDA_EMULATED)
// Which the real library does not have: it cannot run on the emulated device.
LIBRARY_FUNCTION(cublasLtLibrary, thalwegEmulatedCublasLt);
#endif

namespace {

// As much as the kernels of any architecture ask for (Hopper's are the hungriest).
constexpr int64_t kWorkspaceBytes = int64_t{32} << 20;
// Programs whose shapes never repeat must not fill the memory with plans.
constexpr size_t kMostPlans = 4096;
// Of sums of 16-bit products in float32; larger ones are rounded before the activation.
constexpr int64_t kMostSumBytes = int64_t{256} << 20;
constexpr int64_t kMostAlignment = 256;

template <class T>
struct TypesOf;
template <>
struct TypesOf<float> {
  static constexpr cudaDataType_t kData = CUDA_R_32F, kScale = CUDA_R_32F;
  static constexpr cublasComputeType_t kCompute = CUBLAS_COMPUTE_32F;
};
template <>
struct TypesOf<double> {
  static constexpr cudaDataType_t kData = CUDA_R_64F, kScale = CUDA_R_64F;
  static constexpr cublasComputeType_t kCompute = CUBLAS_COMPUTE_64F;
};
template <>
struct TypesOf<Half> {
  static constexpr cudaDataType_t kData = CUDA_R_16F, kScale = CUDA_R_32F;
  static constexpr cublasComputeType_t kCompute = CUBLAS_COMPUTE_32F;
};
template <>
struct TypesOf<BFloat16> {
  static constexpr cudaDataType_t kData = CUDA_R_16BF, kScale = CUDA_R_32F;
  static constexpr cublasComputeType_t kCompute = CUBLAS_COMPUTE_32F;
};

void check(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS)
    fail(ErrorKind::Device, "%s: cuBLASLt reports status %d", what, static_cast<int>(status));
}

// All that an algorithm depends on; compared as bytes, so all of one size.
struct Key {
  int64_t compute, data, result, m, n, k;
  int64_t transposedA, transposedB, leadingA, leadingB, leadingD;
  int64_t batch, strideA, strideB, strideD;
  int64_t alignmentA, alignmentB, alignmentD;
  int64_t accumulate, bias;

  bool operator==(const Key& other) const { return std::memcmp(this, &other, sizeof *this) == 0; }
};
struct KeyHash {
  size_t operator()(const Key& key) const {
    return std::hash<std::string_view>()({reinterpret_cast<const char*>(&key), sizeof key});
  }
};

struct Plan {
  cublasLtMatmulDesc_t operation = nullptr;
  cublasLtMatrixLayout_t a = nullptr, b = nullptr, d = nullptr;
  cublasLtMatmulAlgo_t algorithm{};
  bool usable = false;

  Plan() = default;
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  ~Plan() {
    for (cublasLtMatrixLayout_t layout : {a, b, d})
      if (layout) cublasLtMatrixLayoutDestroy(layout);
    if (operation) cublasLtMatmulDescDestroy(operation);
  }
};

template <class V>
void setAttribute(cublasLtMatmulDesc_t operation, cublasLtMatmulDescAttributes_t attribute, V value) {
  check(cublasLtMatmulDescSetAttribute(operation, attribute, &value, sizeof value), "describing a product");
}
template <class V>
void setAttribute(cublasLtMatrixLayout_t layout, cublasLtMatrixLayoutAttribute_t attribute, V value) {
  check(cublasLtMatrixLayoutSetAttribute(layout, attribute, &value, sizeof value), "describing a matrix");
}
template <class V>
void setAttribute(cublasLtMatmulPreference_t preference, cublasLtMatmulPreferenceAttributes_t attribute, V value) {
  check(cublasLtMatmulPreferenceSetAttribute(preference, attribute, &value, sizeof value), "asking for an algorithm");
}

cublasLtMatrixLayout_t layoutOf(const Key& key, int64_t type, const ColumnMatrix& matrix, int64_t stride) {
  cublasLtMatrixLayout_t layout = nullptr;
  check(cublasLtMatrixLayoutCreate(&layout, static_cast<cudaDataType_t>(type), static_cast<uint64_t>(matrix.rows),
                                   static_cast<uint64_t>(matrix.columns), matrix.leading),
        "describing a matrix");
  if (key.batch > 1) {
    setAttribute(layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, static_cast<int32_t>(key.batch));
    setAttribute(layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, stride);
  }
  return layout;
}

}  // namespace

struct Queue::LibraryPlans {
  cublasLtHandle_t handle = nullptr;
  std::unordered_map<Key, Plan, KeyHash> plans;

  ~LibraryPlans() {
    plans.clear();
    if (handle) cublasLtDestroy(handle);
  }
};

namespace {

// The plans of a queue; null if the library cannot work with its device.
Queue::LibraryPlans* plansOf(Queue& queue) {
  if (!cublasLtLibrary.available()) return nullptr;
  if (!queue.libraryPlans) {
    queue.libraryPlans = std::make_shared<Queue::LibraryPlans>();
#if defined(THALWEG_CUDA_EMULATED)
    thalwegEmulatedCublasLt(emulated::runOnDevice);
#endif
    if (cublasLtCreate(&queue.libraryPlans->handle) != CUBLAS_STATUS_SUCCESS) queue.libraryPlans->handle = nullptr;
  }
  return queue.libraryPlans->handle ? queue.libraryPlans.get() : nullptr;
}

void makePlan(cublasLtHandle_t handle, Plan& plan, const Key& key, const LibraryLayout& layout, cudaDataType_t scale) {
  check(cublasLtMatmulDescCreate(&plan.operation, static_cast<cublasComputeType_t>(key.compute), scale),
        "describing a product");
  setAttribute(plan.operation, CUBLASLT_MATMUL_DESC_TRANSA,
               static_cast<int32_t>(layout.a.transposed ? CUBLAS_OP_T : CUBLAS_OP_N));
  setAttribute(plan.operation, CUBLASLT_MATMUL_DESC_TRANSB,
               static_cast<int32_t>(layout.b.transposed ? CUBLAS_OP_T : CUBLAS_OP_N));
  setAttribute(plan.operation, CUBLASLT_MATMUL_DESC_EPILOGUE,
               static_cast<uint32_t>(key.bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT));
  plan.a = layoutOf(key, key.data, layout.a, key.strideA);
  plan.b = layoutOf(key, key.data, layout.b, key.strideB);
  plan.d = layoutOf(key, key.result, layout.d, key.strideD);

  cublasLtMatmulPreference_t preference = nullptr;
  check(cublasLtMatmulPreferenceCreate(&preference), "asking for an algorithm");
  setAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, static_cast<uint64_t>(kWorkspaceBytes));
  // Parts of sums are added in the type of the sums.
  setAttribute(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
               static_cast<uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
  setAttribute(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, static_cast<uint32_t>(key.alignmentA));
  setAttribute(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, static_cast<uint32_t>(key.alignmentB));
  setAttribute(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, static_cast<uint32_t>(key.alignmentD));
  setAttribute(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, static_cast<uint32_t>(key.alignmentD));
  cublasLtMatmulHeuristicResult_t result{};
  int count = 0;
  const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(handle, plan.operation, plan.a, plan.b, plan.d, plan.d,
                                                               preference, 1, &result, &count);
  cublasLtMatmulPreferenceDestroy(preference);
  plan.usable = status == CUBLAS_STATUS_SUCCESS && count > 0 && result.state == CUBLAS_STATUS_SUCCESS;
  if (plan.usable) plan.algorithm = result.algo;
}

// What pointer and batch stride are both multiples of, in bytes.
template <class T>
int64_t alignmentOf(const T* data, int64_t stride) {
  const uint64_t bits = reinterpret_cast<uintptr_t>(data) | static_cast<uint64_t>(stride) * sizeof(T) |
                        static_cast<uint64_t>(kMostAlignment);
  return static_cast<int64_t>(bits & ~(bits - 1));
}

// One call, with the batch of the layout, into c. False if cuBLASLt has no algorithm for it.
template <class T, class R>
bool launch(Queue& queue, Queue::LibraryPlans& plans, const Product<T>& p, R* c, const LibraryLayout& layout,
            const T* bias) {
  Key key{};
  key.compute = TypesOf<T>::kCompute;
  if constexpr (std::is_same_v<T, float>)
    if (tensorFloat32.load(std::memory_order_relaxed)) key.compute = CUBLAS_COMPUTE_32F_FAST_TF32;
  key.data = TypesOf<T>::kData;
  key.result = TypesOf<R>::kData;
  key.m = layout.m, key.n = layout.n, key.k = layout.k;
  key.transposedA = layout.a.transposed, key.transposedB = layout.b.transposed;
  key.leadingA = layout.a.leading, key.leadingB = layout.b.leading, key.leadingD = layout.d.leading;
  key.batch = 1;
  if (layout.inner >= 0) {
    key.batch = p.batch.shape[layout.inner];
    key.strideA = p.batch.b[layout.inner], key.strideB = p.batch.a[layout.inner], key.strideD = p.batch.c[layout.inner];
  }
  key.alignmentA = alignmentOf(p.b, key.strideA), key.alignmentB = alignmentOf(p.a, key.strideB);
  key.alignmentD = alignmentOf(c, key.strideD);
  key.accumulate = p.accumulate;
  key.bias = bias != nullptr;

  if (plans.plans.size() >= kMostPlans) plans.plans.clear();
  const auto [found, fresh] = plans.plans.try_emplace(key);
  Plan& plan = found->second;
  if (fresh) makePlan(plans.handle, plan, key, layout, TypesOf<T>::kScale);
  if (!plan.usable) return false;
  if (bias) setAttribute(plan.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<const void*>(bias));
  using Scale = std::conditional_t<std::is_same_v<T, double>, double, float>;
  const Scale alpha = static_cast<Scale>(p.alpha), beta = p.accumulate ? 1 : 0;
  void* const workspace = queue.scratch(kScratchOfGemm, kWorkspaceBytes);
  const cublasStatus_t status =
      cublasLtMatmul(plans.handle, plan.operation, &alpha, p.b, plan.a, p.a, plan.b, &beta, c, plan.d, c, plan.d,
                     &plan.algorithm, workspace, static_cast<size_t>(kWorkspaceBytes), queue.stream);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE) {
    plan.usable = false;
    return false;
  }
  check(status, "multiplying matrices");
  return true;
}

// The calls of a batch of several dimensions; all of them, or none (the first decides: the others have its plan, or one
// that differs in alignment alone).
template <class T, class R>
bool launchAll(Queue& queue, Queue::LibraryPlans& plans, const Product<T>& p, R* c, const LibraryLayout& layout,
               const T* bias) {
  const int64_t calls = layout.inner < 0 ? 1 : p.batch.count / p.batch.shape[layout.inner];
  for (int64_t call = 0; call < calls; call++) {
    Product<T> one = p;
    R* to = c;
    int64_t rest = call;
    for (int d = p.batch.ndim - 1; d >= 0; d--) {
      if (d == layout.inner) continue;
      const int64_t index = rest % p.batch.shape[d];
      rest /= p.batch.shape[d];
      one.a += index * p.batch.a[d];
      one.b += index * p.batch.b[d];
      to += index * p.batch.c[d];
    }
    if (launch(queue, plans, one, to, layout, bias)) continue;
    if (call == 0) return false;
    fail(ErrorKind::Device, "multiplying matrices: cuBLASLt refuses a part of a batch");
  }
  return true;
}

// 16-bit sums to which something is still to be done, as float32.
template <class T>
LibraryProduct multiplyWide(Queue& queue, Queue::LibraryPlans& plans, Product<T> p) {
  p.accumulate = false;
  p.crs = p.n;
  p.ccs = 1;
  int64_t stride = p.m * p.n;
  for (int d = p.batch.ndim - 1; d >= 0; d--) {
    p.batch.c[d] = stride;
    stride *= p.batch.shape[d];
  }
  const auto layout = libraryLayout(p);
  if (!layout) return {};
  // Behind the workspace, which is asked for again below and then stays where it is.
  char* const memory = static_cast<char*>(
      queue.scratch(kScratchOfGemm, kWorkspaceBytes + p.m * p.n * p.batch.count * int64_t{sizeof(float)}));
  float* const sums = reinterpret_cast<float*>(memory + kWorkspaceBytes);
  if (!launchAll<T>(queue, plans, p, sums, *layout, nullptr)) return {};
  return {true, false, sums};
}

template <class T>
LibraryProduct multiply(Queue& queue, const Product<T>& given) {
  Queue::LibraryPlans* const plans = plansOf(queue);
  if (!plans) return {};
  const bool turned = given.ccs != 1 && given.n != 1 && (given.crs == 1 || given.m == 1);
  const Product<T> p = turned ? given.transposed() : given;
  // A bias of the columns; float64 has no epilogues.
  const bool adds = p.bias && p.biasRs == 0 && (p.biasCs == 1 || p.n == 1) && !std::is_same_v<T, double> &&
                    reinterpret_cast<uintptr_t>(p.bias) % 16 == 0;
  const bool remains = p.activation != Activation::None || (p.bias && !adds);
  if constexpr (sizeof(T) == 2) {
    if (remains && p.m * p.n * p.batch.count <= kMostSumBytes / int64_t{sizeof(float)})
      if (const LibraryProduct result = multiplyWide(queue, *plans, given); result.launched) return result;
  }
  const auto layout = libraryLayout(p);
  if (!layout) return {};
  if (adds && launchAll(queue, *plans, p, p.c, *layout, p.bias)) return {true, true};
  if (sizeof(T) == 2 && p.bias && !remains) return {};
  return {launchAll<T>(queue, *plans, p, p.c, *layout, nullptr), false};
}

}  // namespace

LibraryProduct multiplyByCublasLt(Queue& queue, const Product<float>& p) { return multiply(queue, p); }
LibraryProduct multiplyByCublasLt(Queue& queue, const Product<double>& p) { return multiply(queue, p); }
LibraryProduct multiplyByCublasLt(Queue& queue, const Product<Half>& p) { return multiply(queue, p); }
LibraryProduct multiplyByCublasLt(Queue& queue, const Product<BFloat16>& p) { return multiply(queue, p); }

}  // namespace thalweg::cuda

#else

namespace thalweg::cuda {

struct Queue::LibraryPlans {};

LibraryProduct multiplyByCublasLt(Queue&, const Product<float>&) { return {}; }
LibraryProduct multiplyByCublasLt(Queue&, const Product<double>&) { return {}; }
LibraryProduct multiplyByCublasLt(Queue&, const Product<Half>&) { return {}; }
LibraryProduct multiplyByCublasLt(Queue&, const Product<BFloat16>&) { return {}; }

}  // namespace thalweg::cuda

#endif
