#!/usr/bin/env bash
# What is made for GPUs while a program runs, without one. Elementwise programs: their text against the interpreter,
# compiled by the host's compiler, and through NVRTC if that is found; and the table of those that are built in. Plans of
# cuDNN, if that is found.
# THALWEG_CUDA_LIB_DIRS: folders to look in, too.
# THALWEG_NVRTC_ARCHITECTURE: for which ("sm_90"); THALWEG_NVRTC_TEXTS: how many of the texts (all take minutes).
set -euo pipefail
cd "$(dirname "$0")/.."

build=build-cmake/programs
cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$build" --parallel "$(getconf _NPROCESSORS_ONLN)" \
  --target thalweg_generated_programs --target thalweg_nvrtc_programs --target thalweg_builtin_programs \
  --target thalweg_cudnn_plans --target thalweg_cudnn_attention_plans --target thalweg_cudnn_rnn_plans
"$build/thalweg_builtin_programs" native/cuda/builtins/programs.txt
"$build/thalweg_generated_programs" "${CXX:-c++}" "$PWD" 60
status=0
"$build/thalweg_nvrtc_programs" "${THALWEG_NVRTC_ARCHITECTURE:-sm_90}" ${THALWEG_NVRTC_TEXTS:-} || status=$?
# 77: there is no NVRTC, which the program has said.
[ "$status" = 0 ] || [ "$status" = 77 ] || exit "$status"
status=0
"$build/thalweg_cudnn_plans" || status=$?
[ "$status" = 0 ] || [ "$status" = 77 ] || exit "$status"
status=0
"$build/thalweg_cudnn_rnn_plans" || status=$?
[ "$status" = 0 ] || [ "$status" = 77 ] || exit "$status"
status=0
# It compiles a kernel for each graph.
"$build/thalweg_cudnn_attention_plans" sm_90 || status=$?
# And there is no cuDNN.
[ "$status" = 77 ] || exit "$status"
