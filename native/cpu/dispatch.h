// Which of the CPU's kernel tables runs on this machine.
#pragma once
#include <string>
#include <vector>

#include "kernel.h"

namespace thalweg::cpu {

// The ISAs built into the addon that this processor has, slowest first.
std::vector<std::string> availableIsas();

// The fastest, or the one that `forced` names (null or empty: no wish). Throws DeviceError naming the choices.
const KernelTable& selectTable(const char* forced);

}  // namespace thalweg::cpu
