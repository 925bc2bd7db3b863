// Which texts are paid for: found by digest, for every row of a manifest.
#pragma once

#include <cstdint>
#include <vector>

#include "runner/decide.h"
#include "runner/digest.h"

namespace reelbatch {

/// About 32 bytes an entry. A feed lists most of its rows in the order in which it did before, so that the entry after
/// the last one found is tried first: then nothing is looked for in a table that is larger than the processor's cache.
class PaidTable {
 public:
  /// All entries, then build(), then find(). Of equal texts the last added counts.
  void add(const Digest& text, JobId job) { entries_.push_back({text, job}); }
  void build();

  /// 0 if the text is not paid for.
  JobId find(const Digest& text);

 private:
  struct Entry {
    Digest text;
    JobId job = 0;  ///< 0: a later entry counts
  };
  std::size_t slot_of(const Digest& text) const;

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  ///< open addressing: positions in entries_ from 1, 0 is free
  std::size_t next_ = 0;
};

}  // namespace reelbatch
