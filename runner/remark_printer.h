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
  /// every_mend  what was mended in a row, and what repeats what was said of others, is printed for each row.
  RemarkPrinter(std::FILE* out, const Options& options, std::int64_t most, bool shows_lines, bool every_mend = false);

  /// Remarks on files as a whole are kept for explain(): the error that ends the reading says them. What was mended in
  /// rows is kept for finish(), since a feed that needs it needs it in nearly every row.
  void print(const Remark& remark);
  /// Says what was mended, each sort once a file with its first place and the number of rows; and how many remarks were
  /// left out, and where they are.
  void finish();
  /// The error of read_manifests(), with the lines that it is about in between.
  Error explain(Error error);

 private:
  /// What was mended in the rows of a file in one way.
  struct Mend {
    Remark first;
    Place last;  ///< a row may have several of a sort
    std::int64_t rows = 1;
  };
  bool keep_mend(const Remark& remark);
  void print_line(const Remark& remark);
  std::string lines_of(const Remark& remark);

  std::FILE* out_;
  const Options& options_;
  std::int64_t most_;
  bool shows_lines_;
  bool every_mend_;
  SourceLines source_;
  std::map<std::string, std::int64_t> seen_;
  std::int64_t left_out_ = 0;
  std::vector<Mend> mends_;  ///< in the order of their first places
  std::map<std::string, std::size_t> mend_index_;
  std::vector<std::pair<std::string, std::string>> files_;  ///< on files as a whole: what is said, and the line
};

}  // namespace reelbatch
