#include <doctest/doctest.h>

#include "jobs/registry.h"
#include "tests/kind_suite.h"

namespace reelbatch {
namespace {

TEST_CASE("every kind keeps the contract") {
  for (const JobKind* kind : all_kinds()) {
    const std::string name(kind->name());
    SUBCASE(name.c_str()) {
      check_kind(*kind);
    }
  }
}

TEST_CASE("a balance that cannot be read is not known, and never zero") {
  for (const ServiceSpec& service : all_services()) {
    CAPTURE(service.name);
    CHECK((service.read_balance == nullptr) == service.balance_path.empty());
    if (!service.read_balance) continue;
    const std::vector<Fixture> known = fixtures(service.name, "balance-known");
    REQUIRE(!known.empty());
    for (const Fixture& fixture : known) {
      CAPTURE(fixture.name);
      const CreditFigures figures = service.read_balance({200, fixture.body});
      CHECK(figures.remaining.value_or(Credits{}) > Credits{});
      CHECK(!service.read_balance({500, fixture.body}).any());
      CHECK(!service.read_balance({200, fixture.body.substr(0, fixture.body.size() - 3)}).any());
    }
    for (const Fixture& fixture : fixtures(service.name, "balance-unknown")) {
      CAPTURE(fixture.name);
      CHECK(!service.read_balance({200, fixture.body}).any());
    }
    for (const std::string_view body : {"", "null", "<html>", "0"}) {
      CHECK(!service.read_balance({200, std::string(body)}).any());
    }
  }
}

TEST_CASE("what a job cost is its own only where the service says so") {
  CHECK(find_service("creatify")->cost_is_per_job);
  CHECK(!find_service("iacrea")->cost_is_per_job);
}

}  // namespace
}  // namespace reelbatch
