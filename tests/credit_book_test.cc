// What answers say that a job cost: its own figure, the rise of its subject's, or the fall of the balance around it.
#include "runner/credit_book.h"

#include <doctest/doctest.h>

using namespace reelbatch;

namespace {
Credits whole(std::int64_t credits) {
  return Credits::whole(credits);
}
CreditFigures figures(std::int64_t remaining, std::int64_t used) {
  return {whole(remaining), whole(used)};
}
CreditBook::Way way(std::int64_t sent_s, std::int64_t arrived_s) {
  return {Instant(std::chrono::seconds(sent_s)), Instant(std::chrono::seconds(arrived_s))};
}
/// By an answer that was out alone.
bool see(CreditBook& book, std::int64_t job, const CreditFigures& figures) {
  return book.see(job, figures, way(0, 0)).is_new;
}
}  // namespace

TEST_CASE("credit book: a job's own figure is its last one; alone it cost what the balance fell by") {
  CreditBook book;
  see(book, 0, {whole(100), {}});
  book.open(1);
  CHECK(see(book, 1, figures(98, 2)));
  CHECK_FALSE(see(book, 1, figures(98, 2)));
  CHECK(see(book, 1, figures(95, 5)));
  CHECK(book.own(1) == whole(5));
  const CreditBook::Closed closed = book.close(1, figures(95, 5));
  CHECK(closed.used == whole(5));
  CHECK_FALSE(closed.at_least);
  CHECK(closed.alone == whole(5));
  CHECK_FALSE(book.own(1));
}

TEST_CASE("credit book: what an earlier run saw is no base, since others may have spent") {
  CreditBook book;
  book.start(figures(100, 9));
  book.open(1);
  see(book, 1, figures(0, 109));
  CHECK_FALSE(book.close(1, figures(0, 109)).alone);
  book.open(2);
  see(book, 2, figures(-3, 112));
  CHECK(book.close(2, figures(-3, 112)).alone == whole(3));
}

TEST_CASE("credit book: on a subject a job cost what the subject's figure rose by when it was submitted") {
  struct Case {
    const char* name;
    std::optional<Credits> stood;
    std::optional<Credits> first_cost, second_cost;
  };
  for (const Case& c : {Case{"known before", whole(3), whole(1), whole(2)}, Case{"not known before", {}, {}, whole(2)},
                        Case{"known as more: it was refunded", whole(9), {}, {}}}) {
    CAPTURE(c.name);
    CreditBook book;
    if (c.stood) book.stands_at("video", *c.stood);
    book.open(1, "video");
    see(book, 1, figures(96, 4));
    book.open(2, "video");
    see(book, 2, figures(94, 6));
    // The poll of both tells each the sum.
    see(book, 1, figures(94, 6));
    see(book, 2, figures(94, 6));
    CHECK(book.close(1).used == c.first_cost);
    CHECK(book.close(2).used == c.second_cost);
  }
}

TEST_CASE("credit book: of two jobs on a subject whose submissions told nothing, none costs nothing") {
  CreditBook book;
  book.stands_at("video", whole(3));
  book.open(1, "video");
  book.open(2, "video");
  // The poll of both tells each the sum of what both cost.
  see(book, 1, figures(94, 5));
  see(book, 2, figures(94, 5));
  CHECK_FALSE(book.own(1));
  CHECK_FALSE(book.own(2));
  // One alone is told by the answer about another: that had told before.
  book.open(3, "video");
  see(book, 1, figures(93, 6));
  see(book, 3, figures(93, 6));
  CHECK(book.own(3) == whole(1));
}

TEST_CASE("credit book: no job on a subject pays for one whose answer was lost, or that another process submitted") {
  CreditBook book;
  book.stands_at("video", whole(3));
  book.open(1, "video");  // its answer never came
  book.open(2, "video");
  see(book, 2, figures(95, 5));
  CHECK_FALSE(book.own(2));
  book.open(3, "video");
  CHECK_FALSE(book.own(3));
  book.close(1);
  book.open(4, "video");
  see(book, 4, figures(94, 6));
  CHECK_FALSE(book.own(4));  // the third may have been charged as well
  book.found(5, "other");
  see(book, 5, figures(94, 7));
  CHECK_FALSE(book.own(5));
  book.open(6, "other");
  see(book, 6, figures(93, 8));
  CHECK(book.own(6) == whole(1));
  book.forget("other");
  book.open(7, "other");
  see(book, 7, figures(92, 9));
  CHECK_FALSE(book.own(7));
}

TEST_CASE("credit book: a job that others work on costs what its figure rises by without them") {
  struct Case {
    const char* name;
    bool found;                         // by this process, with what an earlier one knew
    std::optional<Credits> cost, used;  // then
    bool lost;                          // an answer to one that works on it
    std::optional<Credits> expected;
  };
  for (const Case& c : {Case{"submitted by this process", false, {}, {}, false, whole(4)},
                        Case{"found, with what it cost", true, whole(3), whole(3), false, whole(4)},
                        Case{"found, and another's cost is unknown", true, whole(3), {}, false, {}},
                        Case{"found, and its own is unknown", true, {}, {}, false, {}},
                        Case{"one of which nobody knows may be in its figure", false, {}, {}, true, {}}}) {
    CAPTURE(c.name);
    CreditBook book;
    if (c.found) {
      book.found(1, {}, c.cost);
      if (c.used) book.stands_at("video", *c.used);
    } else {
      book.open(1);
      see(book, 1, figures(97, 3));
    }
    book.is_worked_on(1, "video");
    book.open(2, "video");
    if (!c.lost) see(book, 2, figures(95, 5));
    CHECK(book.own(2) == (c.used || (!c.found && !c.lost) ? std::optional(whole(2)) : std::nullopt));
    see(book, 1, figures(94, 6));  // charged one more for itself
    CHECK(book.own(1) == c.expected);
    see(book, 1, figures(94, 4));  // an old answer
    CHECK(book.close(1, figures(94, 4)).used == c.expected);
  }
}

TEST_CASE("credit book: of two answers that were out at the same time the lower balance is the later one") {
  struct Case {
    const char* name;
    CreditBook::Way second;
    std::int64_t balance;
    bool overtaken;
    std::int64_t last;
  };
  // The first one left at 10 and arrived at 20, with 90.
  for (const Case& c :
       {Case{"crossed, higher", way(15, 25), 95, true, 90},
        Case{"left before the first one, higher", way(5, 30), 95, true, 90},
        Case{"crossed, lower", way(15, 25), 85, false, 85}, Case{"crossed, the same", way(15, 25), 90, false, 90},
        Case{"left when the first one had arrived: a refund", way(20, 25), 95, false, 95}}) {
    CAPTURE(c.name);
    CreditBook book;
    book.start({whole(100), {}});
    book.open(1);
    book.open(2);
    CHECK_FALSE(book.see(1, figures(90, 5), way(10, 20)).overtaken);
    const CreditBook::Seen seen = book.see(2, figures(c.balance, 5), c.second);
    CHECK(seen.is_new);  // every figure is recorded
    CHECK(seen.overtaken == c.overtaken);
    CHECK(book.last().remaining == whole(c.last));
    CHECK(book.own(2) == whole(5));
  }
}

TEST_CASE(
    "credit book: the next answer after an overtaken one tells of a refund, and no answer overtakes the ledger's") {
  CreditBook book;
  book.start({whole(80), {}});
  CHECK_FALSE(book.see(1, figures(90, 5), way(10, 20)).overtaken);
  CHECK(book.see(2, figures(95, 5), way(15, 25)).overtaken);
  CHECK_FALSE(book.see(3, figures(95, 5), way(26, 27)).overtaken);
  CHECK(book.last().remaining == whole(95));
}

TEST_CASE("credit book: figures of a job that was not finished are no price") {
  struct Case {
    const char* name;
    CreditFigures first, at_end;
    std::optional<Credits> used, at_least, alone;
  };
  const CreditFigures used_0{{}, whole(0)}, used_4{{}, whole(4)};
  for (const Case& c : {
           Case{"0 at first, nothing at the end", used_0, {}, {}, whole(0), {}},
           Case{"some at first, nothing at the end", used_4, {}, {}, whole(4), {}},
           Case{"0 at first, all at the end", used_0, used_4, whole(4), {}, {}},
           Case{"all at first, 0 at the end: as told", used_4, used_0, whole(0), {}, {}},
           Case{"0 at first, 0 at the end: as told", used_0, used_0, whole(0), {}, {}},
           Case{"both at first, the balance at the end", figures(96, 4), {whole(96), {}}, {}, whole(4), whole(4)},
           Case{"both at first, nothing at the end", figures(96, 4), {}, {}, whole(4), {}},
       }) {
    CAPTURE(c.name);
    CreditBook book;
    see(book, 0, {whole(100), {}});
    book.open(1);
    see(book, 1, c.first);
    see(book, 1, c.at_end);
    const CreditBook::Closed closed = book.close(1, c.at_end);
    CHECK(closed.used == c.used);
    CHECK(closed.at_least == c.at_least);
    CHECK(closed.alone == c.alone);
  }
}
