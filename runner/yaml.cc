#include "runner/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <unordered_map>

#include "jobs/unicode.h"
#include "runner/yaml_source.h"

namespace reelbatch {
namespace {

constexpr std::size_t kMaxDepth = 100;
constexpr std::size_t kMaxExpandedNodes = 1'000'000;
constexpr std::size_t kMaxExpandedBytes = std::size_t{64} << 20U;

/// Thrown through yaml-cpp, which cannot be told to stop, and caught in this file.
struct Stop {
  Error error;
};

struct Size {
  std::size_t nodes = 0;
  std::size_t bytes = 0;
  std::size_t height = 0;
};

Size measure(const YamlNode& node) {
  Size size{1, node.scalar.size(), 0};
  const auto add = [&](const YamlNode& child) {
    const Size inner = measure(child);
    size.nodes += inner.nodes;
    size.bytes += inner.bytes;
    size.height = std::max(size.height, inner.height + 1);
  };
  for (const YamlNode& item : node.items) add(item);
  for (const auto& [key, value] : node.members) {
    add(key);
    add(value);
  }
  return size;
}

/// Aliases are what makes YAML grow beyond its file; this is what they may make of it.
class Allowance {
 public:
  bool take(const Size& size) {
    nodes_ += size.nodes;
    bytes_ += size.bytes;
    return nodes_ <= kMaxExpandedNodes && bytes_ <= kMaxExpandedBytes;
  }
  void renew() { *this = Allowance(); }

 private:
  std::size_t nodes_ = 0;
  std::size_t bytes_ = 0;
};

/// Builds trees out of yaml-cpp's events. With a sink the top of the document is delivered piece by piece.
class Builder final : public YAML::EventHandler {
 public:
  Builder(YamlSource& source, std::string_view file, std::string_view list = {}, const YamlSink* sink = nullptr)
      : source_(source), file_(file), list_(list), sink_(sink) {}

  YamlNode take_root() { return std::move(root_); }

  Error error_at(std::uint64_t line, std::uint64_t column, std::string_view message) const {
    if (line == 0) return {Fault::Usage, fmt::format("{}: {}", file_, message)};
    return {Fault::Usage, fmt::format("{}:{}:{}: {}", file_, line, column, message)};
  }

  Error error_at(const YAML::Mark& mark, std::string_view message) const {
    if (mark.is_null()) return error_at(0, 0, message);
    const auto line = static_cast<std::uint64_t>(mark.line) + 1;
    return error_at(line, source_.character_column(line, static_cast<std::uint64_t>(mark.column)), message);
  }

 private:
  struct Frame {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    bool streamed = false;
    bool has_key = false;
    YamlNode key;
    std::vector<YamlNode> merged;
    std::uint64_t merge_line = 0;
  };
  struct Anchored {
    std::shared_ptr<const YamlNode> node;
    Size size;
  };

  [[noreturn]] void stop(const YamlNode& where, std::string_view message) const {
    throw Stop{error_at(where.line, where.column, message)};
  }

  YamlNode place(const YAML::Mark& mark, YamlNode::Kind kind) const {
    YamlNode node;
    node.kind = kind;
    node.line = static_cast<std::uint64_t>(mark.line) + 1;
    node.column = source_.character_column(node.line, static_cast<std::uint64_t>(mark.column));
    return node;
  }

  // ---- events ----

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) throw Stop{error_at(mark, "more than one document in the file")};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    YamlNode node = place(mark, YamlNode::Kind::Null);
    // yaml-cpp notices that a value is missing only at the next token, which may be lines away.
    if (!frames_.empty() && frames_.back().has_key) {
      const YamlNode& key = frames_.back().key;
      node.stands_alone =
          !key.quoted && node.line == key.line && node.column == key.column + count_code_points(key.scalar);
      node.line = frames_.back().key.line;
      node.column = frames_.back().key.column;
    }
    complete(std::move(node), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node = place(mark, YamlNode::Kind::Scalar);
    const std::string_view type = core_type(node, tag);
    if (type == "null") {
      node.kind = YamlNode::Kind::Null;
    } else {
      node.scalar = value;
      YamlSource::restore(node.scalar);
      node.quoted = tag == "!" || type == "str";
    }
    complete(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Stop{error_at(mark, "an alias to something that contains it")};
    if (!allowance_.take(found->second.size))
      throw Stop{error_at(mark, fmt::format("aliases expand to more than {} values or {} MiB", kMaxExpandedNodes,
                                            kMaxExpandedBytes >> 20U))};
    if (frames_.size() + found->second.size.height > kMaxDepth) throw Stop{error_at(mark, too_deep())};
    complete(YamlNode(*found->second.node), 0);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(place(mark, YamlNode::Kind::List), tag, anchor);
  }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(place(mark, YamlNode::Kind::Map), tag, anchor);
  }

  void OnSequenceEnd() override { close(); }

  void OnMapEnd() override {
    merge(frames_.back());
    if (!frames_.back().streamed) refuse_duplicates(frames_.back().node);
    close();
  }

  // ---- building ----

  static std::string too_deep() { return fmt::format("nested deeper than {}", kMaxDepth); }

  /// `str` of `tag:yaml.org,2002:str`, empty where no type was asked for.
  std::string_view core_type(const YamlNode& node, std::string_view tag) const {
    constexpr std::string_view kCore = "tag:yaml.org,2002:";
    if (tag.empty() || tag == "?" || tag == "!") return {};
    if (tag.starts_with(kCore)) {
      const std::string_view type = tag.substr(kCore.size());
      for (const std::string_view known : {"str", "int", "float", "bool", "null", "seq", "map"})
        if (type == known) return known;
    }
    stop(node, fmt::format("the tag '{}' is not supported: values are text, lists and maps", tag));
  }

  void open(YamlNode node, std::string_view tag, YAML::anchor_t anchor) {
    core_type(node, tag);
    if (frames_.size() >= kMaxDepth) stop(node, too_deep());
    const bool top = frames_.empty();
    const bool listed = frames_.size() == 1 && frames_[0].streamed && frames_[0].node.kind == YamlNode::Kind::Map &&
                        frames_[0].has_key && frames_[0].key.scalar == list_ && node.kind == YamlNode::Kind::List;
    if (listed) refuse_known_member(frames_[0].key);
    Frame frame;
    frame.node = std::move(node);
    frame.anchor = anchor;
    frame.streamed = sink_ != nullptr && (top || listed);
    frames_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    if (frame.streamed && frames_.empty()) return;
    complete(std::move(frame.node), frame.streamed ? 0 : frame.anchor);
  }

  void complete(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != 0) keep(node, anchor);
    if (frames_.empty()) {
      if (sink_ != nullptr && node.kind != YamlNode::Kind::Null)
        stop(node, fmt::format("expected a map with '{}', or a list, at the top", list_));
      root_ = std::move(node);
      return;
    }
    Frame& parent = frames_.back();
    if (parent.node.kind == YamlNode::Kind::List) {
      if (parent.streamed) return deliver(sink_->item(node), node);
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      if (node.kind != YamlNode::Kind::Scalar) stop(node, "a key must be plain text");
      parent.key = std::move(node);
      parent.has_key = true;
    } else {
      parent.has_key = false;
      add_member(parent, std::move(node));
    }
  }

  void add_member(Frame& parent, YamlNode value) {
    const bool merge_key = parent.key.scalar == "<<" && !parent.key.quoted;
    if (parent.streamed) {
      if (merge_key) stop(parent.key, "a merge key is not possible at the top of this file");
      const bool listed = parent.key.scalar == list_ && value.kind == YamlNode::Kind::List;
      if (!listed) refuse_known_member(parent.key);
      const YamlNode key = std::move(parent.key);
      return deliver(sink_->member(key, value), value);
    }
    if (!merge_key) return void(parent.node.members.emplace_back(std::move(parent.key), std::move(value)));

    if (parent.merge_line != 0)
      stop(parent.key, fmt::format("duplicate key '<<', first on line {}", parent.merge_line));
    parent.merge_line = parent.key.line;
    if (value.kind == YamlNode::Kind::List) {
      parent.merged = std::move(value.items);
    } else {
      parent.merged.push_back(std::move(value));
    }
    for (const YamlNode& source : parent.merged)
      if (source.kind != YamlNode::Kind::Map) stop(parent.key, "a merge key takes a map or a list of maps");
  }

  /// What the map says itself wins over what it merges, and an earlier merged map over a later one.
  static void merge(Frame& frame) {
    if (frame.merged.empty()) return;
    std::unordered_map<std::string, bool> known;
    for (const auto& [key, value] : frame.node.members) known.emplace(key.scalar, true);
    for (YamlNode& source : frame.merged)
      for (auto& member : source.members)
        if (known.emplace(member.first.scalar, true).second) frame.node.members.push_back(std::move(member));
  }

  void refuse_duplicates(const YamlNode& map) const {
    using Entry = std::pair<std::string_view, const YamlNode*>;
    std::vector<Entry> keys;
    keys.reserve(map.members.size());
    for (const auto& [key, value] : map.members) keys.emplace_back(key.scalar, &key);
    const auto by_name = [](const Entry& a, const Entry& b) { return a.first < b.first; };
    std::stable_sort(keys.begin(), keys.end(), by_name);
    const auto same = [](const Entry& a, const Entry& b) { return a.first == b.first; };
    const auto twice = std::adjacent_find(keys.begin(), keys.end(), same);
    if (twice == keys.end()) return;
    stop(*std::next(twice)->second,
         fmt::format("duplicate key '{}', first on line {}", twice->first, twice->second->line));
  }

  void refuse_known_member(const YamlNode& key) {
    const auto [found, added] = top_keys_.emplace(key.scalar, key.line);
    if (!added) stop(key, fmt::format("duplicate key '{}', first on line {}", key.scalar, found->second));
  }

  void keep(const YamlNode& node, YAML::anchor_t anchor) {
    const Size size = measure(node);
    if (!kept_.take(size)) stop(node, "too much is anchored for aliases");
    anchors_[anchor] = {std::make_shared<const YamlNode>(node), size};
  }

  void deliver(const Result<void>& taken, const YamlNode& node) {
    if (!taken) throw Stop{taken.error()};
    allowance_.renew();
    source_.forget_before(node.line);
  }

  YamlSource& source_;
  std::string_view file_;
  std::string_view list_;
  const YamlSink* sink_;
  std::vector<Frame> frames_;
  std::unordered_map<YAML::anchor_t, Anchored> anchors_;
  std::unordered_map<std::string, std::uint64_t> top_keys_;
  Allowance allowance_;
  Allowance kept_;
  YamlNode root_;
  int documents_ = 0;
};

Result<void> run(YamlSource& source, Builder& builder) {
  const auto refused = [&]() -> tl::unexpected<Error> {
    const YamlSource::Problem& problem = source.problem();
    return tl::unexpected<Error>(builder.error_at(problem.line, problem.column, problem.message));
  };
  const auto broken = [&](Error error) {
    return source.problem().message.empty() ? tl::unexpected<Error>(std::move(error)) : refused();
  };
  try {
    std::istream stream(&source);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (Stop& stopped) {
    return tl::unexpected<Error>(std::move(stopped.error));
  } catch (const YAML::Exception& exception) {
    return broken(builder.error_at(exception.mark, exception.msg));
  } catch (const std::exception& exception) {
    return broken(builder.error_at(0, 0, exception.what()));
  }
  if (!source.problem().message.empty()) return refused();
  return {};
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const auto& [name, value] : members)
    if (name.scalar == key) return &value;
  return nullptr;
}

const YamlNode* find_malformed_scalar(const YamlNode& node) {
  if (!is_utf8(node.scalar)) return &node;
  for (const YamlNode& item : node.items)
    if (const YamlNode* found = find_malformed_scalar(item)) return found;
  for (const auto& [key, value] : node.members) {
    if (const YamlNode* found = find_malformed_scalar(key)) return found;
    if (const YamlNode* found = find_malformed_scalar(value)) return found;
  }
  return nullptr;
}

Result<YamlNode> parse_yaml(std::istream& in, std::string_view file) {
  YamlSource source(in);
  Builder builder(source, file);
  if (Result<void> read = run(source, builder); !read) return tl::unexpected<Error>(std::move(read.error()));
  return builder.take_root();
}

Result<void> stream_yaml(std::istream& in, std::string_view file, std::string_view list, const YamlSink& sink) {
  YamlSource source(in);
  Builder builder(source, file, list, &sink);
  return run(source, builder);
}

}  // namespace reelbatch
