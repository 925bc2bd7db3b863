// What is wrong with a manifest, for a person: ten of a kind unless all are wanted.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>

#include "runner/manifest.h"

namespace reelbatch {

class RemarkPrinter {
 public:
  /// most  how many remarks of one kind (same field, same words apart from what is quoted or counted) are printed; 0 is
  /// all.
  RemarkPrinter(std::FILE* out, std::int64_t most) : out_(out), most_(most) {}

  void print(const Remark& remark);
  /// Says how many were left out.
  void finish(const char* how_to_see_all);

 private:
  std::FILE* out_;
  std::int64_t most_;
  std::map<std::string, std::int64_t> seen_;
  std::int64_t left_out_ = 0;
};

}  // namespace reelbatch
