#include "runner/row_pack.h"

#include <doctest/doctest.h>

#include <array>
#include <limits>

using namespace reelbatch;

namespace {

struct Sample {
  std::int64_t number;
  std::string id, kind, account;
  std::uint64_t line;
  std::vector<Label> labels;
  JobId job;
  bool selected;
  JobFacts facts;
};

WallTime at(std::int64_t ms) {
  return WallTime(std::chrono::milliseconds(ms));
}

JobFacts facts(std::int64_t from) {
  return {"remote", "https://v.test/1.mp4", at(from), at(from + 300), at(from + 185'000), 60, Credits{2500}, {}};
}

/// Gaps, labels that change, ids that go down, clocks that go back, figures that are missing or extreme.
std::vector<Sample> samples() {
  return {
      {1, "A-1", "k", "main", 2, {{"agency", "Lyon"}, {"city", ""}}, 1000, true, facts(1'793'498'400'000)},
      {2, "A-2", "k", "main", 3, {{"agency", "Nice"}, {"city", "x,\"y\"\n"}}, 1001, false, facts(1'793'498'400'700)},
      {9, "A-9", "k", "main", 40, {{"city", "Brest"}}, 7, true, facts(-5)},
      {10, std::string(300, 'z'), "other", "talk", 41, {}, std::numeric_limits<std::int64_t>::max(), true, {}},
      {11,
       "A-11",
       "other",
       "talk",
       42,
       {},
       1,
       true,
       {"", "", {}, at(5), {}, 0, {}, Credits{std::numeric_limits<std::int64_t>::min()}}},
  };
}

/// labels  whatever row_of() was called with last, as long as the row is used.
UnchangedRow row_of(const Sample& sample, std::vector<LabelText>& labels) {
  labels.clear();
  for (const Label& label : sample.labels) labels.push_back({label.name, label.value});
  return {sample.number, sample.id, sample.kind, sample.account,  "feed.csv",
          sample.line,   labels,    sample.job,  sample.selected, {1, 1}};
}

struct Packed {
  std::string list, facts;
};

Packed pack(const std::vector<Sample>& from) {
  PackWriter list;
  FactsWriter known;
  std::vector<LabelText> labels;
  for (const Sample& sample : from) {
    list.add(row_of(sample, labels));
    known.add(sample.facts);
  }
  return {std::string(list.list()), std::string(known.bytes())};
}

}  // namespace

TEST_CASE("row pack: what goes in comes out") {
  const std::vector<Sample> in = samples();
  const Packed packed = pack(in);
  PackReader reader(packed.list, packed.facts, 1, 2);
  for (const Sample& sample : in) {
    CAPTURE(sample.id);
    REQUIRE(reader.next());
    CHECK(reader.row().number == sample.number);
    CHECK(reader.row().line == sample.line);
    CHECK(reader.row().id == sample.id);
    CHECK(reader.row().kind == sample.kind);
    CHECK(reader.row().account == sample.account);
    CHECK(reader.row().job == sample.job);
    CHECK(reader.row().selected == sample.selected);
    std::vector<Label> labels;
    for (std::size_t i = 0; i < reader.label_names().size(); ++i) {
      labels.push_back({std::string(reader.label_names()[i]), std::string(reader.label_values()[i])});
    }
    CHECK(labels == sample.labels);
    CHECK(reader.facts().remote_id == sample.facts.remote_id);
    CHECK(reader.facts().url == sample.facts.url);
    CHECK(reader.facts().submitted_at == sample.facts.submitted_at);
    CHECK(reader.facts().accepted_at == sample.facts.accepted_at);
    CHECK(reader.facts().finished_at == sample.facts.finished_at);
    CHECK(reader.facts().polls == sample.facts.polls);
    CHECK(reader.facts().used_last == sample.facts.used_last);
    CHECK(reader.facts().cost_alone == sample.facts.cost_alone);
  }
  CHECK_FALSE(reader.next());
  CHECK_FALSE(reader.damaged());
}

TEST_CASE("row pack: a pack is the same wherever it stands, and another when anything in it changes") {
  const Packed before = pack(samples());
  std::vector<Sample> moved = samples();
  for (Sample& sample : moved) {
    sample.number += 1000;
    sample.line += 5000;
  }
  CHECK(pack(moved).list == before.list);
  const std::vector<void (*)(Sample&)> changes = {
      [](Sample& sample) { sample.id += 'x'; },
      [](Sample& sample) { sample.account += 'x'; },
      [](Sample& sample) { sample.labels[0].value += 'x'; },
      [](Sample& sample) { sample.labels[0].name += 'x'; },
      [](Sample& sample) { ++sample.job; },
      [](Sample& sample) { sample.selected = !sample.selected; },
  };
  for (const auto change : changes) {
    std::vector<Sample> other = samples();
    change(other[1]);
    CHECK(pack(other).list != before.list);
  }
}

TEST_CASE("row pack: bytes that are cut short are damaged, not misread") {
  const Packed packed = pack(samples());
  const auto damaged = [](std::string_view list, std::string_view facts) {
    PackReader reader(list, facts, 1, 2);
    while (reader.next()) {
    }
    return reader.damaged();
  };
  REQUIRE_FALSE(damaged(packed.list, packed.facts));
  for (std::size_t size = 0; size < packed.list.size(); ++size) {
    CHECK(damaged(std::string_view(packed.list).substr(0, size), packed.facts));
  }
  for (std::size_t size = 0; size < packed.facts.size(); ++size) {
    CHECK(damaged(packed.list, std::string_view(packed.facts).substr(0, size)));
  }
}

TEST_CASE("row pack: packs end where the rows say so, and after so many rows") {
  PackWriter pack;
  std::vector<Sample> in = samples();
  std::vector<LabelText> labels;
  UnchangedRow row = row_of(in[0], labels);
  pack.add(row);
  CHECK_FALSE(pack.full());
  row.text.low = 4096;
  pack.add(row);
  CHECK(pack.full());
  pack.clear();
  CHECK(pack.empty());
  row.text.low = 1;
  int rows = 0;
  while (!pack.full()) {
    ++row.number;
    pack.add(row);
    ++rows;
  }
  CHECK(rows == 8192);
}
