// A tool of the build. Writes the programs of a listing as CUDA C++, spread over so many files, and the table of all:
//
//   write_builtins LISTING FOLDER FILES
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "cuda/builtins/listing.h"
#include "cuda/builtins/table.h"
#include "runtime/error.h"

using namespace thalweg;
using namespace thalweg::cuda;

namespace {

std::string number(uint64_t x) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%016llxull", static_cast<unsigned long long>(x));
  return text;
}

std::string entry(const ListedProgram& listed, const std::string& kernel) {
  const TextHash hash = hashOfText(generateSource(listed.program, listed.variant(), kProgramKernel));
  return "    {{{" + number(hash.words[0]) + ", " + number(hash.words[1]) + "}}, reinterpret_cast<const void*>(" +
         kernel + "Text::" + kernel + ")},\n";
}

void write(const std::string& file, const std::string& text) {
  std::ofstream stream(file, std::ios::binary);
  stream << text;
  stream.close();
  if (!stream) fail(ErrorKind::Native, "%s cannot be written", file.c_str());
}

void writeAll(const std::string& listing, const std::string& folder, size_t files) {
  const std::vector<std::string> lines = readListing(listing);
  std::string declarations, parts;
  for (size_t file = 0; file < files; file++) {
    const std::string name = "builtinKernels" + std::to_string(file);
    std::string texts, entries;
    // Dealt out in turn: neighbours in the listing are alike and take as long to compile, so the files do, too.
    for (size_t i = file; i < lines.size(); i += files) {
      const ListedProgram listed = parseListing(lines[i]);
      const std::string kernel = "thalwegBuiltin" + std::to_string(i);
      texts += "// " + lines[i] + "\n" + generateSource(listed.program, listed.variant(), kernel);
      entries += entry(listed, kernel);
    }
    if (entries.empty()) fail(ErrorKind::Native, "%s has fewer programs than files", listing.c_str());
    write(folder + "/builtins_" + std::to_string(file) + ".cu",
          texts + "\n#include \"cuda/builtins/table.h\"\nnamespace thalweg::cuda {\nextern const BuiltinKernel " +
              name + "[];\nconst BuiltinKernel " + name + "[] = {\n" + entries + "};\n}  // namespace thalweg::cuda\n");
    const auto count = std::to_string(std::count(entries.begin(), entries.end(), '\n'));
    declarations += "extern const BuiltinKernel " + name + "[];\n";
    parts += "    {" + name + ", " + count + "},\n";
  }
  write(folder + "/builtins.cpp", "#include \"cuda/builtins/table.h\"\nnamespace thalweg::cuda {\n" + declarations +
                                      "const BuiltinPart builtinParts[] = {\n" + parts +
                                      "};\nconst size_t builtinPartCount = " + std::to_string(files) +
                                      ";\n}  // namespace thalweg::cuda\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 || std::atoi(argv[3]) < 1) {
    std::puts("usage: write_builtins LISTING FOLDER FILES");
    return 2;
  }
  try {
    writeAll(argv[1], argv[2], static_cast<size_t>(std::atoi(argv[3])));
  } catch (const Error& error) {
    std::fprintf(stderr, "write_builtins: %s\n", error.what());
    return 1;
  }
  return 0;
}
