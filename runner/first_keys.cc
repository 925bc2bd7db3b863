#include "runner/first_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <istream>

#include "runner/json_stream.h"
#include "runner/manifest_text.h"

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

void take_preset(std::span<const std::string_view> names, Place place, ManifestRun& run) {
  const std::string& wanted = run.rules().options().preset;
  if (wanted == "none") return;
  if (wanted != "auto") {
    run.set_preset(find_preset(wanted));
    return run.compare_with_preset(names, place);
  }
  const std::vector<const Preset*> found = presets_of(names);
  const bool own_words =
      std::any_of(names.begin(), names.end(), [](std::string_view name) { return fold_name(name) == "image_urls"; });
  if (own_words || found.empty()) return;
  if (found.size() > 1)
    return run.find(place, {},
                    fmt::format("the first jobs fit the presets '{}' and '{}'; say which with --preset", found[0]->name,
                                found[1]->name));
  run.set_preset(found[0]);
  run.note(place, fmt::format("read as preset '{}'; --preset none does without", found[0]->name));
}

/// As of a table's columns, one name has the ids of all jobs.
void take_id_source(std::span<const std::string_view> names, Place place, ManifestRun& run) {
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < names.size(); ++i)
    for (const Target& target : run.rules().use(names[i], 0, nullptr).targets)
      if (target.field == Target::kId) candidates.push_back({i, target});
  const Arranged arranged = arrange(candidates);
  if (!arranged.synonyms.empty())
    return run.find(place, "id",
                    fmt::format("more than one name may be this field: '{}', '{}'; say which with --map id={}",
                                names[arranged.synonyms[0]], names[arranged.synonyms[1]], names[arranged.synonyms[0]]));
  if (arranged.alternatives.empty()) return;
  const std::size_t chosen = arranged.alternatives[0].from[0];
  std::vector<std::string_view> others;
  for (const Candidate& candidate : candidates)
    if (const std::string_view name = names[candidate.index];
        fold_name(name) != fold_name(names[chosen]) && std::find(others.begin(), others.end(), name) == others.end())
      others.push_back(name);
  if (run.rules().id_parts().empty()) run.set_id_names(names[chosen], others);
  for (const Candidate& candidate : candidates)
    if (candidate.index == chosen && candidate.target.by == arranged.by) run.set_id_source(candidate.target);
}

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

void take_first_keys(std::span<const std::string_view> names, Place place, ManifestRun& run) {
  take_preset(names, place, run);
  take_id_source(names, place, run);
}

}  // namespace reelbatch
