// Records of CSV: the same whole and in pieces, whatever follows them, and again when written anew.
#include "runner/csv.h"

#include <algorithm>

#include "runner/manifest_text.h"
#include "tests/fuzz/fuzz.h"

namespace reelbatch {
namespace {

struct Record {
  std::vector<std::string> cells;
  std::vector<std::pair<std::size_t, std::string>> problems;
  std::uint64_t line = 0;
  bool ended = false;
  bool operator==(const Record&) const = default;
};

struct Table {
  std::vector<Record> records;
  std::string error;
  bool operator==(const Table&) const = default;
};

Table read(std::string_view text, char delimiter, std::size_t piece, std::size_t block) {
  StringSource source(text, piece);
  CsvReader reader(source, "f.csv", delimiter, block);
  Table table;
  constexpr std::size_t kMost = 100;
  std::size_t announced = 0;  // of the record at hand
  while (true) {
    const Result<bool> more = reader.next();
    if (!more) table.error = more.error().message;
    if (!more || !*more) return table;
    Record record;
    record.cells.assign(reader.cells().begin(), reader.cells().end());
    for (const CsvProblem& problem : reader.problems()) record.problems.emplace_back(problem.cell, problem.message);
    record.line = reader.line();
    record.ended = reader.ended_by_newline();
    must(!record.cells.empty(), "a record has a cell");
    if (!trim(reader.raw()).empty()) {  // what cannot be seen is passed over
      const bool is_said = announced > 0 && announced < kMost;
      must(!is_said || announced == record.cells.size(), "a record is as wide as it was said");
      announced = reader.behind(kMost).cells.size();
    }
    must(std::equal(record.cells.begin(), record.cells.end(), reader.cells().begin()), "a look ahead changes nothing");
    must(reader.places().size() == record.cells.size(), "every cell has a place");
    for (std::size_t i = 0; i < record.cells.size(); ++i) {
      const Place place = reader.place(i);
      must(place.line >= record.line && place.column >= 1, "a place is in its record");
      static_cast<void>(reader.place_in(i, record.cells[i].size() / 2));
    }
    table.records.push_back(std::move(record));
  }
}

std::string written(const Table& table, char delimiter) {
  std::string text;
  for (const Record& record : table.records) {
    for (std::size_t i = 0; i < record.cells.size(); ++i) {
      if (i > 0) text += delimiter;
      text += '"';
      for (const char c : record.cells[i]) text += c == '"' ? std::string("\"\"") : std::string(1, c);
      text += '"';
    }
    text += '\n';
  }
  return text;
}

}  // namespace

FUZZ_TARGET(csv, 130'000) {
  const unsigned choice = take_byte(data);
  const char delimiter = choice % 2 == 0 ? ',' : '\t';
  const Table whole = read(data, delimiter, SIZE_MAX, 8192);
  must(read(data, delimiter, 1, 1) == whole, "the same a byte at a time");
  must(read(data, delimiter, 1 + choice / 2, 1 + choice / 3) == whole, "the same in pieces");

  // What follows changes nothing of what ended before.
  const Table longer = read(std::string(data) + "\nmore\"\n", delimiter, SIZE_MAX, 64);
  std::size_t ended = 0;
  while (ended < whole.records.size() && whole.records[ended].ended) ++ended;
  must(longer.records.size() >= ended &&
           std::equal(whole.records.begin(), whole.records.begin() + static_cast<std::ptrdiff_t>(ended),
                      longer.records.begin()),
       "what follows changes nothing of what ended");

  const Table again = read(written(whole, delimiter), delimiter, SIZE_MAX, 64);
  must(again.error.empty() && again.records.size() == whole.records.size(), "what is written anew is read");
  for (std::size_t i = 0; i < again.records.size(); ++i)
    must(again.records[i].cells == whole.records[i].cells, "cells are the same when written anew");
}

}  // namespace reelbatch
