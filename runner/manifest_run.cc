#include "runner/manifest_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "jobs/edit_distance.h"
#include "jobs/registry.h"
#include "jobs/unicode.h"
#include "runner/manifest_text.h"

namespace reelbatch {
namespace {

constexpr std::size_t kMaxFindings = 100;
constexpr std::size_t kShownRepeats = 10;
constexpr std::size_t kMaxId = 255;

std::vector<std::string_view> kind_names() {
  std::vector<std::string_view> names;
  for (const JobKind* kind : all_kinds()) names.push_back(kind->name());
  return names;
}

/// The place that a message about `file` begins with, which is taken off; none if it begins otherwise.
Place take_place(std::string_view& message, std::string_view file) {
  Place place;
  std::string_view rest = message;
  if (!rest.starts_with(file)) return place;
  rest.remove_prefix(file.size());
  for (std::uint64_t* const part : {&place.line, &place.column}) {
    if (!rest.starts_with(':')) return {};
    const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), *part);
    if (error != std::errc()) return {};
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  }
  if (!rest.starts_with(": ")) return {};
  message = rest.substr(2);
  return place;
}

/// Which preset is used, and why.
std::string preset_words(const NameRules& rules) {
  const std::string& wanted = rules.options().preset;
  const Preset* preset = rules.preset();
  if (preset == nullptr) return wanted == "auto" ? "none: no known program's columns are all there" : "none, as stated";
  if (wanted != "auto") return fmt::format("{}, as stated", preset->name);
  return fmt::format("{}: {}", preset->name,
                     preset->has_header ? "its columns are all there" : "no header, and its signs between the cells");
}

}  // namespace

const RowGlance ManifestRun::kNoGlance;

ManifestRun::ManifestRun(const ManifestOptions& options, const RowSink& sink, const RemarkSink& remark,
                         const RowGlance& glance)
    : sink_(sink), remark_(remark), glance_(glance), rules_(options), images_(options), row_ids_(options) {}

void ManifestRun::start_file(const std::string& path) {
  files_.push_back(path);
  rows_in_file_ = 0;
  shortened_ = 0;
  saw_valid_ = false;
  invalid_start_ = 0;
  found_.clear();
  warnings_.clear();
  warning_index_.clear();
  rules_.set_preset(nullptr);
  id_hint_.clear();
  images_.start_file();
  mapping_ = {};
  mapping_.file = path;
}

void ManifestRun::compare_with_preset(std::span<const std::string_view> names, Place place) {
  const Preset* preset = rules_.preset();
  if (preset == nullptr || rules_.options().preset == "auto") return;
  const std::vector<std::string> missing = missing_of(*preset, names);
  if (missing.empty()) return;
  warn(place, {},
       fmt::format("read as preset '{}', as stated, but {} {} not there: is it another program's file?", preset->name,
                   fmt::join(missing, ", "), missing.size() == 1 ? "is" : "are"));
}

void ManifestRun::set_id_names(std::string_view name, std::span<const std::string_view> others) {
  if (others.empty()) return;
  std::string list;
  for (const std::string_view other : others)
    list += fmt::format("{}'{}'", list.empty() ? "" : ", ", printable(other, 60));
  id_hint_ = fmt::format(
      "; the ids of this file are in '{}', and {} cannot stand in for it, since an id must be the "
      "same every night: --map id={} takes all of them from there",
      printable(name, 60), list, printable(others[0], 60));
}

void ManifestRun::note(Place place, std::string_view message) {
  if (remark_) remark_({Remark::Level::Note, file(), place, {}, std::string(message)});
}

void ManifestRun::find(Place place, std::string_view field, std::string_view message) {
  if (found_.contains(fmt::format("{}: {}", field, message))) return;
  found_.insert(fmt::format("{}: {}", field, message));
  add_finding({Remark::Level::File, file(), place, std::string(field), std::string(message), "unusable_file"});
}

void ManifestRun::find_said(std::string_view message) {
  std::string_view rest = message;
  const Place place = take_place(rest, file());
  Remark remark{Remark::Level::File, {}, {}, {}, std::string(message), "unusable_file"};
  if (place.line != 0) remark = {Remark::Level::File, file(), place, {}, std::string(rest), "unusable_file"};
  found_.insert(std::string(message));
  add_finding(remark);
}

void ManifestRun::add_finding(const Remark& finding) {
  if (remark_) remark_(finding);
  if (findings_.size() == kMaxFindings) {
    ++findings_left_out_;
  } else {
    findings_.push_back(finding.text());
  }
}

void ManifestRun::warn(Place place, std::string_view field, std::string_view message, std::string_view example) {
  const auto [found, added] = warning_index_.emplace(fmt::format("{}: {}", field, message), warnings_.size());
  if (added)
    warnings_.push_back(
        {{Remark::Level::Warning, file(), place, std::string(field), fmt::format("{}{}", message, example)}, 0});
  ++warnings_[found->second].count;
}

std::optional<std::string> ManifestRun::prose(const FieldSpec& field, RawValue::Form form,
                                              std::string_view text) const {
  const ProseOptions& options = rules_.options().prose;
  if (!field.is_prose || form != RawValue::Form::Text || !options.any()) return std::nullopt;
  return prose_with_options(text, options);
}

bool ManifestRun::will_make_id(std::string_view id) {
  if (!row_ids_.wanted() || !trim(id).empty()) return false;
  row_ids_.start_row();
  return true;
}

void ManifestRun::make_id(ManifestRow& row) {
  if (row.kind == nullptr || !row.valid()) return;
  row.id = row_ids_.take(*row.kind, row.account);
  if (row.id.empty())
    return refuse_row(row, row.place, "id", "is empty, and the row has no field that one can be made of", "missing_id");
  expect(row.id);
}

void ManifestRun::expect(std::string_view id) {
  expected_ = digest_of_id(id);
  ids_.expect(*expected_);
}

bool ManifestRun::refuse_shortened(ManifestRow& row, std::string_view id, Place place) {
  if (!is_shortened_number(id)) return false;
  if (shortened_++ == 0) {
    first_shortened_ = place;
    first_shortened_id_ = id;
  }
  refuse_row(row, place, "id", fmt::format("'{}' was shortened by a spreadsheet", id), "shortened_id");
  return true;
}

bool ManifestRun::admit(ManifestRow& row) {
  ++rows_in_file_;
  ++rows_;
  const std::optional<IdDigest> expected = std::exchange(expected_, std::nullopt);
  if (row.id.empty()) return true;
  if (row.id.ends_with(".0") && row.id.find_first_not_of("0123456789") == row.id.size() - 2) {
    warn(row.place, "id",
         "ends in .0, as some programs write the numbers of a column with gaps: on a night without a gap it is another "
         "id, and paid for again; export ids as text",
         fmt::format(" ('{}')", row.id));
  }
  const IdDigest id = expected ? *expected : digest_of_id(row.id);
  if (!scans_ && !last_rows_.empty()) {
    const auto last = last_rows_.find(id);
    if (last != last_rows_.end() && last->second != rows_) {
      warn(row.place, "id", "a later row has the same id: only the last one is read", fmt::format(" ('{}')", row.id));
      return false;
    }
  }
  const auto seen = ids_.insert(id, place_in_table(row));
  if (!seen) return true;
  if (seen->same) return admit_again(row, *seen, id);
  warn(row.place, "id",
       "differs from another one only in letter case, blanks or leading zeros: as file names they collide",
       fmt::format(" ('{}', the other one in {}:{})", row.id, files_[seen->place.file], seen->place.line));
  return true;
}

IdTable::Place ManifestRun::place_in_table(const ManifestRow& row) const {
  return {static_cast<std::uint32_t>(files_.size() - 1), row.place.line};
}

/// A row whose id was there before: what is done with it is for the options to say.
bool ManifestRun::admit_again(ManifestRow& row, const IdTable::Seen& seen, const IdDigest& id) {
  if (scans_) {
    last_rows_[id] = rows_;
    return false;
  }
  const std::string first = fmt::format("first in {}:{}", files_[seen.place.file], seen.place.line);
  switch (rules_.options().on_duplicate) {
    case OnDuplicate::First:
      warn(row.place, "id", "an earlier row has the same id: only the first one is read",
           fmt::format(" ('{}', {})", row.id, first));
      return false;
    case OnDuplicate::Suffix:
      if (given_.contains(id)) {
        find(row.place, "id",
             fmt::format("'{}' is the id that an earlier row was given for a repeated one ({}): which listing it is "
                         "would depend on the order of the rows; give each an id of its own",
                         row.id, first));
        return false;
      }
      add_suffix(row, id, first);
      return true;
    case OnDuplicate::Last:  // what is left of it was told by the first reading, unless the file is another one by now
    case OnDuplicate::Error:
      break;
  }
  if (!seen.again) ++repeated_ids_;
  ++repeated_rows_;
  Remark finding{Remark::Level::File, row.file, row.place, "id", fmt::format("'{}' is there twice: {}", row.id, first),
                 "duplicate_id"};
  if (repeated_.size() < kShownRepeats) repeated_.push_back(finding.text());
  if (remark_) {
    describe(row, finding);
    remark_(finding);
  }
  return false;
}

void ManifestRun::add_suffix(ManifestRow& row, const IdDigest& id, std::string_view first) {
  std::uint64_t& last = suffixes_.emplace(id, 1).first->second;
  while (true) {
    std::string other = fmt::format("{}-{}", row.id, ++last);
    if (other.size() > kMaxId) {
      refuse_row(row, row.place, "id", fmt::format("is there twice, {}, and too long for a suffix", first), "bad_id");
      row.id.clear();
      return;
    }
    const auto seen = ids_.insert(other, place_in_table(row));
    if (seen && seen->same) continue;
    warn(row.place, "id", "an earlier row has the same id: the later ones got a number, which depends on their order",
         fmt::format(" ('{}' became '{}', {})", row.id, other, first));
    given_.insert(digest_of_id(other));
    row.id = std::move(other);
    return;
  }
}

void ManifestRun::look_at_start(const ManifestRow& row) {
  saw_valid_ = row.valid();
  if (saw_valid_ || ++invalid_start_ != kInvalidStart || rules_.options().allow_invalid_start) return;
  find(row.place, {},
       fmt::format("none of the first {} rows is valid, so the file is taken to be mapped wrongly: see what is wrong "
                   "with them and say with --map which column is which, or go on with --allow-invalid-start",
                   kInvalidStart));
}

void ManifestRun::take_last_rows(const ManifestRun& scan) {
  last_rows_ = scan.last_rows_;
  identities_ = scan.identities_;
}

void ManifestRun::identify_file(const InputFile& input) {
  if (rules_.options().on_duplicate != OnDuplicate::Last) return;
  if (scans_) {
    identities_.resize(files_.size());
    identities_.back() = input.identity();
    return;
  }
  const std::size_t number = files_.size() - 1;
  if (number < identities_.size() && identities_[number] == input.identity()) return;
  find({}, {}, "the file was replaced while it was read: run again when it is whole");
}

Result<void> ManifestRun::deliver(ManifestRow& row, const RowViews& views, const std::optional<RowDoubt>& doubt) {
  if (!admit(row)) return {};
  const Result<bool> known = glance(row, views);
  if (!known) return tl::unexpected<Error>(known.error());
  if (*known) return {};
  if (doubt) refuse_row(row, doubt->place, doubt->field, doubt->message, doubt->code);
  views.fill(row);
  return hand_on(row);
}

Result<void> ManifestRun::deliver(ManifestRow& row, const std::optional<RowDoubt>& doubt) {
  if (!admit(row)) return {};
  own_.fields = texts_of(row.fields);
  own_.labels.clear();
  for (const Label& label : row.labels) own_.labels.push_back({label.name, label.value});
  const Result<bool> known = glance(row, own_);
  if (!known) return tl::unexpected<Error>(known.error());
  if (*known) return {};
  if (doubt) refuse_row(row, doubt->place, doubt->field, doubt->message, doubt->code);
  return hand_on(row);
}

/// Whether that was enough: never for a row with remarks.
Result<bool> ManifestRun::glance(const ManifestRow& row, const RowViews& views) {
  if (!glance_ || !row.remarks.empty()) return false;
  Result<bool> known = glance_({row.id, row.kind, row.account, views.fields, views.labels, row.file, row.place.line});
  saw_valid_ = saw_valid_ || (known && *known);
  return known;
}

Result<void> ManifestRun::hand_on(ManifestRow& row) {
  Result<void> taken = sink_(row);
  if (!saw_valid_) look_at_start(row);
  return taken;
}

void ManifestRun::end_file() {
  if (shortened_ > 0)
    find(
        first_shortened_, "id",
        fmt::format("'{}' was shortened by a spreadsheet and the id is lost ({} rows): export again with the column as "
                    "text",
                    first_shortened_id_, shortened_));
  if (const std::optional<std::string> finding = images_.finding()) find(images_.place(), {}, *finding);
  if (mapping_sink_ != nullptr) {
    mapping_.preset = preset_words(rules_);
    (*mapping_sink_)(mapping_);
  }
  if (rows_in_file_ == 0 && found_.empty()) warn({}, {}, "0 listings");
  for (Warning& warning : warnings_) {
    if (warning.count > 1) warning.remark.message += fmt::format(" ({} times)", warning.count);
    if (remark_) remark_(warning.remark);
  }
  warnings_.clear();
  warning_index_.clear();
}

Result<void> ManifestRun::finish() {
  if (row_ids_.made() > 0 && remark_)
    remark_({Remark::Level::Note,
             {},
             {},
             "id",
             fmt::format("made {} of what rows say, as --id-from asks for: a listing that changes becomes a new one, "
                         "which is paid for again",
                         row_ids_.made())});
  if (rows_ < rules_.options().min_rows) {
    add_finding({Remark::Level::File,
                 {},
                 {},
                 {},
                 fmt::format("there are {} rows, and --min-rows wants {} at least: is the feed whole?", rows_,
                             rules_.options().min_rows),
                 "too_few_rows"});
  }
  std::string message = fmt::format("{}", fmt::join(findings_, "\n"));
  if (findings_left_out_ > 0) message += fmt::format("\n... and {} more of this sort", findings_left_out_);
  for (const std::string& line : repeated_) message += (message.empty() ? "" : "\n") + line;
  if (repeated_rows_ > 1)
    message += fmt::format("\n{} rows repeat an id, which must be unique in a run: {} {} affected", repeated_rows_,
                           repeated_ids_, repeated_ids_ == 1 ? "id is" : "ids are");
  if (message.empty()) return {};
  return usage_error(std::move(message));
}

void refuse_row(ManifestRow& row, Place place, std::string_view field, std::string message, std::string_view code) {
  row.remarks.push_back({Remark::Level::Error, row.file, place, std::string(field), std::move(message), code});
}

bool is_plain_id(std::string_view text) {
  const auto is_plain = [](char c) { return c > 0x20 && c < 0x7F; };
  return !text.empty() && text[0] != '#' && text.size() <= kMaxId && std::all_of(text.begin(), text.end(), is_plain) &&
         !is_shortened_number(text);
}

void take_id(ManifestRow& row, std::string_view text, Place place, std::string_view hint) {
  const std::string_view id = trim(text);
  if (id.empty())
    return refuse_row(row, place, "id", fmt::format("is empty: every listing needs a reference of its own{}", hint),
                      "missing_id");
  if (!is_utf8(id)) return refuse_row(row, place, "id", "is not UTF-8", "not_utf8");
  if (id.size() > kMaxId)
    return refuse_row(row, place, "id", fmt::format("has {} bytes, at most {} are allowed", id.size(), kMaxId),
                      "bad_id");
  if (has_control_character(id))
    return refuse_row(row, place, "id", fmt::format("'{}' has a control character in it", printable(id, 60)), "bad_id");
  if (is_spreadsheet_error(id))
    return refuse_row(
        row, place, "id",
        fmt::format("'{}' is what a spreadsheet shows for an error: the id is lost, export again", printable(id, 60)),
        "bad_id");
  if (const char32_t hidden = find_invisible(id); hidden != 0)
    return refuse_row(row, place, "id",
                      fmt::format("'{}' has an invisible character in it (U+{:04X}): take it out, or the same listing "
                                  "has two ids that look alike",
                                  printable(id, 60), static_cast<std::uint32_t>(hidden)),
                      "bad_id");
  row.id = id;
}

void take_kind(ManifestRow& row, std::string_view text, std::string_view otherwise, Place place) {
  const std::string_view given = trim(text);
  const std::string_view name = given.empty() ? otherwise : given;
  if (row.kind != nullptr && row.kind_name == name) return;  // nearly always that of the row before
  row.kind = find_kind(name);
  row.kind_name = row.kind != nullptr ? std::string(name) : repair_utf8(name.substr(0, kMaxId));
  if (row.kind != nullptr) return;
  const std::vector<std::string_view> names = kind_names();
  const std::string near = did_you_mean(name, names);
  refuse_row(row, place, "kind",
             fmt::format("'{}' is not a kind{}", printable(name, 60),
                         near.empty() ? fmt::format(": there are {}", fmt::join(names, ", ")) : near),
             "unknown_kind");
}

void take_account(ManifestRow& row, std::string_view text, std::string_view otherwise, Place place) {
  const std::string_view given = trim(text);
  const std::string_view name = given.empty() ? trim(otherwise) : given;
  if (row.account == name) return;  // nearly always that of the row before
  row.account.clear();
  if (!is_utf8(name)) return refuse_row(row, place, "account", "is not UTF-8", "not_utf8");
  row.account = name;
}

void clear_row(ManifestRow& row) {
  row.id.clear();
  row.remarks.clear();
  row.place = {};
}

}  // namespace reelbatch
