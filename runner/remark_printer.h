// What is wrong with a manifest, for a person: ten of a kind unless all are wanted.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runner/excerpt.h"
#include "runner/manifest.h"
#include "runner/options.h"

namespace reelbatch {

class RemarkPrinter {
 public:
  /// options  must outlive the printer.
  /// most  how many remarks of one kind (same field, same words apart from what is quoted or counted) are printed; 0 is
  /// all.
  /// shows_lines  under an error the line that it is about, with a caret.
  RemarkPrinter(std::FILE* out, const Options& options, std::int64_t most, bool shows_lines);

  /// Remarks on files as a whole are kept for explain(): the error that ends the reading says them.
  void print(const Remark& remark);
  /// Says how many were left out, and where they are.
  void finish() const;
  /// The error of read_manifests(), with the lines that it is about in between.
  Error explain(Error error);

 private:
  std::string lines_of(const Remark& remark);

  std::FILE* out_;
  const Options& options_;
  std::int64_t most_;
  bool shows_lines_;
  SourceLines source_;
  std::map<std::string, std::int64_t> seen_;
  std::int64_t left_out_ = 0;
  std::vector<std::pair<std::string, std::string>> files_;  ///< on files as a whole: what is said, and the line
};

}  // namespace reelbatch
