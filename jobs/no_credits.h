// Whether a refusal means that the account has run out of credits. No page of either vendor says how they put it, and
// it matters whose fault it is: a row's ends the row, the account's stops the account.
#pragma once

#include <string_view>

#include "jobs/job.h"

namespace reelbatch {

/// True if words say it: `insufficient credits`, `crédits insuffisants`, `NOT_ENOUGH_CREDITS`. The lack and the credits
/// have to stand together in one clause and outside quotation marks; a mere mention of credits, or of too little of
/// another thing, is not enough.
bool says_no_credits(std::string_view words);

/// The same of an answer's body: its texts, its `code` and its `type`. What is said about a field of the request does
/// not count, unless the field is about credits itself.
bool refuses_for_credits(const Response& response);

}  // namespace reelbatch
