// What jobs cost that no balance shows yet.
#include "runner/unshown_charges.h"

#include <doctest/doctest.h>

using namespace reelbatch;
using namespace std::chrono_literals;
using Cost = UnshownCharges::Cost;

namespace {

Credits whole(std::int64_t credits) {
  return Credits::whole(credits);
}

Instant at(Duration time) {
  return Instant(time);
}

/// Tells the charges of one balance after the other.
class Balance {
 public:
  Balance(UnshownCharges& charges, std::int64_t first) : charges_(charges) { tell(first, at(0s)); }
  void tell(std::int64_t now, Instant sent_at) {
    charges_.see(last_, whole(now), sent_at);
    last_ = whole(now);
  }

 private:
  UnshownCharges& charges_;
  std::optional<Credits> last_;
};

}  // namespace

TEST_CASE("unshown charges: a job counts from its submission until the balance has fallen by what it cost") {
  UnshownCharges charges;
  Balance balance(charges, 100);
  charges.reserve(1, whole(5));
  charges.reserve(2, whole(5));
  CHECK(charges.sum() == whole(10));
  CHECK(charges.reserved() == whole(10));
  balance.tell(97, at(1min));  // of one of them
  CHECK(charges.sum() == whole(7));
  charges.end(1, Cost::Known, whole(3), at(2min));
  CHECK(charges.sum() == whole(5));
  charges.end(2, Cost::Known, whole(3), at(3min));
  CHECK(charges.reserved() == Credits{});
  CHECK(charges.sum() == whole(3));
  balance.tell(94, at(4min));
  CHECK(charges.sum() == Credits{});
  balance.tell(50, at(5min));  // others spend
  charges.reserve(3, whole(5));
  CHECK(charges.sum() == whole(5));
  charges.release(3);
  CHECK(charges.sum() == Credits{});
}

TEST_CASE("unshown charges: what has not shown an hour after a job's end does not count any more") {
  UnshownCharges charges;
  Balance balance(charges, 100);
  charges.reserve(1, whole(5));
  charges.reserve(2, whole(7));
  charges.end(1, Cost::Known, whole(4), at(0min));
  charges.end(2, Cost::Reserved, {}, at(30min));
  CHECK(charges.sum() == whole(11));
  balance.tell(100, at(59min));
  CHECK(charges.sum() == whole(11));
  balance.tell(100, at(61min));
  CHECK(charges.sum() == whole(7));
  balance.tell(100, at(91min));
  CHECK(charges.sum() == Credits{});
}

TEST_CASE("unshown charges: how a job ended says what it leaves") {
  struct Case {
    const char* name;
    Cost how;
    std::int64_t cost;
    std::int64_t sum, alone;  ///< after its end, and when the other job has ended and cost 6 as well
  };
  for (const Case& c : {Case{"known", Cost::Known, 2, 8, 8}, Case{"unknown", Cost::Reserved, 0, 12, 12},
                        Case{"failed, and free in the end: it may have been charged", Cost::AtMost, 0, 6, 6},
                        Case{"failed, and cost a part", Cost::AtMost, 2, 8, 8},
                        Case{"more than it reserved", Cost::Known, 9, 15, 15}}) {
    CAPTURE(c.name);
    UnshownCharges charges;
    Balance balance(charges, 100);
    charges.reserve(1, whole(6));
    charges.reserve(2, whole(6));
    charges.end(1, c.how, whole(c.cost), at(1min));
    CHECK(charges.sum() == whole(c.sum));
    charges.end(2, Cost::Known, whole(6), at(1min));
    CHECK(charges.sum() == whole(c.alone));
  }
}

TEST_CASE("unshown charges: a refund that shows does not hide the charge of another job") {
  UnshownCharges charges;
  Balance balance(charges, 100);
  charges.reserve(1, whole(5));
  charges.reserve(2, whole(5));
  balance.tell(95, at(1min));   // the first, at once
  balance.tell(100, at(2min));  // and back
  charges.end(1, Cost::AtMost, {}, at(2min));
  charges.end(2, Cost::Known, whole(5), at(3min));
  CHECK(charges.sum() == whole(5));
  // The fall that follows may be the other job's, or what came back and went again.
  balance.tell(95, at(4min));
  CHECK(charges.sum() == whole(5));
  balance.tell(90, at(5min));
  CHECK(charges.sum() == Credits{});
}

TEST_CASE("unshown charges: what was charged for a job before anything of its price was known is not to come") {
  UnshownCharges at_once, late;
  for (UnshownCharges* charges : {&at_once, &late}) {
    Balance balance(*charges, 100);
    charges->reserve(1, {});
    balance.tell(charges == &late ? 99 : 97, at(1min));
    charges->end(1, Cost::Known, whole(3), at(2min));
  }
  CHECK(at_once.sum() == Credits{});
  CHECK(late.sum() == whole(2));
  UnshownCharges first;  // the account's very first figure comes with the answer to its first job
  first.reserve(1, {});
  Balance balance(first, 97);
  first.end(1, Cost::Known, whole(3), at(2min));
  CHECK(first.sum() == Credits{});
}

TEST_CASE("unshown charges: what an earlier process left is no more than its jobs can be charged yet") {
  UnshownCharges charges;
  charges.start(whole(20));
  charges.found(1, whole(5));
  charges.found_ended(whole(4), at(-90min));
  charges.found_ended(whole(6), at(-10min));
  CHECK(charges.sum() == whole(15));
  CHECK(charges.reserved() == whole(5));
  charges.see(whole(100), whole(100), at(0min));
  CHECK(charges.sum() == whole(11));
  charges.see(whole(100), whole(98), at(1min));
  CHECK(charges.sum() == whole(9));
}
