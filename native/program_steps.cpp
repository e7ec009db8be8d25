// From a program's instructions to the steps that interpreters run.
#include <algorithm>

#include "program_listings.h"

namespace thalweg {
namespace {

struct First {
  Opcode op;
  int arity;
};
struct Second {
  Opcode op;
  int arity, at;
};
constexpr First kFirsts[] = {
#define FIRST(name, arity) {Opcode::name, arity},
#include "pairs.def"
};
constexpr Second kSeconds[] = {
#define SECOND(name, arity, at) {Opcode::name, arity, at},
#include "pairs.def"
};

// The code of a pair, or -1.
int pairCode(Opcode first, Opcode second, int at) {
  for (int f = 0; f < kPairCount / kPairSeconds; f++)
    if (kFirsts[f].op == first)
      for (int s = 0; s < kPairSeconds; s++)
        if (kSeconds[s].op == second && kSeconds[s].at == at) return kOpcodeCount + f * kPairSeconds + s;
  return -1;
}

// The register of operand k.
uint16_t operand(const Instruction& i, int k) { return k == 0 ? i.a : k == 1 ? i.b : i.c; }

bool reads(const Instruction& i, uint16_t r) {
  for (int k = 0; k < opcodeArity(i.op); k++)
    if (operand(i, k) == r) return true;
  return false;
}

bool isOutput(const Program& p, uint16_t r) {
  return std::find(p.outputRegisters.begin(), p.outputRegisters.end(), r) != p.outputRegisters.end();
}

Step single(const Instruction& i) { return {static_cast<uint16_t>(i.op), i.dst, {i.a, i.b, i.c, 0, 0}}; }

// The instruction that alone reads the result of code[i], and reads it once; or -1.
int onlyReader(const Program& p, size_t i) {
  const uint16_t r = p.code[i].dst;
  if (isOutput(p, r)) return -1;
  int reader = -1;
  for (size_t j = i + 1; j < p.code.size(); j++) {
    for (int k = 0; k < opcodeArity(p.code[j].op); k++) {
      if (operand(p.code[j], k) != r) continue;
      if (reader >= 0) return -1;
      reader = static_cast<int>(j);
    }
    if (p.code[j].dst == r) break;
  }
  return reader;
}

// Whether code[i] gives the same when it runs right before code[j].
bool mayWait(const Program& p, size_t i, size_t j) {
  for (size_t k = i + 1; k < j; k++)
    if (reads(p.code[i], p.code[k].dst)) return false;
  return true;
}

void makeSteps(Program& p) {
  std::vector<bool> merged(p.code.size(), false);  // into a later instruction
  std::vector<int> firstOf(p.code.size(), -1);     // the instruction merged into this one
  std::vector<int> codeOf(p.code.size(), -1);
  for (size_t i = 0; i < p.code.size(); i++) {
    p.singles.push_back(single(p.code[i]));
    if (firstOf[i] >= 0) continue;
    const int reader = onlyReader(p, i);
    if (reader < 0) continue;
    const auto j = static_cast<size_t>(reader);
    if (firstOf[j] >= 0 || !mayWait(p, i, j)) continue;
    int at = 0;
    while (operand(p.code[j], at) != p.code[i].dst) at++;
    const int code = pairCode(p.code[i].op, p.code[j].op, at);
    if (code < 0) continue;
    merged[i] = true;
    firstOf[j] = static_cast<int>(i);
    codeOf[j] = code;
  }
  for (size_t j = 0; j < p.code.size(); j++) {
    if (merged[j]) continue;
    if (firstOf[j] < 0) {
      p.steps.push_back(single(p.code[j]));
      continue;
    }
    const Instruction &first = p.code[static_cast<size_t>(firstOf[j])], &second = p.code[j];
    Step step{static_cast<uint16_t>(codeOf[j]), second.dst, {}};
    int n = 0;
    for (int k = 0; k < opcodeArity(first.op); k++) step.operands[n++] = operand(first, k);
    for (int k = 0; k < opcodeArity(second.op); k++)
      if (operand(second, k) != first.dst) step.operands[n++] = operand(second, k);
    p.steps.push_back(step);
  }
}

void noteLaterReads(Program& p, const std::vector<Step>& steps) {
  uint64_t read = 0;
  const auto note = [&](int r) {
    if (r < p.inputs) read |= uint64_t{1} << r;
  };
  for (uint16_t r : p.outputRegisters) note(r);
  for (size_t j = steps.size(); j-- > 0;) {
    for (size_t k = 0; k < p.outputRegisters.size(); k++)
      if (p.outputRegisters[k] == steps[j].dst) p.laterReads[k] |= read;
    for (int k = 0; k < stepOperands(steps[j]); k++) note(steps[j].operands[k]);
  }
}

// The listing with the same code, values numbered as there; or -1.
int findListing(const Program& p) {
  if (!p.constants.empty() || p.code.size() > Listing::kMaxCode || p.outputs > Listing::kMaxResults) return -1;
  uint16_t valueOf[kMaxRegisters];
  for (int r = 0; r < p.firstTemporary(); r++) valueOf[r] = static_cast<uint16_t>(r);
  std::vector<Instruction> code = p.code;
  auto next = static_cast<uint16_t>(p.firstTemporary());
  for (Instruction& i : code) {
    const int arity = opcodeArity(i.op);
    i.a = valueOf[i.a];
    i.b = arity > 1 ? valueOf[i.b] : 0;
    i.c = arity > 2 ? valueOf[i.c] : 0;
    valueOf[i.dst] = next;
    i.dst = next++;
  }
  const auto same = [](const Instruction& x, const Instruction& y) {
    return x.op == y.op && x.dst == y.dst && x.a == y.a && x.b == y.b && x.c == y.c;
  };
  for (int k = 0; k < kListingCount; k++) {
    const Listing& l = kListings[k];
    bool equal = l.inputs == p.inputs && l.scalars == p.scalars && l.outputs == p.outputs &&
                 l.length == static_cast<int>(code.size()) && std::equal(code.begin(), code.end(), l.code, same);
    for (int o = 0; equal && o < l.outputs; o++)
      equal = valueOf[p.outputRegisters[static_cast<size_t>(o)]] == l.results[o];
    if (equal) return k;
  }
  return -1;
}

}  // namespace

int stepOperands(const Step& step) {
  if (step.code < kOpcodeCount) return opcodeArity(static_cast<Opcode>(step.code));
  const int pair = step.code - kOpcodeCount;
  return kFirsts[pair / kPairSeconds].arity + kSeconds[pair % kPairSeconds].arity - 1;
}

void prepareSteps(Program& program) {
  makeSteps(program);
  program.listing = findListing(program);
  program.laterReads.assign(program.outputRegisters.size(), 0);
  noteLaterReads(program, program.singles);
  noteLaterReads(program, program.steps);
}

}  // namespace thalweg
