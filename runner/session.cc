#include "runner/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "runner/accounts.h"

namespace reelbatch {
namespace {

/// What a sandbox account stands for, on whatever port it listens.
constexpr std::string_view kSandboxOrigin = "sandbox";
/// The evidence for a meaning of credits that the configuration states; a later run without that statement decides
/// anew.
constexpr std::string_view kStated = "stated in the configuration";
constexpr std::string_view kDocumented = "documented by the service";

std::string origin_of(const AccountOptions& account) {
  return account.sandbox ? std::string(kSandboxOrigin) : origin(account.base_url);
}

Error no_ledger(const Options& options) {
  const std::string path = full_path(options.ledger);
  if (options.ledger_must_exist) {
    return Error{Fault::Usage,
                 fmt::format("the ledger {} is missing, and ledger.must_exist says that it is there: mount or restore "
                             "it; a new one would pay for every listing again",
                             path)};
  }
  return Error{Fault::Usage,
               fmt::format("there is no ledger {}: name it with --ledger, or `reelbatch run` makes one", path)};
}

/// Whether there is a ledger. An empty file is none: what was in it is gone, or a run was killed while it made it.
bool exists(const std::string& path) {
  std::error_code unknown;
  const auto size = std::filesystem::file_size(path, unknown);
  return unknown ? std::filesystem::exists(path, unknown) : size > 0;
}

}  // namespace

int exit_code_of(const Error& error) {
  switch (error.fault) {
    case Fault::Usage:
      return 2;
    case Fault::Conflict:
      return 6;
    case Fault::Ground:
      return 7;
    case Fault::Theirs:
    case Fault::Network:
      return 3;
  }
  return 2;
}

std::string full_path(const std::string& path) {
  std::error_code error;
  const std::filesystem::path full = std::filesystem::absolute(path, error);
  return error ? path : full.lexically_normal().string();
}

Result<std::unique_ptr<SqliteLedger>> open_for_reading(const Options& options) {
  if (!exists(options.ledger)) return tl::unexpected(no_ledger(options));
  return SqliteLedger::open(options.ledger, SqliteLedger::Mode::Read);
}

Result<std::unique_ptr<Session>> Session::open(const Options& options, const Clock& clock, IfMissing if_missing) {
  const bool must_be_there = if_missing == IfMissing::Fail || options.ledger_must_exist;
  if (must_be_there && !exists(options.ledger)) return tl::unexpected(no_ledger(options));
  Result<LedgerLock> lock = LedgerLock::take(options.ledger, options.wait, clock);
  if (!lock) return tl::unexpected(lock.error());
  // Now, not before the lock was waited for: whose ledger was made meanwhile is not ours to unmake.
  const bool made = !exists(options.ledger);
  const auto mode = options.allow_lost_journal && !made ? SqliteLedger::Mode::WriteRest
                    : must_be_there                     ? SqliteLedger::Mode::WriteExisting
                                                        : SqliteLedger::Mode::Write;
  Result<std::unique_ptr<SqliteLedger>> ledger = SqliteLedger::open(options.ledger, mode);
  if (!ledger) return tl::unexpected(ledger.error());
  Result<std::unique_ptr<Session>> session = over(options, std::move(*ledger));
  if (!session) return session;
  (*session)->lock_.emplace(std::move(*lock));
  (*session)->made_ledger_ = made;
  return session;
}

Result<std::unique_ptr<Session>> Session::over(const Options& options, std::unique_ptr<SqliteLedger> ledger) {
  std::unique_ptr<Session> session(new Session(options));
  session->ledger_ = std::move(ledger);
  Result<std::vector<AccountRecord>> known = session->ledger_->accounts();
  if (!known) return tl::unexpected(known.error());
  session->known_ = std::move(*known);
  if (Result<void> fitting = session->check_accounts(); !fitting) return tl::unexpected(fitting.error());
  return session;
}

/// A rehearsal and real work do not share a ledger.
Result<void> Session::check_accounts() const {
  for (const AccountRecord& account : known_) {
    if ((account.origin == kSandboxOrigin) == options_.sandbox) continue;
    if (options_.sandbox) {
      return usage_error(fmt::format(
          "the ledger {} has the real account '{}': the sandbox keeps a ledger of its own, leave out --ledger",
          options_.ledger, account.name));
    }
    return usage_error(
        fmt::format("the ledger {} belongs to the sandbox (account '{}'): use another --ledger for real work",
                    options_.ledger, account.name));
  }
  return {};
}

void Session::unmake_ledger() {
  if (!made_ledger_) return;
  ledger_.reset();
  std::error_code ignored;
  for (const char* companion : {"", "-wal", "-shm"}) std::filesystem::remove(options_.ledger + companion, ignored);
}

/// The account must stand for the service the ledger knows it as: other jobs than those of its ids would answer.
Result<void> Session::check_origin(const AccountOptions& account) const {
  const auto known = std::find_if(known_.begin(), known_.end(),
                                  [&](const AccountRecord& record) { return record.name == account.name; });
  if (known == known_.end()) return {};
  if (known->service != account.service->name) {
    return usage_error(
        fmt::format("the ledger knows account '{}' as one of {}, now it is one of {}: give it another name",
                    account.name, known->service, account.service->name));
  }
  if (account.service_stated || known->origin == origin_of(account)) return {};
  return usage_error(fmt::format(
      "the ledger knows account '{}' at {}, now it is at {}: use another --ledger or account name, or, if it is the "
      "same service at "
      "another address, say so in the configuration: accounts: {{{}: {{service: {}, base_url: {}}}}}",
      account.name, known->origin, origin_of(account), account.name, account.service->name, account.base_url));
}

/// Two names for one account at the service have one balance: neither can keep a part of it, and sums count it twice.
Result<void> Session::check_keys(const AccountOptions& account, const Credentials& credentials) {
  if (account.sandbox) return {};
  for (const auto& [name, other] : bound_) {
    const bool same = other.options.service == account.service && other.record.origin == origin_of(account) &&
                      *other.credentials->headers() == *credentials.headers();
    if (!same) continue;
    std::string text = fmt::format("accounts '{}' and '{}' have the same key at {}: there they are one account", name,
                                   account.name, origin_of(account));
    if (account.budget.keep || other.options.budget.keep) {
      return usage_error(text +
                         ", of whose balance neither can keep what its budget says. Give each the key of its own "
                         "account, or let all rows go to one of the two; mind that what was paid for under the other "
                         "name is another listing there");
    }
    warnings_.push_back(text + ", whose balance and limits count twice");
  }
  return {};
}

Result<AccountId> Session::bind(const std::string& name) {
  if (const auto found = bound_.find(name); found != bound_.end()) return found->second.record.id;
  const auto account = std::find_if(options_.accounts.begin(), options_.accounts.end(),
                                    [&](const AccountOptions& candidate) { return candidate.name == name; });
  if (account == options_.accounts.end()) return usage_error(fmt::format("no account '{}' is configured", name));
  if (Result<void> same = check_origin(*account); !same) return tl::unexpected(same.error());
  Result<Credentials> credentials = load_credentials(*account);
  if (!credentials) return tl::unexpected(credentials.error());
  if (Result<void> own = check_keys(*account, *credentials); !own) return tl::unexpected(own.error());
  Bound bound;
  bound.options = *account;
  if (account->sandbox) bound.options.base_url = sandbox_url_;
  bound.credentials = std::make_shared<const Credentials>(std::move(*credentials));
  bound.record.name = name;
  bound.record.service = account->service->name;
  bound.record.origin = origin_of(*account);
  if (account->service->cost_is_per_job) {
    bound.record.credit_meaning = "job";
    bound.record.credit_evidence = kDocumented;
  } else if (account->credits != CreditMeaning::Auto) {
    bound.record.credit_meaning = account->credits == CreditMeaning::Job ? "job" : "account";
    bound.record.credit_evidence = kStated;
  } else if (const auto known = std::find_if(known_.begin(), known_.end(),
                                             [&](const AccountRecord& record) { return record.name == name; });
             known != known_.end() && known->credit_evidence != kStated) {
    bound.record.credit_meaning = known->credit_meaning;
    bound.record.credit_evidence = known->credit_evidence;
  }
  if (Result<void> put = ledger_->put_account(bound.record); !put) return tl::unexpected(put.error());
  const AccountId id = bound.record.id;
  bound_.emplace(name, std::move(bound));
  return id;
}

Result<void> Session::bind_open_jobs() {
  const Result<std::vector<OpenJob>> jobs = ledger_->open_jobs();
  if (!jobs) return tl::unexpected(jobs.error());
  for (const OpenJob& job : *jobs) {
    const auto record =
        std::find_if(known_.begin(), known_.end(), [&](const AccountRecord& known) { return known.id == job.account; });
    const bool configured =
        record != known_.end() && std::any_of(options_.accounts.begin(), options_.accounts.end(),
                                              [&](const AccountOptions& a) { return a.name == record->name; });
    if (!configured) continue;  // the runner says that they stay in flight
    if (const Result<AccountId> bound = bind(record->name); !bound) return tl::unexpected(bound.error());
  }
  return {};
}

std::vector<RunnerAccount> Session::runner_accounts() const {
  std::vector<RunnerAccount> accounts;
  for (const auto& [name, bound] : bound_) {
    RunnerAccount account;
    account.record = bound.record;
    account.options = bound.options;
    account.headers = bound.credentials->headers();
    account.redact = [credentials = bound.credentials](std::string& text) { return credentials->redact(text); };
    accounts.push_back(std::move(account));
  }
  return accounts;
}

}  // namespace reelbatch
