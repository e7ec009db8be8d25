// Generated programs through NVRTC, which needs no GPU: every opcode in every compute type, elementwise and as what a
// reduction reduces, with every reduction, and every dtype as an input and an output. Also the files that keep what was
// compiled. Without NVRTC it says so and ends with 77.
//
//   nvrtc_programs ARCHITECTURE [how many of the texts: every one]
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "cuda/generate.h"
#include "cuda/library.h"
#include "cuda/nvrtc.h"
#include "program.h"

using namespace thalweg;
using namespace thalweg::cuda;

namespace {

int failures = 0;

void expect(bool holds, const char* what) {
  if (holds) return;
  std::printf("not so: %s\n", what);
  failures++;
}

Program empty(const char* name, int inputs, int scalars) {
  Program p;
  p.name = name;
  p.inputs = inputs;
  p.outputs = 1;
  p.scalars = scalars;
  return p;
}

// All opcodes that `wanted` chooses, each on the result of the one before, an input, and a scalar or a constant.
template <class Wanted>
Program chain(const char* name, Wanted wanted) {
  Program p = empty(name, 2, 1);
  p.constants = {0.5, -0.0, __builtin_inf()};
  std::vector<Instruction> code;
  for (int op = 0; op < kOpcodeCount; op++) {
    if (!wanted(static_cast<Opcode>(op))) continue;
    const int done = static_cast<int>(code.size());
    const auto last = static_cast<uint16_t>(done == 0 ? 0 : p.firstTemporary() + done - 1);
    const auto other = static_cast<uint16_t>(p.firstScalar() + done % 4);
    code.push_back({static_cast<Opcode>(op), static_cast<uint16_t>(p.firstTemporary() + done), last,
                    done % 2 ? uint16_t{1} : other, other});
  }
  p.temporaries = static_cast<int>(code.size());
  p.code = std::move(code);
  p.outputRegisters = {static_cast<uint16_t>(p.registers() - 1)};
  return p;
}

bool everything(Opcode) { return true; }
// Those of opcodes.def that mean something on integers, by their names.
bool onIntegers(Opcode op) {
  return op <= Opcode::square || (op >= Opcode::floor && op <= Opcode::fmod) || op == Opcode::pow ||
         (op >= Opcode::maximum && op <= Opcode::fmin) || op >= Opcode::eq;
}

struct Text {
  std::string name, source;
};

std::vector<Text> texts() {
  std::vector<Text> all;
  const Program* const chains[] = {internProgram(chain("every opcode", everything)),
                                   internProgram(chain("every opcode of integers", onIntegers))};
  Program identity = empty("a copy", 1, 0);
  identity.outputRegisters = {0};
  const Program* const copy = internProgram(std::move(identity));
  Program constant = empty("a constant", 0, 0);
  constant.constants = {7};
  constant.outputRegisters = {0};
  const Program* const seven = internProgram(std::move(constant));

  for (ComputeType type : {ComputeType::Float32, ComputeType::Float64, ComputeType::Int64}) {
    const auto own = static_cast<uint8_t>(type == ComputeType::Float32   ? DType::Float32
                                          : type == ComputeType::Float64 ? DType::Float64
                                                                         : DType::Int64);
    const std::string suffix = " in type " + std::to_string(static_cast<int>(type));
    const uint8_t same[] = {own, own, own};
    const Program* const program = chains[type == ComputeType::Int64];
    for (bool linear : {false, true}) {
      const std::string walk = linear ? ", linear" : ", strided";
      all.push_back(
          {program->name + suffix + walk, generateSource(*program, {type, same, linear, false, false, {}}, "p")});
      for (uint8_t dtype = 0; dtype < kDTypeCount; dtype++) {
        const uint8_t mixed[] = {dtype, static_cast<uint8_t>(kDTypeCount - 1 - dtype)};
        all.push_back({"dtype " + std::to_string(dtype) + suffix + walk,
                       generateSource(*copy, {type, mixed, linear, false, false, {}}, "p")});
      }
    }
    all.push_back({seven->name + suffix, generateSource(*seven, {type, same, true, false, false, {}}, "p")});
    for (bool columns : {false, true}) {
      for (int kind = 0; kind <= static_cast<int>(ReduceKind::Var); kind++) {
        if (type == ComputeType::Int64 && kind == static_cast<int>(ReduceKind::Var)) continue;
        all.push_back({"reduction " + std::to_string(kind) + suffix,
                       generateSource(*copy, {type, same, false, true, columns, static_cast<ReduceKind>(kind)}, "p")});
      }
      all.push_back({"sum of " + program->name + suffix,
                     generateSource(*program, {type, same, false, true, columns, ReduceKind::Sum}, "p")});
    }
  }
  return all;
}

void checkFiles(const std::string& image) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / ("thalweg-images-" + std::to_string(std::rand()));
  setenv("THALWEG_CACHE", (folder / "deep").c_str(), 1);
  const std::string file = imageFile("text", "sm_90");
  expect(file != imageFile("text", "sm_80") && file != imageFile("other", "sm_90"), "files are told apart");
  expect(readImage(file).empty(), "there is nothing before it was written");
  writeImage(file, image);
  expect(readImage(file) == image, "what was written is read");
  const auto bytes = fs::file_size(file);
  fs::resize_file(file, bytes - 1);
  expect(readImage(file).empty(), "a truncated file counts as none");
  writeImage(file, image);
  expect(readImage(file) == image, "and is replaced");
  {
    std::fstream f(file, std::ios::in | std::ios::out | std::ios::binary);
    f.seekg(static_cast<std::streamoff>(bytes / 2));
    const char flipped = static_cast<char>(f.get() ^ 1);
    f.seekp(static_cast<std::streamoff>(bytes / 2));
    f.put(flipped);
  }
  expect(readImage(file).empty(), "a changed file counts as none");
  fs::resize_file(file, 3);
  expect(readImage(file).empty(), "a stump counts as none");
  writeImage(file, image);
  expect(readImage(file) == image, "and is replaced, too");
  expect(std::distance(fs::directory_iterator(folder / "deep"), fs::directory_iterator()) == 1,
         "no other file is left");
  fs::remove_all(folder);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::puts("usage: nvrtc_programs ARCHITECTURE [COUNT]");
    return 2;
  }
  if (!nvrtcLibrary.available()) {
    std::printf("skipped: %s\n", nvrtcLibrary.report().c_str());
    return 77;
  }
  const std::vector<Text> all = texts();
  const size_t wanted = argc > 2 ? static_cast<size_t>(std::atoi(argv[2])) : all.size();
  size_t done = 0;
  std::string image;
  for (size_t i = 0; i < all.size(); i++) {
    // Evenly spread, if not all.
    if (i * wanted / all.size() == (i + 1) * wanted / all.size()) continue;
    const CompiledImage made = compileImage(all[i].source, argv[1]);
    done++;
    if (!made.bytes.empty()) {
      image = made.bytes;
      continue;
    }
    std::printf("%s: %s\n", all[i].name.c_str(), made.log.c_str());
    failures++;
  }
  expect(compileImage("this is no program", argv[1]).log.find("error") != std::string::npos, "errors are told");
  checkFiles(image);
  std::printf("%zu of %zu texts compiled for %s, %d failures\n", done, all.size(), argv[1], failures);
  return failures != 0;
}
