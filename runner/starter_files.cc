#include "runner/starter_files.h"

#include <fmt/format.h>

#include "jobs/registry.h"

namespace reelbatch {
namespace {

constexpr std::string_view kBeforeAccounts =
    R"yaml(## Configuration of reelbatch: found in the folder in which it is started, or named
## with --config. Every part is optional. Lines with one # are what holds without
## them, or examples: take the # away to change something.

## The record of everything that was paid for. Keep it: it is what stands between
## you and paying again. must_exist makes a missing one an error, not a new start.
ledger:
  path: reelbatch.db
#  must_exist: true
#  keep_runs: 30                   ## whose rows are kept; what was paid for always is

## The ending decides the format: .csv, .json, .jsonl, .html, .xml (JUnit), .prom.
outputs: [results.csv]

## Also fetches each finished video into this folder.
#download: videos

## Prefixes ids, so that feeds that number alike can share a ledger. What was paid
## for belongs to it: choose it before the first run.
#catalogue: lyon

## A video belongs to its account, by its name: do not rename one that has paid.
## The manifest's column 'account' names one; the first of a service is its default.
accounts:
)yaml";

constexpr std::string_view kAfterAccounts = R"yaml(
## How a manifest is read: 'reelbatch check --mapping FILE' shows it.
manifest:
  preset: auto
#  map: {id: Reference, description: Texte, image_urls: photo_*}
#  labels: [agency, city]           ## the columns carried to the results; all others if not given
#  defaults: {format: portrait}
#  ignore: ['image_urls?']          ## what does not count as a change
#  min_rows: 100                    ## fewer: stop before anything is submitted

#polling: {interval: 3s, job_timeout: 20m, give_up_after: 7d}
#retry_limit: 3                    ## of --retry-failed, in all nights together

## Any option of 'reelbatch run --help' can stand here, with _ for -.
#outage_timeout: 15m
#log_level: info
)yaml";

constexpr std::string_view kManifest = R"csv(id,image_urls,description,format,agency
EXAMPLE-1,https://images.example.com/1/front.jpg|https://images.example.com/1/garden.jpg,"A bright house with four rooms and a garden, ten minutes from the station.",landscape,North
EXAMPLE-2,https://images.example.com/2/living-room.jpg|https://images.example.com/2/view.jpg,"A flat on the fifth floor: two rooms, a balcony, and a view of the river.",portrait,South
)csv";

/// What an account may say beyond its service and its keys.
std::string account_settings(const ServiceSpec& service) {
  return fmt::format(R"yaml(#    base_url: {}
#    rate: [10/1s]                  ## most requests of any kind in any such time
#    submit_rate: [1/1s]            ## most submissions
#    max_in_flight: 20
#    credits: auto                  ## what credits used means: job, account, or auto to find out
#    max_price: {{{}: 5}}    ## what a job reserves of a budget
#    hold_limit: 5                  ## submissions of unknown outcome in a row, then no more in this run
#    budget: {{run: 200, day: 500, month: 5000, keep: 20, mode: hard}}
)yaml",
                     service.base_url, default_kind().name());
}

/// The service of the default kind as it is used, the others to be taken into use.
std::string accounts() {
  std::string used, others;
  for (const ServiceSpec& service : all_services()) {
    const bool is_default = service.name == default_kind().service();
    std::string& out = is_default ? used : others;
    const std::string_view mark = is_default ? "" : "#";
    out += fmt::format("{0}  {1}:\n{0}    service: {1}\n", mark, service.name);
    for (const CredentialSpec& credential : service.credentials) {
      out += fmt::format("{}    {}: {{env: {}}}{}\n", mark, credential.name, credential.env,
                         is_default ? "     ## or {file: /etc/reelbatch/key}, {command: pass show key}" : "");
    }
    if (is_default) out += account_settings(service);
  }
  return used + others;
}

}  // namespace

std::string starter_config() {
  return fmt::format("{}{}{}", kBeforeAccounts, accounts(), kAfterAccounts);
}

std::string_view starter_manifest() {
  return kManifest;
}

}  // namespace reelbatch
