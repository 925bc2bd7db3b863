// The contract that every kind passes, whatever its API: run on the fixtures of its own folder, see
// tests/fixtures/iacrea.auto/README.md for how they are named. A new kind needs a folder, not a line here.
#pragma once

#include <string>
#include <vector>

#include "jobs/job.h"

namespace reelbatch {

struct Fixture {
  std::string name;  ///< `poll-working-pending`
  std::string body;
};

/// The replies in tests/fixtures/<kind>/ whose names begin with `prefix`, in the order of their names.
std::vector<Fixture> fixtures(const JobKind& kind, std::string_view prefix);

/// The same of any folder of tests/fixtures/: a service's own answers are under its name.
std::vector<Fixture> fixtures(std::string_view folder, std::string_view prefix);

/// The row of row.json, as a manifest would give it.
RawFields fixture_row(const JobKind& kind);

/// The rows of row.json and of every row-*.json beside it.
std::vector<RawFields> fixture_rows(const JobKind& kind);

/// The whole contract, as doctest checks.
void check_kind(const JobKind& kind);

}  // namespace reelbatch
