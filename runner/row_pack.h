// Many unchanged rows of a run as one piece of bytes. A catalogue of a million listings has a million rows a night of
// which nearly none says anything new: rows whose video was there when the run began are put together by the thousand,
// and a pack that an earlier run has already is not written again.
//
// Only what can never change is in a pack: what the manifest said and the facts of a finished job (`done` is terminal).
// Numbers and lines count from the pack's first row, and where a pack ends depends on what the rows say, so that a row
// that comes or goes changes its own pack and no other.
//
// Two parts. The `list` is made from the manifest alone and names the pack by its digest; the `facts` are looked up
// only when no such pack is there yet. All numbers are LEB128; differences that may be negative are zigzag.
//
//   list, a row:   1 byte    bit 0: selected; bit 1: the shape follows; else it is that of the row before
//                  number    since the row before, 0 for the first
//                  line      the same
//                  job       since the row before, zigzag; the first row's own
//                  [shape]   kind, account, number of labels, their names
//                  id, and the value of each label
//   facts, a row:  1 byte    which of the optional ones below are there, in their order from bit 0
//                  job id at the service, url
//                  [submitted], [accepted], [finished]  milliseconds, zigzag, each since the last of these numbers
//                  polls, [used], [cost alone]          thousandths, zigzag
//   texts: their length, then their bytes
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/credits.h"
#include "runner/clock.h"
#include "runner/decide.h"
#include "runner/digest.h"
#include "runner/label.h"

namespace reelbatch {

/// A row whose listing has its video, made for the very text that the row has now.
struct UnchangedRow {
  std::int64_t number = 0;  ///< in the run, from 1
  std::string_view id, kind, account, file;
  std::uint64_t line = 0;
  std::span<const LabelText> labels;
  JobId job = 0;  ///< `done`
  bool selected = true;
  Digest text;  ///< of what the row says: decides where packs end
};

/// What is known of a finished job.
struct JobFacts {
  std::string_view remote_id, url;
  std::optional<WallTime> submitted_at, accepted_at, finished_at;
  std::int64_t polls = 0;
  std::optional<Credits> used_last, cost_alone;
};

/// Puts the list of a pack together.
class PackWriter {
 public:
  /// Rows come in the order of their numbers and lines. True if the row has another shape than the one before, or none
  /// is before: kind, account and names of labels.
  bool add(const UnchangedRow& row);
  bool empty() const { return jobs_.empty(); }
  /// True when the pack is to end after the row that was added last.
  bool full() const { return full_; }

  std::string_view list() const { return list_; }
  const std::vector<JobId>& jobs() const { return jobs_; }
  std::int64_t first_number() const { return first_number_; }
  std::uint64_t first_line() const { return first_line_; }
  const std::string& file() const { return file_; }
  std::int64_t selected() const { return selected_; }
  void clear();

 private:
  bool same_shape(const UnchangedRow& row) const;

  std::string list_, file_, kind_, account_;
  std::vector<std::string> names_;
  std::vector<JobId> jobs_;
  std::int64_t first_number_ = 0, last_number_ = 0, selected_ = 0;
  std::uint64_t first_line_ = 0, last_line_ = 0;
  bool full_ = false;
};

/// Puts the facts of a pack together.
class FactsWriter {
 public:
  void add(const JobFacts& facts);
  std::string_view bytes() const { return bytes_; }
  void clear();

 private:
  std::string bytes_;
  std::int64_t last_time_ = 0;
};

/// Numbers and texts, one behind the other. Where the bytes end too early, everything read from there on is 0 or empty.
class PackBytes {
 public:
  explicit PackBytes(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}
  bool empty() const { return at_ == end_; }
  bool damaged() const { return damaged_; }

  std::uint8_t byte() {
    if (at_ != end_) return static_cast<std::uint8_t>(*at_++);
    damaged_ = true;
    return 0;
  }
  std::uint64_t number() {
    // Most are short.
    if (at_ != end_ && static_cast<std::uint8_t>(*at_) < 0x80) return static_cast<std::uint8_t>(*at_++);
    return long_number();
  }
  std::int64_t difference() {
    const std::uint64_t folded = number();
    return static_cast<std::int64_t>((folded >> 1U) ^ ((folded & 1U) != 0 ? ~std::uint64_t{0} : 0));
  }
  std::string_view text() {
    const std::uint64_t size = number();
    if (size > left()) return damage();
    const std::string_view text(at_, size);
    at_ += size;
    return text;
  }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

 private:
  std::uint64_t long_number();
  std::string_view damage();

  const char* at_;
  const char* end_;
  bool damaged_ = false;
};

/// Reads a pack row by row.
class PackReader {
 public:
  /// The bytes must outlive the reader, the views it gives too.
  PackReader(std::string_view list, std::string_view facts, std::int64_t first_number, std::uint64_t first_line);

  /// False at the end, and where the bytes are no pack: then damaged() is true.
  bool next();
  bool damaged() const { return damaged_; }

  /// Of the last row. `labels` and `text` are not set, `file` is the caller's.
  const UnchangedRow& row() const { return row_; }
  const JobFacts& facts() const { return facts_; }
  std::span<const std::string_view> label_names() const { return names_; }
  std::span<const std::string_view> label_values() const { return values_; }

 private:
  void read_list();
  void read_shape(PackBytes& list);
  void read_facts();

  PackBytes list_, facts_bytes_;
  UnchangedRow row_;
  JobFacts facts_;
  std::int64_t last_time_ = 0;
  std::vector<std::string_view> names_, values_;
  bool damaged_ = false;
};

}  // namespace reelbatch
