// Hashes that tell texts apart.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace thalweg::cuda {

// FNV-1a of 64 bits, from any start.
inline uint64_t hashOf(const void* data, size_t bytes, uint64_t hash) {
  const auto* p = static_cast<const unsigned char*>(data);
  for (size_t i = 0; i < bytes; i++) hash = (hash ^ p[i]) * 0x100000001b3ull;
  return hash;
}
// Of two hashes that go together.
constexpr uint64_t kHashStarts[] = {0xcbf29ce484222325ull, 0x9e3779b97f4a7c15ull};

// What stands for a text.
struct TextHash {
  uint64_t words[2];
};
inline TextHash hashOfText(const std::string& text) {
  return {hashOf(text.data(), text.size(), kHashStarts[0]), hashOf(text.data(), text.size(), kHashStarts[1])};
}

}  // namespace thalweg::cuda
