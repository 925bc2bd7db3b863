#include "runner/manifest_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "jobs/edit_distance.h"
#include "jobs/json.h"
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
    : sink_(sink), remark_(remark), glance_(glance), rules_(options) {}

void ManifestRun::start_file(const std::string& path) {
  files_.push_back(path);
  rows_in_file_ = 0;
  found_.clear();
  warnings_.clear();
  warning_index_.clear();
  rules_.set_preset(nullptr);
  mapping_ = {};
  mapping_.file = path;
}

void ManifestRun::note(Place place, std::string_view message) {
  if (remark_) remark_({Remark::Level::Note, file(), place, {}, std::string(message)});
}

void ManifestRun::find(Place place, std::string_view field, std::string_view message) {
  if (found_.contains(fmt::format("{}: {}", field, message))) return;
  found_.insert(fmt::format("{}: {}", field, message));
  Remark remark{Remark::Level::Error, file(), place, std::string(field), std::string(message)};
  find_said(remark.text());
}

void ManifestRun::find_said(std::string message) {
  found_.insert(message);
  if (findings_.size() == kMaxFindings) {
    ++findings_left_out_;
  } else {
    findings_.push_back(std::move(message));
  }
}

void ManifestRun::warn(Place place, std::string_view field, std::string_view message) {
  const auto [found, added] = warning_index_.emplace(fmt::format("{}: {}", field, message), warnings_.size());
  if (added)
    warnings_.push_back({{Remark::Level::Warning, file(), place, std::string(field), std::string(message)}, 0});
  ++warnings_[found->second].count;
}

void ManifestRun::expect(std::string_view id) {
  expected_ = digest_of(id);
  ids_.expect(*expected_);
}

bool ManifestRun::admit(const ManifestRow& row) {
  ++rows_in_file_;
  const std::optional<Digest> expected = std::exchange(expected_, std::nullopt);
  if (row.id.empty()) return true;
  const auto seen = ids_.insert(expected ? *expected : digest_of(row.id),
                                {static_cast<std::uint32_t>(files_.size() - 1), row.place.line});
  if (!seen) return true;
  if (repeated_rows_++ < kShownRepeats) {
    Remark remark{Remark::Level::Error, row.file, row.place, "id", {}};
    remark.message = fmt::format("'{}' is there twice: first in {}:{}", row.id, files_[seen->file], seen->line);
    repeated_.push_back(remark.text());
  }
  return false;
}

Result<void> ManifestRun::deliver(ManifestRow& row) {
  if (!admit(row)) return {};
  if (row.remarks.empty()) {
    const std::vector<FieldText> fields = texts_of(row.fields);
    labels_.clear();
    for (const Label& label : row.labels) labels_.push_back({label.name, label.value});
    const Result<bool> known = glance({row.id, row.kind, row.account, fields, labels_, row.file, row.place.line});
    if (!known) return tl::unexpected(known.error());
    if (*known) return {};
  }
  return hand_on(row);
}

void ManifestRun::end_file() {
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

Result<void> ManifestRun::finish() const {
  std::string message = fmt::format("{}", fmt::join(findings_, "\n"));
  if (findings_left_out_ > 0) message += fmt::format("\n... and {} more of this sort", findings_left_out_);
  for (const std::string& line : repeated_) message += (message.empty() ? "" : "\n") + line;
  if (repeated_rows_ > 1)
    message += fmt::format("\n{} rows repeat an id, which must be unique in a run", repeated_rows_);
  if (message.empty()) return {};
  return usage_error(std::move(message));
}

void refuse_row(ManifestRow& row, Place place, std::string_view field, std::string message) {
  row.remarks.push_back({Remark::Level::Error, row.file, place, std::string(field), std::move(message)});
}

bool is_plain_id(std::string_view text) {
  const auto is_plain = [](char c) { return c > 0x20 && c < 0x7F; };
  return !text.empty() && text.size() <= kMaxId && std::all_of(text.begin(), text.end(), is_plain);
}

void take_id(ManifestRow& row, std::string_view text, Place place) {
  const std::string_view id = trim(text);
  if (id.empty()) return refuse_row(row, place, "id", "is empty: every listing needs a reference of its own");
  if (!is_utf8(id)) return refuse_row(row, place, "id", "is not UTF-8");
  if (id.size() > kMaxId)
    return refuse_row(row, place, "id", fmt::format("has {} bytes, at most {} are allowed", id.size(), kMaxId));
  if (has_control_character(id))
    return refuse_row(row, place, "id", fmt::format("'{}' has a control character in it", printable(id, 60)));
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
                         near.empty() ? fmt::format(": there are {}", fmt::join(names, ", ")) : near));
}

void take_account(ManifestRow& row, std::string_view text, std::string_view otherwise, Place place) {
  const std::string_view given = trim(text);
  const std::string_view name = given.empty() ? trim(otherwise) : given;
  if (row.account == name) return;  // nearly always that of the row before
  row.account.clear();
  if (!is_utf8(name)) return refuse_row(row, place, "account", "is not UTF-8");
  row.account = name;
}

void clear_row(ManifestRow& row) {
  row.id.clear();
  row.remarks.clear();
  row.place = {};
}

}  // namespace reelbatch
