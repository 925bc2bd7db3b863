// A credit report as it is shown: for people, as CSV, as JSON.
#pragma once

#include <string>

#include "runner/credit_use.h"

namespace reelbatch {

enum class CreditFormat { Table, Csv, Json };

/// zone  of the local days, in words.
std::string credit_text(const CreditReport& report, CreditFormat format, const std::string& zone);

/// What an account's figures of credits used mean and how that is known, or how to state it. Not safe for a terminal.
std::string meaning_text(const AccountRecord& account);

}  // namespace reelbatch
