// Random tables, written in every dialect, encoding and way to quote, are read back as they were; and it makes no
// difference where reads cut them.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>

#include "jobs/seeded_random.h"
#include "jobs/unicode.h"
#include "runner/manifest_formats.h"
#include "runner/name_rules.h"

namespace reelbatch {
namespace {

constexpr std::uint64_t kTables = 300;

struct Way {
  CsvDialect dialect;
  Encoding encoding = Encoding::Utf8;
  bool mark = false;  ///< with a byte order mark
  bool quote_all = false;
  std::string_view line_end = "\n";
  bool ended = true;  ///< the last record has a line end
};

std::string text_of(const Way& way) {
  return fmt::format("delimiter {:#x}, {}{}{}, line end of {}{}", way.dialect.delimiter, name_of(way.encoding),
                     way.mark ? " with a mark" : "", way.quote_all ? ", all quoted" : "", way.line_end.size(),
                     way.ended ? "" : ", not ended");
}

Way draw_way(SeededRandom& random) {
  constexpr std::array<char, 4> kDelimiters{',', ';', '\t', '|'};
  constexpr std::array<std::string_view, 3> kEnds{"\n", "\r\n", "\r"};
  Way way;
  way.dialect = kDelimiters.at(random.below(kDelimiters.size()));
  way.encoding = static_cast<Encoding>(random.below(7));
  const bool one_byte = way.encoding == Encoding::Windows1252 || way.encoding == Encoding::Latin1;
  way.mark = !one_byte && random.below(2) == 0;
  way.quote_all = random.below(3) == 0;
  way.line_end = kEnds.at(random.below(kEnds.size()));
  way.ended = random.below(4) != 0;
  return way;
}

/// What makes trouble, and what every encoding has.
std::string draw_cell(SeededRandom& random, Encoding encoding) {
  constexpr std::array<std::string_view, 18> kPieces{"a",    "Zz", "é",  " ",    ",", ";",    "|",  "\t", "\"",
                                                     "\"\"", "'",  "\n", "\r\n", "0", "~^!#", "\\", "ü",  "}"};
  constexpr std::array<std::string_view, 4> kFar{"€", "東", "\U0001F3E0", "ё"};
  const bool anything = encoding != Encoding::Windows1252 && encoding != Encoding::Latin1;
  std::string cell;
  for (std::uint64_t left = random.below(12); left > 0; --left)
    cell += anything && random.below(6) == 0 ? kFar.at(random.below(kFar.size()))
                                             : kPieces.at(random.below(kPieces.size()));
  return cell;
}

std::string written(const std::string& cell, const Way& way, SeededRandom& random) {
  const bool needs =
      cell.find_first_of("\"\r\n") != std::string::npos || cell.find(way.dialect.delimiter) != std::string::npos;
  if (!needs && !way.quote_all && random.below(4) != 0) return cell;
  std::string out = "\"";
  for (const char c : cell) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

std::string encoded(std::string_view text, const Way& way) {
  std::string out;
  const std::size_t width = way.encoding == Encoding::Utf32Le || way.encoding == Encoding::Utf32Be ? 4 : 2;
  const bool big = way.encoding == Encoding::Utf16Be || way.encoding == Encoding::Utf32Be;
  const auto add_unit = [&](char32_t unit) {
    for (std::size_t i = 0; i < width; ++i) {
      const std::size_t shift = 8 * (big ? width - 1 - i : i);
      out += static_cast<char>((unit >> shift) & 0xFFU);
    }
  };
  if (way.encoding == Encoding::Utf8) return (way.mark ? "\xEF\xBB\xBF" : "") + std::string(text);
  const bool one_byte = way.encoding == Encoding::Windows1252 || way.encoding == Encoding::Latin1;
  if (way.mark) add_unit(0xFEFF);
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    at += point.size;
    if (one_byte) {
      out += static_cast<char>(point.value);
    } else if (width == 2 && point.value > 0xFFFF) {
      add_unit(0xD800 + ((point.value - 0x10000) >> 10U));
      add_unit(0xDC00 + ((point.value - 0x10000) & 0x3FFU));
    } else {
      add_unit(point.value);
    }
  }
  return out;
}

struct Table {
  std::vector<std::string> rows;  ///< id, description and labels of each
  std::string bytes;
};

std::string shown(std::string_view id, std::string_view description, std::string_view note, std::string_view last) {
  return fmt::format("{}\x1f{}\x1f{}\x1f{}", id, description, note, last);
}

Table draw_table(const Way& way, SeededRandom& random) {
  Table table;
  const std::string delimiter(1, way.dialect.delimiter);
  std::string text = fmt::format("id{0}description{0}note{0}last", delimiter);
  for (std::uint64_t row = 1 + random.below(20); row > 0; --row) {
    const std::string id = fmt::format("R-{}", row);
    const std::string description = 'd' + draw_cell(random, way.encoding);
    const std::string note = draw_cell(random, way.encoding), last = draw_cell(random, way.encoding) + 'x';
    table.rows.push_back(shown(id, description, note, last));
    text += way.line_end;
    for (const std::string* cell : {&id, &description, &note, &last})
      text += (cell == &id ? "" : delimiter) + written(*cell, way, random);
  }
  if (way.ended) text += way.line_end;
  table.bytes = encoded(text, way);
  return table;
}

struct Read {
  std::vector<std::string> rows;
  std::string error;
};

/// From bytes to rows as a file is read, but for the finding of the encoding.
Read read(std::string_view bytes, Encoding encoding, std::size_t piece) {
  Read out;
  const ManifestOptions options;
  const RowSink sink = [&](ManifestRow& row) -> Result<void> {
    for (const Remark& remark : row.remarks) out.error += remark.text() + '\n';
    std::array<std::string, 3> cells;
    for (const RawField& field : row.fields)
      if (field.name == "description") cells[0] = field.value.text;
    for (const Label& label : row.labels) cells.at(label.name == "note" ? 1 : 2) = label.value;
    out.rows.push_back(shown(row.id, cells[0], cells[1], cells[2]));
    return {};
  };
  const RemarkSink ignore = [](const Remark&) {};
  ManifestRun run(options, sink, ignore);
  run.start_file("t.csv");
  StringSource head_bytes(bytes);
  TextSource head_text(head_bytes, encoding);
  std::string head(4 * bytes.size() + 1, '\0');
  std::size_t size = 0;
  while (const Result<std::size_t> taken = head_text.read(head.data() + size, head.size() - size)) {
    if (*taken == 0) break;
    size += *taken;
  }
  const Result<TableFormat> format = find_table_format(std::string_view(head).substr(0, size), true, ',', run.rules());
  if (!format) return {{}, format.error().message};
  StringSource source(bytes, piece);
  TextSource text(source, encoding);
  if (const Result<void> done = read_table(text, *format, run, &text); !done) out.error += done.error().message;
  run.end_file();
  if (const Result<void> done = run.finish(); !done) out.error += done.error().message;
  return out;
}

}  // namespace

TEST_CASE("random tables are read back from any dialect, encoding and quoting, wherever reads cut them") {
  for (std::uint64_t seed = 1; seed <= kTables; ++seed) {
    SeededRandom random(seed);
    const Way way = draw_way(random);
    const Table table = draw_table(way, random);
    CAPTURE(seed);
    CAPTURE(text_of(way));
    if (way.mark) CHECK(find_encoding(table.bytes).encoding == way.encoding);
    for (const std::size_t piece : {SIZE_MAX, std::size_t{1}, static_cast<std::size_t>(1 + random.below(100))}) {
      CAPTURE(piece);
      const Read back = read(table.bytes, way.encoding, piece);
      CHECK(back.error == "");
      CHECK(back.rows == table.rows);
    }
  }
}

TEST_CASE("a file in UTF-8 or windows-1252 is told by its bytes, wherever reads cut them") {
  for (std::uint64_t seed = 1; seed <= kTables; ++seed) {
    SeededRandom random(seed);
    std::string plain(random.below(300), 'a');
    const Way way{{}, random.below(2) == 0 ? Encoding::Utf8 : Encoding::Windows1252};
    const std::string text = plain + "Caf\u00e9 m\u00fcde" + plain;
    const std::string bytes = encoded(text, way);
    CAPTURE(seed);
    StringSource source(bytes, 1 + random.below(50));
    TextSource decoded(source, std::nullopt);
    std::string back(2 * text.size() + 1, '\0');
    std::size_t size = 0;
    while (const Result<std::size_t> taken = decoded.read(back.data() + size, 1 + random.below(40))) {
      if (*taken == 0) break;
      size += *taken;
    }
    CHECK(back.substr(0, size) == text);
    CHECK(decoded.encoding() == way.encoding);
  }
}

}  // namespace reelbatch
