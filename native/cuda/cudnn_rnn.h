// Stacks of recurrent layers by cuDNN: its calls for them, which are older than its graphs. cuDNN wants all weights in
// one piece of memory that it arranges, and hands over what backward needs in a piece that nobody else can read.
#pragma once
#include <cstdint>
#include <memory>

#include "cuda/plugin.h"
#include "cuda/queue.h"

namespace thalweg::cuda {

std::shared_ptr<Queue::CudnnRnns> makeCudnnRnns();

// Bytes that the forward pass of training leaves for the backward pass; -1: cuDNN does not compute this here. From any
// thread.
int64_t cudnnRnnReserve(Queue& queue, const RnnStack& stack);

// In device memory, checked and packed; null where it is not given or not wanted. Scratch slots 2 to 5 are the
// caller's.
struct CudnnRnnForward {
  const void *x, *h0, *c0;
  void *y, *hN, *cN, *reserve;
  int64_t reserveBytes;
  TensorList weights;
};
void cudnnRnnForward(Queue& queue, const RnnStack& stack, const CudnnRnnForward& of);

// The gradients of all weights or of none; g and dx are always there; `reserve` can be used once.
struct CudnnRnnBackward {
  const void *x, *y, *h0, *c0, *g, *gN, *gCell;
  void *dx, *dh0, *dc0, *reserve;
  int64_t reserveBytes;
  TensorList weights, dweights;
};
void cudnnRnnBackward(Queue& queue, const RnnStack& stack, const CudnnRnnBackward& of);

}  // namespace thalweg::cuda
