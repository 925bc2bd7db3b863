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
}  // namespace

TEST_CASE("credit book: a job's own figure is its last one; alone it cost what the balance fell by") {
  CreditBook book;
  book.start({whole(100), {}}, true);
  book.open(1);
  CHECK(book.see(1, figures(98, 2)));
  CHECK_FALSE(book.see(1, figures(98, 2)));
  CHECK(book.see(1, figures(95, 5)));
  CHECK(book.own(1) == whole(5));
  const CreditBook::Closed closed = book.close(1);
  CHECK(closed.used == whole(5));
  CHECK(closed.alone == whole(5));
  CHECK_FALSE(book.own(1));
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
    book.see(1, figures(96, 4));
    book.open(2, "video");
    book.see(2, figures(94, 6));
    // The poll of both tells each the sum.
    book.see(1, figures(94, 6));
    book.see(2, figures(94, 6));
    CHECK(book.close(1).used == c.first_cost);
    CHECK(book.close(2).used == c.second_cost);
  }
}

TEST_CASE("credit book: no job on a subject pays for one whose answer was lost, or that another process submitted") {
  CreditBook book;
  book.stands_at("video", whole(3));
  book.open(1, "video");  // its answer never came
  book.open(2, "video");
  book.see(2, figures(95, 5));
  CHECK_FALSE(book.own(2));
  book.open(3, "video");
  CHECK_FALSE(book.own(3));
  book.close(1);
  book.open(4, "video");
  book.see(4, figures(94, 6));
  CHECK_FALSE(book.own(4));  // the third may have been charged as well
  book.found(5, "other");
  book.see(5, figures(94, 7));
  CHECK_FALSE(book.own(5));
  book.open(6, "other");
  book.see(6, figures(93, 8));
  CHECK(book.own(6) == whole(1));
  book.forget("other");
  book.open(7, "other");
  book.see(7, figures(92, 9));
  CHECK_FALSE(book.own(7));
}
