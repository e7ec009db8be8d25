// Sorting and selecting along any dimension of any strides.
//
// Each element becomes an unsigned key whose order is the wanted one: NaN above all, 0 and -0 alike, inverted for a
// descending order. Keys travel with their position: in one word if they have 32 bits. Lines are sorted by least
// significant digits first, which is stable; single positions are found by most significant digits first, without a
// sort.
#include <limits>

#include "cpu/gemm.h"
#include "cpu/lines.h"
#include "operands/search.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kUnit = 8192;      // elements that are worth a chunk of their own
constexpr int64_t kPiece = 512;      // elements converted at once
constexpr int64_t kInsertion = 48;   // as short as this, insertion is faster
constexpr int64_t kKeepSorted = 64;  // so many best ones are kept sorted while looking on
constexpr int kDigits = 256;
constexpr int64_t kMaxNarrow = int64_t{1} << 32;  // positions that fit beside a key of 32 bits

// -- keys
// ---------------------------------------------------------------------------------------------------------------

struct Narrow {
  uint64_t word;  // key, position
  static constexpr int kBytes = 4;
  static THALWEG_INLINE Narrow make(uint64_t key, int64_t position) {
    return {key << 32 | static_cast<uint64_t>(position)};
  }
  THALWEG_INLINE uint64_t key() const { return word >> 32; }
  THALWEG_INLINE int64_t position() const { return static_cast<int64_t>(word & 0xffffffffu); }
};

struct Wide {
  uint64_t word;
  int64_t place;
  static constexpr int kBytes = 8;
  static THALWEG_INLINE Wide make(uint64_t key, int64_t position) { return {key, position}; }
  THALWEG_INLINE uint64_t key() const { return word; }
  THALWEG_INLINE int64_t position() const { return place; }
};

template <class Item>
THALWEG_INLINE int digit(const Item& item, int byte) {
  return static_cast<int>(item.key() >> (8 * byte) & 0xff);
}

constexpr uint64_t kNaN32 = 0xffffffffu, kNaN64 = ~uint64_t{0};

THALWEG_INLINE uint64_t keyOf(float x) {
  if (x != x) return kNaN32;
  const uint32_t bits = std::bit_cast<uint32_t>(x + 0.0f);  // -0 + 0 is 0
  return bits >> 31 ? static_cast<uint32_t>(~bits) : bits | 0x80000000u;
}
THALWEG_INLINE uint64_t keyOf(double x) {
  if (x != x) return kNaN64;
  const uint64_t bits = std::bit_cast<uint64_t>(x + 0.0);
  return bits >> 63 ? ~bits : bits | uint64_t{1} << 63;
}

// How the keys of a dtype are made.
struct KeyMaker {
  DType dtype;
  bool wide, floats, descending;

  KeyMaker(DType dtype, int64_t n, bool descending)
      : dtype(dtype),
        wide(dtype == DType::Float64 || dtype == DType::Int64 || n > kMaxNarrow),
        floats(isFloating(dtype)),
        descending(descending) {}

  // The key that NaN has; integers never have `nan` asked.
  uint64_t nan() const { return descending ? 0 : dtype == DType::Float64 ? kNaN64 : kNaN32; }

  // items[i] = (key of element first + i, first + i)
  template <class Item>
  void make(Item* items, const char* src, int64_t stride, int64_t first, int64_t n) const {
    if (dtype == DType::Float64)
      convert<Item, double>(items, src, stride, first, n, [](double x) { return keyOf(x); });
    else if (floats)
      convert<Item, float>(items, src, stride, first, n, [](float x) { return keyOf(x); });
    else if (dtype == DType::Int64)
      convert<Item, int64_t>(items, src, stride, first, n,
                             [](int64_t x) { return static_cast<uint64_t>(x) ^ uint64_t { 1 } << 63; });
    else
      convert<Item, int64_t>(items, src, stride, first, n,
                             [](int64_t x) { return static_cast<uint64_t>(x + (int64_t{1} << 31)); });
  }

 private:
  template <class Item, class T, class F>
  void convert(Item* items, const char* src, int64_t stride, int64_t first, int64_t n, F key) const {
    const uint64_t flip = !descending ? 0 : dtype == DType::Float64 || dtype == DType::Int64 ? kNaN64 : kNaN32;
    T piece[kPiece];
    for (int64_t at = 0; at < n; at += kPiece) {
      const int64_t m = n - at < kPiece ? n - at : kPiece;
      loadRun(piece, dtype, src + (first + at) * stride * itemSize(dtype), stride, m);
      for (int64_t i = 0; i < m; i++) items[at + i] = Item::make(key(piece[i]) ^ flip, first + at + i);
    }
  }
};

template <class Item>
Item* scratch(int slot, int64_t n) {
  return reinterpret_cast<Item*>(threadScratch(kScratchOfCallers + slot, n * static_cast<int64_t>(sizeof(Item))));
}

// -- sorting
// ------------------------------------------------------------------------------------------------------------

template <class Item>
void insertionSort(Item* items, int64_t n) {
  for (int64_t i = 1; i < n; i++) {
    const Item item = items[i];
    int64_t j = i;
    for (; j > 0 && items[j - 1].key() > item.key(); j--) items[j] = items[j - 1];
    items[j] = item;
  }
}

// Stable, by keys. `spare` has room for n items; returns where the result is.
template <class Item>
Item* sortItems(Item* items, Item* spare, int64_t n) {
  if (n <= kInsertion) {
    insertionSort(items, n);
    return items;
  }
  int64_t counts[Item::kBytes][kDigits] = {};
  for (int64_t i = 0; i < n; i++)
    for (int b = 0; b < Item::kBytes; b++) counts[b][digit(items[i], b)]++;
  for (int b = 0; b < Item::kBytes; b++) {
    int64_t* places = counts[b];
    if (places[digit(items[0], b)] == n) continue;
    int64_t sum = 0;
    for (int d = 0; d < kDigits; d++) {
      const int64_t count = places[d];
      places[d] = sum;
      sum += count;
    }
    for (int64_t i = 0; i < n; i++) spare[places[digit(items[i], b)]++] = items[i];
    Item* other = items;
    items = spare;
    spare = other;
  }
  return items;
}

// The item at position k of the sorted ones; equal keys in the order in which they stand. `spare` has room for n items.
template <class Item>
Item selectItem(const Item* items, Item* spare, int64_t n, int64_t k) {
  for (int b = Item::kBytes - 1; b >= 0 && n > 1; b--) {
    int64_t counts[kDigits] = {};
    for (int64_t i = 0; i < n; i++) counts[digit(items[i], b)]++;
    int wanted = 0;
    while (k >= counts[wanted]) k -= counts[wanted++];
    if (counts[wanted] == n) continue;
    int64_t kept = 0;
    for (int64_t i = 0; i < n; i++) {
      const Item item = items[i];
      if (digit(item, b) == wanted) spare[kept++] = item;
    }
    items = spare;
    n = kept;
  }
  return items[k];
}

// The k smallest, sorted; returns where they are.
template <class Item>
Item* smallest(const KeyMaker& keys, const char* src, int64_t stride, int64_t n, int64_t k) {
  if (k > kKeepSorted || n <= 2 * k) {
    Item *items = scratch<Item>(0, n), *spare = scratch<Item>(1, n);
    keys.make(items, src, stride, 0, n);
    if (n > 4 * k) {
      const Item last = selectItem(items, spare, n, k - 1);
      int64_t kept = 0;
      for (int64_t i = 0; i < n; i++) {
        const Item item = items[i];
        if (item.key() < last.key() || (item.key() == last.key() && item.position() <= last.position()))
          items[kept++] = item;
      }
      n = kept;
    }
    return sortItems(items, spare, n);
  }
  Item* best = scratch<Item>(0, k + 1);
  Item piece[kPiece];
  int64_t found = 0;
  for (int64_t at = 0; at < n; at += kPiece) {
    const int64_t m = n - at < kPiece ? n - at : kPiece;
    keys.make(piece, src, stride, at, m);
    for (int64_t i = 0; i < m; i++) {
      const Item item = piece[i];
      if (found == k && item.key() >= best[k - 1].key()) continue;
      int64_t j = found < k ? found++ : k - 1;
      for (; j > 0 && best[j - 1].key() > item.key(); j--) best[j] = best[j - 1];
      best[j] = item;
    }
  }
  return best;
}

// -- results
// ------------------------------------------------------------------------------------------------------------

template <class Unit, class Item>
void pickValues(char* out, int64_t outStride, const char* src, int64_t stride, const Item* items, int64_t n) {
  Unit* to = reinterpret_cast<Unit*>(out);
  const Unit* from = reinterpret_cast<const Unit*>(src);
  for (int64_t i = 0; i < n; i++) to[i * outStride] = from[items[i].position() * stride];
}

template <class Item>
void writeValues(DType dtype, char* out, int64_t outStride, const char* src, int64_t stride, const Item* items,
                 int64_t n) {
  switch (itemSize(dtype)) {
    case 1: return pickValues<uint8_t>(out, outStride, src, stride, items, n);
    case 2: return pickValues<uint16_t>(out, outStride, src, stride, items, n);
    case 4: return pickValues<uint32_t>(out, outStride, src, stride, items, n);
    default: return pickValues<uint64_t>(out, outStride, src, stride, items, n);
  }
}

template <class Item>
void writePositions(char* out, int64_t stride, const Item* items, int64_t n) {
  int64_t* to = reinterpret_cast<int64_t*>(out);
  for (int64_t i = 0; i < n; i++) to[i * stride] = items[i].position();
}

void checkTypes(const char* op, const TensorView& x, const TensorView* values, const TensorView* indices) {
  if (values != nullptr && values->dtype != x.dtype)
    fail(ErrorKind::DType, "%s: x is %s but values %s", op, dtypeName(x.dtype), dtypeName(values->dtype));
  if (indices != nullptr && indices->dtype != DType::Int64)
    fail(ErrorKind::DType, "%s: indices must be int64, not %s", op, dtypeName(indices->dtype));
}

// The lines of x, and of the values and the indices that are given; the latter have `wanted` elements in each.
struct Task {
  const TensorView* views[3];
  int valuesAt = -1, indicesAt = -1, count = 1;

  Task(const char* op, const TensorView& x, const TensorView* values, const TensorView* indices) {
    views[0] = &x;
    if (values != nullptr) views[valuesAt = count++] = values;
    if (indices != nullptr) views[indicesAt = count++] = indices;
    checkTypes(op, x, values, indices);
  }
};

// body(line) gives the items of a line, sorted as wanted; `wanted` of them are written.
template <class Item, class F>
void forLines(Context& ctx, const Task& task, const Lines& lines, int64_t wanted, F&& body) {
  const DType dtype = lines.views[0]->dtype;
  const int v = task.valuesAt, p = task.indicesAt;
  parallelFor(ctx.pool, lines.count, kUnit / lines.size[0], [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; line++) {
      const char* src = lines.address(0, line);
      const Item* items = body(src);
      if (v >= 0) writeValues(dtype, lines.address(v, line), lines.step[v], src, lines.step[0], items, wanted);
      if (p >= 0) writePositions(lines.address(p, line), lines.step[p], items, wanted);
    }
  });
}

template <class Item>
void topLines(Context& ctx, const Task& task, const Lines& lines, const KeyMaker& keys, int64_t k) {
  const int64_t n = lines.size[0], step = lines.step[0];
  forLines<Item>(ctx, task, lines, k, [&](const char* src) { return smallest<Item>(keys, src, step, n, k); });
}

enum class Pick : int64_t { Kth, Median, NanMedian, Mode };

// The most frequent of sorted items, the smallest if several; its last occurrence. NaN equals nothing, but is preferred
// to what occurs once, as in PyTorch.
template <class Item>
Item mostFrequent(const KeyMaker& keys, const Item* items, int64_t n) {
  Item best = items[0];
  int64_t most = 0, run = 0;
  for (int64_t i = 0; i < n; i++) {
    run++;
    const bool nan = keys.floats && items[i].key() == keys.nan();
    if (i + 1 < n && items[i].key() == items[i + 1].key() && !nan) continue;
    if (run > most) {
      most = run;
      best = items[i];
    }
    run = 0;
  }
  if (most == 1 && keys.floats && items[n - 1].key() == keys.nan()) return items[n - 1];
  return best;
}

template <class Item>
void pickLines(Context& ctx, const Task& task, const Lines& lines, const KeyMaker& keys, Pick kind, int64_t k) {
  const int64_t n = lines.size[0];
  forLines<Item>(ctx, task, lines, 1, [&](const char* src) {
    Item *items = scratch<Item>(0, n), *spare = scratch<Item>(1, n), *found = scratch<Item>(2, 1);
    keys.make(items, src, lines.step[0], 0, n);
    if (kind == Pick::Mode) {
      *found = mostFrequent(keys, sortItems(items, spare, n), n);
      return found;
    }
    int64_t position = k;
    if (kind != Pick::Kth) {
      int64_t nans = 0, firstNan = n;
      for (int64_t i = 0; i < n && keys.floats; i++) {
        if (items[i].key() != keys.nan()) continue;
        if (nans++ == 0) firstNan = i;
      }
      if (kind == Pick::Median && nans > 0) {
        *found = items[firstNan];
        return found;
      }
      position = nans == n ? 0 : (n - nans - 1) / 2;
    }
    *found = selectItem(items, spare, n, position);
    return found;
  });
}

template <class Item>
void orderRows(const TensorView& order, const TensorView& x) {
  const KeyMaker keys(x.dtype, x.shape[0], false);
  const int64_t n = x.shape[0];
  Item *items = scratch<Item>(0, n), *spare = scratch<Item>(1, n), *column = scratch<Item>(2, n);
  for (int64_t i = 0; i < n; i++) items[i] = Item::make(0, i);
  for (int64_t c = x.shape[1] - 1; c >= 0; c--) {
    keys.make(column, x.data + c * x.strides[1] * itemSize(x.dtype), x.strides[0], 0, n);
    for (int64_t i = 0; i < n; i++) {
      const int64_t row = items[i].position();
      items[i] = Item::make(column[row].key(), row);
    }
    Item* sorted = sortItems(items, spare, n);
    if (sorted != items) {
      spare = items;
      items = sorted;
    }
  }
  writePositions(order.data, order.strides[0], items, n);
}

void checkOrder(const char* op, const TensorView& order, int64_t n) {
  if (order.ndim != 1 || order.shape[0] != n)
    fail(ErrorKind::Shape, "%s: the result must have shape [%lld], not %s", op, static_cast<long long>(n),
         shapeText(order).c_str());
  checkTypes(op, order, nullptr, &order);
}

void checkMatrix(const char* op, const TensorView& x) {
  if (x.ndim != 2) fail(ErrorKind::Shape, "%s: x must have 2 dimensions, not shape %s", op, shapeText(x).c_str());
}

template <class T>
THALWEG_INLINE auto comparable(T x) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>)
    return toFloat(x);
  else if constexpr (std::is_same_v<T, Boolean>)
    return x.byte;
  else
    return x;
}

}  // namespace

void sort(Context& ctx, const OptionalTensor& values, const OptionalTensor& indices, const TensorView& x, int64_t dim,
          bool descending) {
  const Task task("sort", x, values.defined ? &values : nullptr, indices.defined ? &indices : nullptr);
  const Lines lines("sort", task.views, task.count, dim);
  lines.requireSameSize("sort");
  const int64_t n = lines.size[0], step = lines.step[0];
  if (lines.count == 0 || n == 0) return;
  const KeyMaker keys(x.dtype, n, descending);
  const auto run = [&](auto* type) {
    using Item = std::remove_pointer_t<decltype(type)>;
    forLines<Item>(ctx, task, lines, n, [&](const char* src) {
      Item *items = scratch<Item>(0, n), *spare = scratch<Item>(1, n);
      keys.make(items, src, step, 0, n);
      return sortItems(items, spare, n);
    });
  };
  keys.wide ? run(static_cast<Wide*>(nullptr)) : run(static_cast<Narrow*>(nullptr));
}

void topk(Context& ctx, const TensorView& values, const TensorView& indices, const TensorView& x, int64_t dim,
          bool largest) {
  const Task task("topk", x, &values, &indices);
  const Lines lines("topk", task.views, task.count, dim);
  const int64_t n = lines.size[0], k = lines.size[1];
  if (lines.size[2] != k || k > n)
    fail(ErrorKind::Shape, "topk: x %s has no room for values %s and indices %s", shapeText(x).c_str(),
         shapeText(values).c_str(), shapeText(indices).c_str());
  if (lines.count == 0 || k == 0) return;
  const KeyMaker keys(x.dtype, n, largest);
  keys.wide ? topLines<Wide>(ctx, task, lines, keys, k) : topLines<Narrow>(ctx, task, lines, keys, k);
}

void pick(Context& ctx, const TensorView& values, const TensorView& indices, const TensorView& x, int64_t dim,
          int64_t kind, int64_t k) {
  const Task task("pick", x, &values, &indices);
  const Lines lines("pick", task.views, task.count, dim);
  const int64_t n = lines.size[0];
  if (lines.size[1] != 1 || lines.size[2] != 1)
    fail(ErrorKind::Shape, "pick: values %s and indices %s must have size 1 in dimension %lld",
         shapeText(values).c_str(), shapeText(indices).c_str(), static_cast<long long>(dim));
  if (kind < 0 || kind > static_cast<int64_t>(Pick::Mode))
    fail(ErrorKind::Native, "pick: there is no kind %lld", static_cast<long long>(kind));
  if (lines.count == 0) return;
  if (n == 0 || (static_cast<Pick>(kind) == Pick::Kth && (k < 0 || k >= n)))
    fail(ErrorKind::Index, "pick: there is no position %lld among %lld elements", static_cast<long long>(k),
         static_cast<long long>(n));
  const KeyMaker keys(x.dtype, n, false);
  keys.wide ? pickLines<Wide>(ctx, task, lines, keys, static_cast<Pick>(kind), k)
            : pickLines<Narrow>(ctx, task, lines, keys, static_cast<Pick>(kind), k);
}

void sortRows(Context&, const TensorView& order, const TensorView& x) {
  checkMatrix("sortRows", x);
  checkOrder("sortRows", order, x.shape[0]);
  if (x.shape[0] == 0) return;
  KeyMaker(x.dtype, x.shape[0], false).wide ? orderRows<Wide>(order, x) : orderRows<Narrow>(order, x);
}

void runs(Context& ctx, const TensorView& group, const TensorView& x) {
  checkMatrix("runs", x);
  const int64_t n = x.shape[0], columns = x.shape[1], down = x.strides[0], across = x.strides[1];
  checkOrder("runs", group, n);
  if (n == 0) return;
  int64_t* out = group.as<int64_t>();
  const int64_t step = group.strides[0];
  withType(x.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* p = x.as<const T>();
    parallelFor(ctx.pool, n, kUnit / (columns + 1), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        bool differs = false;
        for (int64_t c = 0; i > 0 && c < columns && !differs; c++)
          differs = comparable(p[i * down + c * across]) != comparable(p[(i - 1) * down + c * across]);
        out[i * step] = differs;
      }
    });
  });
  for (int64_t i = 1; i < n; i++) out[i * step] += out[(i - 1) * step];
}

void runStarts(Context&, const TensorView& starts, const TensorView& group) {
  if (group.ndim != 1 || starts.ndim != 1)
    fail(ErrorKind::Shape, "runStarts: takes 1 dimension, not shapes %s and %s", shapeText(starts).c_str(),
         shapeText(group).c_str());
  checkTypes("runStarts", group, nullptr, &group);
  checkTypes("runStarts", starts, nullptr, &starts);
  const int64_t n = group.shape[0];
  const int64_t* in = group.as<const int64_t>();
  for (int64_t i = 0; i < n; i++) {
    const int64_t j = in[i * group.strides[0]];
    if (i > 0 && j == in[(i - 1) * group.strides[0]]) continue;
    if (j < 0 || j >= starts.shape[0])
      fail(ErrorKind::Index, "runStarts: there is no group %lld among %lld", static_cast<long long>(j),
           static_cast<long long>(starts.shape[0]));
    starts.as<int64_t>()[j * starts.strides[0]] = i;
  }
}

void searchsorted(Context& ctx, const TensorView& out, const TensorView& sorted, const TensorView& values,
                  const OptionalTensor& sorter, bool right) {
  const char* op = "searchsorted";
  const auto [total, n] = checkSearch(op, out, sorted, values, sorter);
  if (total == 0) return;
  const int64_t each = sorted.ndim == 1 ? total : values.shape[values.ndim - 1];
  const int64_t* order = sorter.defined ? sorter.as<const int64_t>() : nullptr;
  withType(sorted.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    parallelFor(ctx.pool, total, kUnit / 8, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const int64_t start = i / each * n;
        const T* row = sorted.as<const T>() + start;
        const auto value = comparable(values.as<const T>()[i]);
        int64_t low = 0, high = n;
        while (low < high) {
          const int64_t middle = low + (high - low) / 2;
          int64_t at = middle;
          if (order != nullptr) {
            at = order[start + middle];
            if (at < 0 || at >= n)
              fail(ErrorKind::Index, "%s: sorter has %lld, out of range for %lld elements", op,
                   static_cast<long long>(at), static_cast<long long>(n));
          }
          const auto here = comparable(row[at]);
          // NaN stands behind everything, as sort puts it.
          const bool nan = here != here, valueNan = value != value;
          const bool before =
              right ? (valueNan || here <= value) && (!nan || valueNan) : !nan && (valueNan || here < value);
          if (before)
            low = middle + 1;
          else
            high = middle;
        }
        if (out.dtype == DType::Int32)
          out.as<int32_t>()[i] = static_cast<int32_t>(low);
        else
          out.as<int64_t>()[i] = low;
      }
    });
  });
}

}  // namespace thalweg::cpu::THALWEG_ISA
