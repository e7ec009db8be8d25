// cuBLASLt on the emulated device: the calls that cublaslt.cpp makes, computed plainly, with every descriptor and every
// pointer checked against what the interface demands. A wrong one ends the process: a status would only make the plugin
// take its own kernels. FAKE_CUBLASLT_REFUSE=bias | all: the heuristic has no algorithm for products with a bias, or
// for any. At the end of the process FAKE_CUBLASLT_REPORT=1 says how many products there were.
#include <cublasLt.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "runtime/dtype.h"
#include "tf32.h"

#define EXPORTED extern "C" __attribute__((visibility("default")))

namespace {

constexpr uint64_t kAlive = 0x6c61636e6f6974;
RunOnDevice* runOnDevice = nullptr;

struct Report {
  long products = 0, heuristics = 0;
  ~Report() {
    if (std::getenv("FAKE_CUBLASLT_REPORT"))
      std::fprintf(stderr, "fake cuBLASLt: %ld products, %ld heuristics\n", products, heuristics);
  }
} report;

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "fake cuBLASLt: %s\n", what);
  std::abort();
}
void demand(bool holds, const char* what) {
  if (!holds) die(what);
}

// A descriptor that knows whether it was made and not yet destroyed.
struct Alive {
  uint64_t alive = kAlive;
  ~Alive() { alive = 0; }
};

template <class T>
T* alive(T* descriptor, const char* what) {
  demand(descriptor && descriptor->alive == kAlive, what);
  return descriptor;
}

template <class V>
V attribute(const void* value, size_t bytes) {
  demand(value && bytes == sizeof(V), "an attribute of the wrong size");
  V result;
  std::memcpy(&result, value, sizeof result);
  return result;
}

int64_t sizeOf(cudaDataType_t type) {
  switch (type) {
    case CUDA_R_32F: return 4;
    case CUDA_R_64F: return 8;
    case CUDA_R_16F:
    case CUDA_R_16BF: return 2;
  }
  die("an unknown type of data");
}
double load(cudaDataType_t type, const void* data, int64_t i) {
  switch (type) {
    case CUDA_R_32F: return static_cast<const float*>(data)[i];
    case CUDA_R_64F: return static_cast<const double*>(data)[i];
    case CUDA_R_16F: return toFloat(static_cast<const thalweg::Half*>(data)[i]);
    case CUDA_R_16BF: return toFloat(static_cast<const thalweg::BFloat16*>(data)[i]);
  }
  die("an unknown type of data");
}
void store(cudaDataType_t type, void* data, int64_t i, double value) {
  switch (type) {
    case CUDA_R_32F: static_cast<float*>(data)[i] = static_cast<float>(value); return;
    case CUDA_R_64F: static_cast<double*>(data)[i] = value; return;
    case CUDA_R_16F: static_cast<thalweg::Half*>(data)[i] = thalweg::toHalf(static_cast<float>(value)); return;
    case CUDA_R_16BF: static_cast<thalweg::BFloat16*>(data)[i] = thalweg::toBFloat16(static_cast<float>(value)); return;
  }
}

}  // namespace

struct FakeLtHandle : Alive {};
struct FakeLtLayout : Alive {
  cudaDataType_t type;
  int64_t rows, columns, leading;
  int64_t batch = 1, stride = 0;
};
struct FakeLtOperation : Alive {
  cublasComputeType_t compute;
  cudaDataType_t scale;
  int32_t transposedA = CUBLAS_OP_N, transposedB = CUBLAS_OP_N;
  uint32_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void* bias = nullptr;
};
struct FakeLtPreference : Alive {
  uint64_t workspace = 0;
  uint32_t reductions = ~0u;
  uint32_t alignment[4] = {256, 256, 256, 256};
};

namespace {

struct Shapes {
  int64_t m, n, k;
};

Shapes checkDescriptors(FakeLtOperation* operation, FakeLtLayout* a, FakeLtLayout* b, FakeLtLayout* c,
                        FakeLtLayout* d) {
  alive(operation, "no operation");
  for (FakeLtLayout* layout : {a, b, c, d}) {
    alive(layout, "no layout");
    demand(layout->rows > 0 && layout->columns > 0, "an empty matrix");
    demand(layout->rows <= INT32_MAX && layout->columns <= INT32_MAX, "a matrix beyond 32 bits");
    demand(layout->leading >= layout->rows, "a leading dimension below the rows");
    demand(layout->batch == d->batch && layout->batch >= 1, "batches of different sizes");
  }
  demand(a->type == b->type && c->type == d->type, "operands of different types");
  demand(a->type == d->type || (sizeOf(a->type) == 2 && d->type == CUDA_R_32F), "a result of a type that there is not");
  demand(a->type == d->type || operation->epilogue == CUBLASLT_EPILOGUE_DEFAULT, "a bias of a type that was not said");
  const bool fits32 =
      operation->compute == CUBLAS_COMPUTE_32F && operation->scale == CUDA_R_32F && d->type != CUDA_R_64F;
  const bool fitsTF32 =
      operation->compute == CUBLAS_COMPUTE_32F_FAST_TF32 && operation->scale == CUDA_R_32F && d->type == CUDA_R_32F;
  const bool fits64 =
      operation->compute == CUBLAS_COMPUTE_64F && operation->scale == CUDA_R_64F && d->type == CUDA_R_64F;
  demand(fits32 || fitsTF32 || fits64, "types that do not go together");
  demand(operation->epilogue == CUBLASLT_EPILOGUE_DEFAULT ||
             (operation->epilogue == CUBLASLT_EPILOGUE_BIAS && d->type != CUDA_R_64F),
         "an epilogue that there is not");
  const bool ta = operation->transposedA == CUBLAS_OP_T, tb = operation->transposedB == CUBLAS_OP_T;
  const Shapes s{ta ? a->columns : a->rows, tb ? b->rows : b->columns, ta ? a->rows : a->columns};
  demand((tb ? b->columns : b->rows) == s.k, "inner dimensions that differ");
  for (FakeLtLayout* layout : {c, d})
    demand(layout->rows == s.m && layout->columns == s.n, "a result of another shape");
  demand(d->batch == 1 || (d->stride >= d->leading * (d->columns - 1) + d->rows ||
                           (d->leading >= d->stride * (d->batch - 1) + d->rows && d->stride >= d->rows)),
         "results that overlap");
  return s;
}

// What the algorithm remembers of the question, so that the answer is used for nothing else.
struct Algorithm {
  uint64_t mark, sizes;
  uint32_t alignment[4];
  uint64_t workspace;
};
static_assert(sizeof(Algorithm) <= sizeof(cublasLtMatmulAlgo_t));

uint64_t sizesOf(const FakeLtOperation* operation, const FakeLtLayout* a, const FakeLtLayout* b,
                 const FakeLtLayout* d) {
  uint64_t hash = 1469598103934665603ull;
  const auto add = [&](int64_t value) { hash = (hash ^ static_cast<uint64_t>(value)) * 1099511628211ull; };
  for (const FakeLtLayout* layout : {a, b, d})
    for (int64_t value : {static_cast<int64_t>(layout->type), layout->rows, layout->columns, layout->leading,
                          layout->batch, layout->stride})
      add(value);
  for (int64_t value : {int64_t{operation->compute}, int64_t{operation->transposedA}, int64_t{operation->transposedB},
                        int64_t{operation->epilogue}})
    add(value);
  return hash;
}

struct Call {
  FakeLtOperation operation;  // as it was at the call: a graph runs it later
  const FakeLtLayout *a, *b, *c, *d;
  const void *dataA, *dataB, *dataC;
  void* dataD;
  double alpha, beta;
  Shapes s;
  char* workspace;
  size_t workspaceBytes;
};

void compute(void* argument) {
  const Call& call = *static_cast<const Call*>(argument);
  const cudaDataType_t type = call.a->type, result = call.d->type;
  const bool ta = call.operation.transposedA == CUBLAS_OP_T, tb = call.operation.transposedB == CUBLAS_OP_T;
  const bool rounds = call.operation.compute == CUBLAS_COMPUTE_32F_FAST_TF32;
  for (int64_t batch = 0; batch < call.d->batch; batch++)
    for (int64_t j = 0; j < call.s.n; j++)
      for (int64_t i = 0; i < call.s.m; i++) {
        double sum = 0;
        for (int64_t k = 0; k < call.s.k; k++) {
          const int64_t atA = batch * call.a->stride + (ta ? i * call.a->leading + k : k * call.a->leading + i);
          const int64_t atB = batch * call.b->stride + (tb ? k * call.b->leading + j : j * call.b->leading + k);
          double x = load(type, call.dataA, atA), y = load(type, call.dataB, atB);
          if (rounds) x = fake::roundToTF32(x), y = fake::roundToTF32(y);
          sum += x * y;
        }
        double value = call.alpha * sum;
        if (call.beta != 0)
          value += call.beta * load(result, call.dataC, batch * call.c->stride + j * call.c->leading + i);
        if (call.operation.epilogue == CUBLASLT_EPILOGUE_BIAS) value += load(result, call.operation.bias, i);
        store(result, call.dataD, batch * call.d->stride + j * call.d->leading + i, value);
      }
  // It may be used.
  std::memset(call.workspace, 0xA5, call.workspaceBytes < 4096 ? call.workspaceBytes : 4096);
}

bool multipleOf(const void* data, uint64_t alignment) { return reinterpret_cast<uintptr_t>(data) % alignment == 0; }

bool refuses(const char* what) {
  const char* text = std::getenv("FAKE_CUBLASLT_REFUSE");
  return text && std::strcmp(text, what) == 0;
}

}  // namespace

EXPORTED void thalwegEmulatedCublasLt(RunOnDevice* run) { runOnDevice = run; }
EXPORTED size_t cublasLtGetVersion() { return 130000; }
EXPORTED cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = new FakeLtHandle;
  return CUBLAS_STATUS_SUCCESS;
}
EXPORTED cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  delete alive(handle, "no handle");
  return CUBLAS_STATUS_SUCCESS;
}
EXPORTED cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType_t type, uint64_t rows,
                                                   uint64_t columns, int64_t leading) {
  *layout = new FakeLtLayout;
  (*layout)->type = type;
  (*layout)->rows = static_cast<int64_t>(rows);
  (*layout)->columns = static_cast<int64_t>(columns);
  (*layout)->leading = leading;
  return CUBLAS_STATUS_SUCCESS;
}
EXPORTED cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  delete alive(layout, "no layout");
  return CUBLAS_STATUS_SUCCESS;
}
EXPORTED cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout,
                                                         cublasLtMatrixLayoutAttribute_t which, const void* value,
                                                         size_t bytes) {
  alive(layout, "no layout");
  switch (which) {
    case CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT: layout->batch = attribute<int32_t>(value, bytes); break;
    case CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET: layout->stride = attribute<int64_t>(value, bytes); break;
    default: die("an unknown attribute of a layout");
  }
  return CUBLAS_STATUS_SUCCESS;
}
EXPORTED cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* operation, cublasComputeType_t compute,
                                                 cudaDataType_t scale) {
  *operation = new FakeLtOperation;
  (*operation)->compute = compute;
  (*operation)->scale = scale;
  return CUBLAS_STATUS_SUCCESS;
}
EXPORTED cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t operation) {
  delete alive(operation, "no operation");
  return CUBLAS_STATUS_SUCCESS;
}
EXPORTED cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t operation,
                                                       cublasLtMatmulDescAttributes_t which, const void* value,
                                                       size_t bytes) {
  alive(operation, "no operation");
  switch (which) {
    case CUBLASLT_MATMUL_DESC_TRANSA: operation->transposedA = attribute<int32_t>(value, bytes); break;
    case CUBLASLT_MATMUL_DESC_TRANSB: operation->transposedB = attribute<int32_t>(value, bytes); break;
    case CUBLASLT_MATMUL_DESC_EPILOGUE: operation->epilogue = attribute<uint32_t>(value, bytes); break;
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER: operation->bias = attribute<const void*>(value, bytes); break;
    default: die("an unknown attribute of an operation");
  }
  return CUBLAS_STATUS_SUCCESS;
}
EXPORTED cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  *preference = new FakeLtPreference;
  return CUBLAS_STATUS_SUCCESS;
}
EXPORTED cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  delete alive(preference, "no preference");
  return CUBLAS_STATUS_SUCCESS;
}
EXPORTED cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                             cublasLtMatmulPreferenceAttributes_t which,
                                                             const void* value, size_t bytes) {
  alive(preference, "no preference");
  switch (which) {
    case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES: preference->workspace = attribute<uint64_t>(value, bytes); break;
    case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK: preference->reductions = attribute<uint32_t>(value, bytes); break;
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES:
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES:
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES:
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES: {
      const uint32_t alignment = attribute<uint32_t>(value, bytes);
      demand(alignment > 0 && (alignment & (alignment - 1)) == 0, "an alignment that is no power of two");
      preference->alignment[which - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES] = alignment;
      break;
    }
    default: die("an unknown attribute of a preference");
  }
  return CUBLAS_STATUS_SUCCESS;
}
EXPORTED cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation,
                                                       cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                                       cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                                       cublasLtMatmulPreference_t preference, int wanted,
                                                       cublasLtMatmulHeuristicResult_t* result, int* count) {
  alive(handle, "no handle");
  alive(preference, "no preference");
  checkDescriptors(operation, a, b, c, d);
  demand(wanted >= 1, "no algorithm is wanted");
  report.heuristics++;
  *count = 0;
  if (refuses("all") || (refuses("bias") && operation->epilogue == CUBLASLT_EPILOGUE_BIAS))
    return CUBLAS_STATUS_NOT_SUPPORTED;
  Algorithm algorithm{kAlive, sizesOf(operation, a, b, d), {}, 4096};
  demand(preference->workspace >= algorithm.workspace, "less workspace than any algorithm takes");
  std::memcpy(algorithm.alignment, preference->alignment, sizeof algorithm.alignment);
  *result = {};
  std::memcpy(result->algo.data, &algorithm, sizeof algorithm);
  result->workspaceSize = algorithm.workspace;
  result->state = CUBLAS_STATUS_SUCCESS;
  *count = 1;
  return CUBLAS_STATUS_SUCCESS;
}
EXPORTED cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation, const void* alpha,
                                       const void* dataA, cublasLtMatrixLayout_t a, const void* dataB,
                                       cublasLtMatrixLayout_t b, const void* beta, const void* dataC,
                                       cublasLtMatrixLayout_t c, void* dataD, cublasLtMatrixLayout_t d,
                                       const cublasLtMatmulAlgo_t* algo, void* workspace, size_t workspaceBytes,
                                       cudaStream_t stream) {
  alive(handle, "no handle");
  const Shapes s = checkDescriptors(operation, a, b, c, d);
  demand(stream && alpha && beta && dataA && dataB && dataC && dataD, "an argument is null");
  demand(dataC == dataD && c == d, "a result that is not in place");
  Algorithm algorithm;
  demand(algo, "no algorithm");
  std::memcpy(&algorithm, algo->data, sizeof algorithm);
  demand(algorithm.mark == kAlive && algorithm.sizes == sizesOf(operation, a, b, d), "an algorithm for something else");
  demand(workspace && multipleOf(workspace, 256) && workspaceBytes >= algorithm.workspace, "too little workspace");
  const FakeLtLayout* layouts[] = {a, b, c, d};
  const void* data[] = {dataA, dataB, dataC, dataD};
  for (int i = 0; i < 4; i++) {
    demand(multipleOf(data[i], algorithm.alignment[i]), "an operand that is aligned less than was said");
    demand(layouts[i]->batch == 1 ||
               static_cast<uint64_t>(layouts[i]->stride * sizeOf(layouts[i]->type)) % algorithm.alignment[i] == 0,
           "a batch that is aligned less than was said");
  }
  demand(operation->epilogue != CUBLASLT_EPILOGUE_BIAS || (operation->bias && multipleOf(operation->bias, 16)),
         "a bias that is not there, or not aligned");
  demand(runOnDevice, "no device");
  report.products++;
  Call call{*operation,
            a,
            b,
            c,
            d,
            dataA,
            dataB,
            dataC,
            dataD,
            operation->scale == CUDA_R_64F ? *static_cast<const double*>(alpha) : *static_cast<const float*>(alpha),
            operation->scale == CUDA_R_64F ? *static_cast<const double*>(beta) : *static_cast<const float*>(beta),
            s,
            static_cast<char*>(workspace),
            workspaceBytes};
  runOnDevice(stream, compute, &call, sizeof call);
  return CUBLAS_STATUS_SUCCESS;
}
