// The loops of the tile interpreter: for each step of a program one that runs over a tile, whole vectors at a time.
#pragma once
#include "../program.h"
#include "cpu/simd.h"

namespace thalweg::cpu::THALWEG_ISA {

// Where a value is. step 0: one vector of equal values stands for the whole tile.
template <class T>
struct TileRegister {
  T* data;
  int step;
};

// n is rounded up to whole vectors: the lanes beyond may hold anything.
template <class T>
using StepBody = void (*)(const Step&, const TileRegister<T>*, int64_t n);

// Null where the step means nothing in T. Pairs exist in float only.
template <class T>
StepBody<T> bodyOf(uint16_t code);
extern template StepBody<double> bodyOf<double>(uint16_t);
extern template StepBody<int64_t> bodyOf<int64_t>(uint16_t);
template <>
StepBody<float> bodyOf<float>(uint16_t code);

StepBody<float> pairBody(int pair);

// Of cheap instructions: a body whose results go past the caches, to memory that is aligned to vectors. Null for
// others.
StepBody<float> streamingBodyOf(uint16_t code);

// A whole program; `outputs` are the registers of its outputs. As with steps, n is rounded up to whole vectors.
using ListingBody = void (*)(const TileRegister<float>*, const uint16_t* outputs, int64_t n);
ListingBody listingBody(int listing);

}  // namespace thalweg::cpu::THALWEG_ISA
