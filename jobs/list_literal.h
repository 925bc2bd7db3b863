// Lists as Python prints them, `['a', None, nan]`: pandas and scrapers write them into cells all the time. As JSON is
// nearly a part of that, this reader is also the one that can say where a broken JSON cell breaks.
#pragma once

#include <string>
#include <string_view>

#include "jobs/error.h"

namespace reelbatch {

/// A list, tuple or dict literal as JSON text. Strings may stand in either quote; None, nan and inf become null;
/// numbers become strings of what was written. Nesting beyond 32 is refused.
///
/// Fails where the text stops being such a literal, naming the character, counted from 1: `at character 12: ...`.
Result<std::string> json_of_literal(std::string_view text);

}  // namespace reelbatch
