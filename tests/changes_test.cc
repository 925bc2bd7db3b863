// What is different between two rows, what of it counts, and how it is said.
#include "runner/changes.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "jobs/registry.h"

using namespace reelbatch;

namespace {

RawFields fields_of(std::string images, std::string description) {
  return {{"image_urls", {RawValue::Form::Text, std::move(images)}},
          {"description", {RawValue::Form::Text, std::move(description)}}};
}

/// The differences between two rows of the default kind, without what the rules leave out.
std::vector<FieldChange> changes(const RawFields& before, const RawFields& now,
                                 const std::vector<std::string>& ignored = {}) {
  std::vector<IgnoreRule> rules;
  for (const std::string& text : ignored) rules.push_back(parse_ignore_rule(text).value());
  const JobKind& kind = default_kind();
  return changes_between(kind.normalise(before).fields, kind.normalise(now).fields, IgnoreRules(kind, rules));
}

std::string images(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "https://a.test/" : "|https://a.test/") + name;
  return text;
}

}  // namespace

TEST_CASE("changed fields: content alone, in the kind's order") {
  const JobKind& kind = *find_kind("iacrea.auto");
  const auto normal = [&](const RawFields& raw) {
    Normalised normalised = kind.normalise(raw);
    REQUIRE(normalised.problems.empty());
    return normalised.fields;
  };
  const auto text = [](const char* value) { return RawValue{RawValue::Form::Text, value}; };
  const RawFields base = {{"image_urls", text("https://a.test/1.jpg|https://a.test/2.jpg")},
                          {"description", text("A bright house with a garden")},
                          {"webhook_url", text("https://a.test/hook")}};
  const auto names = [&](const RawFields& before, const RawFields& now) {
    std::vector<std::string> changed;
    for (const FieldChange& change : changes_between(normal(before), normal(now), {})) {
      changed.emplace_back(change.field->name);
    }
    return changed;
  };
  RawFields other = base;
  CHECK(names(base, other).empty());
  other[2].value = text("https://a.test/another-hook");
  CHECK(names(base, other).empty());
  other[1].value = text("  A bright house with a garden\r\n");
  CHECK(names(base, other).empty());
  other[0].value = text("https://a.test/2.jpg|https://a.test/1.jpg");
  CHECK(names(base, other) == std::vector<std::string>{"image_urls"});
  other.push_back({"font", text("Inter")});
  CHECK(names(base, other) == std::vector<std::string>{"image_urls", "font"});
  CHECK(names(other, base) == std::vector<std::string>{"image_urls", "font"});
}

TEST_CASE("changes: a list says how it changed") {
  struct Case {
    std::vector<std::string> before, now;
    const char* words;
  };
  const std::vector<Case> cases = {
      {{"1", "2"}, {"1", "2", "3"}, "image_urls (1 added)"},
      {{"1", "2", "3"}, {"2"}, "image_urls (2 removed)"},
      {{"1", "2"}, {"2", "1"}, "image_urls (order changed)"},
      {{"1", "2", "3"}, {"4", "3", "1"}, "image_urls (1 added, 1 removed, order changed)"},
      {{"1", "2"}, {"3", "4"}, "image_urls (2 added, 2 removed)"},
      {{"1", "2"}, {"1", "1?again", "2"}, "image_urls (1 added)"},
  };
  const std::string text = "A bright house with a garden";
  for (const Case& c : cases) {
    CAPTURE(c.words);
    CHECK(change_words(changes(fields_of(images(c.before), text), fields_of(images(c.now), text))) == c.words);
  }
  const auto both = changes(fields_of(images({"1"}), text), fields_of(images({"2"}), "Another house with a garden"));
  CHECK(change_words(both) == "image_urls (1 added, 1 removed), description");
}

TEST_CASE("changes: an excerpt shows the first difference, on one line") {
  struct Case {
    std::string before, now, excerpt;
  };
  const std::string padding(100, 'x');
  const std::vector<Case> cases = {
      {"A flat with a terrace", "A flat with a garden", "'A flat with a terrace' -> 'A flat with a garden'"},
      {padding + " old end", padding + " new end", "'…old end' -> '…new end'"},
      {padding + "a", padding + "b", "'…" + padding.substr(0, 20) + "a' -> '…" + padding.substr(0, 20) + "b'"},
      {"ten letters", "ten letters\nand a line", R"('ten letters' -> 'ten letters\nand a line')"},
      {"ten letters here", "ten letters\nhere", R"('ten letters here' -> 'ten letters\nhere')"},
      {std::string("a ").append(padding), std::string("b ").append(padding),
       "'a " + padding.substr(0, 48) + "…' -> 'b " + padding.substr(0, 48) + "…'"},
      // The cut does not fall into a letter of two bytes.
      {"ééééééééééééhouse", "ééééééééééééhut", "'…ééééééééééhouse' -> '…ééééééééééhut'"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.excerpt);
    const auto found = changes(fields_of(images({"1"}), c.before), fields_of(images({"1"}), c.now));
    REQUIRE(found.size() == 1);
    CHECK(change_excerpt(found[0]) == c.excerpt);
  }
  RawFields with_music = fields_of(images({"1"}), padding);
  with_music.push_back({"music", {RawValue::Form::Text, "calm"}});
  const auto added = changes(fields_of(images({"1"}), padding), with_music);
  REQUIRE(added.size() == 1);
  CHECK(change_excerpt(added[0]) == "none -> 'calm'");
}

TEST_CASE("changes: what is ignored does not count, all else does") {
  struct Case {
    std::vector<std::string> ignored;
    std::string images_before, images_now, text_before, text_now;
    const char* words;
  };
  const std::string text = "A bright house with a garden";
  const std::string a = "https://a.test/1.jpg", b = "https://a.test/2.jpg";
  const std::vector<Case> cases = {
      {{"image_urls?"}, a + "?v=1", a + "?v=2", text, text, ""},
      {{"image_urls?"}, a, a + "?v=2", text, text, ""},
      {{"image_urls?"}, a + "?v=1", b + "?v=1", text, text, "image_urls (1 added, 1 removed)"},
      {{"image_urls?"}, a + "?v=1|" + b, b + "|" + a + "?v=2", text, text, "image_urls (order changed)"},
      {{"image_urls?"}, a + "?v=1", a + "?v=2|" + b, text, text, "image_urls (1 added)"},
      {{"image_urls?v"}, a + "?v=1&w=9", a + "?w=9&v=2", text, text, ""},
      {{"image_urls?v"}, a + "?v=1&w=9", a + "?v=1&w=8", text, text, "image_urls (1 added, 1 removed)"},
      {{"image_urls?X-*&t"}, a + "?X-Date=1&X-Sig=2&t=3", a + "?t=4&X-Date=5", text, text, ""},
      {{"image_urls?v"}, a + "?vv=1", a + "?vv=2", text, text, "image_urls (1 added, 1 removed)"},
      {{"image_urls"}, a, b, text, text, ""},
      {{"image_urls", "image_urls?v"}, a, b, text, text, ""},
      {{"description"}, a, a, text, "Another house with a garden", ""},
      {{"music"}, a, a, text, "Another house with a garden", "description"},
      {{"description=Price: * EUR"}, a, a, text + "\nPrice: 345 000 EUR now", text + "\nPrice: 350 000 EUR now", ""},
      {{"description=Price: * EUR"},
       a,
       a,
       text + " Price: 1 EUR (2 rooms)",
       text + " Price: 1 EUR (3 rooms)",
       "description"},
      {{"description=Price: * EUR"}, a, a, text + " Price: 1\nEUR", text + " Price: 2\nEUR", "description"},
      {{"description=updated *"}, a, a, text + " updated today", text + " updated 2026-11-20", ""},
      {{"description=updated *"}, a, a, text + " updated a\nsold", text + " updated b\nfree", "description"},
      {{"description=* EUR"}, a, a, text + "\nfrom 3 EUR", text + "\nup to 4 EUR", ""},
      {{"description=on * at *."}, a, a, text + " on 3 at 4. And on 5 at 6.", text + " on 7 at 8. And on 9 at 0.", ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.ignored);
    CAPTURE(c.images_now);
    CAPTURE(c.text_now);
    const auto found =
        changes(fields_of(c.images_before, c.text_before), fields_of(c.images_now, c.text_now), c.ignored);
    CHECK(change_words(found) == c.words);
  }
}

TEST_CASE("ignoring: a rule that could not work is refused, and says what would") {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"", "names no field: write FIELD, FIELD?NAME or FIELD=PHRASE"},
      {"?v", "names no field"},
      {"image_url", "no kind has a field 'image_url' (did you mean 'image_urls'"},
      {"webhook_url", "'webhook_url' never counts as a change"},
      {"description?v", "'description' holds no addresses, so it has no query"},
      {"image_urls=a", "'image_urls' is no text, so it has no phrases"},
      {"image_urls?v=1", "names of query parameters stand behind the '?', such as image_urls?v&token"},
      {"image_urls?v&", "names of query parameters"},
      {"image_urls?*", "names of query parameters"},
      {"description=", "a phrase is text on one line"},
      {"description=* *", "description alone is the whole field"},
      {"description=a\nb", "a phrase is text on one line"},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    const Result<IgnoreRule> rule = parse_ignore_rule(text);
    REQUIRE_FALSE(rule);
    CHECK(rule.error().fault == Fault::Usage);
    CHECK(rule.error().message.find(message) != std::string::npos);
  }
  for (const char* text : {"displayLogo", "image_urls?", "logo_url?v", "video", "description=a*b"}) {
    CAPTURE(text);
    CHECK(parse_ignore_rule(text));
  }
}

TEST_CASE("ignoring: a phrase takes time in proportion to the text, whatever the text is") {
  // Each `a` could begin a match that the missing `c` ends; a search that tries them all would not come back.
  const IgnoreRule rule = parse_ignore_rule("description=a*a*a*a*a*a*b*c").value();
  const std::string text(2'000'000, 'a');
  CHECK(without_phrase(text, rule) == text);
  CHECK(without_phrase(text + "b.c", rule) == text.substr(0, 0));
}
