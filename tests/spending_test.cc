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
  spending.reserve(1, std::nullopt);
  CHECK(spending.has_open());
  spending.settle(1, std::nullopt);
  CHECK(spending.passed_by(whole(5)).empty());
  CHECK_FALSE(spending.passed_by(whole(6)).empty());
}
