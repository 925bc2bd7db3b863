#include "runner/config.h"

#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <vector>

#include "runner/durations.h"
#include "tests/scoped_folder.h"

namespace reelbatch {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const WallTime kNow = *parse_deadline("2026-11-21T12:00:00Z", WallTime{}).value().at;

Result<Config> read_text(const std::string& text, const std::string& path = "reelbatch.yaml") {
  std::istringstream in(text);
  return read_config(in, path, kNow);
}

Config good(const std::string& text) {
  const Result<Config> config = read_text(text);
  REQUIRE_MESSAGE(config.has_value(), (config ? "" : config.error().message));
  return *config;
}

std::string bad(const std::string& text) {
  const Result<Config> config = read_text(text);
  if (config) return "(no error)";
  CHECK(config.error().fault == Fault::Usage);
  return config.error().message;
}

std::vector<RateWindow> windows(const char* text) {
  return *parse_rate_windows(text);
}

}  // namespace

TEST_CASE("an empty configuration leaves the defaults") {
  for (const char* text : {"", "# nothing\n", "accounts:\nmanifest:\npolling:\nledger:\n", "{}"}) {
    CAPTURE(text);
    const Config config = good(text);
    CHECK(config.options.config_file == "reelbatch.yaml");
    CHECK(config.options.ledger == "reelbatch.db");
    CHECK(config.options.poll_interval == seconds(3));
    CHECK(config.options.outputs.empty());
    CHECK(config.accounts.empty());
    CHECK_FALSE(config.pace.rate);
  }
}

TEST_CASE("the configuration of the documentation is read whole") {
  const Config config = good(R"(
ledger: {path: reelbatch.db, must_exist: true, keep_runs: 31}
catalogue: lyon
outputs: [results.csv, results.json]
accounts:
  main:
    service: iacrea
    base_url: https://iacrea.com/
    key: {env: MY_KEY}
    rate: [10/1s, 300/1m]
    submit_rate: [2/1s]
    max_in_flight: 21
    credits: account
    max_price: {iacrea.auto: 5.5}
    not_taken: [503, 500]
    hold_limit: 6
    budget: {run: 200, day: 500, month: 5000, keep: 20, mode: cautious, "label:agency": {Lyon: {month: 1000}, Nice: {run: 1, day: 2.5}}}
  iacrea: {}
manifest:
  preset: auto
  map: {id: Reference, description: Texte, image_urls: photo_*, displayLogo: "#12"}
  labels: [agency, city]
  defaults: {format: portrait, kind: iacrea.auto, colors: [red, blue]}
polling: {interval: 4s, job_timeout: 21m, give_up_after: 8d}
retry_limit: 4
repair: {after: 90s, times: 2}
)");
  const Options& options = config.options;
  CHECK(options.ledger == "reelbatch.db");
  CHECK(options.ledger_must_exist);
  CHECK(options.keep_runs == 31);
  CHECK(options.catalogue == "lyon");
  CHECK(options.outputs == std::vector<std::string>{"results.csv", "results.json"});
  CHECK(options.poll_interval == seconds(4));
  CHECK(options.job_timeout == minutes(21));
  CHECK(options.give_up_after == hours(8 * 24));
  CHECK(options.retry_limit == 4);
  CHECK(options.repair.after == seconds(90));
  CHECK(options.repair.times == 2);
  CHECK(options.manifest.map ==
        std::map<std::string, std::string>{
            {"id", "Reference"}, {"description", "Texte"}, {"image_urls", "photo_*"}, {"displayLogo", "#12"}});
  CHECK(options.manifest.labels == std::vector<std::string>{"agency", "city"});
  CHECK(options.manifest.defaults.at("format") == RawValue{RawValue::Form::Text, "portrait"});
  CHECK(options.manifest.defaults.at("colors") == RawValue{RawValue::Form::Json, R"(["red","blue"])"});

  REQUIRE(config.accounts.size() == 2);
  const AccountConfig& main = config.accounts[0];
  CHECK(main.options.name == "main");
  CHECK(main.options.service->name == "iacrea");
  CHECK(main.options.service_stated);
  CHECK(main.options.base_url == "https://iacrea.com");
  CHECK(main.options.keys.at("key").where == "MY_KEY");
  CHECK(main.pace.rate == windows("10/1s 300/1m"));
  CHECK(main.pace.submit_rate == windows("2/1s"));
  CHECK(main.pace.max_in_flight == 21);
  CHECK(main.options.credits == CreditMeaning::Account);
  CHECK(main.options.max_price.at("iacrea.auto") == Credits{5500});
  CHECK(main.options.not_taken == std::vector<int>{503, 500});
  CHECK(main.options.hold_limit == 6);
  const Budget& budget = main.options.budget;
  CHECK(budget.mode == Budget::Mode::Cautious);
  CHECK(budget.run == Credits::whole(200));
  CHECK(budget.day == Credits::whole(500));
  CHECK(budget.month == Credits::whole(5000));
  CHECK(budget.keep == Credits::whole(20));
  REQUIRE(budget.labels.size() == 2);
  CHECK(budget.labels[0].label == "agency");
  CHECK(budget.labels[0].value == "Lyon");
  CHECK(budget.labels[0].month == Credits::whole(1000));
  CHECK_FALSE(budget.labels[0].run);
  CHECK(budget.labels[1].value == "Nice");
  CHECK(budget.labels[1].day == Credits{2500});

  CHECK(config.accounts[1].options.service->name == "iacrea");
  CHECK_FALSE(config.accounts[1].options.service_stated);
}

TEST_CASE("every option is a key at the top") {
  const Config config = good(R"(
ledger: a.db
output: b.json
map: {id: Ref}
limit: 7
only: [A, "B 2"]
on_change: skip
retry_failed: yes
allow_mass_change: true
max_credits: 12.5
rate: 5/1s, 50/1m
submit_rate: 3/1s
max_in_flight: 9
poll_interval: 5s
max_connections: 64
deadline: 5h
job_timeout: 30m
outage_timeout: 10m
request_timeout: 45s
wait: 1m
progress: json
quiet: true
log_level: debug
log_file: c.log
ca_file: d.pem
)");
  const Options& options = config.options;
  CHECK(options.ledger == "a.db");
  CHECK(options.outputs == std::vector<std::string>{"b.json"});
  CHECK(options.manifest.map.at("id") == "Ref");
  CHECK(options.limit == 7);
  CHECK(options.only == std::vector<std::string>{"A", "B 2"});
  CHECK(options.on_change == OnChange::Skip);
  CHECK(options.retry_failed);
  CHECK(options.allow_mass_change);
  CHECK(options.max_credits == Credits{12500});
  CHECK(config.pace.rate == windows("5/1s 50/1m"));
  CHECK(config.pace.submit_rate == windows("3/1s"));
  CHECK(config.pace.max_in_flight == 9);
  CHECK(options.poll_interval == seconds(5));
  CHECK(options.max_connections == 64);
  CHECK(options.deadline->after == hours(5));
  CHECK(options.job_timeout == minutes(30));
  CHECK(options.outage_timeout == minutes(10));
  CHECK(options.request_timeout == seconds(45));
  CHECK(options.wait == minutes(1));
  CHECK(options.progress == ProgressStyle::Json);
  CHECK(options.quiet);
  CHECK(options.log_level == LogLevel::Debug);
  CHECK(options.log_file == "c.log");
  CHECK(options.ca_file == "d.pem");
}

TEST_CASE("no setting is missing from the configuration") {
  for (const Setting& setting : all_settings()) {
    CAPTURE(setting.name);
    // A map is no value for any of them, and an unknown key would say so.
    if (setting.name == "map" || setting.name == "ledger") continue;
    CHECK(bad(setting.key() + ": {a: {b: c}}\n").find(setting.key() + ": expected ") != std::string::npos);
  }
}

TEST_CASE("relative paths are relative to the configuration") {
  const Result<Config> config = read_text(R"(
ledger: {path: a.db}
outputs: [b.csv, /tmp/c.json]
log_file: d.log
ca_file: ../e.pem
accounts:
  one: {service: iacrea, key: {file: keys/f}}
  two: {service: iacrea, key: {file: /etc/g}}
)",
                                          "conf/sub/reelbatch.yaml");
  REQUIRE(config);
  CHECK(config->options.ledger == "conf/sub/a.db");
  CHECK(config->options.outputs == std::vector<std::string>{"conf/sub/b.csv", "/tmp/c.json"});
  CHECK(config->options.log_file == "conf/sub/d.log");
  CHECK(config->options.ca_file == "conf/sub/../e.pem");
  CHECK(config->accounts[0].options.keys.at("key").where == "conf/sub/keys/f");
  CHECK(config->accounts[1].options.keys.at("key").where == "/etc/g");
  CHECK(config->accounts[1].options.keys.at("key").from == KeySource::From::File);
}

TEST_CASE("labels may be none, which is not the same as all") {
  CHECK_FALSE(good("").options.manifest.labels);
  CHECK(good("manifest: {labels: []}").options.manifest.labels->empty());
  CHECK(good("manifest: {labels: city}").options.manifest.labels == std::vector<std::string>{"city"});
}

TEST_CASE("a mistake is named with its place and what would be right") {
  struct Case {
    const char* text;
    const char* message;
  };
  const std::vector<Case> cases = {
      {"rat: 10/1s\n", "reelbatch.yaml:1:1: unknown key 'rat' (did you mean 'rate'?)"},
      {"poll-interval: 3s\n", "reelbatch.yaml:1:1: unknown key 'poll-interval' (did you mean 'poll_interval'?)"},
      {"poll_interval: 3\n",
       "reelbatch.yaml:1:16: poll_interval: '3' is no duration: write a whole number and a unit, such as 100ms, 3s, "
       "20m, 5h or 7d"},
      {"poll_interval: 0s\n", "reelbatch.yaml:1:16: poll_interval: '0s' is too short: write more than 0"},
      {"poll_interval:\n", "reelbatch.yaml:1:1: poll_interval: has no value: give a value, or remove the key"},
      {"poll_interval: [3s]\n", "reelbatch.yaml:1:16: poll_interval: expected a value, got a list"},
      {"retry_failed: maybe\n", "reelbatch.yaml:1:15: retry_failed: 'maybe' is neither true nor false"},
      {"outputs: []\n", "reelbatch.yaml:1:10: outputs: is an empty list: give a value, or remove the key"},
      {"outputs: [a.csv, ./a.csv]\n", "reelbatch.yaml:1:10: outputs: './a.csv' is given twice"},
      {"outputs: a.txt\n",
       "reelbatch.yaml:1:10: outputs: 'a.txt': the ending decides the format: it must be one of .csv, .json, .jsonl, "
       ".html, .xml, .prom"},
      {"output: a.csv\noutputs: b.csv\n",
       "reelbatch.yaml:2:10: outputs: is the same as output, which is also given: keep one of them"},
      {"poll_interval: 3s\npolling: {interval: 4s}\n",
       "reelbatch.yaml:2:21: polling.interval: is the same as poll_interval, which is also given: keep one of them"},
      {"polling: {intervall: 3s}\n",
       "reelbatch.yaml:1:11: polling: unknown key 'intervall' (did you mean 'interval'?)"},
      {"polling: {give_up_after: 0}\n",
       "reelbatch.yaml:1:26: polling.give_up_after: '0' is too short: write more than 0"},
      {"repair: {aftr: 5m}\n", "reelbatch.yaml:1:10: repair: unknown key 'aftr' (did you mean 'after'?)"},
      {"repair: {after: 0s}\n", "reelbatch.yaml:1:17: repair.after: '0s' is too short: write more than 0"},
      {"repair: {times: 11}\n", "reelbatch.yaml:1:17: repair.times: '11' is no whole number from 0 to 10"},
      {"repair: true\n", "reelbatch.yaml:1:9: repair: expected keys and values, got a single value"},
      {"polling: 3s\n", "reelbatch.yaml:1:10: polling: expected keys and values, got a single value"},
      {"[a]\n", "reelbatch.yaml:1:1: expected keys and values, got a list"},
      {"ledger: {must_exist: 2}\n", "reelbatch.yaml:1:22: ledger.must_exist: '2' is neither true nor false"},
      {"ledger: {keep_runs: 0}\n", "reelbatch.yaml:1:21: ledger.keep_runs: '0' is no whole number from 1 to 1000000"},
      {"ledger: {file: x}\n",
       "reelbatch.yaml:1:10: ledger: unknown key 'file' (known here: path, must_exist, keep_runs)"},
      {"ledger: postgres://x\n",
       "reelbatch.yaml:1:9: ledger: ledgers in a database server are not supported by this version: give a file"},
      {"catalogue: 'a b'\n",
       "reelbatch.yaml:1:12: catalogue: a name has 1 to 64 bytes, without blanks or control characters"},
      {"retry_limit: many\n", "reelbatch.yaml:1:14: retry_limit: 'many' is no whole number from 0 to 1000"},
      {"manifest: {preset: acme}\n",
       "reelbatch.yaml:1:20: manifest.preset: 'acme' is no preset; there are auto, none, meta-home-listings, "
       "google-real-estate, reso, rightmove-blm, poliris, inside-airbnb, woocommerce, shopify, homeharvest"},
      {"manifest: {map: {descripton: x}}\n",
       "reelbatch.yaml:1:30: manifest.map.descripton: no kind has a field 'descripton' (did you mean 'description'?)"},
      {"manifest: {defaults: {id: x}}\n", "reelbatch.yaml:1:27: manifest.defaults.id: no kind has a field 'id'"},
      {"manifest: {defaults: {format: }}\n",
       "reelbatch.yaml:1:23: manifest.defaults.format: has no value: give a value, or remove the key"},
      {"max_credits: -1\n", "reelbatch.yaml:1:14: max_credits: '-1' is less than 0"},
      {"max_credits: lots\n",
       "reelbatch.yaml:1:14: max_credits: 'lots' is no amount of credits: write a number such as 200 or 7.5"},
      {"on_change: never\n", "reelbatch.yaml:1:12: on_change: 'never' is not one of submit, skip"},
      {"media_base: https://m.fr/p?w=1\n",
       "reelbatch.yaml:1:13: media_base: 'https://m.fr/p?w=1' has a query: file names are put behind it, so give the "
       "folder alone, 'https://m.fr/p'"},
      {"media_base: 'https://m.fr/p/#x'\n",
       "reelbatch.yaml:1:13: media_base: 'https://m.fr/p/#x' has a fragment: file names are put behind it, so give the "
       "folder alone, 'https://m.fr/p/'"},
      {"rate: 1/1s\nrate: 2/1s\n", "reelbatch.yaml:2:1: "}};
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const std::string message = bad(c.text);
    // What the YAML reader says of a key given twice is its own affair.
    const bool whole = !std::string(c.message).ends_with(": ");
    CHECK((whole ? message : message.substr(0, std::string(c.message).size())) == c.message);
  }
}

TEST_CASE("a mistake in an account is named too") {
  const std::string place = "accounts: {main: {service: iacrea, ";
  struct Case {
    const char* text;
    const char* message;
  };
  const std::vector<Case> cases = {
      {"base_url: iacrea.com",
       "accounts.main.base_url: 'iacrea.com' is no absolute http or https URL: write one such as https://example.com"},
      {"rates: 10/1s", "accounts.main: unknown key 'rates' (did you mean 'rate'?)"},
      {"rate: 10/s", "accounts.main.rate: '10/s' is no rate: write 10/1s"},
      {"rate: []", "accounts.main.rate: is an empty list: give a rate such as 10/1s, or remove the key"},
      {"max_in_flight: 0", "accounts.main.max_in_flight: '0' is no whole number from 1 to 100000"},
      {"hold_limit: x", "accounts.main.hold_limit: 'x' is no whole number from 1 to 1000"},
      {"credits: jobs", "accounts.main.credits: 'jobs' is not one of auto, job, account"},
      {"max_price: {iacrea.autos: 5}",
       "accounts.main.max_price: unknown key 'iacrea.autos' (did you mean "
       "'iacrea.auto'?)"},
      {"max_price: {iacrea.auto: -5}", "accounts.main.max_price.iacrea.auto: '-5' is less than 0"},
      {"max_price: {iacrea.auto: 0}",
       "accounts.main.max_price.iacrea.auto: 0 would reserve nothing, and no budget would be kept: say what a job "
       "costs "
       "at most, or leave it out"},
      {"not_taken: [429]", "accounts.main.not_taken: '429' is no status from 500 to 599: what others mean is settled"},
      {"budget: {week: 5}", "accounts.main.budget: unknown key 'week' (known here: run, day, month, keep, mode)"},
      {"budget: {run: x}", "accounts.main.budget.run: 'x' is no amount of credits: write a number such as 200 or 7.5"},
      {"budget: {mode: strict}", "accounts.main.budget.mode: 'strict' is not one of hard, soft, cautious"},
      {"budget: {'label:city': {Lyon: {week: 1}}}",
       "accounts.main.budget.label:city.Lyon: unknown key 'week' (known here: run, day, month)"},
      {"budget: {'label:': {Lyon: {run: 1}}}",
       "accounts.main.budget: unknown key 'label:' (known here: run, day, month, keep, mode)"}};
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const std::string message = bad(place + c.text + "}}\n");
    CHECK(message.substr(0, 17) == "reelbatch.yaml:1:");
    const std::size_t named = message.find(": accounts.main");
    REQUIRE(named != std::string::npos);
    CHECK(message.substr(named + 2) == c.message);
  }
  CHECK(bad("accounts: {main: {rate: 1/1s}}\n")
            .starts_with("reelbatch.yaml:1:18: accounts.main: has no service: add 'service:' with one of iacrea"));
  CHECK(bad("accounts: {main: {service: iacre}}\n").find("(did you mean 'iacrea'?)") != std::string::npos);
  CHECK(bad("accounts: {'a/b': {service: iacrea}}\n").find("an account's name has 1 to 64 bytes") != std::string::npos);
}

TEST_CASE("a key that was written into the configuration is never repeated") {
  for (const char* text :
       {"key: s3cret", "key: [s3cret]", "key: {env: 's3cret-s3cret'}", "key: {s3cret: x}", "key: {file: [s3cret]}",
        "key: {env: A, file: s3cret}", "key: {}", "key:", "key: {vault: s3cret}", "key: {file: ''}"}) {
    CAPTURE(text);
    const std::string message = bad(std::string("accounts: {main: {service: iacrea, ") + text + "}}\n");
    CHECK(message.find("accounts.main.key") != std::string::npos);
    CHECK(message.find("s3cret") == std::string::npos);
  }
  CHECK(bad("accounts: {main: {service: iacrea, key: hush}}\n") ==
        "reelbatch.yaml:1:41: accounts.main.key: a key is not written into the configuration: say where it is, "
        "{env: IACREA_API_KEY}, {file: PATH} or {command: COMMAND}");
  CHECK(bad("accounts: {main: {service: iacrea, key: {env: A, file: b}}}\n") ==
        "reelbatch.yaml:1:41: accounts.main.key: names several places for one key: keep one of env, file and command");
  const Config config = good("accounts: {main: {service: iacrea, key: {command: pass show x}}}\n");
  CHECK(config.accounts[0].options.keys.at("key").from == KeySource::From::Command);
  CHECK(config.accounts[0].options.keys.at("key").where == "pass show x");
}

TEST_CASE("every problem is reported at once") {
  CHECK(bad("rat: 1\nlimit: x\naccounts:\n  main: {service: iacrea, rate: x, hold_limit: 0}\nwait: soon\n") ==
        "reelbatch.yaml:1:1: unknown key 'rat' (did you mean 'rate'?)\n"
        "reelbatch.yaml:2:8: limit: 'x' is no whole number from 0 up\n"
        "reelbatch.yaml:4:33: accounts.main.rate: 'x' is no rate: write most requests and the time they may come in, "
        "such as 10/1s\n"
        "reelbatch.yaml:4:48: accounts.main.hold_limit: '0' is no whole number from 1 to 1000\n"
        "reelbatch.yaml:5:7: wait: 'soon' is no duration: write a whole number and a unit, such as 100ms, 3s, 20m, 5h "
        "or 7d");
}

TEST_CASE("a file that cannot be read says why") {
  const ScopedFolder folder;
  const std::string absent = (folder.path() / "no.yaml").string();
  CHECK(read_config_file(absent, kNow).error().message ==
        "cannot open configuration '" + absent + "': No such file or directory");
  const std::string is_folder = folder.path().string();
  CHECK(read_config_file(is_folder, kNow).error().message ==
        "cannot read configuration '" + is_folder + "': it is a folder");
  const std::string broken = folder.write("broken.yaml", "a: [\n");
  CHECK(read_config_file(broken, kNow).error().message.starts_with(broken + ":"));
}

}  // namespace reelbatch
