// Big catalogues for the benchmark, and what one pass over them costs at least.
//
//   catalogue write ROWS FILE             so many listings, 600 bytes each on average: .csv, .jsonl or .yaml
//   catalogue pass FILE                   reads it and looks for its line ends: the bound for every reader
//   catalogue events FILE                 a pass of yaml-cpp over it that makes nothing of its events: the bound for
//   YAML catalogue finish FILE LEDGER ORIGIN   a ledger in which every listing of the file has its video, without a
//   request
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "jobs/json_quote.h"
#include "jobs/registry.h"
#include "jobs/seeded_random.h"
#include "runner/intake.h"
#include "runner/sqlite_ledger.h"

namespace reelbatch {
namespace {

constexpr std::size_t kRowBytes = 600;
constexpr std::size_t kStepsAtOnce = 10'000;
constexpr const char* kAccount = "main";

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "catalogue: {}\n", why);
  std::exit(1);
}

template <typename T>
T must(Result<T> result) {
  if (!result) give_up(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// ---- write ----------------------------------------------------------------------------------------------------------

/// Words of agencies, some beyond ASCII.
constexpr std::array<std::string_view, 24> kWords = {
    "bright",  "apartment", "with",    "a",       "terrace", "facing", "south,",   "quiet",
    "street,", "kitchen",   "équipée", "lumière", "balcony", "cellar", "elevator", "renovated",
    "in",      "2021,",     "near",    "schools", "and",     "shops",  "parking",  "énergie",
};
constexpr std::array<std::string_view, 6> kCities = {"Lyon 3e",       "Villeurbanne", "Nice",
                                                     "Saint-Étienne", "Brest",        "Pau"};

struct Listing {
  std::string id, description, format, agency;
  std::string_view city;
  std::vector<std::string> images, colors;
  std::uint64_t price = 0, surface = 0;
};

Listing draw_listing(std::uint64_t number, SeededRandom& random) {
  Listing listing;
  listing.id = fmt::format("AG{:02}-{:07}", number % 40, number);
  const std::uint64_t images = 2 + random.below(3);
  std::size_t size = listing.id.size() + 50;
  for (std::uint64_t image = 1; image <= images; ++image) {
    listing.images.push_back(fmt::format("https://photos.example.com/listings/{}/{:02}-{:08x}.jpg", listing.id, image,
                                         random.below(0xffffffff)));
    size += listing.images.back().size() + 1;
  }
  if (number % 3 == 0) listing.format = "portrait";
  if (number % 5 == 0) listing.colors = {"#1a1a2e", "#ffffff"};
  listing.agency = fmt::format("Agence {}, centre", number % 40);
  listing.city = kCities[number % kCities.size()];
  listing.price = 150'000 + random.below(900) * 1000;
  listing.surface = 20 + random.below(180);
  if (number % 10 == 0) listing.description = "\"Coup de cœur\" ";
  // A description fills the row, more or less, so that rows differ in length and have `kRowBytes` on average.
  const std::size_t wanted = kRowBytes - 33 + random.below(61) - size;
  bool first = true;
  while (listing.description.size() < wanted) {
    if (!first) listing.description += number % 50 == 0 && random.below(8) == 0 ? '\n' : ' ';
    first = false;
    listing.description += kWords[random.below(kWords.size())];
  }
  return listing;
}

std::string as_csv(const Listing& listing) {
  std::string description;
  for (const char c : listing.description) description += c == '"' ? std::string("\"\"") : std::string(1, c);
  return fmt::format("{},{},\"{}\",{},{},\"{}\",{},{},{}\n", listing.id, fmt::join(listing.images, "|"), description,
                     listing.format, fmt::join(listing.colors, "|"), listing.agency, listing.city, listing.price,
                     listing.surface);
}

std::string as_json(const Listing& listing) {
  std::string row = fmt::format("{{\"id\":{},\"image_urls\":[\"{}\"],\"description\":{}", json_quote(listing.id),
                                fmt::join(listing.images, "\",\""), json_quote(listing.description));
  if (!listing.format.empty()) row += fmt::format(",\"format\":{}", json_quote(listing.format));
  if (!listing.colors.empty()) row += fmt::format(",\"colors\":[\"{}\"]", fmt::join(listing.colors, "\",\""));
  return row + fmt::format(",\"agency\":{},\"city\":{},\"price\":{},\"surface\":{}}}\n", json_quote(listing.agency),
                           json_quote(listing.city), listing.price, listing.surface);
}

/// As people and programs write it: blocks, quotes where they are needed.
std::string as_yaml(const Listing& listing) {
  std::string row = fmt::format("- id: {}\n  image_urls:\n", listing.id);
  for (const std::string& image : listing.images) row += fmt::format("    - {}\n", image);
  row += fmt::format("  description: {}\n", json_quote(listing.description));
  if (!listing.format.empty()) row += fmt::format("  format: {}\n", listing.format);
  if (!listing.colors.empty()) row += fmt::format("  colors: ['{}']\n", fmt::join(listing.colors, "', '"));
  return row + fmt::format("  agency: {}\n  city: {}\n  price: {}\n  surface: {}\n", listing.agency, listing.city,
                           listing.price, listing.surface);
}

void write_catalogue(std::uint64_t rows, const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "we"), &std::fclose);
  if (!file) give_up(fmt::format("cannot write {}", path));
  SeededRandom random(1);
  const bool json = path.ends_with(".jsonl"), yaml = path.ends_with(".yaml");
  if (yaml) std::fputs("jobs:\n", file.get());
  if (!json && !yaml) std::fputs("id,image_urls,description,format,colors,agency,city,price,surface\n", file.get());
  for (std::uint64_t number = 1; number <= rows; ++number) {
    const Listing listing = draw_listing(number, random);
    std::fputs((json ? as_json(listing) : yaml ? as_yaml(listing) : as_csv(listing)).c_str(), file.get());
  }
}

// ---- events ---------------------------------------------------------------------------------------------------------

/// Counts, so that nothing is left out as unused.
class EventCounter final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override { ++count_; }
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override { ++count_; }
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override { ++count_; }
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    ++count_;
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    ++count_;
  }
  void OnMapEnd() override {}
  std::uint64_t count() const { return count_; }

 private:
  std::uint64_t count_ = 0;
};

void pass_events(const char* path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) give_up(fmt::format("cannot read {}", path));
  YAML::Parser parser(in);
  EventCounter counter;
  while (parser.HandleNextDocument(counter)) {
  }
  fmt::print("{} events\n", counter.count());
}

// ---- pass -----------------------------------------------------------------------------------------------------------

void pass(const char* path) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) give_up(fmt::format("cannot read {}", path));
  std::vector<char> block(std::size_t{1} << 18U);
  std::uint64_t lines = 0;
  for (;;) {
    const ssize_t taken = ::read(fd, block.data(), block.size());
    if (taken <= 0) break;
    const char* at = block.data();
    const char* end = at + taken;
    while (at < end) {
      const void* found = std::memchr(at, '\n', static_cast<std::size_t>(end - at));
      if (found == nullptr) break;
      ++lines;
      at = static_cast<const char*>(found) + 1;
    }
  }
  ::close(fd);
  fmt::print("{} lines\n", lines);
}

// ---- finish ---------------------------------------------------------------------------------------------------------

Step step_of(JobId job, State from, Event event, WallTime at) {
  Step step;
  step.job = job;
  step.from = from;
  step.event = event;
  step.at = at;
  return step;
}

/// Each job is submitted, accepted, seen once and finished, as the loop would have it.
void finish_rows(Ledger& ledger, AccountId account, const RunRecord& run) {
  const WallTime start = run.started_at;
  RowNumber read_up_to = 0;
  for (;;) {
    const std::vector<PlannedRow> rows = must(ledger.planned_rows(run.id, kAccount, read_up_to, kStepsAtOnce));
    if (rows.empty()) return;
    Commit intents, accepted, finished;
    intents.run = accepted.run = finished.run = run.id;
    for (const PlannedRow& row : rows) {
      read_up_to = row.number;
      const WallTime at = start + std::chrono::milliseconds(row.number * 700);
      Intent intent;
      intent.job = ledger.next_job_id();
      intent.row = row.number;
      intent.listing = row.listing;
      intent.content = row.content;
      intent.at = at;
      intents.intents.push_back(intent);
      Step accept = step_of(intent.job, State::Submitting, Event::Accept, at + std::chrono::milliseconds(300));
      accept.remote_id =
          fmt::format("{:08x}-4f2a-4c1b-9d3e-{:012x}", intent.job * 2654435761U % 0xffffffffU, intent.job);
      Step finish = step_of(intent.job, State::InFlight, Event::Finish, at + std::chrono::milliseconds(185'000));
      finish.url = fmt::format("https://videos.example.com/renders/{}.mp4", accept.remote_id);
      finish.polls = 60;
      CreditSeen seen{account, intent.job, finish.at, {}, Credits::whole(3)};
      seen.figures.used = Credits::whole(3);
      seen.figures.remaining = Credits::whole(5'000'000 - 3 * row.number);
      accepted.steps.push_back(std::move(accept));
      finished.steps.push_back(std::move(finish));
      finished.credits.push_back(seen);
    }
    for (const Commit* commit : {&intents, &accepted, &finished}) must(ledger.commit(*commit));
  }
}

void finish_catalogue(const std::string& path, const std::string& ledger_path, const std::string& origin) {
  Options options;
  options.manifests = {path};
  const JobKind& kind = default_kind();
  AccountOptions account;
  account.name = kAccount;
  account.service = find_service(kind.service());
  options.accounts = {account};
  std::unique_ptr<SqliteLedger> ledger = must(SqliteLedger::open(ledger_path, SqliteLedger::Mode::Write));
  AccountRecord record{0, kAccount, std::string(kind.service()), origin, "job", "stated by the benchmark"};
  RunRecord run;
  run.uid = "20261101T020000Z-0001";
  run.started_at = WallTime(std::chrono::milliseconds(1'793'498'400'000));
  const auto bind = [&](const std::string&) -> Result<AccountId> {
    if (record.id != 0) return record.id;
    if (Result<void> put = ledger->put_account(record); !put) return tl::unexpected(put.error());
    return record.id;
  };
  must(take_in(*ledger, options, bind, run, [](const Remark& remark) { fmt::print(stderr, "{}\n", remark.text()); }));
  finish_rows(*ledger, record.id, run);
  run.finished_at = run.started_at + std::chrono::hours(24 * 9);
  run.exit_code = 0;
  const std::vector<AccountId> accounts = {record.id};
  must(ledger->end_run(run, accounts, {}, options.keep_runs));
}

}  // namespace
}  // namespace reelbatch

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 3 && words[0] == "write") {
    reelbatch::write_catalogue(std::strtoull(argv[2], nullptr, 10), argv[3]);
  } else if (words.size() == 2 && words[0] == "pass") {
    reelbatch::pass(argv[2]);
  } else if (words.size() == 2 && words[0] == "events") {
    reelbatch::pass_events(argv[2]);
  } else if (words.size() == 4 && words[0] == "finish") {
    reelbatch::finish_catalogue(words[1], words[2], words[3]);
  } else {
    reelbatch::give_up("write ROWS FILE | pass FILE | events FILE | finish FILE LEDGER ORIGIN");
  }
}
