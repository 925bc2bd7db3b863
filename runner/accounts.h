// Who is asked: the accounts of a run, out of configuration, environment and flags.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jobs/error.h"
#include "runner/options.h"
#include "runner/settings.h"

namespace reelbatch {

/// An account as the configuration has it. `options.rate`, `.submit_rate` and `.max_in_flight` are not used.
struct AccountConfig {
  AccountOptions options;  ///< checked; `base_url` is empty if the configuration is silent
  Pace pace;               ///< the account's own limits
};

/// The accounts of a run, each whole: name, service, base URL, a source for every key, limits.
///
/// configured  in their order. Empty: every service has an account of its name, its keys in the environment.
/// file        limits from the configuration's top level.
/// given       limits from environment and flags, merged.
///
/// A limit is taken from `given`, else from the account, else from `file`, else 10/1s, 1/1s and 20. A base URL is taken
/// from the account, else from the service's variable (ServiceSpec::base_url_env), else from the service.
///
/// Fails with Fault::Usage on variables whose address check_base_url() refuses, one line each.
Result<std::vector<AccountOptions>> make_accounts(const std::vector<AccountConfig>& configured, const Pace& file,
                                                  const Pace& given, const Environment& environment);

/// One account for each service, called `sandbox/<service>`, with no key and no address.
///
/// given  limits from flags; else 100/1s, 10/1s and 20.
std::vector<AccountOptions> make_sandbox_accounts(const Pace& given);

/// A service's address in the form in which it is used: as given, without slashes at its end.
///
/// Fails with Fault::Usage unless it is an absolute http or https URL with a host and no user name, password, query or
/// fragment, and https unless the host is this machine (`localhost`, 127.0.0.0/8, `[::1]`): a key must not travel in
/// the clear. A password that may be in it is not repeated.
Result<std::string> check_base_url(std::string_view text);

/// What a request has to add to a base URL to ask for `address`: path and query, of an address or of its end from the
/// path or the query on. Empty where that is at another host, or not below the base URL's own path.
///
/// base_url  as check_base_url() returned it.
/// asked     what was added for the answer that has the address: to what a query alone belongs.
std::string path_below(std::string_view base_url, std::string_view asked, std::string_view address);

/// Who is behind a base URL: scheme, host and port in lower case, the scheme's own port left out.
/// `HTTPS://Example.com:443/v1` is `https://example.com`.
///
/// base_url  as check_base_url() returned it. Empty stays empty.
std::string origin(std::string_view base_url);

}  // namespace reelbatch
