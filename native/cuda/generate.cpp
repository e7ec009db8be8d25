#include "cuda/generate.h"

#include <vector>

namespace thalweg::cuda {
namespace {

const char* opcodeName(Opcode op) {
  static constexpr const char* names[] = {
#define OPCODE(name, arity) #name,
#include "opcodes.def"
#undef OPCODE
  };
  return names[static_cast<int>(op)];
}

const char* typeName(ComputeType type) {
  switch (type) {
    case ComputeType::Float32: return "float";
    case ComputeType::Float64: return "double";
    case ComputeType::Int64: break;
  }
  return "int64_t";
}

const char* operationName(ReduceKind kind) {
  switch (kind) {
    case ReduceKind::Sum:
    case ReduceKind::Mean: return "SumOp";
    case ReduceKind::Prod: return "ProdOp";
    case ReduceKind::Max:
    case ReduceKind::Min: return "MaxOp";
    case ReduceKind::ArgMax:
    case ReduceKind::ArgMin:
    case ReduceKind::MaxIndex:
    case ReduceKind::MinIndex: return "ArgOp";
    case ReduceKind::All:
    case ReduceKind::Any: return "LogicOp";
    case ReduceKind::Var: break;
  }
  return "VarOp";
}

// The expression of an instruction on values a, b, c. On integers some opcodes share a function, and rounding is none.
std::string expression(Opcode op, bool integer, const std::string& a, const std::string& b, const std::string& c) {
  if (op == Opcode::mul) return "product(" + a + ", " + b + ")";
  if (op == Opcode::square) return "product(" + a + ", " + a + ")";
  std::string name = opcodeName(op), second = b;
  if (integer) switch (op) {
      case Opcode::floor:
      case Opcode::ceil:
      case Opcode::round:
      case Opcode::trunc: return a;
      case Opcode::isnan:
      case Opcode::isinf: name = "zero"; break;
      case Opcode::isfinite: name = "one"; break;
      case Opcode::fmax: name = "maximum"; break;
      case Opcode::fmin: name = "minimum"; break;
      case Opcode::div:
      case Opcode::floorDiv:
      case Opcode::remainder:
      case Opcode::fmod: second = "divisor(" + b + ", division_)"; break;
      default: break;
    }
  std::string text = "Ops::" + name + "(" + a;
  if (opcodeArity(op) > 1) text += ", " + second;
  if (opcodeArity(op) > 2) text += ", " + c;
  return text + ")";
}

std::string number(int64_t x) { return std::to_string(x); }

// The bits of a float64 as a literal that is exact whatever it is.
std::string bitsOf(double x) {
  char text[64];
  std::snprintf(text, sizeof text, "static_cast<int64_t>(0x%016llxull)",
                static_cast<unsigned long long>(__builtin_bit_cast(uint64_t, x)));
  return text;
}

// The statements that evaluate one element.
std::string evaluation(const Program& p, bool integer) {
  std::string text;
  std::vector<std::string> values(static_cast<size_t>(p.registers()));
  const auto value = [&](int r) -> std::string& { return values[static_cast<size_t>(r)]; };
  for (int i = 0; i < p.inputs; i++) value(i) = "in_[" + number(i) + "][v]";
  for (int i = 0; i < p.scalars; i++) value(p.firstScalar() + i) = "scalars_[" + number(i) + "]";
  for (size_t i = 0; i < p.constants.size(); i++)
    value(p.firstConstant() + static_cast<int>(i)) = "uniformValue<T>(" + bitsOf(p.constants[i]) + ")";
  for (size_t i = 0; i < p.code.size(); i++) {
    const Instruction& in = p.code[i];
    const int arity = opcodeArity(in.op);
    std::string name = "x";
    name += std::to_string(i);
    text += "      const T " + name + " = " +
            expression(in.op, integer, value(in.a), arity > 1 ? value(in.b) : "", arity > 2 ? value(in.c) : "") + ";\n";
    value(in.dst) = name;
  }
  for (int k = 0; k < p.outputs; k++)
    text += "      out_[" + number(k) + "][v] = " + value(p.outputRegisters[static_cast<size_t>(k)]) + ";\n";
  return text;
}

}  // namespace

std::string generateSource(const Program& p, const GeneratedVariant& variant, const std::string& kernelName) {
  const bool integer = variant.type == ComputeType::Int64;
  const std::string type = typeName(variant.type);
  const int operands = p.inputs + (variant.isReduction ? 0 : p.outputs);
  std::string dtypes;
  for (int k = 0; k < operands; k++)
    dtypes += "      case " + number(k) + ": return static_cast<DType>(" + number(variant.dtypes[k]) + ");\n";

  // A namespace of its own, so that several texts can be compiled together.
  std::string text = "#include \"cuda/generated.h\"\nnamespace thalweg::cuda {\nnamespace " + kernelName + "Text {\n";
  text += "using T = " + type + ";\n";
  text += integer ? "using Ops = IntegerOps<ScalarMath<T>>;\n" : "using Ops = FloatOps<ScalarMath<T>>;\n";
  text +=
      "class Body {\n"
      " public:\n"
      "  using Value = T;\n"
      "  static constexpr int kVector = cuda::kVector<T>;\n"
      "  static constexpr int kFixedInputs = " +
      number(p.inputs) +
      ";\n"
      "  static constexpr int kLinear = " +
      number(variant.linear ? 1 : 0) +
      ";\n"
      "  static constexpr int kUnroll = " +
      number(p.inputs == 1   ? 4
             : p.inputs <= 4 ? 2
                             : 1) +
      ";\n"
      "  __device__ Body(const int64_t* scalars, FaultSite division) : division_(division) {\n"
      "    static_cast<void>(scalars);\n"
      "    static_cast<void>(division_);\n";
  for (int i = 0; i < p.scalars; i++)
    text += "    scalars_[" + number(i) + "] = uniformValue<T>(scalars[" + number(i) + "]);\n";
  text +=
      "  }\n"
      "  __device__ static constexpr int inputs() { return " +
      number(p.inputs) +
      "; }\n"
      "  __device__ static constexpr int outputs() { return " +
      number(p.outputs) +
      "; }\n"
      "  __device__ static constexpr DType dtype(const uint8_t*, int operand) {\n"
      "    switch (operand) {\n" +
      dtypes +
      "    }\n"
      "    return DType::Bool;\n"
      "  }\n"
      "  __device__ void input(int i, const T (&values)[kVector]) {\n"
      "    THALWEG_UNROLL_LOOP\n"
      "    for (int v = 0; v < kVector; v++) in_[i][v] = values[v];\n"
      "  }\n"
      "  __device__ void output(int k, T (&values)[kVector]) const {\n"
      "    THALWEG_UNROLL_LOOP\n"
      "    for (int v = 0; v < kVector; v++) values[v] = out_[k][v];\n"
      "  }\n"
      "  __device__ void evaluate() {\n"
      "    THALWEG_UNROLL_LOOP\n"
      "    for (int v = 0; v < kVector; v++) {\n" +
      evaluation(p, integer) +
      "    }\n"
      "  }\n"
      " private:\n"
      "  FaultSite division_;\n"
      "  T in_[" +
      number(p.inputs > 0 ? p.inputs : 1) +
      "][kVector];\n"
      "  T out_[" +
      number(p.outputs) +
      "][kVector];\n"
      "  T scalars_[" +
      number(p.scalars > 0 ? p.scalars : 1) +
      "];\n"
      "};\n";
  const std::string head = "extern \"C\" __global__ void __launch_bounds__(kGeneratedThreads)\n    " + kernelName;
  if (!variant.isReduction) {
    text += head +
            "(const __grid_constant__ MapArguments a, FaultSite division) {\n"
            "  if (a.skipped()) return;\n"
            "  Body body(a.scalarWords(), division);\n"
            "  mapTiles(body, a);\n}\n";
  } else {
    const std::string body = "  Body body(a.external != nullptr ? a.external : a.words, division);\n";
    text +=
        "using Op = " + std::string(operationName(variant.kind)) + "<T>;\n" + head +
        "(const __grid_constant__ ReduceArguments a, Op op, FaultSite division) {\n"
        "  alignas(16) __shared__ char shared[kGeneratedThreads * sizeof(Op::State)" +
        (variant.columns ? std::string(" * Body::kVector") : std::string()) + "];\n" + body +
        (variant.columns ? "  reduceColumns(body, op, a, shared);\n}\n" : "  reduceRows(body, op, a, shared);\n}\n");
  }
  return text + "}  // namespace " + kernelName + "Text\n}  // namespace thalweg::cuda\n";
}

}  // namespace thalweg::cuda
