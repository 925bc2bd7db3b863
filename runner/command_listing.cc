// `status REF...`: what the ledger knows of a listing, and what is sent for it.
#include <fmt/format.h>

#include "jobs/json_quote.h"
#include "jobs/raw_fields.h"
#include "jobs/registry.h"
#include "runner/commands.h"
#include "runner/intake.h"
#include "runner/progress_printer.h"
#include "runner/say.h"
#include "runner/session.h"

namespace reelbatch {
namespace {

void print_job(const ListingJob& job) {
  std::string line = fmt::format("  {}", name_of(job.state));
  if (!job.remote_id.empty()) line += fmt::format(", job {}", job.remote_id);
  if (job.submitted_at) line += fmt::format(", submitted {}", to_rfc3339(*job.submitted_at));
  if (job.finished_at) line += fmt::format(", finished {}", to_rfc3339(*job.finished_at));
  if (job.cost) line += fmt::format(", {} credits", to_text(*job.cost));
  if (!job.reason.empty()) line += fmt::format(": {}", job.reason);
  say("{}\n", for_terminal(line));
  if (!job.url.empty()) say("    {}\n", for_terminal(job.url));
}

/// As JSON, so that line ends and what is invisible can be told.
std::string shown(const RawValue& value) {
  return for_terminal(value.form == RawValue::Form::Text ? json_quote(value.text) : value.text);
}

/// The fields as read, and what this version makes of them.
Result<void> print_content(const JobKind& kind, const std::string& fields) {
  const Result<RawFields> raw = raw_fields_from_json(fields);
  if (!raw) return tl::unexpected(raw.error());
  say("    as read:\n");
  for (const RawField& field : *raw) say("      {}: {}\n", for_terminal(field.name), shown(field.value));
  const Normalised normal = kind.normalise(*raw);
  for (const Problem& problem : normal.problems) {
    say("    this version would not send it: {}: {}\n", problem.field, for_terminal(problem.message));
  }
  if (!normal.problems.empty()) return {};
  if (const std::string job = kind.followed(normal.fields); !job.empty()) {
    say("    nothing is sent: it follows {}\n", for_terminal(job));
    return {};
  }
  // The marker of a submission is made when it is sent.
  const Request request = kind.submit(normal.fields, "MARKER");
  say("    as this version sends it, {} {}:\n      {}\n", request.method, for_terminal(request.path),
      for_terminal(request.body));
  return {};
}

Result<void> print_listing(const ListingView& listing) {
  say("{} ({}, account {})\n", for_terminal(listing.ref), for_terminal(listing.kind), for_terminal(listing.account));
  const JobKind* kind = find_kind(listing.kind);
  for (const ListingContent& content : listing.contents) {
    for (const ListingJob& job : content.jobs) print_job(job);
    if (content.jobs.empty()) say("  planned, not submitted\n");
    if (kind == nullptr) continue;
    if (Result<void> done = print_content(*kind, content.fields); !done) return done;
  }
  return {};
}

Result<void> print_listings(const Options& options, const std::vector<std::string>& refs) {
  const Result<std::unique_ptr<SqliteLedger>> ledger = open_for_reading(options);
  if (!ledger) return tl::unexpected(ledger.error());
  for (const std::string& ref : refs) {
    Result<std::vector<ListingView>> listings = (*ledger)->listings_named(ledger_ref(options, ref));
    // `status` itself shows ids with their catalogue.
    if (listings && listings->empty()) listings = (*ledger)->listings_named(ref);
    if (!listings) return tl::unexpected(listings.error());
    if (listings->empty()) {
      return usage_error(fmt::format("the ledger {} has no listing '{}'; one gets there when a run plans it",
                                     full_path(options.ledger), ref));
    }
    for (const ListingView& listing : *listings) {
      if (Result<void> done = print_listing(listing); !done) return done;
    }
  }
  return {};
}

}  // namespace

int show_listings(const Options& options, const std::vector<std::string>& refs) {
  const Result<void> done = print_listings(options, refs);
  return done ? 0 : report_error(done.error());
}

}  // namespace reelbatch
