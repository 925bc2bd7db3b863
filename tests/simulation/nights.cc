#include "tests/simulation/nights.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>

#include "jobs/registry.h"

namespace reelbatch {
namespace {

constexpr std::string_view kKeyVariable = "REELBATCH_SIMULATED_KEY";
/// How all keys begin.
constexpr std::string_view kKey = "sk-simulated-5f1c0a\"+/=";
constexpr const char* kLedger = "/reelbatch.db";

/// Every account has a key of its own.
std::string key_of(std::size_t account) {
  return fmt::format("{}{}", kKey, account);
}
std::string key_variable_of(std::size_t account) {
  return fmt::format("{}_{}", kKeyVariable, account);
}

WorldOptions with_keys(WorldOptions world) {
  for (std::size_t i = 0; i < world.origins.size(); ++i) world.keys.push_back(key_of(i));
  return world;
}

/// Of the listing `L-12`, or `lyon/L-12` with a catalogue.
std::string number_of(const std::string& ref) {
  return ref.substr(ref.find("L-") + 2);
}

}  // namespace

/// Tells the auditor what is written, and can die before or after any commit.
class Nights::WatchedLedger final : public SqliteLedger {
 public:
  WatchedLedger(std::unique_ptr<SqliteLedger> ledger, Nights& nights)
      : SqliteLedger(std::move(*ledger)), nights_(nights) {}
  Result<void> commit(const Commit& commit) override {
    if (commit.empty()) return {};
    ++nights_.commits;
    if (nights_.crash_at_commit && nights_.crash_at_commit(true)) die();
    nights_.auditor.attempted(commit);
    Result<void> done = SqliteLedger::commit(commit);
    nights_.auditor.committed(done.has_value());
    if (nights_.crash_at_commit && nights_.crash_at_commit(false)) die();
    return done;
  }

 private:
  [[noreturn]] void die() {
    nights_.disk.die();
    throw Crash();
  }
  Nights& nights_;
};

Nights::Nights(const WorldOptions& chosen)
    : world(with_keys(chosen)), auditor(world, options), stop(world), chance_(mix(chosen.seed, 99)) {
  auditor.secret = kKey;
  for (std::size_t i = 0; i < world.options.origins.size(); ++i) {
    AccountOptions account;
    account.name = i == 0 ? "iacrea" : fmt::format("account-{}", i + 1);
    account.service = find_service(world.options.service_name(i));
    account.base_url = world.options.origins[i];
    setenv(key_variable_of(i).c_str(), key_of(i).c_str(), 1);
    for (const CredentialSpec& spec : account.service->credentials) {
      account.keys[std::string(spec.name)] = {KeySource::From::Env, key_variable_of(i)};
    }
    account.rate = {{10, std::chrono::seconds(1)}};
    account.submit_rate = {{1, std::chrono::seconds(1)}};
    options.accounts.push_back(std::move(account));
  }
  options.ledger = kLedger;
  world.dying = [this] { disk.die(); };
  world.dead = [this] { return disk.dead(); };
}

std::string Nights::description(int number, const std::string& suffix) {
  return fmt::format("A bright house with a garden, number {}{}", number, suffix);
}

void Nights::write_listings(int count, const std::string& suffix) {
  std::string text = "id,image_urls,description\n";
  for (int i = 0; i < count; ++i) {
    text += fmt::format("L-{0},https://img.test/{0}.jpg,\"{1}\"\n", i, description(i, suffix));
  }
  write_manifest(text, static_cast<std::size_t>(count));
}

void Nights::write_manifest(const std::string& csv, std::size_t rows) {
  const std::filesystem::path file = folder_.path() / "listings.csv";
  std::ofstream(file, std::ios::binary) << csv;
  options.manifests = {file.string()};
  rows_ = rows;
}

Result<std::unique_ptr<SqliteLedger>> Nights::open_ledger() {
  Result<std::unique_ptr<SqliteLedger>> opened =
      SqliteLedger::open(options.ledger, SqliteLedger::Mode::Write, SimulatedDisk::kVfs);
  if (!opened) return opened;
  return std::make_unique<WatchedLedger>(std::move(*opened), *this);
}

NightEnd Nights::night(bool resume, SimulatedDisk::End end) {
  NightEnd ended;
  try {
    ended = run(resume);
    if (disk.dead()) ended.how = NightEnd::How::Crashed;
  } catch (const Crash&) {
    ended.how = NightEnd::How::Crashed;
  }
  auditor.end();
  const std::vector<std::pair<std::size_t, std::string>> told = std::exchange(world.told, {});
  const bool crashed = ended.how == NightEnd::How::Crashed;
  if (crashed && end == SimulatedDisk::End::PowerLoss) ++world.boots;
  world.reboot(!crashed && ended.how != NightEnd::How::Broken);
  disk.boot(crashed ? end : SimulatedDisk::End::Killed, chance_);
  if (ended.how == NightEnd::How::Broken) check_told(told);
  check_secrets(ended);
  return ended;
}

/// What the service accepted and the ledger could not take, the operator was told.
void Nights::check_told(const std::vector<std::pair<std::size_t, std::string>>& told) {
  const auto fate = std::exchange(disk.fate, nullptr);
  if (const Result<std::unique_ptr<SqliteLedger>> ledger = open_ledger()) {
    const auto accounts = (*ledger)->accounts();
    for (const auto& [service, id] : told) {
      bool known = !accounts;
      for (const AccountRecord& account : *accounts) {
        if (account.name != options.accounts[service].name) continue;
        const Result<JobId> job = (*ledger)->job_with_remote_id(account.id, id, 0);
        known = job && *job != 0;
      }
      const bool said = std::any_of(progress.alarms.begin(), progress.alarms.end(),
                                    [&](const std::string& line) { return line.find(id) != std::string::npos; });
      auditor.check(known || said, "an acceptance that could not be recorded was not told: " + id);
    }
  }
  disk.fate = fate;
}

NightEnd Nights::failed(const Error& error, bool before_work) const {
  NightEnd ended;
  ended.how = error.fault == Fault::Ground ? NightEnd::How::Broken : NightEnd::How::Refused;
  ended.error = error;
  if (!before_work) ended.how = NightEnd::How::Broken;
  return ended;
}

NightEnd Nights::run(bool resume) {
  phase = "opening";
  Result<std::unique_ptr<SqliteLedger>> ledger = open_ledger();
  if (!ledger) return failed(ledger.error(), true);
  Result<std::unique_ptr<Session>> session = Session::over(options, std::move(*ledger));
  if (!session) return failed(session.error(), true);
  const RunSetting setting{options, world, progress, **session};
  phase = "preparing";
  RunRecord run;
  run.started_at = world.wall();
  run.uid = make_run_uid(run.started_at, ++uids_);
  Result<void> prepared;
  if (resume) {
    const auto last = (*session)->ledger().run("");
    if (!last) return failed(last.error(), true);
    if (!*last) return failed(Error{Fault::Usage, "there is no run"}, true);
    run = **last;
    auditor.begin((*session)->ledger(), run.uid);
    prepared = prepare_resumed_run(setting, run);
  } else {
    auditor.begin((*session)->ledger(), run.uid);
    if (const auto counts = prepare_run(setting, run, [](const Remark&) {}); !counts) {
      prepared = tl::unexpected(counts.error());
    }
  }
  if (!prepared) return failed(prepared.error(), true);
  auditor.begin((*session)->ledger(), run.uid);  // it knows the accounts now
  auditor.pace.stop_at = stop.at();
  phase = "working";
  Rng rng(chance_.next());
  const Result<RunOutcome> worked = work_on_run(setting, run, world, stop, rng);
  if (worked) outcome = *worked;
  phase = "ending";
  Result<EndedRun> ended = end_run(setting, run, worked);
  if (!worked) return failed(worked.error(), false);
  if (!ended) return failed(ended.error(), false);
  if (!ended->recorded) return failed(ended->recorded.error(), false);
  if (disk.dead()) return {};
  auditor.pace.run_ended();
  auditor.check_report((*session)->ledger(), *ended, resume ? std::nullopt : std::optional(rows_));
  NightEnd end;
  end.how = NightEnd::How::Ended;
  end.run = std::move(*ended);
  return end;
}

/// A job the service made of the held listing's submission and the ledger knows nothing of.
std::optional<std::string> Nights::unknown_job_of(const HeldJob& held, Ledger& ledger) const {
  const std::string number = number_of(held.ref);
  for (std::size_t i = 0; i < options.accounts.size(); ++i) {
    if (options.accounts[i].name != held.account) continue;
    for (const ServiceJob& job : world.service(i).jobs()) {
      const std::string text = description_of(job.body);
      const bool is_of_listing = text.ends_with(fmt::format("number {}", number)) ||
                                 text.find(fmt::format("number {} ", number)) != std::string::npos;
      const Result<JobId> known = ledger.job_with_remote_id(held.account_id, job.id, 0);
      if (is_of_listing && known && *known == 0) return job.id;
    }
  }
  return std::nullopt;
}

int Nights::resolve(Word word) {
  world.settle();  // an operator looks after the service has made up its mind
  Result<std::unique_ptr<SqliteLedger>> ledger = open_ledger();
  if (!ledger) return 0;
  int words = 0;
  if (const auto interrupted = (*ledger)->hold_interrupted(0, world.wall()); !interrupted) return 0;
  const auto held = (*ledger)->held_jobs();
  if (!held) return 0;
  Commit commit;
  std::vector<std::string> adopted;
  for (const HeldJob& job : *held) {
    Step step;
    step.job = job.id;
    step.from = State::Held;
    step.at = world.wall();
    const std::size_t repair = job.ref.find("/repair/");
    if (repair != std::string::npos) {
      const bool drop = word == Word::Drop;
      step.event = drop ? Event::Drop : Event::Resubmit;
      const std::string id = job.ref.substr(job.ref.rfind("L-", repair));
      auditor.resolved(id);
      // If it was taken after all, its part has another id by now, and nobody knows how often it was made again.
      const std::string listing = id.substr(0, id.find('/'));
      for (int i = 0; !drop && i < options.repair.times; ++i) auditor.allow_repair_again(listing);
      if (!drop) auditor.prices_reserved = false;
      commit.steps.push_back(std::move(step));
      ++words;
      continue;
    }
    const std::optional<std::string> made = unknown_job_of(job, **ledger);
    if (word == Word::Adopt && made) {
      if (std::count(adopted.begin(), adopted.end(), *made) > 0) continue;
      adopted.push_back(*made);
      auditor.adopted("L-" + number_of(job.ref));
      step.event = Event::Adopt;
      step.remote_id = *made;
    } else if (word == Word::Drop) {
      step.event = Event::Drop;
      step.detail = "dropped by the operator; its price is unknown";
      auditor.resolved("L-" + number_of(job.ref));
    } else if (word == Word::Resubmit || (word == Word::Adopt && !made)) {
      step.event = Event::Resubmit;
      if (made) {
        // The operator pays twice, knowingly or not.
        auditor.resolved("L-" + number_of(job.ref));
        auditor.prices_reserved = false;
        for (const auto& [description, times] : world.accepted()) {
          if (description.find(fmt::format("number {} ", number_of(job.ref))) != std::string::npos ||
              description.ends_with(fmt::format("number {}", number_of(job.ref)))) {
            auditor.allow_again(description);
          }
        }
      }
    }
    commit.steps.push_back(std::move(step));
    ++words;
  }
  if (Result<void> done = (*ledger)->commit(commit); !done) return 0;
  return words;
}

void Nights::check_secrets(const NightEnd& end) {
  for (const std::string& bytes : disk.contents()) auditor.check_secret(bytes, "the ledger");
  for (const auto* texts : {&progress.warnings, &progress.alarms, &progress.details}) {
    for (const std::string& text : *texts) auditor.check_secret(text, "what is shown");
  }
  auditor.check_secret(end.error.message, "an error");
  progress.warnings.clear();
  progress.details.clear();
}

void Nights::check_books() {
  world.settle();
  Result<std::unique_ptr<SqliteLedger>> ledger = open_ledger();
  if (!ledger) return auditor.find("the ledger cannot be opened: " + ledger.error().message);
  auditor.begin(**ledger, "");
  auditor.check_books(**ledger);
  auditor.end();
}

int busiest_span(const std::vector<World::Send>& sends, Duration width, bool paid_only) {
  std::vector<Instant> times;
  for (const World::Send& send : sends) {
    if (send.paid || !paid_only) times.push_back(send.at);
  }
  int most = 0;
  for (std::size_t first = 0, last = 0; last < times.size(); ++last) {
    while (times[last] - times[first] > width) ++first;
    most = std::max(most, static_cast<int>(last - first + 1));
  }
  return most;
}

}  // namespace reelbatch
