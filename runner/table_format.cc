#include "runner/table_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>

#include "jobs/registry.h"
#include "jobs/unicode.h"
#include "runner/manifest_text.h"

namespace reelbatch {
namespace {

constexpr std::size_t kTrialRecords = 200;
constexpr std::size_t kPreambleMax = 10;
constexpr std::size_t kBareColumnsMin = 100;  ///< of an export that is known by `!#` and has no header

struct Record {
  std::uint64_t line = 0;
  bool trails = false;  ///< ends with a delimiter
  std::vector<std::string> cells;
};

/// The sample, read with one dialect.
struct Trial {
  CsvDialect dialect;
  std::vector<Record> records;
  std::size_t width = 0;   ///< of most records
  std::size_t common = 0;  ///< records of that width
  std::size_t rival = 0;   ///< another width of as many records; 0: none
  bool clean = true;       ///< no text after a quote, no quote that is never closed
};

Trial try_dialect(std::string_view sample, bool whole, CsvDialect dialect) {
  Trial trial;
  trial.dialect = dialect;
  StringSource source(sample);
  CsvReader reader(source, "", dialect, sample.size() + 1);
  std::map<std::size_t, std::size_t> widths;
  while (trial.records.size() < kTrialRecords) {
    const Result<bool> more = reader.next();
    if (!more) {
      trial.clean = trial.clean && !whole;  // a cell that the sample ends in is no evidence
      break;
    }
    if (!*more) break;
    if (!whole && !reader.ended_by_newline()) break;
    trial.clean = trial.clean && reader.problems().empty();
    const bool trails = reader.cells().size() > 1 && reader.cells().back().empty() && reader.raw().back() != '"';
    trial.records.push_back({reader.line(), trails, {reader.cells().begin(), reader.cells().end()}});
    ++widths[reader.cells().size()];
  }
  for (const auto& [width, count] : widths)
    if (count > trial.common || (count == trial.common && width > trial.width)) {
      trial.rival = count == trial.common ? trial.width : 0;
      trial.width = width;
      trial.common = count;
    }
  return trial;
}

/// At least nine in ten records have the same number of cells, the header among them, and there is more than one.
bool is_even(const Trial& trial, bool has_header) {
  return trial.width >= 2 && trial.records.size() >= 2 && 10 * trial.common >= 9 * trial.records.size() &&
         (!has_header || trial.records[0].cells.size() == trial.width);
}

std::size_t offset_of_line(std::string_view text, std::uint64_t line) {
  std::size_t at = 0;
  for (std::uint64_t i = 1; i < line && at < text.size(); ++i) {
    const std::size_t end = text.find_first_of("\r\n", at);
    if (end == std::string_view::npos) return text.size();
    at = end + (text.substr(end, 2) == "\r\n" ? 2 : 1);
  }
  return at;
}

/// `Property Count : 12` under #HEADER#.
std::optional<std::uint64_t> rows_stated_in(std::string_view section) {
  const std::string lower = ascii_lower(section);
  constexpr std::string_view kName = "property count";
  std::size_t at = lower.find(kName);
  if (at == std::string::npos) return std::nullopt;
  at = lower.find_first_not_of(" \t", at + kName.size());
  if (at == std::string::npos || lower[at] != ':') return std::nullopt;
  at = std::min(lower.find_first_not_of(" \t'\"", at + 1), lower.size());
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(lower.data() + at, lower.data() + lower.size(), count);
  return error == std::errc() ? std::optional(count) : std::nullopt;
}

class Finder {
 public:
  Finder(std::string_view sample, bool whole, char by_ending, const NameRules& rules)
      : sample_(sample), whole_(whole), by_ending_(by_ending), rules_(rules), options_(rules.options()) {}

  Result<TableFormat> find();

 private:
  Result<TableFormat> find_sections();
  Result<Trial> choose();
  Result<Trial> choose_by_evenness(std::vector<Trial>& trials) const;
  void take_escapes(Trial& trial);
  int names_known(const std::vector<std::string>& cells) const;
  bool is_header(const std::vector<std::string>& cells) const;
  std::size_t header_after_preamble(const Trial& trial) const;
  std::uint64_t lines_before_header(const Trial& trial) const;
  Result<void> take_preset(const std::vector<std::string>& header);
  Result<void> take_width(const Trial& trial);
  void learn_kinds(const Trial& trial, std::size_t first, std::size_t least, std::size_t most);
  bool is_asked_for(std::size_t column) const;
  std::string_view text() const { return sample_.substr(format_.skip_bytes); }

  std::string_view sample_;
  bool whole_;
  char by_ending_;
  const NameRules& rules_;
  const ManifestOptions& options_;
  TableFormat format_;
  std::size_t preamble_ = 0;
};

Result<TableFormat> Finder::find() {
  if (sample_.starts_with("\xEF\xBB\xBF")) format_.skip_bytes = 3;
  if (options_.skip_lines > 0) {
    const std::size_t offset = offset_of_line(text(), options_.skip_lines + 1);
    if (offset == text().size()) return usage_error(fmt::format("there are no {} lines to skip", options_.skip_lines));
    format_.skip_bytes += offset;
    format_.first_line += options_.skip_lines;
  }
  const std::size_t mark = std::min(text().find_first_not_of(" \t\r\n"), text().size());
  if (text().substr(mark).starts_with("#HEADER#")) return find_sections();

  if (const std::string_view line = text().substr(0, text().find_first_of("\r\n"));
      line.size() == 5 && ascii_lower(line.substr(0, 4)) == "sep=") {
    format_.notices.emplace_back(format_.first_line, fmt::format("skipped the line '{}'", printable(line, 20)));
    format_.skip_bytes += offset_of_line(text(), 2);
    ++format_.first_line;
    format_.dialect = line[4];
  }
  if (options_.preset != "auto" && options_.preset != "none") format_.preset = find_preset(options_.preset);
  if (options_.no_header || (format_.preset != nullptr && !format_.preset->has_header)) format_.has_header = false;

  Result<Trial> trial = choose();
  if (!trial) return tl::unexpected<Error>(trial.error());
  take_escapes(*trial);
  format_.dialect = trial->dialect;
  if (preamble_ > 0) {
    const std::uint64_t line = trial->records[preamble_].line;
    format_.notices.emplace_back(
        format_.first_line, fmt::format("skipped {} line{} in front of the header", line - 1, line == 2 ? "" : "s"));
    format_.skip_bytes += offset_of_line(text(), line);
    format_.first_line += line - 1;
  }
  if (format_.has_header && preamble_ + 1 < trial->records.size()) {
    const std::size_t width = trial->records[preamble_].cells.size();
    format_.trailing = std::all_of(
        trial->records.begin() + static_cast<std::ptrdiff_t>(preamble_) + 1, trial->records.end(),
        [&](const Record& record) { return record.cells.size() == width + 1 && record.cells.back().empty(); });
  }
  format_.trailing_bare =
      format_.trailing && std::all_of(trial->records.begin() + static_cast<std::ptrdiff_t>(preamble_) + 1,
                                      trial->records.end(), [](const Record& record) { return record.trails; });
  if (format_.has_header && preamble_ < trial->records.size()) {
    learn_kinds(*trial, preamble_ + 1, 1, trial->records[preamble_].cells.size());
  }
  if (!format_.has_header)
    if (Result<void> taken = take_width(*trial); !taken) return tl::unexpected<Error>(taken.error());
  if (format_.has_header) format_.skip_lines = lines_before_header(*trial);
  if (preamble_ < trial->records.size() && format_.has_header)
    if (Result<void> taken = take_preset(trial->records[preamble_].cells); !taken)
      return tl::unexpected<Error>(taken.error());
  return std::move(format_);
}

/// A known export with its separators declared in front. Source: FORMATS 2, the agents' portal format in sections.
Result<TableFormat> Finder::find_sections() {
  const std::string_view all = text();
  const auto declared = [&](std::string_view name) -> std::optional<char> {
    const std::size_t at = all.find(name);
    if (at == std::string_view::npos) return std::nullopt;
    const std::size_t open = all.find('\'', at);
    const std::size_t line = std::min(all.find_first_of("\r\n", at), all.size());
    if (open == std::string_view::npos || open + 2 >= line || all[open + 2] != '\'') return std::nullopt;
    return all[open + 1];
  };
  const auto field_end = declared("EOF");
  const auto record_end = declared("EOR");
  constexpr std::string_view kDefinition = "#DEFINITION#", kData = "#DATA#";
  const std::size_t definition = all.find(kDefinition);
  const std::size_t data = all.find(kData);
  if (!field_end || !record_end) return usage_error("in sections, but EOF or EOR is not declared under #HEADER#");
  if (definition == std::string_view::npos || data == std::string_view::npos || data < definition)
    return usage_error("in sections, but there is no #DEFINITION# before #DATA#: is the file cut short?");
  if (*field_end == *record_end) return usage_error("EOF and EOR are the same character");

  format_.in_sections = true;
  format_.rows_stated = rows_stated_in(all.substr(0, definition));
  format_.dialect.delimiter = *field_end;
  format_.dialect.quotes = false;
  format_.dialect.record_end = *record_end;
  const auto line_at = [&](std::size_t offset) {
    const std::string_view before = all.substr(0, offset);
    return format_.first_line + static_cast<std::uint64_t>(std::count(before.begin(), before.end(), '\n'));
  };
  std::size_t begin = definition + kDefinition.size();
  begin = std::min(all.find_first_not_of(" \t\r\n", begin), data);
  std::string_view names = all.substr(begin, data - begin);
  names = names.substr(0, names.find(*record_end));
  format_.header_line = line_at(begin);
  format_.trailing = names.ends_with(*field_end);
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(*field_end), names.size());
    format_.header.emplace_back(trim(names.substr(0, end)));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  if (Result<void> taken = take_preset(format_.header); !taken) return tl::unexpected<Error>(taken.error());
  format_.first_line = line_at(data);
  format_.skip_bytes += data + kData.size();
  return std::move(format_);
}

Result<Trial> Finder::choose() {
  const bool is_separated = format_.first_line > 1 + options_.skip_lines;
  if (options_.delimiter || is_separated) {
    CsvDialect stated = format_.dialect;
    if (options_.delimiter) {
      const Result<CsvDialect> parsed = parse_delimiter(*options_.delimiter);
      if (!parsed) return tl::unexpected<Error>(parsed.error());
      stated = *parsed;
    }
    Trial trial = try_dialect(text(), whole_, stated);
    if (format_.has_header) preamble_ = header_after_preamble(trial);
    return trial;
  }
  CsvDialect two_bytes('!');
  two_bytes.second = '#';
  std::vector<CsvDialect> dialects{by_ending_};
  for (const CsvDialect& other : {CsvDialect(','), CsvDialect(';'), CsvDialect('\t'), CsvDialect('|'), two_bytes})
    if (!(other == dialects.front())) dialects.push_back(other);

  std::vector<Trial> trials;
  for (const CsvDialect& dialect : dialects) {
    trials.push_back(try_dialect(text(), whole_, dialect));
    const Trial& trial = trials.back();
    const bool fits = format_.has_header && !trial.records.empty() && trial.records[0].cells.size() >= 2 &&
                      is_header(trial.records[0].cells);
    if (fits) return std::move(trials.back());
  }
  const Trial& bare = trials.back();
  if (bare.width >= kBareColumnsMin && (options_.preset == "auto" || !format_.has_header)) {
    if (format_.preset == nullptr && options_.preset == "auto") {
      format_.preset = find_preset("poliris");
      format_.has_header = false;
      format_.notices.emplace_back(format_.first_line, "read as preset 'poliris': no header, cells between !#");
    }
    return std::move(trials.back());
  }
  if (format_.has_header) {
    for (Trial& trial : trials) {
      preamble_ = header_after_preamble(trial);
      if (preamble_ > 0) return std::move(trial);
    }
  }
  return choose_by_evenness(trials);
}

Result<Trial> Finder::choose_by_evenness(std::vector<Trial>& trials) const {
  std::vector<Trial*> even;
  for (Trial& trial : trials)
    if (is_even(trial, format_.has_header) && trial.clean) even.push_back(&trial);
  if (even.empty()) return std::move(trials.front());
  // The file's name decides between equals; it does not make a table with fewer columns the better one.
  const bool named = even.front() == &trials.front() && std::none_of(even.begin(), even.end(), [&](const Trial* trial) {
                       return trial->width > trials.front().width;
                     });
  if (even.size() == 1 || named) return std::move(*even.front());
  std::string counts;
  for (const Trial* trial : even)
    counts += fmt::format("{}{} gives {} columns", counts.empty() ? "" : ", ", shown(trial->dialect), trial->width);
  return usage_error(fmt::format("the delimiter is unclear: {}; say which with --delimiter", counts));
}

/// Some programs write a quote in a quoted cell as \" and not as "".
void Finder::take_escapes(Trial& trial) {
  if (trial.dialect.record_end != 0 || text().find("\\\"") == std::string_view::npos) return;
  CsvDialect escaped = trial.dialect;
  escaped.backslashes = true;
  Trial other = try_dialect(text(), whole_, escaped);
  const bool better =
      other.clean && (!trial.clean || other.common * trial.records.size() > trial.common * other.records.size());
  if (!better || (!other.records.empty() && other.common != other.records.size())) return;
  const std::string_view before = text().substr(0, text().find("\\\""));
  format_.notices.emplace_back(
      format_.first_line + static_cast<std::uint64_t>(std::count(before.begin(), before.end(), '\n')),
      "backslash escapes detected: read \\\" in a quoted cell as a quote");
  trial = std::move(other);
}

/// How many of the cells are names that mean something; negative if none of them can be the id.
int Finder::names_known(const std::vector<std::string>& cells) const {
  const RawValue* stated = rules_.default_of(Target::kKind, nullptr);
  const JobKind* kind = stated ? find_kind(trim(stated->text)) : nullptr;
  int known = 0;
  bool has_id = false;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (trim(cells[i]).empty() || cells[i].size() > 200) continue;
    const NameUse use = rules_.use(cells[i], i + 1, kind != nullptr ? kind : &default_kind());
    // A position says nothing of what stands there.
    const auto by_name = [&](const Target& target) {
      const std::string* mapped = rules_.mapped(target.field, kind != nullptr ? kind : &default_kind());
      return mapped == nullptr || !mapped->starts_with('#');
    };
    bool means = false;
    for (const Target& target : use.targets) {
      if (!by_name(target)) continue;
      means = true;
      has_id = has_id || target.field == Target::kId;
    }
    if (means) ++known;
  }
  return has_id ? known : -1;
}

bool Finder::is_header(const std::vector<std::string>& cells) const {
  if (names_known(cells) > 0) return true;
  const std::vector<std::string_view> names(cells.begin(), cells.end());
  return options_.preset != "none" && !presets_of(names).empty();
}

/// How many cells of a line in front of the header say something: spreadsheets fill them up with empty ones. A comment
/// says nothing, although each of its cells may.
std::size_t words_in_preamble(const std::vector<std::string>& cells) {
  if (!cells.empty() && trim(cells[0]).starts_with("#")) return 1;
  return static_cast<std::size_t>(
      std::count_if(cells.begin(), cells.end(), [](const std::string& cell) { return !trim(cell).empty(); }));
}

/// Which record is the header if it is not the first: fuller than all in front of it, with an id and another name that
/// means something, and as wide as what follows. 0 if there is none.
std::size_t Finder::header_after_preamble(const Trial& trial) const {
  if (trial.records.empty() || is_header(trial.records[0].cells)) return 0;
  std::size_t fullest = words_in_preamble(trial.records[0].cells);
  for (std::size_t i = 1; i < std::min(trial.records.size(), kPreambleMax); ++i) {
    const std::vector<std::string>& cells = trial.records[i].cells;
    const bool goes_on = i + 1 == trial.records.size() || trial.records[i + 1].cells.size() == cells.size();
    const std::vector<std::string_view> names(cells.begin(), cells.end());
    const std::size_t words = words_in_preamble(cells);
    if (words >= 2 && words > fullest && goes_on &&
        (names_known(cells) >= 2 || (options_.preset != "none" && !presets_of(names).empty()))) {
      return i;
    }
    fullest = std::max(fullest, words);
  }
  return 0;
}

/// For a first record that is no header: the lines in front of one of the first ten that is, 0 if there is none.
std::uint64_t Finder::lines_before_header(const Trial& trial) const {
  const std::size_t end = std::min(trial.records.size(), kPreambleMax);
  if (preamble_ >= end || is_header(trial.records[preamble_].cells)) return 0;
  for (std::size_t i = preamble_ + 1; i < end; ++i)
    if (names_known(trial.records[i].cells) >= 2) return format_.first_line + trial.records[i].line - 2;
  return 0;
}

Result<void> Finder::take_preset(const std::vector<std::string>& header) {
  if (options_.preset == "none") return {};
  if (options_.preset != "auto") {
    format_.preset = find_preset(options_.preset);
    return {};
  }
  // A header in this program's own words needs no guess.
  for (const std::string& name : header)
    if (fold_name(name) == "image_urls") return {};
  const std::vector<std::string_view> names(header.begin(), header.end());
  const std::vector<const Preset*> found = presets_of(names);
  if (found.size() > 1) {
    std::string list;
    for (const Preset* preset : found) list += fmt::format("{}'{}'", list.empty() ? "" : " and ", preset->name);
    return usage_error(fmt::format("the header fits more than one preset: {}; say which with --preset", list));
  }
  if (found.empty()) return {};
  format_.preset = found.front();
  format_.notices.emplace_back(format_.in_sections ? format_.header_line : format_.first_line,
                               fmt::format("read as preset '{}'; --preset none does without", found.front()->name));
  return {};
}

/// Nothing but the rows says how many columns there are, and any of them may be shifted, the first one too.
Result<void> Finder::take_width(const Trial& trial) {
  if (trial.rival != 0)
    return usage_error(
        fmt::format("as many rows have {} cells as {}, and without a header it is not known which of them are whole: "
                    "mend the file, or give it a header",
                    trial.rival, trial.width));
  const auto trails =
      static_cast<std::size_t>(std::count_if(trial.records.begin(), trial.records.end(), [&](const Record& record) {
        return record.cells.size() == trial.width && record.trails;
      }));
  format_.trailing = 2 * trails > trial.common && !is_asked_for(trial.width - 1);
  format_.trailing_bare = format_.trailing;
  format_.width = trial.width - (format_.trailing ? 1 : 0);
  learn_kinds(trial, 0, trial.width, trial.width);
  return {};
}

/// From the records behind the first few, of so many cells.
void Finder::learn_kinds(const Trial& trial, std::size_t first, std::size_t least, std::size_t most) {
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = first; i < trial.records.size(); ++i)
    if (const auto& cells = trial.records[i].cells; cells.size() >= least && cells.size() <= most)
      rows.push_back(cells);
  format_.kinds.learn(rows, trial.dialect == CsvDialect(','));
}

/// Whether a column of a table without a header feeds something, or is a label by name.
bool Finder::is_asked_for(std::size_t column) const {
  const RawValue* stated = rules_.default_of(Target::kKind, nullptr);
  const JobKind* kind = stated ? find_kind(trim(stated->text)) : nullptr;
  const NameUse use = rules_.use(fmt::format("f{}", column + 1), column + 1, kind != nullptr ? kind : &default_kind());
  return use.listed || !use.targets.empty();
}

}  // namespace

std::string shown(const CsvDialect& dialect) {
  constexpr std::string_view kSigns = ",;|\t";
  constexpr std::string_view kNames[] = {"comma", "semicolon", "pipe", "tab"};
  const std::size_t known = kSigns.find(dialect.delimiter);
  if (known != std::string_view::npos && dialect.second == 0) return std::string(kNames[known]);
  return fmt::format("'{}{}'", dialect.delimiter, dialect.second == 0 ? "" : std::string(1, dialect.second));
}

Result<CsvDialect> parse_delimiter(std::string_view text) {
  if (text == "tab" || text == "\\t" || text == "\t") return CsvDialect('\t');
  if (text == "!#") {
    CsvDialect dialect('!');
    dialect.second = '#';
    return dialect;
  }
  constexpr std::string_view kNames[] = {"comma", "semicolon", "pipe"};
  constexpr std::string_view kSigns = ",;|";
  for (std::size_t i = 0; i < kSigns.size(); ++i)
    if (text == kNames[i]) return CsvDialect(kSigns[i]);
  const bool fit = text.size() == 1 && text[0] != '"' && text[0] != '\r' && text[0] != '\n' &&
                   static_cast<unsigned char>(text[0]) < 0x80U && text[0] != '\0';
  if (!fit)
    return usage_error(fmt::format("'{}' is no delimiter: write one character, tab or !#", printable(text, 20)));
  return CsvDialect(text[0]);
}

Result<TableFormat> find_table_format(std::string_view sample, bool whole, char by_ending, const NameRules& rules) {
  return Finder(sample, whole, by_ending, rules).find();
}

bool looks_like_data(const std::vector<std::string>& cells) {
  std::size_t numbers = 0, filled = 0;
  for (const std::string& cell : cells) {
    const std::string_view text = trim(cell);
    if (text.empty()) continue;
    ++filled;
    const std::string lower = ascii_lower(text.substr(0, 8));
    if (lower.starts_with("http://") || lower.starts_with("https://")) return true;
    if (text.find_first_not_of("0123456789.,-+ ") == std::string_view::npos) ++numbers;
  }
  return filled > 0 && 2 * numbers > filled;
}

}  // namespace reelbatch
