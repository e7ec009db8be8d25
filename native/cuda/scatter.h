// Writing at places that an index names, where several positions may name one place: they are combined in the order of
// the index.
#pragma once
#include "cuda/index_check.h"
#include "cuda/walk.h"

namespace thalweg::cuda {

enum class Combine { Assign, Sum, Prod, Max, Min };

// Positions of the index that differ in `lines` or `columns` never meet in one place; along columns the index is the
// same. Those that differ in `ordered` only may meet, and are combined in order.
struct Scatter {
  Walk<3> lines;    // src, index, out
  Walk<2> columns;  // src, out
  Walk<2> ordered;  // src, index
  char* out;
  const char *src, *index;
  bool wideIndex;
  Combine combine;
  Selected selected;
};

void scatterInOrder(Queue& queue, DType dtype, const Scatter& scatter);

// Checks the operands of a scatter along dim, and runs it unless there is nothing.
void scatterAlong(Queue& queue, const char* op, const TensorView& out, const TensorView& index, const TensorView& src,
                  int64_t dim, Combine combine);

}  // namespace thalweg::cuda
