// The formats of results beside CSV and JSON, each a walk over a run's rows. Part of report.cc.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "runner/atomic_file.h"
#include "runner/ledger.h"
#include "runner/report.h"
#include "runner/result_row.h"

namespace reelbatch {

/// The endings of names that results may have, with the dot, in small letters.
std::span<const std::string_view> output_endings();

/// Every row of the run in manifest order.
Result<void> each_row(Ledger& ledger, const RunRecord& run, const std::function<Result<void>(const ResultRow&)>& visit,
                      const std::function<void(const PackedRow&)>& packed = {});

/// JUnit's XML, which CI systems show: a test case a row. Done passes; failed and invalid are failures; held and timed
/// out are errors; in flight and planned are skipped. No standard says what it is; these are the elements and
/// attributes that Jenkins, GitLab and Maven Surefire's schema have in common.
Result<void> write_junit(Ledger& ledger, const RunReport& report, AtomicFile& file);

/// A text file for Prometheus' node exporter (textfile collector): gauges of the run. A figure that is unknown is left
/// out. Source: Prometheus' exposition formats, text format 0.0.4.
Result<void> write_metrics(Ledger& ledger, const RunReport& report, AtomicFile& file);

/// A page for people: sums, what went wrong first, links to the videos. It loads nothing and runs nothing. Of more than
/// 10,000 rows those that are done are left out from there on, and how many.
Result<void> write_page(Ledger& ledger, const RunReport& report, AtomicFile& file);

/// For HTML and XML, in texts and in attributes: markup is escaped, and what XML 1.0 does not allow becomes U+FFFD.
std::string escape_markup(std::string_view text);

}  // namespace reelbatch
