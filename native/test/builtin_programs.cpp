// The table of built-in programs: every line of the listing says itself again, and has the kernel of its text; other
// texts have none. In a build of the plugin the kernels are those that nvcc made; elsewhere the host's compiler has
// made them, as of all that runs on the emulated device. Needs no GPU.
//
//   builtin_programs LISTING
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "cuda/builtins/listing.h"
#include "cuda/builtins/table.h"
#include "runtime/error.h"

using namespace thalweg;
using namespace thalweg::cuda;

namespace {

int failures = 0;

void expect(bool holds, const std::string& what) {
  if (holds) return;
  std::printf("not so: %s\n", what.c_str());
  failures++;
}

bool refused(const std::string& line) {
  try {
    parseListing(line);
  } catch (const Error&) {
    return true;
  }
  return false;
}

std::string textOf(const ListedProgram& listed) {
  return generateSource(listed.program, listed.variant(), kProgramKernel);
}

// Lines that the library does not have now, and what is no line.
void checkListing() {
  for (const char* line : {
           "linear float32 float32 <-: => 0.1",
           "strided float64 float64 float32 <- uint8, scalars 2: fma i0 s1 -0; select x0 inf nan => x1 s0",
           "columns var float64 <- float64 bool: mul i0 i1 => x0",
           "rows arg int64 <- int32: => i0",
       }) {
    const ListedProgram listed = parseListing(line);
    expect(listingLine(listed.program, listed.variant()) == line, std::string("this says itself again: ") + line);
    expect(builtinKernel(textOf(listed)) == nullptr, std::string("this is not built in: ") + line);
  }
  for (const char* line : {
           "",
           "diagonal float32 float32 <- float32: => i0",
           "linear float16 float32 <- float32: => i0",
           "linear float32 float32 <- float: => i0",
           "linear float32 float32 <- float32 => i0",
           "linear float32 float32 <- float32: => i1",
           "linear float32 float32 <- float32: => s0",
           "linear float32 float32 float32 <- float32: => i0",
           "linear float32 float32 <- float32: neg x0 => x0",
           "linear float32 float32 <- float32: neg => x0",
           "linear float32 float32 <- float32: minus i0 => x0",
           "linear float32 float32 <- float32: neg i0; => x0",
           "linear float32 float32 <- float32, scalars 300: => i0",
           "rows median float32 <- float32: => i0",
           "rows sum float32 float32 <- float32: => i0",
       })
    expect(refused(line), std::string("this is refused: ") + line);
}

void checkTable(const std::vector<std::string>& lines) {
  std::set<const void*> kernels;
  size_t listed = 0;
  for (size_t part = 0; part < builtinPartCount; part++) listed += builtinParts[part].count;
  expect(listed == lines.size(), "the table is as long as the listing");
  for (const std::string& line : lines) {
    const ListedProgram of = parseListing(line);
    expect(listingLine(of.program, of.variant()) == line, "this says itself again: " + line);
    const std::string text = textOf(of);
    const void* const kernel = builtinKernel(text);
    expect(kernel != nullptr, "this has a kernel: " + line);
    expect(kernels.insert(kernel).second, "this has a kernel of its own: " + line);
    expect(builtinKernel(text + " ") == nullptr, "another text has none");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::puts("usage: builtin_programs LISTING");
    return 2;
  }
  try {
    checkListing();
    const std::vector<std::string> lines = readListing(argv[1]);
    checkTable(lines);
    std::printf("%zu built-in programs, %d failures\n", lines.size(), failures);
  } catch (const Error& error) {
    std::printf("%s\n", error.what());
    return 1;
  }
  return failures != 0;
}
