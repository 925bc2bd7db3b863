#include "runner/row_pack.h"

#include <algorithm>
#include <cstring>

namespace reelbatch {
namespace {

/// Rows of a pack: on average, and at most.
constexpr std::uint64_t kUsualRows = 1024;
constexpr std::size_t kMostRows = 8 * kUsualRows;

constexpr std::uint8_t kSelected = 1, kNewShape = 2;
constexpr std::uint8_t kSubmitted = 1, kAccepted = 2, kFinished = 4, kUsed = 8, kAlone = 16;

/// The longest number: 64 bits, seven a byte.
constexpr std::size_t kNumberBytes = 10;

/// Appends to a text with room for everything that is put: for many short parts, of which each would look for room.
class Appender {
 public:
  /// room  at least as many bytes as will be put.
  Appender(std::string& text, std::size_t room) : text_(text), used_(text.size()) { text_.resize(used_ + room); }
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;
  ~Appender() { text_.resize(used_); }

  void byte(std::uint8_t value) { text_[used_++] = static_cast<char>(value); }
  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) byte(static_cast<std::uint8_t>(value | 0x80U));
    byte(static_cast<std::uint8_t>(value));
  }
  void difference(std::int64_t value, std::int64_t last);
  void text(std::string_view part) {
    number(part.size());
    part.copy(text_.data() + used_, part.size());
    used_ += part.size();
  }

 private:
  std::string& text_;
  std::size_t used_;
};

/// Unsigned arithmetic wraps, so that any two numbers have a difference.
std::uint64_t since(std::int64_t value, std::int64_t last) {
  return static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(last);
}

void Appender::difference(std::int64_t value, std::int64_t last) {
  const std::uint64_t difference = since(value, last);
  number((difference << 1U) ^ (difference >> 63U != 0 ? ~std::uint64_t{0} : 0));
}

}  // namespace

// ---- Writing --------------------------------------------------------------------------------------------------------

bool PackWriter::same_shape(const UnchangedRow& row) const {
  return !jobs_.empty() && row.kind == kind_ && row.account == account_ &&
         std::equal(row.labels.begin(), row.labels.end(), names_.begin(), names_.end(),
                    [](const LabelText& label, const std::string& name) { return label.name == name; });
}

bool PackWriter::add(const UnchangedRow& row) {
  const bool shape = !same_shape(row);
  if (jobs_.empty()) {
    file_ = row.file;
    first_number_ = last_number_ = row.number;
    first_line_ = last_line_ = row.line;
  }
  std::size_t room = 1 + 4 * kNumberBytes + row.id.size();
  for (const LabelText& label : row.labels) room += kNumberBytes + label.value.size();
  if (shape) {
    room += 3 * kNumberBytes + row.kind.size() + row.account.size();
    for (const LabelText& label : row.labels) room += kNumberBytes + label.name.size();
  }
  Appender list(list_, room);
  list.byte(static_cast<std::uint8_t>((row.selected ? kSelected : 0) | (shape ? kNewShape : 0)));
  list.number(since(row.number, last_number_));
  list.number(row.line - last_line_);
  list.difference(row.job, jobs_.empty() ? 0 : jobs_.back());
  if (shape) {
    kind_ = row.kind;
    account_ = row.account;
    names_.clear();
    list.text(kind_);
    list.text(account_);
    list.number(row.labels.size());
    for (const LabelText& label : row.labels) list.text(names_.emplace_back(label.name));
  }
  list.text(row.id);
  for (const LabelText& label : row.labels) list.text(label.value);
  jobs_.push_back(row.job);
  last_number_ = row.number;
  last_line_ = row.line;
  if (row.selected) ++selected_;
  full_ = row.text.low % kUsualRows == 0 || jobs_.size() == kMostRows;
  return shape;
}

void PackWriter::clear() {
  list_.clear();
  jobs_.clear();
  selected_ = 0;
  full_ = false;
}

void FactsWriter::add(const JobFacts& facts) {
  const auto flag = [](bool there, std::uint8_t bit) { return there ? bit : std::uint8_t{0}; };
  Appender bytes(bytes_, 1 + 8 * kNumberBytes + facts.remote_id.size() + facts.url.size());
  bytes.byte(static_cast<std::uint8_t>(
      flag(facts.submitted_at.has_value(), kSubmitted) | flag(facts.accepted_at.has_value(), kAccepted) |
      flag(facts.finished_at.has_value(), kFinished) | flag(facts.used_last.has_value(), kUsed) |
      flag(facts.cost_alone.has_value(), kAlone)));
  bytes.text(facts.remote_id);
  bytes.text(facts.url);
  for (const auto* time : {&facts.submitted_at, &facts.accepted_at, &facts.finished_at}) {
    if (!*time) continue;
    const std::int64_t ms = (*time)->time_since_epoch().count();
    bytes.difference(ms, last_time_);
    last_time_ = ms;
  }
  bytes.number(static_cast<std::uint64_t>(facts.polls));
  for (const auto* credits : {&facts.used_last, &facts.cost_alone}) {
    if (*credits) bytes.difference((*credits)->milli, 0);
  }
}

void FactsWriter::clear() {
  bytes_.clear();
  last_time_ = 0;
}

// ---- Reading --------------------------------------------------------------------------------------------------------

std::uint64_t PackBytes::long_number() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
    const auto byte = static_cast<std::uint8_t>(*at_++);
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return value;
  }
  damaged_ = true;
  return 0;
}

std::string_view PackBytes::damage() {
  damaged_ = true;
  return {};
}

PackReader::PackReader(std::string_view list, std::string_view facts, std::int64_t first_number,
                       std::uint64_t first_line)
    : list_(list), facts_bytes_(facts) {
  row_.number = first_number;
  row_.line = first_line;
}

bool PackReader::next() {
  if (damaged_ || list_.empty()) {
    damaged_ = damaged_ || !facts_bytes_.empty();
    return false;
  }
  read_list();
  read_facts();
  damaged_ = list_.damaged() || facts_bytes_.damaged();
  return !damaged_;
}

void PackReader::read_list() {
  const auto plus = [](std::int64_t value, std::uint64_t more) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(value) + more);
  };
  PackBytes list = list_;  // a copy stays in registers
  const std::uint8_t which = list.byte();
  row_.selected = (which & kSelected) != 0;
  row_.number = plus(row_.number, list.number());
  row_.line += list.number();
  row_.job = plus(row_.job, static_cast<std::uint64_t>(list.difference()));
  if ((which & kNewShape) != 0) read_shape(list);
  row_.id = list.text();
  for (std::string_view& value : values_) value = list.text();
  list_ = list;
}

void PackReader::read_shape(PackBytes& list) {
  row_.kind = list.text();
  row_.account = list.text();
  const std::uint64_t count = list.number();
  names_.clear();
  // Each takes a byte at least: a count that is damaged costs no more than the bytes there are.
  for (std::uint64_t i = 0; i < count && !list.damaged(); ++i) names_.push_back(list.text());
  values_.resize(names_.size());
}

void PackReader::read_facts() {
  PackBytes bytes = facts_bytes_;
  const std::uint8_t which = bytes.byte();
  facts_.remote_id = bytes.text();
  facts_.url = bytes.text();
  const auto time = [&](std::uint8_t bit) -> std::optional<WallTime> {
    if ((which & bit) == 0) return std::nullopt;
    last_time_ = static_cast<std::int64_t>(static_cast<std::uint64_t>(last_time_) +
                                           static_cast<std::uint64_t>(bytes.difference()));
    return WallTime(std::chrono::milliseconds(last_time_));
  };
  facts_.submitted_at = time(kSubmitted);
  facts_.accepted_at = time(kAccepted);
  facts_.finished_at = time(kFinished);
  facts_.polls = static_cast<std::int64_t>(bytes.number());
  const auto credits = [&](std::uint8_t bit) -> std::optional<Credits> {
    if ((which & bit) == 0) return std::nullopt;
    return Credits{bytes.difference()};
  };
  facts_.used_last = credits(kUsed);
  facts_.cost_alone = credits(kAlone);
  facts_bytes_ = bytes;
}

}  // namespace reelbatch
