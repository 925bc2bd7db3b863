// Lines that programs write below a table: `Total: 3 listings`, `Exported on 2026-11-26`, `-- end --`.
#pragma once

#include <cstdint>
#include <string_view>

namespace reelbatch {

/// Whether a line says how many rows there are, when or by what they were written, or that they end, as a text that
/// goes on would not.
///
/// rows  in front of it.
bool is_footer(std::string_view line, std::uint64_t rows);

}  // namespace reelbatch
