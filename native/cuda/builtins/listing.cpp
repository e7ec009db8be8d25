#include "cuda/builtins/listing.h"

#include <charconv>
#include <cmath>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include "runtime/dtype.h"
#include "runtime/error.h"

namespace thalweg::cuda {
namespace {

constexpr const char* kOpcodes[] = {
#define OPCODE(name, arity) #name,
#include "opcodes.def"
#undef OPCODE
};
constexpr const char* kTypes[] = {"float32", "float64", "int64"};  // of ComputeType

std::vector<const char*> dtypeNames() {
  std::vector<const char*> names;
  for (int i = 0; i < kDTypeCount; i++) names.push_back(dtypeName(static_cast<DType>(i)));
  return names;
}

// Reductions that one text serves go by one name.
struct Operation {
  const char* name;
  ReduceKind kind;
};
constexpr Operation kOperations[] = {{"sum", ReduceKind::Sum},    {"prod", ReduceKind::Prod}, {"max", ReduceKind::Max},
                                     {"arg", ReduceKind::ArgMax}, {"logic", ReduceKind::All}, {"var", ReduceKind::Var}};

const char* operationOf(ReduceKind kind) {
  switch (kind) {
    case ReduceKind::Sum:
    case ReduceKind::Mean: return "sum";
    case ReduceKind::Prod: return "prod";
    case ReduceKind::Max:
    case ReduceKind::Min: return "max";
    case ReduceKind::All:
    case ReduceKind::Any: return "logic";
    case ReduceKind::Var: return "var";
    default: return "arg";
  }
}

// The shortest number that reads back as the same bits.
std::string constantText(double x) {
  if (std::isnan(x)) return "nan";
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, x).ptr;
  return {text, end};
}

std::optional<double> constantOf(const std::string& word) {
  if (word == "nan") return __builtin_nan("");
  double x = 0;
  const char* const end = word.data() + word.size();
  const auto read = std::from_chars(word.data(), end, x);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return x;
}

// One line, word by word.
class Parser {
 public:
  explicit Parser(const std::string& line) : line_(line) {
    // Punctuation at the end of a word is a word of its own.
    std::istringstream stream(line);
    for (std::string word; stream >> word;) {
      const char last = word.back();
      const bool ends = word.size() > 1 && (last == ',' || last == ':' || last == ';');
      words_.push_back(ends ? word.substr(0, word.size() - 1) : word);
      if (ends) words_.emplace_back(1, last);
    }
  }

  ListedProgram parse() {
    readHead();
    const bool isMap = !listed_.isReduction;
    std::vector<uint8_t> outputs;
    while (isMap && !take("<-")) outputs.push_back(static_cast<uint8_t>(index(dtypeNames(), next())));
    if (!isMap) expect("<-");
    std::vector<uint8_t> inputs;
    while (!peek(",") && !peek(":")) inputs.push_back(static_cast<uint8_t>(index(dtypeNames(), next())));
    Program& p = listed_.program;
    p.name = "built in";
    p.inputs = static_cast<int>(inputs.size());
    p.outputs = isMap ? static_cast<int>(outputs.size()) : 1;
    listed_.dtypes = std::move(outputs);
    listed_.dtypes.insert(listed_.dtypes.end(), inputs.begin(), inputs.end());
    if (take(",")) {
      expect("scalars");
      p.scalars = static_cast<int>(number(next()));
    }
    expect(":");
    readCode();
    validateProgram(p);
    return std::move(listed_);
  }

 private:
  [[noreturn]] void refuse() const { fail(ErrorKind::Native, "no line of a listing: %s", line_.c_str()); }

  bool peek(const char* word) const { return at_ < words_.size() && words_[at_] == word; }
  bool take(const char* word) {
    if (!peek(word)) return false;
    at_++;
    return true;
  }
  void expect(const char* word) {
    if (!take(word)) refuse();
  }
  const std::string& next() {
    if (at_ == words_.size()) refuse();
    return words_[at_++];
  }
  template <class Names>
  size_t index(const Names& names, const std::string& word) const {
    size_t i = 0;
    for (const char* name : names) {
      if (word == name) return i;
      i++;
    }
    refuse();
  }
  size_t number(const std::string& word) const {
    size_t n = 0;
    const auto read = std::from_chars(word.data(), word.data() + word.size(), n);
    if (read.ec != std::errc() || read.ptr != word.data() + word.size() || n >= kMaxRegisters) refuse();
    return n;
  }

  void readHead() {
    constexpr const char* walks[] = {"linear", "strided", "rows", "columns"};
    const size_t walk = index(walks, next());
    listed_.linear = walk == 0;
    listed_.isReduction = walk >= 2;
    listed_.columns = walk == 3;
    listed_.kind = {};
    if (listed_.isReduction) {
      const std::string& word = next();
      const Operation* found = nullptr;
      for (const Operation& operation : kOperations)
        if (word == operation.name) found = &operation;
      if (found == nullptr) refuse();
      listed_.kind = found->kind;
    }
    listed_.type = static_cast<ComputeType>(index(kTypes, next()));
  }

  // Registers are numbered when it is known how many constants there are; until then a result is -1 - its number.
  void readCode() {
    struct Words {
      Opcode op;
      std::vector<std::string> operands;
    };
    std::vector<Words> code;
    std::vector<std::string> results;
    if (!peek("=>")) {
      do {
        Words& words = code.emplace_back();
        words.op = static_cast<Opcode>(index(kOpcodes, next()));
        for (int i = 0; i < opcodeArity(words.op); i++) words.operands.push_back(next());
      } while (take(";"));
    }
    expect("=>");
    while (at_ < words_.size()) results.push_back(next());

    Program& p = listed_.program;
    std::map<std::string, uint16_t> constants;
    const auto collect = [&](const std::string& word) {
      if (const std::optional<double> x = constantOf(word); x && constants.try_emplace(word, constants.size()).second)
        p.constants.push_back(*x);
    };
    for (const Words& words : code)
      for (const std::string& word : words.operands) collect(word);
    for (const std::string& word : results) collect(word);
    p.temporaries = static_cast<int>(code.size());
    const auto registerOf = [&](const std::string& word) -> uint16_t {
      if (const auto constant = constants.find(word); constant != constants.end())
        return static_cast<uint16_t>(p.firstConstant() + constant->second);
      const size_t n = number(word.substr(1));
      const auto among = [&](int count, int first) {
        if (n >= static_cast<size_t>(count)) refuse();
        return static_cast<uint16_t>(first + static_cast<int>(n));
      };
      if (word[0] == 'i') return among(p.inputs, 0);
      if (word[0] == 's') return among(p.scalars, p.firstScalar());
      if (word[0] == 'x') return among(p.temporaries, p.firstTemporary());
      refuse();
    };
    for (const Words& words : code) {
      Instruction in{words.op, static_cast<uint16_t>(p.firstTemporary() + static_cast<int>(p.code.size())), 0, 0, 0};
      uint16_t* const operands[] = {&in.a, &in.b, &in.c};
      for (size_t i = 0; i < words.operands.size(); i++) *operands[i] = registerOf(words.operands[i]);
      p.code.push_back(in);
    }
    for (const std::string& word : results) p.outputRegisters.push_back(registerOf(word));
  }

  std::string line_;
  std::vector<std::string> words_;
  size_t at_ = 0;
  ListedProgram listed_{};
};

}  // namespace

std::string listingLine(const Program& p, const GeneratedVariant& variant) {
  std::string line;
  if (variant.isReduction)
    line = std::string(variant.columns ? "columns " : "rows ") + operationOf(variant.kind);
  else
    line = variant.linear ? "linear" : "strided";
  line += std::string(" ") + kTypes[static_cast<int>(variant.type)];
  const int outputs = variant.isReduction ? 0 : p.outputs;
  for (int k = 0; k < outputs + p.inputs; k++) {
    if (k == outputs) line += " <-";
    line += std::string(" ") + dtypeName(static_cast<DType>(variant.dtypes[k]));
  }
  if (p.inputs == 0) line += " <-";
  if (p.scalars > 0) line += ", scalars " + std::to_string(p.scalars);
  line += ":";

  std::vector<std::string> values(static_cast<size_t>(p.registers()));
  const auto value = [&](int r) -> std::string& { return values[static_cast<size_t>(r)]; };
  for (int i = 0; i < p.inputs; i++) value(i) = "i" + std::to_string(i);
  for (int i = 0; i < p.scalars; i++) value(p.firstScalar() + i) = "s" + std::to_string(i);
  for (size_t i = 0; i < p.constants.size(); i++)
    value(p.firstConstant() + static_cast<int>(i)) = constantText(p.constants[i]);
  for (size_t i = 0; i < p.code.size(); i++) {
    const Instruction& in = p.code[i];
    const uint16_t operands[] = {in.a, in.b, in.c};
    // The text of both is the same.
    const Opcode op = in.op == Opcode::mul && value(in.a) == value(in.b) ? Opcode::square : in.op;
    line += std::string(i > 0 ? "; " : " ") + kOpcodes[static_cast<int>(op)];
    for (int k = 0; k < opcodeArity(op); k++) line += " " + value(operands[k]);
    value(in.dst) = "x" + std::to_string(i);
  }
  line += " =>";
  for (uint16_t r : p.outputRegisters) line += " " + value(r);
  return line;
}

ListedProgram parseListing(const std::string& line) { return Parser(line).parse(); }

std::vector<std::string> readListing(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) fail(ErrorKind::Native, "%s cannot be read", file.c_str());
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);)
    if (!line.empty() && line[0] != '#') lines.push_back(line);
  return lines;
}

}  // namespace thalweg::cuda
