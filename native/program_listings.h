// Programs that run often enough to be compiled as a whole: the updates of the usual optimizers. Recognised by their
// code (as src/program/compile.ts makes it), whatever they are called. Any other program is interpreted.
#pragma once
#include "program.h"

namespace thalweg {

// Values are numbered inputs, scalars, then the results of the instructions in their order. No constants.
struct Listing {
  static constexpr int kMaxCode = 16;
  static constexpr int kMaxResults = 4;
  int inputs, scalars;
  int length;
  Instruction code[kMaxCode];
  int outputs;
  uint16_t results[kMaxResults];

  constexpr int values() const { return inputs + scalars + length; }
};

constexpr Listing kListings[] = {
    // p - lr g; inputs p, g
    {2, 4, 2, {{Opcode::mul, 6, 2, 1, 0}, {Opcode::sub, 7, 0, 6, 0}}, 1, {7}},
    // SGD with momentum; inputs p, g, buffer; scalars lr, momentum, undamped, ahead, ..., 1 - ahead
    {3,
     8,
     7,
     {{Opcode::mul, 11, 5, 1, 0},
      {Opcode::fma, 12, 4, 2, 11},
      {Opcode::fma, 13, 4, 12, 1},
      {Opcode::mul, 14, 10, 12, 0},
      {Opcode::fma, 15, 6, 13, 14},
      {Opcode::mul, 16, 3, 15, 0},
      {Opcode::sub, 17, 0, 16, 0}},
     2,
     {17, 12}},
    // Adam; inputs p, g, m, v; scalars beta1, beta2, stepSize, rootScale2, eps, ..., 1 - beta1, 1 - beta2
    {4,
     10,
     10,
     {{Opcode::mul, 14, 12, 1, 0},
      {Opcode::fma, 15, 4, 2, 14},
      {Opcode::mul, 16, 6, 15, 0},
      {Opcode::square, 17, 1, 0, 0},
      {Opcode::mul, 18, 13, 17, 0},
      {Opcode::fma, 19, 5, 3, 18},
      {Opcode::sqrt, 20, 19, 0, 0},
      {Opcode::fma, 21, 20, 7, 8},
      {Opcode::div, 22, 16, 21, 0},
      {Opcode::sub, 23, 0, 22, 0}},
     3,
     {23, 15, 19}},
    // Adam with weight decay of either kind; the scalars between are sign, weightDecay, keep
    {4,
     10,
     13,
     {{Opcode::mul, 14, 11, 0, 0},
      {Opcode::mul, 15, 10, 0, 0},
      {Opcode::fma, 16, 9, 1, 15},
      {Opcode::mul, 17, 12, 16, 0},
      {Opcode::fma, 18, 4, 2, 17},
      {Opcode::mul, 19, 6, 18, 0},
      {Opcode::square, 20, 16, 0, 0},
      {Opcode::mul, 21, 13, 20, 0},
      {Opcode::fma, 22, 5, 3, 21},
      {Opcode::sqrt, 23, 22, 0, 0},
      {Opcode::fma, 24, 23, 7, 8},
      {Opcode::div, 25, 19, 24, 0},
      {Opcode::sub, 26, 14, 25, 0}},
     3,
     {26, 18, 22}},
};
constexpr int kListingCount = static_cast<int>(sizeof kListings / sizeof kListings[0]);

}  // namespace thalweg
