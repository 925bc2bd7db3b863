#include "runner/swallowed_rows.h"

#include <algorithm>
#include <array>
#include <vector>

#include "jobs/unicode.h"

namespace reelbatch {
namespace {

/// Where the first line ends; npos if all is one.
std::size_t find_line_end(std::string_view text) {
  const std::size_t lf = text.find('\n');
  return std::min(lf, text.substr(0, lf).find('\r'));
}

/// Takes the next line off, and its line end.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(find_line_end(text), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + (text.substr(end, 2) == "\r\n" ? 2 : 1), text.size()));
  return line;
}

/// A delimiter, which may be of two bytes, in the text.
class Delimiter {
 public:
  explicit Delimiter(const CsvDialect& dialect)
      : bytes_{dialect.delimiter, dialect.second}, size_(dialect.second == 0 ? 1 : 2) {}
  std::size_t size() const { return size_; }
  std::size_t find(std::string_view text, std::size_t from = 0) const {
    return text.find(std::string_view(bytes_.data(), size_), from);
  }
  std::size_t count(std::string_view text) const {
    std::size_t count = 0;
    for (std::size_t at = find(text); at != std::string_view::npos; at = find(text, at + size_)) ++count;
    return count;
  }

 private:
  std::array<char, 2> bytes_;
  std::size_t size_;
};

bool begins_like_address(std::string_view text) {
  const std::string start = ascii_lower(text.substr(0, 8));
  return start.starts_with("http://") || start.starts_with("https://") || start.starts_with("//") ||
         start.starts_with("www.");
}

bool ends_like_photo(std::string_view text) {
  const std::string end = ascii_lower(text.substr(text.size() - std::min<std::size_t>(text.size(), 5)));
  return end.ends_with(".jpg") || end.ends_with(".jpeg") || end.ends_with(".png") || end.ends_with(".webp");
}

bool is_digit_at(std::string_view text, std::size_t at) {
  return at < text.size() && text[at] >= '0' && text[at] <= '9';
}

/// Whether the delimiter at `at` is what a text may have there: with a blank or nothing behind it, or as the end of an
/// entity (`&eacute;`).
bool is_of_text(std::string_view line, std::size_t at, std::size_t size) {
  const std::size_t behind = at + size;
  if (behind >= line.size() || line[behind] == ' ') return true;
  if (line[at] != ';') return false;
  const std::size_t amp = line.substr(0, at).find_last_of("& ");
  return amp != std::string_view::npos && line[amp] == '&' && at - amp > 1 && at - amp < 10;
}

/// Lines with the delimiters of rows: which of them look like that?
bool look_like_cells(std::string_view text, const Delimiter& delimiter) {
  bool address = false, other = false, of_text = false, of_row = false;
  // In the last column the row that is cut has all that is its own; nothing but a text is longer than it should be.
  const bool is_last = delimiter.count(text.substr(0, find_line_end(text))) == 0;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    std::size_t from = 0;
    while (true) {
      const std::size_t at = delimiter.find(line, from);
      const std::string_view piece = line.substr(from, at == std::string_view::npos ? at : at - from);
      const bool begins = begins_like_address(piece);
      const bool photo = begins || ends_like_photo(piece);
      address = address || photo;
      other = other || (!photo && !trim_blanks(piece).empty());
      if (at == std::string_view::npos) break;
      const bool last_on_line = at + delimiter.size() == line.size();
      // A row may end in an empty cell; a text has no line that ends so and another that does not.
      of_text = of_text || (!last_on_line && is_of_text(line, at, delimiter.size()));
      const bool in_number = at > 0 && is_digit_at(line, at - 1) && is_digit_at(line, at + delimiter.size());
      of_row = of_row || (!last_on_line && !in_number);
      from = at + delimiter.size();
    }
  }
  // A list of addresses alone is one.
  return other && (address || (of_row && !of_text && !is_last));
}

/// Whether the cell's lines have as many delimiters as rows of this width would.
bool have_width(std::span<const std::string_view> cells, std::size_t cell, const Delimiter& delimiter,
                std::size_t width) {
  std::string_view rest = cells[cell];
  if (cell >= width || delimiter.count(take_line(rest)) != width - 1 - cell) return false;
  while (find_line_end(rest) != std::string_view::npos) {
    const std::string_view line = take_line(rest);
    if (!line.empty() && delimiter.count(line) != width - 1) return false;
  }
  return delimiter.count(rest) + cells.size() - 1 - cell == width - 1;
}

/// Whether most of the rows that the cell's lines would be look like some.
bool are_rows(std::span<const std::string_view> cells, std::size_t cell, const Delimiter& delimiter,
              const std::function<bool(std::span<const std::string_view>)>& is_row) {
  std::size_t rows = 0, such = 0;
  const auto begin = cells.begin() + static_cast<std::ptrdiff_t>(cell);
  std::vector<std::string_view> row(cells.begin(), begin);
  for (std::string_view rest = cells[cell];;) {
    const bool is_last = find_line_end(rest) == std::string_view::npos;
    for (std::string_view line = take_line(rest);;) {
      const std::size_t at = delimiter.find(line);
      row.push_back(line.substr(0, at));
      if (at == std::string_view::npos) break;
      line.remove_prefix(at + delimiter.size());
    }
    if (is_last) row.insert(row.end(), begin + 1, cells.end());
    if (row.size() > 1) ++rows;
    if (row.size() > 1 && is_row(row)) ++such;
    row.clear();
    if (is_last) return 2 * such > rows;
  }
}

std::uint64_t lines_behind_first(std::string_view text) {
  std::uint64_t lines = 0;
  for (; find_line_end(text) != std::string_view::npos; ++lines) take_line(text);
  return lines;
}

}  // namespace

std::optional<SwallowedRows> find_swallowed_rows(std::span<const std::string_view> cells, const CsvDialect& dialect,
                                                 std::size_t width,
                                                 const std::function<bool(std::span<const std::string_view>)>& is_row) {
  const Delimiter delimiter(dialect);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (find_line_end(cells[i]) == std::string_view::npos) continue;
    const bool wide = have_width(cells, i, delimiter, width) || have_width(cells, i, delimiter, cells.size());
    if (wide && look_like_cells(cells[i], delimiter) && are_rows(cells, i, delimiter, is_row))
      return SwallowedRows{i, lines_behind_first(cells[i])};
  }
  return std::nullopt;
}

}  // namespace reelbatch
