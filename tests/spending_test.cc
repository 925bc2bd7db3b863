// Budgets: what is reserved counts, and a cap that is set anew counts from there.
#include "runner/spending.h"

#include <doctest/doctest.h>

using namespace reelbatch;

namespace {
Credits whole(std::int64_t credits) {
  return Credits::whole(credits);
}
}  // namespace

TEST_CASE("spending: reserved and spent never pass a cap; what a job did not cost is free again") {
  Spending spending;
  spending.set_cap({"run", whole(10), whole(2)});
  CHECK(spending.passed_by(whole(8)).empty());
  CHECK_FALSE(spending.passed_by(whole(9)).empty());
  spending.reserve(1, whole(5));
  CHECK_FALSE(spending.passed_by(whole(4)).empty());
  spending.settle(1, whole(1));
  CHECK(spending.passed_by(whole(7)).empty());
  CHECK_FALSE(spending.passed_by(whole(8)).empty());
  spending.reserve(2, whole(5));
  spending.release(2);
  CHECK(spending.passed_by(whole(7)).empty());
  CHECK_FALSE(spending.has_open());
}

TEST_CASE("spending: a job that was open when a cap was set anew gives that cap nothing back") {
  Spending spending;
  spending.set_cap({"day", whole(50), Credits{}});
  for (int job = 1; job <= 5; ++job) spending.reserve(job, whole(10));
  CHECK_FALSE(spending.passed_by(whole(1)).empty());
  spending.set_cap({"day", whole(50), Credits{}});  // midnight: those five were yesterday's
  for (int job = 1; job <= 5; ++job) spending.settle(job, whole(1));
  for (int job = 11; job <= 15; ++job) {
    CHECK(spending.passed_by(whole(10)).empty());
    spending.reserve(job, whole(10));
  }
  CHECK_FALSE(spending.passed_by(whole(1)).empty());
  CHECK(spending.reserved() == whole(50));
}

TEST_CASE("spending: a job of unknown price counts as the price of the next") {
  Spending spending;
  spending.set_cap({"run", whole(10), Credits{}});
  spending.reserve(1, {});
  CHECK(spending.has_open());
  spending.settle(1, std::nullopt);
  CHECK(spending.passed_by(whole(5)).empty());
  CHECK_FALSE(spending.passed_by(whole(6)).empty());
}

TEST_CASE("spending: of unknown price counts at least what another job was known to cost, whoever asks") {
  Spending spending;
  spending.set_cap({"--max-credits", whole(10), Credits{}});
  spending.reserve(1, {});
  spending.settle(1, std::nullopt);
  CHECK(spending.passed_by({}).empty());
  spending.reserve(2, whole(6));
  spending.settle(2, whole(6));
  CHECK_FALSE(spending.passed_by({}).empty());  // 6 and 6
}

TEST_CASE("spending: a cautious budget counts likely prices, a soft one only what is spent") {
  const Spending::Price price(whole(10), Credits{2500});
  Spending cautious(Budget::Mode::Cautious);
  cautious.set_cap({"the budget run of account a", whole(10), Credits{}});
  for (int job = 1; job <= 4; ++job) {
    CHECK(cautious.passed_by(price).empty());
    cautious.reserve(job, price);
  }
  CHECK(cautious.passed_by(price) ==
        "the budget run of account a: 0 of 10 spent, 10 expected of open jobs, the next job should cost 2.5");
  cautious.settle(1, whole(9));  // dearer than expected: the others are open already
  CHECK_FALSE(cautious.passed_by(price).empty());
  cautious.settle(2, std::nullopt);
  CHECK(cautious.reserved() == whole(20));

  Spending soft(Budget::Mode::Soft);
  soft.set_cap({"the budget day of account a", whole(10), whole(4)});
  for (int job = 1; job <= 9; ++job) {
    CHECK(soft.passed_by({}).empty());
    soft.reserve(job, price);
  }
  soft.settle(1, Credits{5500});
  CHECK(soft.passed_by(price).empty());
  soft.settle(2, Credits{500});
  CHECK(soft.passed_by(price) == "the budget day of account a: 10 of 10 spent");
}

TEST_CASE("spending: a group's cap counts its own jobs alone") {
  Spending spending;
  spending.set_cap({"all", whole(20), Credits{}});
  spending.set_cap({"the budget month of agency=Lyon", whole(6), whole(1), 1});
  spending.set_cap({"the budget month of agency=Nice", whole(6), whole(6), 2});
  CHECK(spending.unlimited(3));
  CHECK_FALSE(spending.unlimited());
  spending.reserve(1, whole(5), {1, 3});
  CHECK(spending.has_open(1));
  CHECK_FALSE(spending.has_open(2));
  CHECK(spending.passed_by(whole(1), 1) ==
        "the budget month of agency=Lyon: 1 of 6 spent, 5 reserved, the next job may cost 1");
  CHECK(spending.passed_by({}, 2) ==
        "the budget month of agency=Nice: 6 of 6 spent, the price of the next job is unknown");
  CHECK(spending.passed_by(whole(15)).empty());
  CHECK_FALSE(spending.passed_by(whole(16)).empty());
  spending.settle(1, whole(2));
  CHECK(spending.passed_by(whole(3), 1).empty());
  CHECK_FALSE(spending.has_open(1));
}
