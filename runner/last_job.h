// The last job of a YAML file. A file that is cut inside of a plain scalar or a block is YAML all the same: nothing
// tells it from one that is whole, without a last line end, but what its last text says (last_cells.h).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "jobs/error.h"
#include "runner/last_cells.h"
#include "runner/manifest_run.h"
#include "runner/yaml.h"

namespace reelbatch {

/// Hands jobs on one late, since only then it is known which one is the last.
class LastJob {
 public:
  using Take = std::function<Result<void>(const YamlNode& job, const std::optional<RowDoubt>& doubt)>;
  explicit LastJob(Take take) : take_(std::move(take)) {}

  Result<void> take(YamlNode& job);
  /// Hands on what is held: something stands behind it, or the file is broken there.
  Result<void> hand_on();
  /// The same at the end of a file.
  ///
  /// last            byte of the file that is no blank
  /// ends_in_blanks  with some behind it.
  Result<void> finish(char last, bool ends_in_blanks);
  /// Whether its last text goes to the end of the file.
  bool may_be_cut() const { return may_be_cut_; }

 private:
  struct Tail {
    const YamlNode* text = nullptr;  ///< or what stands in its place
    std::string path;                ///< of keys
    bool is_item = false;            ///< of a list
  };
  static Tail tail_of(const YamlNode& job);
  Result<void> hand_on(const std::optional<RowDoubt>& doubt);

  Take take_;
  std::optional<YamlNode> held_;
  bool may_be_cut_ = false;
  std::map<std::string, LastCells> tails_;  ///< by path
};

}  // namespace reelbatch
