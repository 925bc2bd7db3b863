// What a command was asked to do: flags, environment, configuration file and defaults, already merged.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "jobs/credits.h"
#include "jobs/job.h"
#include "runner/clock.h"
#include "runner/digest.h"
#include "runner/manifest.h"

namespace reelbatch {

/// At most `limit` requests in any span of `width`. Written `10/1s`.
struct RateWindow {
  int limit = 0;     ///< at least 1
  Duration width{};  ///< more than 0
  bool operator==(const RateWindow&) const = default;
};

/// Where a secret is found. Never the secret itself.
struct KeySource {
  enum class From { Env, File, Command };
  From from = From::Env;
  std::string where;
};

/// What the rows of one label value may spend: `label:agency`, `Lyon`. Absent is unlimited.
struct LabelBudget {
  std::string label;  ///< without the `label:`
  std::string value;
  std::optional<Credits> run, day, month;
};

/// What a job of each kind reserves, and what may be spent (PRODUCT.md 4.8). Absent is unlimited.
struct Budget {
  enum class Mode { Hard, Soft, Cautious };
  Mode mode = Mode::Hard;
  std::optional<Credits> run, day, month;
  std::optional<Credits> keep;      ///< the balance never falls below this
  std::vector<LabelBudget> labels;  ///< in the order of the configuration; no pair of label and value twice
};

/// What a figure of credits used means: the job's or the account's (PRODUCT.md 4.9).
enum class CreditMeaning { Auto, Job, Account };

/// Parts of a running job that stay in error are made again, which is paid for.
struct RepairPolicy {
  int times = 0;                             ///< at most so often a part; 0: never
  Duration after = std::chrono::minutes(5);  ///< in error for so long
};

struct AccountOptions {
  std::string name;
  const ServiceSpec* service = nullptr;
  bool service_stated = false;  ///< the configuration names the service: the account may then move to another origin
  bool sandbox = false;         ///< stands for the sandbox: no real key or address belongs to it
  std::string base_url;         ///< no slash at the end; empty for the sandbox until it listens
  std::map<std::string, KeySource> keys;  ///< by CredentialSpec::name, one for each of the service's credentials
  std::vector<RateWindow> rate;           ///< any request
  std::vector<RateWindow> submit_rate;    ///< submissions alone
  int max_in_flight = 20;
  int hold_limit = 5;
  std::vector<int> not_taken;  ///< 5xx that are known to create nothing
  CreditMeaning credits = CreditMeaning::Auto;
  std::map<std::string, Credits> max_price;  ///< by kind
  Budget budget;
};

/// What a plan found, to be found again: `run --plan`.
struct PlanDigests {
  Digest manifest;   ///< over what every row says
  Digest decisions;  ///< over what becomes of every row
  bool operator==(const PlanDigests&) const = default;
};

enum class OnChange { Submit, Skip };
enum class ProgressStyle { Auto, Bar, Plain, Json, None };
enum class LogLevel { Error, Warning, Info, Debug };

/// A point at which to stop: a wall time, or a duration from the start.
struct Deadline {
  std::optional<WallTime> at;
  std::optional<Duration> after;
};

struct Options {
  std::string config_file;  ///< the configuration that was read, empty if none

  std::vector<std::string> manifests;
  ManifestOptions manifest;
  std::string catalogue;  ///< prefixes ids

  std::string ledger = "reelbatch.db";  ///< as given, or made absolute from a config's folder
  bool ledger_must_exist = false;
  int keep_runs = 30;

  std::vector<std::string> outputs;  ///< `results.csv` if none is given
  std::string download;              ///< a folder for the finished videos; empty: they are not fetched
  std::string rejects;               ///< what was refused of the manifests, .csv or .jsonl; empty: nowhere

  std::vector<AccountOptions> accounts;  ///< the first of a service is its default

  Duration poll_interval = std::chrono::seconds(3);
  Duration job_timeout = std::chrono::minutes(20);
  Duration give_up_after = std::chrono::hours(24 * 7);
  Duration outage_timeout = std::chrono::minutes(15);
  Duration request_timeout = std::chrono::seconds(30);
  RepairPolicy repair;
  std::optional<Deadline> deadline;
  std::optional<Credits> max_credits;
  bool retry_failed = false;
  int retry_limit = 3;
  OnChange on_change = OnChange::Submit;
  bool allow_mass_change = false;
  bool allow_shrink = false;        ///< of the feed since the last run
  bool allow_lost_journal = false;  ///< of the ledger
  std::optional<long> limit;
  std::optional<PlanDigests> keep_to;  ///< nothing is submitted unless the decisions are these
  std::vector<std::string> only;
  bool list_gone = false;  ///< name every listing that left the feed, not only some
  Duration wait{};
  int max_connections = 128;
  std::string ca_file;

  bool sandbox = false;
  ProgressStyle progress = ProgressStyle::Auto;
  bool quiet = false;
  LogLevel log_level = LogLevel::Info;
  std::string log_file;  ///< empty: standard error
};

}  // namespace reelbatch
