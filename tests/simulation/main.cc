// `simulate`: campaigns of whole runs in simulated time, each from one seed; tools/simulate builds and starts it.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <thread>

#include "tests/simulation/campaign.h"

namespace reelbatch {
namespace {

struct Arguments {
  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 5000;
  int processes = 2;
  double minutes = 0;
  bool until_failure = false;
  bool trace = false;
  std::vector<std::string> fields;
};

/// A violation without its numbers and names: what kind it is.
std::string kind_of(const std::string& violation) {
  std::string kind;
  for (const char c : violation) kind += c >= '0' && c <= '9' ? '0' : c;
  for (std::size_t at; (at = kind.find("00")) != std::string::npos;) kind.erase(at, 1);
  return kind;
}

/// True if the scenario breaks the same promise.
bool fails(const Scenario& scenario, const std::string& kind) {
  // A scenario may end the process (CHECK), so each try has its own.
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(1);
    const std::vector<std::string> violations = run_scenario(scenario).violations;
    _exit(std::any_of(violations.begin(), violations.end(), [&](const auto& v) { return kind_of(v) == kind; }) ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status != 0 && (WEXITSTATUS(status) == 1 || kind.starts_with("the program ended itself"));
}

int run_one(const Scenario& scenario, bool trace) {
  fmt::print("scenario: {}\n", to_text(scenario));
  std::function<void(const std::string&)> print;
  if (trace) print = [](const std::string& line) { fmt::print("  {}\n", line); };
  const CampaignResult result = run_scenario(scenario, print);
  for (const std::string& violation : result.violations) fmt::print("broken: {}\n", violation);
  for (const auto& [what, times] : result.reached) fmt::print("{:8} {}\n", times, what);
  fmt::print("{} processes, {} checks, {}\n", result.processes, result.checks,
             result.violations.empty() ? "every promise kept" : "FAILED");
  return result.violations.empty() ? 0 : 1;
}

/// What a worker tells, line by line: `begin SEED`, `reached TIMES NAME`, `checks N`, `processes N`, `broken TEXT`.
void work(const Arguments& arguments, int worker, std::FILE* out) {
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t i = static_cast<std::uint64_t>(worker); i < arguments.seeds;
       i += static_cast<std::uint64_t>(arguments.processes)) {
    const std::chrono::duration<double, std::ratio<60>> spent = std::chrono::steady_clock::now() - began;
    if (arguments.minutes > 0 && spent.count() > arguments.minutes) break;
    const std::uint64_t seed = arguments.first_seed + i;
    fmt::print(out, "begin {}\n", seed);
    std::fflush(out);
    const CampaignResult result = run_scenario(draw_scenario(seed));
    for (const auto& [what, times] : result.reached) fmt::print(out, "reached {} {}\n", times, what);
    fmt::print(out, "checks {}\nprocesses {}\n", result.checks, result.processes);
    for (const std::string& violation : result.violations) fmt::print(out, "broken {}\n", violation);
    fmt::print(out, "end {}\n", seed);
    if (arguments.until_failure && !result.violations.empty()) break;
  }
  std::fflush(out);
}

struct Totals {
  std::map<std::string, std::int64_t> reached;
  std::map<std::uint64_t, std::vector<std::string>> broken;  ///< by seed
  std::int64_t checks = 0, processes = 0, seeds = 0;

  void add(const Totals& part) {
    for (const auto& [what, times] : part.reached) reached[what] += times;
    broken.insert(part.broken.begin(), part.broken.end());
    checks += part.checks;
    processes += part.processes;
    seeds += part.seeds;
  }
};

/// Reads what a worker tells until it ends.
void collect(std::FILE* in, pid_t child, Totals& totals) {
  char* line = nullptr;
  std::size_t room = 0;
  std::uint64_t seed = 0;
  bool open = false;
  for (ssize_t size = 0; (size = getline(&line, &room, in)) > 0;) {
    const std::string text(line, static_cast<std::size_t>(size - 1));
    const std::string rest = text.substr(std::min(text.size(), text.find(' ') + 1));
    if (text.starts_with("begin ")) {
      seed = std::stoull(rest);
      open = true;
    } else if (text.starts_with("end ")) {
      open = false;
      ++totals.seeds;
    } else if (text.starts_with("checks ")) {
      totals.checks += std::stoll(rest);
    } else if (text.starts_with("processes ")) {
      totals.processes += std::stoll(rest);
    } else if (text.starts_with("broken ")) {
      totals.broken[seed].push_back(rest);
    } else if (text.starts_with("reached ")) {
      totals.reached[rest.substr(rest.find(' ') + 1)] += std::stoll(rest);
    }
  }
  std::free(line);
  int status = 0;
  waitpid(child, &status, 0);
  if (open) totals.broken[seed].push_back(fmt::format("the program ended itself with status {}", status >> 8));
}

/// Several processes, because a simulated disk is one a process.
Totals run_campaign(const Arguments& arguments) {
  Totals totals;
  std::vector<std::pair<std::FILE*, pid_t>> workers;
  for (int worker = 0; worker < arguments.processes; ++worker) {
    int ends[2];
    if (pipe(ends) != 0) std::exit(1);
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      std::FILE* out = fdopen(ends[1], "w");
      work(arguments, worker, out);
      std::fclose(out);
      _exit(0);
    }
    close(ends[1]);
    workers.emplace_back(fdopen(ends[0], "r"), child);
  }
  std::vector<Totals> parts(workers.size());
  std::vector<std::thread> readers;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    readers.emplace_back([&, i] { collect(workers[i].first, workers[i].second, parts[i]); });
  }
  for (std::size_t i = 0; i < workers.size(); ++i) {
    readers[i].join();
    std::fclose(workers[i].first);
    totals.add(parts[i]);
  }
  return totals;
}

int report(const Arguments& arguments, const Totals& totals, double seconds) {
  for (const auto& [what, times] : totals.reached) fmt::print("{:10} {}\n", times, what);
  int missing = 0;
  // Fewer seeds may miss some by chance.
  constexpr std::int64_t kEnough = 2000;
  if (totals.seeds >= kEnough) {
    for (const std::string_view rare : rare_cases()) {
      if (totals.reached.count(std::string(rare)) != 0) continue;
      fmt::print("never reached: {}\n", rare);
      ++missing;
    }
  }
  int shown = 0;
  for (const auto& [seed, violations] : totals.broken) {
    if (++shown > 3) break;
    fmt::print("seed {} failed:\n", seed);
    for (const std::string& violation : violations) fmt::print("  {}\n", violation);
    if (arguments.until_failure) break;
    const std::string kind = kind_of(violations.front());
    const Scenario small = shrink(
        draw_scenario(seed), [&](const Scenario& scenario) { return fails(scenario, kind); }, 300);
    fmt::print("  smallest found: {}\n  again: tools/simulate --trace", to_text(small));
    const std::string text = to_text(small);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find(' ', at), text.size());
      fmt::print(" --set {}", text.substr(at, end - at));
      at = end + 1;
    }
    fmt::print("\n");
  }
  fmt::print("{} seeds from {}: {} processes, {} checks in {:.0f} s\n", totals.seeds, arguments.first_seed,
             totals.processes, totals.checks, seconds);
  const auto failed = static_cast<std::int64_t>(totals.broken.size());
  fmt::print("{} passed, {} failed\n", totals.seeds - failed, failed + missing);
  return failed == 0 && missing == 0 ? 0 : 1;
}

int simulate(int count, char** values) {
  Arguments arguments;
  CLI::App app{
      "Whole runs in simulated time with faults, crashes and an operator; every promise is checked on the way."};
  app.add_option("--seeds", arguments.seeds, "how many")->capture_default_str();
  app.add_option("--first-seed", arguments.first_seed)->capture_default_str();
  app.add_option("--processes", arguments.processes, "at a time")->capture_default_str()->check(CLI::Range(1, 64));
  app.add_option("--minutes", arguments.minutes, "stop after so long; 0: when the seeds are done")
      ->capture_default_str();
  app.add_flag("--until-failure", arguments.until_failure, "end with the first failure, and do not make it small");
  app.add_option("--set", arguments.fields, "run one scenario: that of --set seed=N, with these fields changed");
  app.add_flag("--trace", arguments.trace, "with --set: print every event");
  CLI11_PARSE(app, count, values);
  if (!arguments.fields.empty()) {
    Scenario scenario;
    for (const std::string& field : arguments.fields) {
      if (const Result<void> set = set_field(scenario, field); !set) {
        fmt::print(stderr, "simulate: {}\n", set.error().message);
        return 2;
      }
    }
    // A seed alone means everything drawn from it.
    if (arguments.fields.size() == 1 && arguments.fields[0].starts_with("seed=")) {
      scenario = draw_scenario(static_cast<std::uint64_t>(scenario.seed));
    }
    return run_one(scenario, arguments.trace);
  }
  const auto began = std::chrono::steady_clock::now();
  const Totals totals = run_campaign(arguments);
  return report(arguments, totals, std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
}

}  // namespace
}  // namespace reelbatch

int main(int count, char** values) {
  return reelbatch::simulate(count, values);
}
