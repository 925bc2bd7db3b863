#include "runner/command_line.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "jobs/registry.h"
#include "runner/command_help.h"
#include "runner/durations.h"
#include "tests/scoped_folder.h"

namespace reelbatch {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const WallTime kNow = *parse_deadline("2026-11-21T12:00:00Z", WallTime{}).value().at;

/// A command line with what is around it; the folder is empty unless a test writes to it.
struct Line {
  ScopedFolder folder;
  Environment environment;

  tl::expected<Invocation, Exit> parse(const std::vector<std::string>& words) const {
    std::vector<const char*> argv = {"reelbatch"};
    for (const std::string& word : words) argv.push_back(word.c_str());
    return parse_command_line(static_cast<int>(argv.size()), argv.data(), {environment, kNow, folder.path().string()});
  }

  Invocation good(const std::vector<std::string>& words) const {
    const auto parsed = parse(words);
    REQUIRE_MESSAGE(parsed.has_value(), (parsed ? "" : parsed.error().err));
    return *parsed;
  }

  Options options(const std::vector<std::string>& words) const { return good(words).options; }

  /// What is printed on standard error with exit code 2.
  std::string bad(const std::vector<std::string>& words) const {
    const auto parsed = parse(words);
    if (parsed) return "(no error)";
    CHECK(parsed.error().code == 2);
    CHECK(parsed.error().out.empty());
    return parsed.error().err;
  }
};

std::vector<RateWindow> windows(const char* text) {
  return *parse_rate_windows(text);
}

std::string hinted(const std::string& command, const std::string& problem) {
  return "reelbatch " + command + ": " + problem + "\ntry 'reelbatch " + command + " --help'\n";
}

/// The longest line, in bytes; help is ASCII.
std::size_t width(const std::string& text) {
  std::istringstream in(text);
  std::size_t most = 0;
  for (std::string line; std::getline(in, line);) most = std::max(most, line.size());
  return most;
}

}  // namespace

TEST_CASE("every option of a run is a flag") {
  const Line line;
  const Options options = line.options({"run",
                                        "a.csv",
                                        "--ledger",
                                        "x.db",
                                        "-o",
                                        "r.csv",
                                        "-o",
                                        "r.json",
                                        "--rate",
                                        "5/1s",
                                        "--rate",
                                        "50/1m",
                                        "--submit-rate",
                                        "2/1s",
                                        "--max-in-flight",
                                        "7",
                                        "--poll-interval",
                                        "4s",
                                        "--job-timeout",
                                        "9m",
                                        "--outage-timeout",
                                        "8m",
                                        "--deadline",
                                        "5h",
                                        "--max-credits",
                                        "12.5",
                                        "--retry-failed",
                                        "--on-change",
                                        "skip",
                                        "--allow-mass-change",
                                        "--limit",
                                        "0",
                                        "--only",
                                        "A",
                                        "B, C",
                                        "--only",
                                        "D",
                                        "--map",
                                        "description=Te=x",
                                        "--map",
                                        "image_urls=p_*",
                                        "--progress",
                                        "json",
                                        "-q",
                                        "--wait",
                                        "1m",
                                        "--request-timeout",
                                        "10s",
                                        "--ca-file",
                                        "ca.pem",
                                        "--log-level",
                                        "debug",
                                        "--log-file",
                                        "l.log",
                                        "--max-connections",
                                        "64"});
  CHECK(options.manifests == std::vector<std::string>{"a.csv"});
  CHECK(options.ledger == "x.db");
  CHECK(options.outputs == std::vector<std::string>{"r.csv", "r.json"});
  REQUIRE_FALSE(options.accounts.empty());
  for (const AccountOptions& account : options.accounts) {
    CHECK(account.rate == windows("5/1s 50/1m"));
    CHECK(account.submit_rate == windows("2/1s"));
    CHECK(account.max_in_flight == 7);
  }
  CHECK(options.poll_interval == seconds(4));
  CHECK(options.job_timeout == minutes(9));
  CHECK(options.outage_timeout == minutes(8));
  CHECK(options.deadline->after == hours(5));
  CHECK(options.max_credits == Credits{12500});
  CHECK(options.retry_failed);
  CHECK(options.on_change == OnChange::Skip);
  CHECK(options.allow_mass_change);
  CHECK(options.limit == 0);
  CHECK(options.only == std::vector<std::string>{"A", "B, C", "D"});
  CHECK(options.manifest.map == std::map<std::string, std::string>{{"description", "Te=x"}, {"image_urls", "p_*"}});
  CHECK(options.progress == ProgressStyle::Json);
  CHECK(options.quiet);
  CHECK(options.wait == minutes(1));
  CHECK(options.request_timeout == seconds(10));
  CHECK(options.ca_file == "ca.pem");
  CHECK(options.log_level == LogLevel::Debug);
  CHECK(options.log_file == "l.log");
  CHECK(options.max_connections == 64);
  CHECK_FALSE(options.sandbox);
}

TEST_CASE("without options the defaults are those of the contract") {
  const Line line;
  const Options options = line.options({"run", "a.csv", "b.csv", "-"});
  CHECK(options.manifests == std::vector<std::string>{"a.csv", "b.csv", "-"});
  CHECK(options.ledger == "reelbatch.db");
  CHECK(options.outputs == std::vector<std::string>{"results.csv"});
  CHECK(options.accounts.size() == all_services().size());
  CHECK(options.accounts[0].rate == windows("10/1s"));
  CHECK(options.accounts[0].submit_rate == windows("1/1s"));
  CHECK(options.poll_interval == seconds(3));
  CHECK(options.job_timeout == minutes(20));
  CHECK(options.outage_timeout == minutes(15));
  CHECK(options.request_timeout == seconds(30));
  CHECK_FALSE(options.deadline);
  CHECK_FALSE(options.max_credits);
  CHECK_FALSE(options.limit);
  CHECK(options.only.empty());
  CHECK(options.wait == Duration{});
  CHECK(options.max_connections == 128);
  CHECK(options.config_file.empty());
}

TEST_CASE("references, manifests and flags share a line") {
  const Line line;
  struct Case {
    std::vector<std::string> words;
    std::vector<std::string> manifests;
    std::vector<std::string> only;
  };
  const std::vector<Case> cases = {{{"run", "--only", "A", "m.csv"}, {"m.csv"}, {"A"}},
                                   {{"run", "--only", "A", "B", "m.csv"}, {"m.csv"}, {"A", "B"}},
                                   {{"run", "m.csv", "--only", "A", "B"}, {"m.csv"}, {"A", "B"}},
                                   {{"run", "--only=A", "m.csv", "n.csv"}, {"m.csv", "n.csv"}, {"A"}},
                                   {{"run", "--only=-A", "--", "-m.csv"}, {"-m.csv"}, {"-A"}},
                                   {{"run", "run", "--only", "run", "status"}, {"run"}, {"run", "status"}}};
  for (const Case& c : cases) {
    CAPTURE(fmt::format("{}", fmt::join(c.words, " ")));
    const Options options = line.options(c.words);
    CHECK(options.manifests == c.manifests);
    CHECK(options.only == c.only);
  }
  CHECK(line.options({"run", "m.csv", "--limit", "1", "--limit", "2"}).limit == 2);
  CHECK_FALSE(line.options({"run", "m.csv", "--retry-failed=false"}).retry_failed);
}

TEST_CASE("flag over environment over configuration over default") {
  Line line;
  const auto of = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"run", "m.csv"});
    return line.options(words);
  };
  line.folder.write("reelbatch.yaml",
                    "poll_interval: 4s\nlimit: 4\nretry_failed: true\noutputs: [c.csv]\nrate: 4/1s\n"
                    "map: {id: A, description: B}\n"
                    "accounts: {main: {service: iacrea, rate: 5/1s}, other: {service: iacrea}}\n");
  Options options = of({});
  CHECK(options.config_file == (line.folder.path() / "reelbatch.yaml").string());
  CHECK(options.poll_interval == seconds(4));
  CHECK(options.limit == 4);
  CHECK(options.retry_failed);
  CHECK(options.outputs == std::vector<std::string>{(line.folder.path() / "c.csv").string()});
  REQUIRE(options.accounts.size() == 2);
  CHECK(options.accounts[0].rate == windows("5/1s"));
  CHECK(options.accounts[1].rate == windows("4/1s"));

  line.environment = {{"REELBATCH_POLL_INTERVAL", "6s"}, {"REELBATCH_LIMIT", "6"},
                      {"REELBATCH_RETRY_FAILED", "no"},  {"REELBATCH_OUTPUT", "e.csv,e.json"},
                      {"REELBATCH_RATE", "6/1s,60/1m"},  {"REELBATCH_ONLY", "A, B\nC"},
                      {"REELBATCH_MAP", "id=E"},         {"REELBATCH_WAIT", ""},
                      {"REELBATCH_SOMETHING_ELSE", "x"}};
  options = of({});
  CHECK(options.poll_interval == seconds(6));
  CHECK(options.limit == 6);
  CHECK_FALSE(options.retry_failed);
  CHECK(options.outputs == std::vector<std::string>{"e.csv", "e.json"});
  CHECK(options.accounts[0].rate == windows("6/1s 60/1m"));
  CHECK(options.only == std::vector<std::string>{"A, B", "C"});
  CHECK(options.manifest.map == std::map<std::string, std::string>{{"id", "E"}, {"description", "B"}});

  options = of({"--poll-interval", "7s", "--limit", "7", "--retry-failed", "-o", "f.csv", "--rate", "7/1s"});
  CHECK(options.poll_interval == seconds(7));
  CHECK(options.limit == 7);
  CHECK(options.retry_failed);
  CHECK(options.outputs == std::vector<std::string>{"f.csv"});
  CHECK(options.accounts[0].rate == windows("7/1s"));
}

TEST_CASE("every option is an environment variable, and a slip in its name is no silence") {
  for (const Setting& setting : all_settings()) {
    CAPTURE(setting.name);
    Line line;
    line.environment[setting.variable() + "X"] = "1";
    CHECK(line.bad({"status"}) ==
          setting.variable() + "X in the environment is unknown (did you mean " + setting.variable() + "?)\n");
    if (setting.name == "ledger" || setting.name == "only" || setting.name.ends_with("-file")) continue;
    if (setting.name == "images-separator" || setting.name == "download") continue;
    line.environment = {{setting.variable(), "no such value"}};
    CHECK(line.bad({"status"}).starts_with(setting.variable() + ": "));
  }
}

TEST_CASE("the configuration is the one named, else the one here, else the user's") {
  Line line;
  const std::string folder = line.folder.path().string();
  const auto read = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "status");
    return line.options(words).config_file;
  };
  CHECK(read({}).empty());
  const std::string xdg = line.folder.write("xdg/reelbatch/reelbatch.yaml", "limit: 1\n");
  const std::string home = line.folder.write("home/.config/reelbatch/reelbatch.yaml", "limit: 1\n");
  line.environment["HOME"] = folder + "/home";
  CHECK(read({}) == home);
  line.environment["XDG_CONFIG_HOME"] = "relative";
  CHECK(read({}) == home);
  line.environment["XDG_CONFIG_HOME"] = folder + "/xdg";
  CHECK(read({}) == xdg);
  const std::string here = line.folder.write("reelbatch.yaml", "limit: 1\n");
  CHECK(read({}) == here);
  const std::string named = line.folder.write("named.yaml", "limit: 1\n");
  line.environment["REELBATCH_CONFIG"] = named;
  CHECK(read({}) == named);
  CHECK(read({"-c", home}) == home);
  CHECK(line.bad({"status", "-c", folder + "/no.yaml"}) ==
        "cannot open configuration '" + folder + "/no.yaml': No such file or directory\n");
  CHECK(line.bad({"status", "--config", ""}) == "--config: empty: give a file\n");
}

TEST_CASE("what is wrong in all three places is said at once") {
  Line line;
  const std::string config = line.folder.write("reelbatch.yaml", "limit: x\n");
  line.environment = {{"REELBATCH_WAIT", "soon"}, {"IACREA_BASE_URL", "nowhere"}};
  CHECK(line.bad({"run", "m.csv", "--limit", "-1", "-o", "a.txt"}) ==
        config +
            ":1:8: limit: 'x' is no whole number from 0 up\n"
            "REELBATCH_WAIT: 'soon' is no duration: write a whole number and a unit, such as 100ms, 3s, 20m, 5h or 7d\n"
            "--output: 'a.txt': the ending decides the format: it must be one of .csv, .json, .jsonl, .html, .xml, "
            ".prom\n"
            "--limit: '-1' is no whole number from 0 up\n"
            "IACREA_BASE_URL: 'nowhere' is no absolute http or https URL: write one such as https://example.com\n");
}

TEST_CASE("the sandbox takes nothing that belongs to real accounts") {
  Line line;
  line.folder.write("reelbatch.yaml",
                    "ledger: {path: real.db, must_exist: true}\nrate: 4/1s\npoll_interval: 9s\njob_timeout: 9m\n"
                    "accounts: {main: {service: iacrea, rate: 5/1s, budget: {run: 1}}}\n");
  line.environment = {{"REELBATCH_RATE", "6/1s"},
                      {"REELBATCH_POLL_INTERVAL", "6s"},
                      {"REELBATCH_LEDGER", "real.db"},
                      {"IACREA_BASE_URL", "nowhere"}};
  Options options = line.options({"run", "m.csv", "--sandbox"});
  CHECK(options.sandbox);
  CHECK(options.ledger == "reelbatch-sandbox.db");
  CHECK_FALSE(options.ledger_must_exist);
  CHECK(options.poll_interval == milliseconds(200));
  CHECK(options.job_timeout == minutes(9));
  REQUIRE(options.accounts.size() == all_services().size());
  CHECK(options.accounts[0].name == "sandbox/iacrea");
  CHECK(options.accounts[0].sandbox);
  CHECK(options.accounts[0].rate == windows("100/1s"));
  CHECK(options.accounts[0].submit_rate == windows("10/1s"));
  CHECK_FALSE(options.accounts[0].budget.run);

  options = line.options({"run", "m.csv", "--sandbox", "--rate", "7/1s", "--poll-interval", "1s", "--ledger", "s.db"});
  CHECK(options.accounts[0].rate == windows("7/1s"));
  CHECK(options.poll_interval == seconds(1));
  CHECK(options.ledger == "s.db");

  line.environment.clear();
  for (const char* command : {"resume", "status", "report"}) {
    CAPTURE(command);
    CHECK(line.options({command, "--sandbox"}).ledger == "reelbatch-sandbox.db");
    CHECK(line.options({command}).ledger == (line.folder.path() / "real.db").string());
  }
  CHECK(line.options({"resolve", "A", "drop", "--sandbox"}).sandbox);
  CHECK(line.options({"ledger", "verify", "--sandbox"}).ledger == "reelbatch-sandbox.db");
}

TEST_CASE("a flag with a value means what it says or is refused") {
  const Line line;
  CHECK(line.options({"run", "m.csv", "--sandbox=yes"}).sandbox);
  CHECK(line.options({"run", "m.csv", "--sandbox=1"}).sandbox);
  CHECK_FALSE(line.options({"run", "m.csv", "--sandbox=false"}).sandbox);
  CHECK(line.bad({"run", "m.csv", "--sandbox=maybe"}) == hinted("run", "--sandbox: 'maybe' is neither true nor false"));
  CHECK(line.bad({"resolve", "--all", "drop", "--yes=si"}) ==
        hinted("resolve", "--yes: 'si' is neither true nor false"));
}

TEST_CASE("each command has its own arguments") {
  const Line line;
  CHECK(std::get<CheckCommand>(line.good({"check", "m.csv", "--all"}).command).all);
  CHECK_FALSE(std::get<CheckCommand>(line.good({"check", "m.csv"}).command).all);
  CHECK(std::get<PlanCommand>(line.good({"plan", "m.csv", "-o", "p.json"}).command).plan_file == "p.json");
  CHECK(std::get<PlanCommand>(line.good({"plan", "m.csv"}).command).plan_file.empty());
  CHECK(std::get<ResumeCommand>(line.good({"resume", "--run", "r1"}).command).run == "r1");
  CHECK(std::get<ReportCommand>(line.good({"report", "--run=r2"}).command).run == "r2");
  CHECK(std::get<StatusCommand>(line.good({"status"}).command).refs.empty());
  CHECK(std::get<StatusCommand>(line.good({"status", "A-1", "A-2"}).command).refs ==
        std::vector<std::string>{"A-1", "A-2"});
  CHECK(std::holds_alternative<LedgerVerifyCommand>(line.good({"ledger", "verify"}).command));
  CHECK(std::get<LedgerBackupCommand>(line.good({"ledger", "backup", "b.db"}).command).file == "b.db");
}

TEST_CASE("resolve takes a reference and a word, or all and a word") {
  using Word = ResolveCommand::Word;
  const Line line;
  const auto of = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "resolve");
    return std::get<ResolveCommand>(line.good(words).command);
  };
  CHECK(of({"A", "adopt", "j-1"}).remote_id == "j-1");
  CHECK(of({"A", "adopt", "j-1"}).word == Word::Adopt);
  CHECK(of({"A", "resubmit"}).word == Word::Resubmit);
  CHECK(of({"drop", "drop"}).ref == "drop");
  CHECK(of({"--all", "resubmit"}).all);
  CHECK(of({"--all", "drop", "--yes"}).yes);
  CHECK(of({"A", "drop", "--kind", "iacrea.auto", "--account", "main"}).kind == "iacrea.auto");
  CHECK(of({"A", "drop", "--account", "main"}).account == "main");
  struct Case {
    std::vector<std::string> words;
    const char* message;
  };
  const std::vector<Case> cases = {
      {{"resolve"}, "REF adopt ID | REF resubmit | REF drop is missing"},
      {{"resolve", "A"}, "'A': say adopt ID, resubmit or drop"},
      {{"resolve", "A", "adop", "x"}, "'adop' is not adopt, resubmit or drop (did you mean 'adopt'?)"},
      {{"resolve", "A", "adopt"}, "adopt: say the job ID that the service shows"},
      {{"resolve", "A", "drop", "x"}, "unexpected argument 'x'"},
      {{"resolve", "--all", "A", "drop"}, "'A' is not adopt, resubmit or drop"},
      {{"resolve", "--all", "adopt"}, "--all goes with resubmit or drop: every job has its own ID"},
      {{"resolve", "", "drop"}, "REF is empty: give the row's id"},
      {{"resolve", "A", "drop", "--kind", "iacrea.aut"},
       "--kind: there is no kind 'iacrea.aut' (did you mean "
       "'iacrea.auto'?)"}};
  for (const Case& c : cases) {
    CAPTURE(c.message);
    CHECK(line.bad(c.words) == hinted("resolve", c.message));
  }
}

TEST_CASE("the sandbox command reads no configuration and no environment") {
  Line line;
  line.folder.write("reelbatch.yaml", "nonsense: 1\n");
  line.environment = {{"REELBATCH_RATE", "x"}};
  const auto of = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "sandbox");
    return std::get<SandboxCommand>(line.good(words).command);
  };
  const SandboxCommand usual = of({});
  CHECK(usual.port == 8080);
  CHECK(usual.speed == 60);
  CHECK(usual.credits == Credits::whole(1000));
  CHECK_FALSE(usual.seed);
  CHECK(usual.rate.empty());
  const SandboxCommand all = of({"--port",
                                 "0",
                                 "--speed",
                                 "0.5",
                                 "--state",
                                 "s.jsonl",
                                 "--rate",
                                 "5/1s",
                                 "--rate",
                                 "50/1m",
                                 "--fault",
                                 "a=1",
                                 "--fault",
                                 "b,c",
                                 "--credits",
                                 "7.5",
                                 "--seed",
                                 "18446744073709551615",
                                 "--used-per-job",
                                 "-v",
                                 "--key",
                                 "k",
                                 "--late",
                                 "90s",
                                 "--failures",
                                 "0.25",
                                 "--refunds",
                                 "--stuck",
                                 "0.125",
                                 "--rejections",
                                 "0.5"});
  CHECK(all.late == std::chrono::seconds(90));
  CHECK(all.failures == 0.25);
  CHECK(all.rejections == 0.5);
  CHECK(all.stuck == 0.125);
  CHECK(all.refunds);
  CHECK(usual.late == Duration());
  CHECK(usual.failures == 0);
  CHECK_FALSE(usual.refunds);
  CHECK(all.port == 0);
  CHECK(all.speed == 0.5);
  CHECK(all.state == "s.jsonl");
  CHECK(all.rate == windows("5/1s 50/1m"));
  CHECK(all.faults == std::vector<std::string>{"a=1", "b,c"});
  CHECK(all.credits == Credits{7500});
  CHECK(all.seed == 18446744073709551615ULL);
  CHECK(all.used_per_job);
  CHECK(all.verbose);
  CHECK(all.key == "k");
  struct Case {
    const char* flag;
    const char* value;
    const char* message;
  };
  const std::vector<Case> cases = {{"--port", "65536", "--port: '65536' is no whole number from 0 to 65535"},
                                   {"--failures", "1.1", "--failures: '1.1' is no share from 0 to 1"},
                                   {"--rejections", "x", "--rejections: 'x' is no share from 0 to 1"},
                                   {"--speed", "0", "--speed: '0' is no number of more than 0 and at most 1000000"},
                                   {"--speed", "nan", "--speed: 'nan' is no number of more than 0 and at most 1000000"},
                                   {"--speed", "2x", "--speed: '2x' is no number of more than 0 and at most 1000000"},
                                   {"--seed", "-1", "--seed: '-1' is no whole number from 0 up"},
                                   {"--rate", "5",
                                    "--rate: '5' is no rate: write most requests and the time they may "
                                    "come in, such as 10/1s"},
                                   {"--credits", "-1", "--credits: '-1' is less than 0"}};
  for (const Case& c : cases) CHECK(line.bad({"sandbox", c.flag, c.value}) == hinted("sandbox", c.message));
}

TEST_CASE("slips in options and commands get a suggestion") {
  const Line line;
  struct Case {
    std::vector<std::string> words;
    std::string message;
  };
  const std::string top = "\ntry 'reelbatch --help'\n";
  const std::vector<Case> cases = {
      {{"run", "m.csv", "--rat=3"}, hinted("run", "unknown option '--rat' (did you mean '--rate'?)")},
      {{"run", "m.csv", "--poll-intervall=3s"},
       hinted("run", "unknown option '--poll-intervall' (did you mean '--poll-interval'?)")},
      {{"run", "m.csv", "--max-credit", "3", "--zzz"},
       "reelbatch run: unknown option '--max-credit' (did you mean '--max-credits'?)\n" +
           hinted("run", "unknown option '--zzz'")},
      {{"run", "m.csv", "-z"}, hinted("run", "unknown option '-z'")},
      {{"status", "--rate=1/1s"}, hinted("status", "option '--rate' is not one of this command")},
      {{"report", "x"}, hinted("report", "unexpected argument 'x'")},
      {{"run"}, hinted("run", "MANIFEST... is missing")},
      {{"check"}, hinted("check", "MANIFEST... is missing")},
      {{"run", "m.csv", "--rate"}, hinted("run", "--rate: it needs a value")},
      {{"ledger", "backup"}, hinted("ledger backup", "FILE is missing")},
      {{"ledger", "backup", "a", "b"}, hinted("ledger backup", "unexpected argument 'b'")},
      {{"plan", "m.csv", "-o", "p.csv"}, hinted("plan", "--output: 'p.csv': a plan is written as .json")},
      {{"resume", "--run", ""}, hinted("resume", "--run: empty: give the id of a run")},
      {{"rnu", "m.csv"}, "reelbatch: unknown command 'rnu' (did you mean 'run'?)" + top},
      {{"sandbx"}, "reelbatch: unknown command 'sandbx' (did you mean 'sandbox'?)" + top},
      {{"frobnicate"}, "reelbatch: unknown command 'frobnicate'" + top},
      {{"m.csv"}, "reelbatch: unknown command 'm.csv': to make its videos write reelbatch run m.csv" + top},
      {{"--rate", "3/1s", "run", "m.csv"},
       "reelbatch: '--rate' comes before the command: write reelbatch COMMAND --rate" + top}};
  for (const Case& c : cases) CHECK(line.bad(c.words) == c.message);
  CHECK(line.bad({"run", "m.csv", "--max-credit", "3"}).find("'--max-credits'") != std::string::npos);
  CHECK(line.bad({"ledger", "verfy"}).starts_with("reelbatch ledger: unknown command 'verfy'\n"));
  CHECK(line.bad({"ledger"}).starts_with("Usage:\n"));
  CHECK(line.bad({}) == top_help());
}

TEST_CASE("nothing is written over what is read") {
  Line line;
  const std::string here = line.folder.path().string();
  const std::string manifest = line.folder.write("m.csv", "id\n");
  struct Case {
    std::vector<std::string> words;
    const char* what;
  };
  const std::vector<Case> cases = {
      {{"run", manifest, "-o", here + "/x/../m.csv"}, "a manifest"},
      {{"run", manifest, "-o", here + "/l.csv", "--ledger", here + "/l.csv"}, "the ledger"},
      {{"report", "-o", here + "/l.json", "--log-file", here + "/l.json"}, "the log"},
      {{"plan", here + "/p.json", "-o", here + "/p.json"}, "a manifest"},
      {{"ledger", "backup", here + "/l.db", "--ledger", here + "/l.db"}, "the ledger"}};
  for (const Case& c : cases) {
    CAPTURE(c.what);
    CHECK(line.bad(c.words).find(std::string("' would be written over ") + c.what + ": choose another file\n") !=
          std::string::npos);
  }
  CHECK(line.bad({"run", "m.csv", "-o", "a.csv", "-o", "./a.csv"}) == "--output: './a.csv' is given twice\n");
  CHECK(line.parse({"check", "results.csv"}));
}

TEST_CASE("help and version read no file and fit a terminal") {
  Line line;
  line.folder.write("reelbatch.yaml", "nonsense: [\n");
  const auto shown = [&](const std::vector<std::string>& words) {
    const auto parsed = line.parse(words);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == 0);
    CHECK(parsed.error().err.empty());
    return parsed.error().out;
  };
  CHECK(shown({"--version"}).starts_with("reelbatch "));
  CHECK(shown({"--help"}) == top_help());
  CHECK(shown({"-h"}) == top_help());
  CHECK(width(top_help()) < 80);
  for (const CommandSpec& command : all_commands()) {
    CAPTURE(command.name);
    CHECK(top_help().find("  " + std::string(command.name) + " ") != std::string::npos);
    std::vector<std::string> words;
    std::istringstream in{std::string(command.name)};
    for (std::string word; in >> word;) words.push_back(word);
    std::vector<std::string> help_first = words;
    help_first.insert(help_first.begin(), "help");
    CHECK(shown(help_first) == command_help(command));
    words.push_back("--help");
    const std::string help = shown(words);
    CHECK(help == command_help(command));
    CHECK(width(help) < 80);
    for (const Setting& setting : all_settings()) {
      const bool named = help.find("--" + std::string(setting.name) + " ") != std::string::npos;
      if (command.bit != 0 && (setting.commands & command.bit) != 0) CHECK(named);
    }
  }
  CHECK(shown({"ledger", "--help"}) == group_help("ledger"));
  CHECK(shown({"run", "--frob", "--help"}) == command_help(*find_command("run")));
}

}  // namespace reelbatch

namespace reelbatch {
namespace {

TEST_CASE("credits: what it is asked by, from when to when, and how it is shown") {
  Line line;
  const auto command = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "credits");
    const auto parsed = line.parse(words);
    REQUIRE(parsed);
    return std::get<CreditsCommand>(parsed->command);
  };
  CHECK(command({}).query.by == CreditQuery::By::Month);
  CHECK(command({}).format == CreditFormat::Table);
  CHECK_FALSE(command({}).query.since);
  const CreditsCommand given = command(
      {"--by", "label:agency", "--since", "2026-11-01T00:00:00Z", "--until=2026-11-02T00:00:00Z", "--format", "csv"});
  CHECK(given.query.by == CreditQuery::By::Label);
  CHECK(given.query.label == "agency");
  CHECK(to_rfc3339(*given.query.since) == "2026-11-01T00:00:00Z");
  CHECK(to_rfc3339(*given.query.until) == "2026-11-02T00:00:00Z");
  CHECK(given.format == CreditFormat::Csv);
  CHECK(command({"--format", "json"}).format == CreditFormat::Json);
  const std::pair<std::vector<std::string>, const char*> wrong[] = {
      {{"--by", "mounth"}, "did you mean 'month'?"}, {{"--by", "label:"}, "label:NAME"},
      {{"--by", ""}, "is not one of day"},           {{"--since", "1.11.2026"}, "is no date"},
      {{"--format", "jsn"}, "did you mean 'json'?"}, {{"--since", "2026-11-02", "--until", "2026-11-01"}, "not after"},
      {{"m.csv"}, "unexpected argument 'm.csv'"}};
  for (const auto& [words, message] : wrong) {
    CAPTURE(message);
    std::vector<std::string> all = {"credits"};
    all.insert(all.end(), words.begin(), words.end());
    const auto parsed = line.parse(all);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == 2);
    CHECK(parsed.error().err.find(message) != std::string::npos);
  }
  CHECK(line.parse({"credits", "--since", "2026-11-01", "--until", "2026-11-01"}));

  CHECK(std::get<RunCommand>(line.parse({"run", "--plan", "plan.json"})->command).plan_file == "plan.json");
  CHECK(std::get<RunCommand>(line.parse({"run", "m.csv", "--plan=plan.json"})->command).plan_file == "plan.json");
  CHECK_FALSE(line.parse({"run", "--plan", ""}));
  CHECK_FALSE(line.parse({"run", "m.csv", "--plan", "results.csv"}));
}

}  // namespace
}  // namespace reelbatch
