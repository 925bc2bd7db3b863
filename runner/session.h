// What every command that works on a ledger sets up: the lock, the ledger, its accounts with their keys.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runner/credentials.h"
#include "runner/ledger_lock.h"
#include "runner/options.h"
#include "runner/runner.h"
#include "runner/sqlite_ledger.h"

namespace reelbatch {

/// The exit code for an error that ended a command.
int exit_code_of(const Error& error);

/// The ledger's path in full.
std::string full_path(const std::string& path);

/// Opens the ledger for reading. Fails with Fault::Usage, saying what to do, if there is none.
Result<std::unique_ptr<SqliteLedger>> open_for_reading(const Options& options);

/// The one writer of a ledger: holds its lock for as long as it lives.
class Session {
 public:
  enum class IfMissing { Make, Fail };

  /// Locks, then opens or makes the ledger, and refuses one that belongs to the sandbox when the work is real, and the
  /// reverse.
  static Result<std::unique_ptr<Session>> open(const Options& options, const Clock& clock, IfMissing if_missing);

  /// The same over a ledger that is open already and needs no lock.
  static Result<std::unique_ptr<Session>> over(const Options& options, std::unique_ptr<SqliteLedger> ledger);

  SqliteLedger& ledger() { return *ledger_; }
  bool made_ledger() const { return made_ledger_; }
  /// Takes a ledger away that was made just now and holds nothing: the command was refused.
  void unmake_ledger();

  /// Gives an account its number in the ledger and finds its keys, once. Fails with Fault::Usage if the ledger knows
  /// the account as another service's, if a key is missing, or if another account that was bound has the same keys at
  /// the same service and one of them is to keep a part of the balance, which is one and the same there. Without that
  /// it is one of warnings().
  Result<AccountId> bind(const std::string& name);
  /// Binds the accounts of every job in flight that are configured.
  Result<void> bind_open_jobs();
  /// Where the sandbox listens. Before bind().
  void set_base_url(const std::string& url) { sandbox_url_ = url; }

  /// What is odd about the accounts bound so far, one sentence each.
  const std::vector<std::string>& warnings() const { return warnings_; }

  /// The accounts bound so far, ready to send.
  std::vector<RunnerAccount> runner_accounts() const;

 private:
  explicit Session(const Options& options) : options_(options) {}
  Result<void> check_accounts() const;
  Result<void> check_origin(const AccountOptions& account) const;
  Result<void> check_keys(const AccountOptions& account, const Credentials& credentials);

  struct Bound {
    AccountRecord record;
    AccountOptions options;
    std::shared_ptr<const Credentials> credentials;
  };
  const Options& options_;
  std::optional<LedgerLock> lock_;
  std::unique_ptr<SqliteLedger> ledger_;
  std::vector<AccountRecord> known_;
  std::map<std::string, Bound> bound_;
  std::vector<std::string> warnings_;
  std::string sandbox_url_;
  bool made_ledger_ = false;
};

}  // namespace reelbatch
