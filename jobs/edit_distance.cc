#include "jobs/edit_distance.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace reelbatch {
namespace {

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// One number a character: its bytes packed. Malformed sequences stay apart from well-formed ones by being short.
std::vector<std::uint32_t> characters(std::string_view text) {
  std::vector<std::uint32_t> out;
  out.reserve(text.size());
  std::size_t length = 0;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_continuation(c) && length > 0 && length < 4) {
      out.back() = out.back() << 8U | byte;
      ++length;
    } else {
      out.push_back(byte);
      length = byte >= 0xC0U ? 1 : 0;
    }
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  // No character has more than 4 bytes, so names of very different length need no table: a column may be called by 16
  // MiB.
  if (a.size() / 4 > b.size() + limit || b.size() / 4 > a.size() + limit) return limit + 1;
  const std::vector<std::uint32_t> x = characters(a);
  const std::vector<std::uint32_t> y = characters(b);
  const std::size_t apart = x.size() > y.size() ? x.size() - y.size() : y.size() - x.size();
  if (apart > limit) return limit + 1;

  std::vector<std::size_t> row(y.size() + 1);
  for (std::size_t j = 0; j <= y.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= x.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    std::size_t least = i;
    for (std::size_t j = 1; j <= y.size(); ++j) {
      const std::size_t replaced = diagonal + (x[i - 1] == y[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
      least = std::min(least, row[j]);
    }
    if (least > limit) return limit + 1;
  }
  return std::min(row.back(), limit + 1);
}

std::vector<std::string> nearest_names(std::string_view word, std::span<const std::string_view> names,
                                       std::size_t count) {
  constexpr std::size_t kLongestWord = 200;  // beyond that nobody mistyped anything
  if (word.empty() || word.size() > kLongestWord) return {};
  const std::string wanted = lower(word);
  const std::size_t limit = std::clamp<std::size_t>(wanted.size() / 3, 1, 4);

  std::vector<std::pair<std::size_t, std::string>> found;
  for (const std::string_view name : names) {
    const std::string known = lower(name);
    const std::size_t distance = edit_distance(wanted, known, limit);
    const std::size_t shorter = std::min(wanted.size(), known.size());
    const bool prefix = shorter >= 3 && wanted.compare(0, shorter, known, 0, shorter) == 0;
    if (distance <= limit && distance < std::max(wanted.size(), known.size()))
      found.emplace_back(distance, name);
    else if (prefix)
      found.emplace_back(limit + 1, name);
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });

  std::vector<std::string> out;
  for (auto& [distance, name] : found)
    if (out.size() < count && std::find(out.begin(), out.end(), name) == out.end()) out.push_back(std::move(name));
  return out;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> names) {
  const std::vector<std::string> near = nearest_names(word, names);
  if (near.empty()) return {};
  std::string out = " (did you mean ";
  for (std::size_t i = 0; i < near.size(); ++i) {
    if (i > 0) out += i + 1 == near.size() ? " or " : ", ";
    out += '\'' + near[i] + '\'';
  }
  return out + "?)";
}

}  // namespace reelbatch
