#include "runner/first_keys.h"

#include <algorithm>
#include <istream>

#include "runner/json_stream.h"

namespace reelbatch {
namespace {

constexpr std::size_t kJobs = 200;  // as records of a table

/// Takes jobs until there are enough.
class KeySink {
 public:
  explicit KeySink(std::vector<std::string>& keys) : keys_(keys) {}

  Result<void> take(const YamlNode& job) {
    for (const auto& [key, value] : job.members)
      if (std::find(keys_.begin(), keys_.end(), key.scalar) == keys_.end()) keys_.push_back(key.scalar);
    return next();
  }
  Result<void> next() { return ++jobs_ < kJobs ? Result<void>() : usage_error("enough"); }
  JsonSink sink() {
    JsonSink sink;
    sink.member = [](const YamlNode&, YamlNode&) { return Result<void>(); };
    sink.item = [this](YamlNode& job) { return take(job); };
    sink.broken = [this](const JsonPiece&, const JsonFault&) { return next(); };
    return sink;
  }

 private:
  std::vector<std::string>& keys_;
  std::size_t jobs_ = 0;
};

}  // namespace

std::vector<std::string> first_keys(std::string_view head, ManifestFormat format, std::string_view list) {
  std::vector<std::string> keys;
  KeySink sink(keys);
  StringSource source(head);
  // How it ends is no matter: the reading proper says what is wrong.
  if (format == ManifestFormat::Yaml) {
    SourceBuffer buffer(source);
    std::istream in(&buffer);
    (void)stream_yaml(in, {}, list, sink.sink());
  } else if (format == ManifestFormat::Json) {
    (void)stream_json(source, {}, list, sink.sink());
  } else {
    JsonReader reader;
    (void)stream_json_lines(source, {}, [&](const JsonLine& line) {
      const tl::expected<YamlNode, JsonFault> job = tree_of(line, reader);
      return job ? sink.take(*job) : sink.next();
    });
  }
  return keys;
}

}  // namespace reelbatch
