// The text of generated programs, compiled by the host's compiler with the emulated device's headers, against the
// interpreter: the same bits, elementwise and reduced.
//
//   generated_programs COMPILER SOURCE_FOLDER [programs] [seed]
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "cuda/generate.h"
#include "cuda/generated.h"
#include "cuda/interpreted.h"
#include "cuda/map_plan.h"
#include "cuda/reduce_plan.h"

using namespace thalweg;
using namespace thalweg::cuda;

namespace {

constexpr int64_t kRows = 7, kColumns = 37;

std::mt19937 generator(1);
int pick(int low, int high) { return low + static_cast<int>(generator() % static_cast<unsigned>(high - low + 1)); }

bool onIntegers(Opcode op) { return hasIntegerMeaning(op) && !divides(op); }

const Program* randomProgram(bool integer, bool reduced) {
  Program p;
  p.name = "random";
  p.inputs = pick(1, 4);
  p.outputs = reduced ? 1 : pick(1, 3);
  p.scalars = pick(0, 2);
  for (int i = pick(0, 2); i > 0; i--) p.constants.push_back(integer ? pick(-4, 4) : pick(-40, 40) / 8.0);
  const int first = p.firstTemporary();
  p.temporaries = pick(1, 24);
  for (int t = 0; t < p.temporaries; t++) {
    Opcode op;
    do op = static_cast<Opcode>(pick(0, kOpcodeCount - 1));
    while (integer && !onIntegers(op));
    const auto operand = [&] { return static_cast<uint16_t>(pick(0, first + t - 1)); };
    p.code.push_back({op, static_cast<uint16_t>(first + t), operand(), operand(), operand()});
  }
  for (int k = 0; k < p.outputs; k++) p.outputRegisters.push_back(static_cast<uint16_t>(pick(0, p.registers() - 1)));
  return internProgram(std::move(p));
}

struct Case {
  const Program* program;
  ComputeType type;
  bool linear, isReduction;
  ReduceKind kind;
  std::vector<double> scalars;
  std::vector<std::vector<char>> memory;  // outputs, then inputs
  std::vector<TensorView> views;
  std::string name;
};

Case makeCase(int number) {
  Case c;
  c.isReduction = number % 3 == 2;
  const bool integer = pick(0, 3) == 0;
  c.program = randomProgram(integer, c.isReduction);
  c.linear = pick(0, 1) == 0;
  constexpr ReduceKind kinds[] = {ReduceKind::Sum, ReduceKind::Prod, ReduceKind::Max, ReduceKind::Min};
  c.kind = kinds[pick(0, 3)];
  for (int i = 0; i < c.program->scalars; i++) c.scalars.push_back(pick(-4, 4));
  const DType floats[] = {DType::Float32, DType::Float32,  DType::Float64,
                          DType::Float16, DType::BFloat16, DType::Int32};
  const DType integers[] = {DType::Int64, DType::Int32, DType::UInt8, DType::Bool};
  const int outputs = c.program->outputs, operands = outputs + c.program->inputs;
  for (int k = 0; k < operands; k++) {
    TensorView v;
    v.dtype = integer ? integers[pick(0, 3)] : k == operands - 1 ? DType::Float32 : floats[pick(0, 5)];
    v.defined = true;
    v.ndim = 2;
    v.shape[0] = c.isReduction && k < outputs && c.linear ? 1 : kRows;
    v.shape[1] = c.isReduction && k < outputs && !c.linear ? 1 : kColumns;
    // Strided: the columns of a wider matrix, or a transposed one.
    const int64_t pitch = c.linear || k < outputs ? v.shape[1] : kColumns + pick(0, 3);
    v.strides[0] = pitch;
    v.strides[1] = 1;
    if (!c.linear && k >= outputs && pick(0, 2) == 0) {
      v.strides[0] = 1;
      v.strides[1] = kRows;
    }
    std::vector<char> bytes(static_cast<size_t>(kRows * (kColumns + 4) * 8 + 16));
    if (k >= outputs)
      for (int64_t i = 0; i < kRows * (kColumns + 4); i++) {
        const double x = integer ? pick(-9, 9) : pick(-64, 64) / 16.0;
        storeAny<double>(bytes.data(), v.dtype, i, x);
      }
    c.memory.push_back(std::move(bytes));
    c.views.push_back(v);
  }
  for (int k = 0; k < operands; k++) c.views[static_cast<size_t>(k)].data = c.memory[static_cast<size_t>(k)].data();
  c.name = "generated" + std::to_string(number);
  return c;
}

using MapKernel = void (*)(MapArguments, FaultSite);

template <class Op>
void runReduction(Queue& queue, void* kernel, ReducePlan& plan, const Op& op, FaultSite division) {
  const auto run = reinterpret_cast<void (*)(ReduceArguments, Op, FaultSite)>(kernel);
  const ReduceArguments arguments = plan.arguments;
  LAUNCH(run, static_cast<unsigned>(plan.blocks), kGeneratedThreads, 0, queue, arguments, op, division);
}
template <class T>
void runReduction(Queue& queue, void* kernel, ReducePlan& plan, FaultSite division) {
  switch (plan.kind) {
    case ReduceKind::Sum: return runReduction(queue, kernel, plan, SumOp<T>{1}, division);
    case ReduceKind::Prod: return runReduction(queue, kernel, plan, ProdOp<T>{}, division);
    case ReduceKind::Max: return runReduction(queue, kernel, plan, MaxOp<T>{false}, division);
    default: return runReduction(queue, kernel, plan, MaxOp<T>{true}, division);
  }
}

// given: reads the scalars from memory of their own, and skips where `skip` says so.
void runMap(Queue& queue, const Case& c, void* kernel, bool given = false, float skip = 0) {
  const std::vector<double> none(c.scalars.size());
  MapPlan plan(*c.program, {c.views.data(), static_cast<int64_t>(c.views.size())},
               {given ? none.data() : c.scalars.data(), static_cast<int64_t>(c.scalars.size())});
  const InterpretedProgram& interpreted = interpretedProgram(queue, *c.program);
  plan.forLaunches(
      [&](const MapSpace& space) {
        return kernel != nullptr ? kGeneratedThreads : interpretedMapThreads(interpreted, space.type);
      },
      [&](MapLaunch& launch) {
        std::memcpy(launch.arguments.words, launch.words.data(), launch.words.size() * sizeof(int64_t));
        if (given) {
          launch.arguments.given = reinterpret_cast<const int64_t*>(c.scalars.data());
          launch.arguments.skip = &skip;
        }
        if (kernel == nullptr) return launchInterpretedMap(queue, interpreted, launch.type, launch.arguments);
        const auto run = reinterpret_cast<MapKernel>(kernel);
        const MapArguments arguments = launch.arguments;
        const FaultSite division = interpreted.division;
        LAUNCH(run, 2, kGeneratedThreads, 0, queue, arguments, division);
      });
}

void runReduce(Queue& queue, const Case& c, void* kernel) {
  ReducePlan plan(static_cast<int64_t>(c.kind), *c.program, {c.views.data(), 1},
                  {c.views.data() + 1, c.program->inputs}, {c.scalars.data(), static_cast<int64_t>(c.scalars.size())},
                  0);
  const InterpretedProgram& interpreted = interpretedProgram(queue, *c.program);
  plan.spread(kGeneratedThreads);
  if (kernel == nullptr) plan.spread(interpretedReduceThreads(interpreted, plan.type));
  std::memcpy(plan.arguments.words, plan.words.data(), plan.words.size() * sizeof(int64_t));
  if (kernel == nullptr) return launchInterpretedReduce(queue, interpreted, plan);
  switch (plan.type) {
    case ComputeType::Float32: return runReduction<float>(queue, kernel, plan, interpreted.division);
    case ComputeType::Float64: return runReduction<double>(queue, kernel, plan, interpreted.division);
    case ComputeType::Int64: return runReduction<int64_t>(queue, kernel, plan, interpreted.division);
  }
}

// NaNs have no bits worth comparing.
bool same(DType dtype, const char* a, const char* b, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    const double x = loadAny<double>(a, dtype, i), y = loadAny<double>(b, dtype, i);
    if (x != y && (x == x || y == y)) return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::puts("usage: generated_programs COMPILER SOURCE_FOLDER [PROGRAMS] [SEED]");
    return 2;
  }
  const int count = argc > 3 ? std::atoi(argv[3]) : 24;
  generator.seed(argc > 4 ? static_cast<unsigned>(std::atoi(argv[4])) : 1);
  Queue queue(0);
  std::vector<Case> cases;
  std::string text;
  for (int i = 0; i < count; i++) {
    Case c = makeCase(i);
    std::vector<uint8_t> dtypes;
    for (size_t k = c.isReduction ? 1 : 0; k < c.views.size(); k++)
      dtypes.push_back(static_cast<uint8_t>(c.views[k].dtype));
    const Scalars scalars{c.scalars.data(), static_cast<int64_t>(c.scalars.size())};
    bool columns = false;
    if (c.isReduction) {
      const ReducePlan plan(static_cast<int64_t>(c.kind), *c.program, {c.views.data(), 1},
                            {c.views.data() + 1, c.program->inputs}, scalars, 0);
      c.type = plan.type;
      columns = plan.columns;
    } else {
      MapPlan plan(*c.program, {c.views.data(), static_cast<int64_t>(c.views.size())}, scalars);
      plan.forLaunches(
          [&](const MapSpace& space) {
            c.type = space.type;
            c.linear = space.linear;
            return 1;
          },
          [](MapLaunch&) {});
    }
    text += generateSource(*c.program, {c.type, dtypes.data(), c.linear, c.isReduction, columns, c.kind}, c.name);
    cases.push_back(std::move(c));
  }

  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / ("thalweg-generated-" + std::to_string(std::random_device()()));
  fs::create_directories(folder);
  std::ofstream(folder / "programs.cpp") << text;
  const std::string native = std::string(argv[2]) + "/native";
  const std::string command = std::string(argv[1]) +
                              " -std=c++20 -O1 -fPIC -shared -w -ffp-contract=off -fno-math-errno"
                              " -fno-strict-aliasing -DTHALWEG_CUDA_EMULATED -I" +
                              native + "/cuda/emulated -I" + native + " -o " + (folder / "programs.so").string() + " " +
                              (folder / "programs.cpp").string();
  if (std::system(command.c_str()) != 0) {
    std::printf("the generated text does not compile: %s\n", command.c_str());
    return 1;
  }
  void* const library = dlopen((folder / "programs.so").c_str(), RTLD_NOW);
  if (library == nullptr) {
    std::puts(dlerror());
    return 1;
  }
  fs::remove_all(folder);

  int failures = 0;
  for (const Case& c : cases) {
    const auto run = [&](void* kernel) { c.isReduction ? runReduce(queue, c, kernel) : runMap(queue, c, kernel); };
    const auto outputs = static_cast<size_t>(c.program->outputs);
    run(nullptr);
    std::vector<std::vector<char>> interpreted(c.memory.begin(), c.memory.begin() + static_cast<long>(outputs));
    for (size_t k = 0; k < outputs; k++) std::memset(c.views[k].data, 0x5a, c.memory[k].size());
    void* const kernel = dlsym(library, c.name.c_str());
    const auto compare = [&](const char* how) {
      for (size_t k = 0; k < outputs; k++)
        if (kernel == nullptr || !same(c.views[k].dtype, interpreted[k].data(), c.views[k].data, c.views[k].numel())) {
          std::printf("%s%s differs in output %zu\n", c.name.c_str(), how, k);
          failures++;
        }
    };
    run(kernel);
    compare("");
    if (c.isReduction) continue;
    for (void* const either : {kernel, static_cast<void*>(nullptr)}) {
      for (size_t k = 0; k < outputs; k++) std::memset(c.views[k].data, 0x5a, c.memory[k].size());
      runMap(queue, c, either, true, 1);
      for (size_t k = 0; k < outputs; k++)
        for (size_t i = 0; i < c.memory[k].size(); i++)
          if (c.views[k].data[i] != 0x5a) {
            std::printf("%s writes output %zu where it should be skipped\n", c.name.c_str(), k);
            failures++;
            break;
          }
      runMap(queue, c, either, true, 0);
      compare(", with scalars of the device,");
    }
  }
  std::printf("%zu programs, %d failures\n", cases.size(), failures);
  return failures != 0;
}
