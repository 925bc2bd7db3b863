// `credits`: what they went to.
#include <fmt/format.h>

#include "runner/calendar.h"
#include "runner/commands.h"
#include "runner/credit_table.h"
#include "runner/say.h"
#include "runner/session.h"

namespace reelbatch {

int command_credits(const Options& options, const CreditsCommand& command) {
  const Result<std::unique_ptr<SqliteLedger>> ledger = open_for_reading(options);
  if (!ledger) return report_error(ledger.error());
  const Result<CreditReport> report = make_credit_report(**ledger, command.query);
  if (!report) return report_error(report.error());
  say("{}", credit_text(*report, command.format, zone_name(SystemClock().wall())));
  return 0;
}

}  // namespace reelbatch
