#include "runner/last_job.h"

#include <utility>

namespace reelbatch {

LastJob::Tail LastJob::tail_of(const YamlNode& job) {
  Tail tail{&job, {}};
  for (;;) {
    const YamlNode& node = *tail.text;
    if (node.kind == YamlNode::Kind::List && !node.items.empty()) {
      tail.text = &node.items.back();
      tail.is_item = true;
    } else if (node.kind == YamlNode::Kind::Map && !node.members.empty()) {
      tail.path += (tail.path.empty() ? "" : ".") + node.members.back().first.scalar;
      tail.text = &node.members.back().second;
      tail.is_item = false;
    } else {
      break;
    }
  }
  return tail;
}

Result<void> LastJob::take(YamlNode& job) {
  if (Result<void> done = hand_on(); !done) return done;
  held_ = std::move(job);
  return {};
}

Result<void> LastJob::hand_on() {
  if (!held_) return {};
  const Tail tail = tail_of(*held_);
  if (LastCells& known = tails_[tail.path]; known.is_learning()) known.learn(tail.text->scalar);
  return hand_on(std::nullopt);
}

Result<void> LastJob::finish(char last, bool ends_in_blanks) {
  if (!held_) return {};
  // Of a line that begins with blanks alone nobody knows what it was to be.
  may_be_cut_ = last == '\n' && ends_in_blanks;
  if (last == '\n') return hand_on();
  const Tail tail = tail_of(*held_);
  const YamlNode& text = *tail.text;
  std::string why;
  if (text.kind == YamlNode::Kind::Null && tail.is_item) why = "an item is begun there";
  // What is closed by a quote or a bracket is whole.
  if (text.kind == YamlNode::Kind::Scalar && text.scalar.ends_with(last)) {
    may_be_cut_ = true;
    why = tails_[tail.path].why_cut(text.scalar);
  }
  if (why.empty()) return hand_on();
  return hand_on(RowDoubt{{text.line, text.column}, tail.path, LastCells::message(why), "cut_row"});
}

Result<void> LastJob::hand_on(const std::optional<RowDoubt>& doubt) {
  const YamlNode job = std::move(*held_);
  held_.reset();
  return take_(job, doubt);
}

}  // namespace reelbatch
