#include "jobs/credit_evidence.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace reelbatch {
namespace {

using Meaning = CreditEvidence::Meaning;

struct Answer {
  std::int64_t job;
  bool paid;
  std::int64_t sent;
  std::int64_t received;
  std::int64_t remaining;  ///< -1 for none
  std::int64_t used;       ///< -1 for none
};

CreditObservation observation(const Answer& a) {
  CreditObservation seen{std::to_string(a.job), a.paid, a.sent, a.received, {}};
  if (a.remaining >= 0) seen.figures.remaining = Credits::whole(a.remaining);
  if (a.used >= 0) seen.figures.used = Credits::whole(a.used);
  return seen;
}

TEST_CASE("what `used` means") {
  struct Case {
    std::string name;
    std::vector<Answer> answers;
    Meaning meaning;
  };
  const Case cases[] = {
      {"nothing seen", {}, Meaning::Undecided},
      {"one job proves nothing", {{1, true, 0, 1, 49, 1}, {1, false, 2, 3, 48, 2}}, Meaning::Undecided},
      {"lower for a later job", {{1, true, 0, 1, 47, 3}, {2, true, 2, 3, 46, 1}}, Meaning::Job},
      {"lower, without a balance", {{1, true, 0, 1, -1, 3}, {2, true, 2, 3, -1, 1}}, Meaning::Job},
      {"lower to zero", {{1, true, 0, 1, 47, 3}, {2, true, 2, 3, 47, 0}}, Meaning::Job},
      {"lower, but they crossed", {{1, true, 0, 3, 47, 3}, {2, true, 1, 2, 46, 1}}, Meaning::Undecided},
      {"lower, sent as the other came", {{1, true, 0, 2, 47, 3}, {2, true, 2, 3, 46, 1}}, Meaning::Undecided},
      {"lower for the same job", {{1, true, 0, 1, 47, 3}, {1, false, 2, 3, 46, 1}}, Meaning::Undecided},
      {"lower with more left: a refund", {{1, true, 0, 1, 47, 3}, {2, false, 2, 3, 48, 2}}, Meaning::Undecided},
      {"the sum stays", {{1, true, 0, 1, 49, 1}, {2, true, 2, 3, 48, 2}}, Meaning::Account},
      {"the sum stays, by a poll of the later job",
       {{1, true, 0, 1, 49, 1}, {2, true, 2, 3, -1, 2}, {2, false, 4, 5, 47, 3}},
       Meaning::Account},
      {"the sum stays, but they crossed", {{1, true, 0, 3, 49, 1}, {2, true, 1, 4, 48, 2}}, Meaning::Undecided},
      {"the sum stays, but nothing moved", {{1, true, 0, 1, 49, 1}, {2, true, 2, 3, 49, 1}}, Meaning::Undecided},
      {"the sum stays from zero", {{1, true, 0, 1, 50, 0}, {2, true, 2, 3, 49, 1}}, Meaning::Undecided},
      {"the sum changes", {{1, true, 0, 1, 49, 1}, {2, true, 2, 3, 47, 2}}, Meaning::Undecided},
      {"no figures", {{1, true, 0, 1, -1, -1}, {2, true, 2, 3, 48, -1}}, Meaning::Undecided},
      {"the first decision stands",
       {{1, true, 0, 1, 47, 3}, {2, true, 2, 3, 46, 1}, {3, true, 4, 5, 45, 2}},
       Meaning::Job},
      {"one price, and the balance falls by it for three jobs",
       {{1, true, 0, 1, 97, 3}, {2, true, 2, 3, 94, 3}, {3, true, 4, 5, 91, 3}, {4, true, 6, 7, 88, 3}},
       Meaning::Job},
      {"one price, side by side",
       {{1, true, 0, 10, 97, 3},
        {2, true, 1, 11, 94, 3},
        {3, true, 12, 20, 85, 3},
        {4, true, 13, 21, 91, 3},
        {5, true, 14, 22, 88, 3},
        {6, true, 23, 24, 82, 3}},
       Meaning::Job},
      {"one price, two jobs are not enough",
       {{1, true, 0, 1, 97, 3}, {2, true, 2, 3, 94, 3}, {3, true, 4, 5, 91, 3}, {3, false, 6, 7, 91, 3}},
       Meaning::Undecided},
      {"the same figure while others spend: not by that price",
       {{1, true, 0, 1, 97, 3}, {2, true, 2, 3, 95, 3}, {3, true, 4, 5, 93, 3}, {4, true, 6, 7, 92, 3}},
       Meaning::Undecided},
      {"the same figure while more was spent than the jobs that were sent",
       {{1, true, 0, 1, 97, 1}, {2, true, 2, 3, 90, 1}, {3, true, 4, 5, 83, 1}, {4, true, 6, 7, 76, 1}},
       Meaning::Undecided},
      {"the same figure, a balance that stands",
       {{1, true, 0, 1, 97, 3}, {2, true, 2, 3, 97, 3}, {3, true, 4, 5, 97, 3}, {4, true, 6, 7, 97, 3}},
       Meaning::Undecided},
      // Both were charged 3 before the first answer, then the second one more: per job, with equal sums by chance.
      {"equal sums of jobs side by side", {{1, false, 0, 1, 44, 3}, {2, false, 2, 3, 43, 4}}, Meaning::Undecided},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CreditEvidence meaning;
    for (const Answer& answer : c.answers) meaning.observe(observation(answer));
    CHECK(meaning.meaning() == c.meaning);
    CHECK(meaning.evidence().empty() == (c.meaning == Meaning::Undecided));
  }
}

TEST_CASE("the evidence names the figures") {
  CreditEvidence meaning;
  meaning.observe(observation({1, true, 0, 1, 49, 1}));
  meaning.observe(observation({2, true, 2, 3, 48, 2}));
  CHECK(meaning.evidence() ==
        "credits used are counted for the whole account: one job's answer said used 1 and remaining 49, a later job's "
        "used 2 and remaining 48, the same sum");
}

TEST_CASE("one constant price is decided rightly, whatever crosses") {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 rng(seed);
    const auto pick = [&](std::int64_t least, std::int64_t most) {
      return std::uniform_int_distribution<std::int64_t>(least, most)(rng);
    };
    const bool per_job = seed % 2 == 0;
    const std::int64_t price = pick(1, 4);
    std::vector<Answer> answers;
    std::int64_t jobs = 0;
    for (std::int64_t now = 100; now < 2'000; now += pick(1, 20)) {
      const bool paid = jobs == 0 || pick(0, 2) == 0;
      if (paid) ++jobs;
      const std::int64_t job = paid ? jobs : pick(1, jobs);
      answers.push_back(
          {job, paid, now - pick(1, 30), now + pick(1, 30), 10'000 - jobs * price, per_job ? price : jobs * price});
    }
    std::stable_sort(answers.begin(), answers.end(), [](auto& a, auto& b) { return a.received < b.received; });
    CreditEvidence meaning;
    for (const Answer& answer : answers) meaning.observe(observation(answer));
    CHECK(meaning.meaning() == (per_job ? Meaning::Job : Meaning::Account));
  }
}

/// A service that charges jobs in steps while they run, and answers late and out of order.
struct Service {
  explicit Service(std::uint64_t seed, bool counts_per_job) : rng(seed), per_job(counts_per_job) {}

  std::int64_t pick(std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(least, most)(rng);
  }

  Answer ask(std::int64_t job, bool paid, std::int64_t now) {
    const std::int64_t charge = paid ? pick(1, 3) : pick(0, 4) == 0 ? 1 : 0;
    used[static_cast<std::size_t>(job)] += charge;
    total += charge;
    const std::int64_t shown = per_job ? used[static_cast<std::size_t>(job)] : total;
    return {job, paid, now - pick(1, 30), now + pick(1, 30), 10'000 - total, shown};
  }

  std::mt19937_64 rng;
  bool per_job;
  std::int64_t total = 0;
  std::vector<std::int64_t> used = std::vector<std::int64_t>(200);
};

TEST_CASE("answers that cross never lead to the wrong meaning, and some meaning is found") {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    Service service(seed, seed % 2 == 0);
    const Meaning truth = service.per_job ? Meaning::Job : Meaning::Account;
    std::vector<Answer> answers;
    std::int64_t begun = 0;
    for (std::int64_t now = 100; now < 4'000; now += service.pick(1, 20)) {
      const bool paid = begun == 0 || (begun < 200 && service.pick(0, 3) == 0);
      const std::int64_t job = paid ? begun++ : service.pick(0, begun - 1);
      answers.push_back(service.ask(job, paid, now));
    }
    std::stable_sort(answers.begin(), answers.end(), [](auto& a, auto& b) { return a.received < b.received; });
    CreditEvidence meaning;
    for (const Answer& answer : answers) meaning.observe(observation(answer));
    CHECK(meaning.meaning() == truth);
  }
}

}  // namespace
}  // namespace reelbatch
