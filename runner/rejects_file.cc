#include "runner/rejects_file.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "jobs/json_quote.h"
#include "jobs/unicode.h"
#include "runner/manifest_text.h"

namespace reelbatch {
namespace {

constexpr std::array<std::string_view, 8> kColumns{"file",  "record", "line",    "column",
                                                   "field", "code",   "message", "raw"};

}  // namespace

Result<RejectsFile> RejectsFile::open(const std::string& path) {
  RejectsFile rejects;
  if (path.empty()) return rejects;
  Result<AtomicFile> file = AtomicFile::open(path);
  if (!file) return tl::unexpected(file.error());
  rejects.file_.emplace(std::move(*file));
  rejects.is_json_ = ascii_lower(path).ends_with(".jsonl");
  if (rejects.is_json_) return rejects;
  for (const std::string_view column : kColumns) rejects.line_.cell(column);
  rejects.file_->write(rejects.line_.end());
  return rejects;
}

void RejectsFile::add(const Remark& remark) {
  if (!file_ || (remark.level != Remark::Level::Error && remark.level != Remark::Level::File)) return;
  is_json_ ? add_json(remark) : add_csv(remark);
}

void RejectsFile::add_csv(const Remark& remark) {
  line_.cell(remark.file);
  for (const std::uint64_t number : {remark.record, remark.place.line, remark.place.column}) {
    if (number == 0) {
      line_.empty();
    } else {
      line_.number(static_cast<std::int64_t>(number));
    }
  }
  line_.cell(remark.field);
  line_.cell(remark.code);
  line_.cell(remark.message);
  line_.cell(repair_utf8(remark.raw));
  file_->write(line_.end());
}

void RejectsFile::add_json(const Remark& remark) {
  std::string out;
  const auto member = [&out](std::string_view name) {
    out += fmt::format("{}\"{}\": ", out.empty() ? "{" : ", ", name);
  };
  const auto text = [&](std::string_view name, std::string_view value) {
    member(name);
    if (value.empty()) {
      out += "null";
    } else {
      append_json_quoted(out, value);
    }
  };
  const auto number = [&](std::string_view name, std::uint64_t value) {
    member(name);
    out += value == 0 ? "null" : std::to_string(value);
  };
  text("file", remark.file);
  number("record", remark.record);
  number("line", remark.place.line);
  number("column", remark.place.column);
  text("field", remark.field);
  text("code", remark.code);
  text("message", remark.message);
  text("raw", remark.raw);
  file_->write(out + "}\n");
}

Result<void> RejectsFile::commit() {
  return file_ ? file_->commit() : Result<void>();
}

}  // namespace reelbatch
