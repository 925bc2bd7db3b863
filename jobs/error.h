// How expected failures travel: as values, with the answer to "whose fault?" first.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace reelbatch {

/// Who has to act on an error.
enum class Fault {
  Usage,     ///< what the user gave: arguments, configuration, manifest
  Ground,    ///< what we stand on: disk, ledger, an output
  Theirs,    ///< the service answered something it should not have
  Network,   ///< no answer, or not all of it
  Conflict,  ///< another process holds what we need
};

/// An expected failure. `message` is lower case, without a full stop, cause after a colon, and grows outwards:
/// `listings.csv:12:5: description: needs at least 10 characters`.
struct Error {
  Fault fault = Fault::Usage;
  std::string message;
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Fault fault, std::string message) {
  return tl::unexpected<Error>(Error{fault, std::move(message)});
}
inline tl::unexpected<Error> usage_error(std::string message) {
  return fail(Fault::Usage, std::move(message));
}
inline tl::unexpected<Error> ground_error(std::string message) {
  return fail(Fault::Ground, std::move(message));
}

}  // namespace reelbatch
