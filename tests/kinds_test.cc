#include <doctest/doctest.h>

#include "jobs/registry.h"
#include "tests/kind_suite.h"

namespace reelbatch {
namespace {

TEST_CASE("every kind keeps the contract") {
  for (const JobKind* kind : all_kinds()) {
    const std::string name(kind->name());
    SUBCASE(name.c_str()) {
      check_kind(*kind);
    }
  }
}

}  // namespace
}  // namespace reelbatch
