// From JavaScript's arguments to a kernel's parameters and a command on the stream. A kernel's C++ signature, as
// written in kernels.def, decides how each argument is read; there is nothing to write per kernel.
#pragma once
#include <cmath>
#include <cstring>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

#include "environment.h"
#include "runtime/denormal.h"
#include "transfer.h"

namespace thalweg {

// The arguments of one call, read in order. Readers are not inlined: there is a call of each for every parameter of
// every kernel, and a copy there would double the size of the bindings and the time to compile them.
class Arguments {
 public:
  static constexpr size_t kMost = 20;
  // The name of the function is its data; see exportFunction.
  Arguments(Environment& environment, napi_callback_info info) : environment(environment) {
    void* data = nullptr;
    count_ = kMost;
    napi_get_cb_info(environment.env, info, &count_, values_, nullptr, &data);
    op = static_cast<const char*>(data);
    if (count_ > kMost) count_ = kMost;
  }

  napi_value next() {
    if (next_ >= count_) fail(ErrorKind::Native, "%s: argument %zu is missing", op, next_ + 1);
    return values_[next_++];
  }
  __attribute__((noinline)) uint32_t handle() {
    // Not napi_get_value_uint32: it takes 2^32 + 5 for 5 and NaN for 0.
    double value = -1;
    napi_get_value_double(environment.env, next(), &value);
    if (!(value >= 0 && value <= UINT32_MAX) || value != static_cast<double>(static_cast<uint32_t>(value)))
      bad("a handle");
    return static_cast<uint32_t>(value);
  }
  __attribute__((noinline)) double number() {
    double value = 0;
    if (napi_get_value_double(environment.env, next(), &value) != napi_ok) bad("a number");
    return value;
  }
  __attribute__((noinline)) int64_t integer() {
    const double value = number();
    if (!(std::fabs(value) <= 9007199254740992.0) || value != std::floor(value)) bad("an integer");
    return static_cast<int64_t>(value);
  }
  __attribute__((noinline)) int64_t integerBetween(int64_t low, int64_t high) {
    const int64_t value = integer();
    if (value < low || value > high)
      fail(ErrorKind::Native, "%s: argument %zu is %lld, outside %lld to %lld", op, next_,
           static_cast<long long>(value), static_cast<long long>(low), static_cast<long long>(high));
    return value;
  }
  __attribute__((noinline)) bool boolean() {
    bool value = false;
    if (napi_get_value_bool(environment.env, next(), &value) != napi_ok) bad("a boolean");
    return value;
  }
  Scalar scalar();
  [[noreturn]] void bad(const char* wanted) {
    fail(ErrorKind::Native, "%s: argument %zu is not %s", op, next_, wanted);
  }

  Environment& environment;
  const char* op;
  int64_t handlesRead = 0, numbersRead = 0;  // cursors in the scratch arrays

  // The tensor of a handle, whose device counts.
  __attribute__((noinline)) const TensorView& tensor(uint32_t handle) {
    const HandleEntry& entry = environment.handles.get(handle, op);
    const TensorView& view = entry.view;
    // A graph uses the memory of what it was captured with for as long as it lives.
    if (Graph* graph = environment.graph) {
      if (graph->mode == Graph::Mode::Capturing)
        if (entry.storage->epoch < graph->epoch && graph->held.insert(entry.storage).second)
          environment.handles.hold(entry.storage);
      // What a dynamic part makes for itself lies elsewhere in shadow.
      const char* data = graph->dynamic && entry.storage->epoch == graph->partEpoch ? nullptr : view.data;
      operands = mix(operands, &data, sizeof data);
    }
    if (device < 0) device = view.device;
    mixed |= view.device != device;
    return view;
  }
  int device = -1;                // of the first tensor
  bool mixed = false;             // others are on another
  uint64_t operands = kMixStart;  // a hash of where tensors lie, for graphs

 private:
  napi_value values_[kMost];
  size_t count_ = 0, next_ = 0;
};

// How a parameter is read. Lists of tensors point into the environment's parse buffer until they are moved into the
// command; the offset is kept instead of the address because the buffer may grow.
template <class P>
struct Parameter;

template <>
struct Parameter<const TensorView&> {
  using Stored = TensorView;
  static void read(Arguments& arguments, TensorView& out) { out = arguments.tensor(arguments.handle()); }
};

template <>
struct Parameter<const OptionalTensor&> {
  using Stored = OptionalTensor;
  static void read(Arguments& arguments, OptionalTensor& out) {
    const uint32_t handle = arguments.handle();
    if (handle != 0) out.TensorView::operator=(arguments.tensor(handle));
  }
};

template <>
struct Parameter<TensorList> {
  using Stored = TensorList;
  static void read(Arguments& arguments, TensorList& out) {
    Environment& environment = arguments.environment;
    const int64_t count = arguments.integerBetween(0, kScratchHandles - arguments.handlesRead);
    std::vector<TensorView>& list = environment.listTensors;
    out.count = count;
    // An offset for now; resolved once all lists are read.
    out.items = reinterpret_cast<const TensorView*>(list.size());
    for (int64_t i = 0; i < count; i++)
      list.push_back(arguments.tensor(environment.scratchHandles[static_cast<size_t>(arguments.handlesRead + i)]));
    arguments.handlesRead += count;
  }
};

template <>
struct Parameter<Scalars> {
  using Stored = Scalars;
  static void read(Arguments& arguments, Scalars& out) {
    out.count = arguments.integerBetween(0, kScratchNumbers - arguments.numbersRead);
    out.items = arguments.environment.scratchNumbers.data() + arguments.numbersRead;
    arguments.numbersRead += out.count;
  }
};

template <>
struct Parameter<const Program&> {
  using Stored = const Program*;
  static void read(Arguments& arguments, const Program*& out) {
    const uint32_t id = arguments.handle();
    out = findProgram(id);
    if (!out) fail(ErrorKind::Native, "%s: there is no program %u", arguments.op, id);
  }
};

template <>
struct Parameter<int64_t> {
  using Stored = int64_t;
  static void read(Arguments& arguments, int64_t& out) { out = arguments.integer(); }
};

template <>
struct Parameter<double> {
  using Stored = double;
  static void read(Arguments& arguments, double& out) { out = arguments.number(); }
};

template <>
struct Parameter<bool> {
  using Stored = bool;
  static void read(Arguments& arguments, bool& out) { out = arguments.boolean(); }
};

template <>
struct Parameter<Scalar> {
  using Stored = Scalar;
  static void read(Arguments& arguments, Scalar& out) { out = arguments.scalar(); }
};

// Bytes that a parameter needs beside its Stored value, and moving them there.
template <class S>
int64_t extraBytes(const S&) {
  return 0;
}
inline int64_t extraBytes(const TensorList& list) { return list.count * static_cast<int64_t>(sizeof(TensorView)); }
inline int64_t extraBytes(const Scalars& list) { return (list.count * 8 + 15) / 16 * 16; }

template <class S>
void moveExtra(S&, char*&) {}
inline void moveExtra(TensorList& list, char*& space) {
  TensorView* items = reinterpret_cast<TensorView*>(space);
  for (int64_t i = 0; i < list.count; i++) new (items + i) TensorView(list.items[i]);
  list.items = items;
  space += extraBytes(list);
}
inline void moveExtra(Scalars& list, char*& space) {
  if (list.count) std::memcpy(space, list.items, static_cast<size_t>(list.count) * 8);
  list.items = reinterpret_cast<const double*>(space);
  space += extraBytes(list);
}

template <class S>
void resolveList(S&, const TensorView*) {}
inline void resolveList(TensorList& list, const TensorView* base) {
  list.items = base + reinterpret_cast<size_t>(list.items);
}

template <class S>
const S& passed(const S& stored) {
  return stored;
}
inline const Program& passed(const Program* stored) { return *stored; }

// The work that an operand stands for, in elements. Saturated: an expanded view may have more than any memory.
constexpr int64_t kMuchWork = int64_t{1} << 40;
template <class S>
int64_t elements(const S&) {
  return 0;
}
__attribute__((noinline)) inline int64_t elements(const TensorView& view) {
  double product = 1;
  for (int d = 0; d < view.ndim; d++) product *= static_cast<double>(view.shape[d]);
  return product < static_cast<double>(kMuchWork) ? static_cast<int64_t>(product) : kMuchWork;
}
inline int64_t elements(const OptionalTensor& view) {
  return view.defined ? elements(static_cast<const TensorView&>(view)) : 0;
}
inline int64_t elements(const TensorList& list) {
  int64_t sum = list.count;
  for (int64_t i = 0; i < list.count && sum < kMuchWork; i++) sum += elements(list[i]);
  return sum;
}

// What an element costs in each kernel, roughly, beside one that is read, added to and written.
template <auto Value>
using Constant = std::integral_constant<decltype(Value), Value>;
// Also of values of different types, as members of the kernel table are.
template <auto Member, auto... Members>
constexpr bool isOneOf = (std::is_same_v<Constant<Member>, Constant<Members>> || ...);
using K = KernelTable;
template <auto Member>
constexpr int64_t kElementWork =
    isOneOf<Member, &K::convForward, &K::convBackwardData, &K::convBackwardWeight, &K::linalgLu, &K::linalgDet,
            &K::linalgCofactors, &K::linalgSolve, &K::linalgSolveTriangular, &K::linalgCholesky, &K::linalgQr,
            &K::linalgSvd, &K::linalgEigh>
        ? 64
    : isOneOf<Member, &K::attention, &K::attentionBackward, &K::rnnForward, &K::rnnBackward, &K::ctcLoss,
              &K::ctcLossBackward, &K::sort, &K::topk, &K::pick, &K::sortRows, &K::maxPool, &K::avgPool>
        ? 16
        : 1;

// What a call of a kernel has to do, in elements read or written; only for choosing where it runs.
template <auto Member>
struct Work {
  template <class Stored>
  static int64_t of(const Stored& stored) {
    return kElementWork<Member> *
           std::apply([](const auto&... value) { return (int64_t{0} + ... + elements(value)); }, stored);
  }
};

template <>
struct Work<&KernelTable::matmul> {
  template <class Stored>
  static int64_t of(const Stored& stored) {
    const TensorView& a = std::get<1>(stored);
    const int64_t inner = a.ndim > 0 && a.shape[a.ndim - 1] < kMuchWork ? a.shape[a.ndim - 1] : 1;
    const int64_t products =
        elements(std::get<0>(stored)) < kMuchWork / (inner + 1) ? elements(std::get<0>(stored)) * inner : kMuchWork;
    return elements(a) + elements(std::get<2>(stored)) + products / 16;
  }
};

static_assert(kElementWork<&K::convForward> == 64 && kElementWork<&K::sort> == 16 && kElementWork<&K::map> == 1);
static_assert(sizeof(TensorView) % 16 == 8 || sizeof(TensorView) % 16 == 0);

// KernelCall<&KernelTable::matmul>::call is the N-API function of that kernel.
template <auto Member, class Function>
struct KernelCallImpl;

template <auto Member, class... P>
struct KernelCallImpl<Member, void (*KernelTable::*)(Context&, P...)> {
  using Stored = std::tuple<typename Parameter<P>::Stored...>;
  struct Payload {
    Device* device;
    const char* name;
    const double* place;
    Stored stored;
  };

  static napi_value call(napi_env env, napi_callback_info info) {
    return guarded(env, [&](Environment& environment) -> napi_value {
      Arguments arguments(environment, info);
      environment.listTensors.clear();
      Stored stored;
      std::apply([&](auto&... value) { (Parameter<P>::read(arguments, value), ...); }, stored);
      std::apply([&](auto&... value) { (resolveList(value, environment.listTensors.data()), ...); }, stored);
      if (arguments.mixed) {
        if constexpr (isOneOf<Member, &K::copy>)
          enqueueTransfer(environment, std::get<0>(stored), std::get<1>(stored));
        else
          fail(ErrorKind::Device, "%s: the operands are on different devices", arguments.op);
      } else {
        enqueue(environment, environment.device(arguments.device < 0 ? 0 : arguments.device), arguments.op, stored,
                arguments.operands);
      }
      return nullptr;
    });
  }

  // What belongs to a graph; false if nothing is to be launched. place: where the kernel finds its scalars then.
  static bool enterGraph(Graph& graph, const Device& device, const char* name, const Stored& stored, uint64_t operands,
                         const double*& place) {
    if (&device != graph.device)
      fail(ErrorKind::Device,
           "%s: a function that is captured as a graph has to stay on its device; bring operands there before", name);
    if (!graph.dynamic) return true;
    uint64_t hash = operands;
    const double* scalars = nullptr;
    int64_t count = 0;
    const auto add = [&](const auto& value) {
      using S = std::decay_t<decltype(value)>;
      if constexpr (std::is_same_v<S, Scalars>) {
        scalars = value.items;
        count = value.count;
      } else if constexpr (std::is_same_v<S, TensorList>) {
        hash = mix(hash, &value.count, sizeof value.count);
      } else if constexpr (!std::is_base_of_v<TensorView, S>) {
        hash = mix(hash, &value, sizeof value);
      }
    };
    std::apply([&](const auto&... value) { (add(value), ...); }, stored);
    place = graph.take(name, hash, scalars, count);
    return graph.mode == Graph::Mode::Capturing;
  }

  // Lists in `stored` may point anywhere: they are copied into the command.
  // operands: Arguments::operands.
  static void enqueue(Environment& environment, Device& device, const char* name, const Stored& stored,
                      uint64_t operands = 0) {
    const double* place = nullptr;
    if (environment.graph && !enterGraph(*environment.graph, device, name, stored, operands, place)) return;
    Stream& stream = environment.stream;
    if (stream.isInline()) {
      const FlushScope scope(stream.flushesDenormals());
      run(device, name, place, stored);
      return;
    }
    // A launch is not little work, whatever it launches: it takes microseconds.
    const int64_t work = device.isCpu() ? Work<Member>::of(stored) : kMuchWork;
    if (stream.prefersNow(work)) {
      stream.runNow(name, [&] { run(device, name, place, stored); });
      return;
    }
    const int64_t extra =
        std::apply([](const auto&... value) { return (int64_t{0} + ... + extraBytes(value)); }, stored);
    const int64_t fixed = (static_cast<int64_t>(sizeof(Payload)) + 15) / 16 * 16;
    char* payload = stream.reserve(&execute, nullptr, name, fixed + extra);
    Payload* command = new (payload) Payload{&device, name, place, stored};
    char* space = payload + fixed;
    std::apply([&](auto&... value) { (moveExtra(value, space), ...); }, command->stored);
    stream.submit(work);
  }

 private:
  static void execute(Stream&, char* payload) {
    Payload* command = reinterpret_cast<Payload*>(payload);
    run(*command->device, command->name, command->place, command->stored);
  }
  static void run(Device& device, const char* name, const double* place, const Stored& stored) {
    const auto kernel = device.kernels->*Member;
    if (!kernel)
      fail(ErrorKind::Device, "%s: there is no kernel for this on the device; move the operands to 'cpu'", name);
    if (place) device.plugin->takeScalars(device.context.queue, place);
    device.call(name,
                [&] { std::apply([&](const auto&... value) { kernel(device.context, passed(value)...); }, stored); });
  }
};

template <auto Member>
using KernelCall = KernelCallImpl<Member, decltype(Member)>;

}  // namespace thalweg
