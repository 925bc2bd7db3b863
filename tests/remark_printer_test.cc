// What is printed of a manifest's remarks.
#include "runner/remark_printer.h"

#include <doctest/doctest.h>

#include <array>

#include "tests/manifest_reading.h"

namespace reelbatch {
namespace {

Remark mended(const char* file, std::uint64_t line, const char* field, const char* message) {
  return {Remark::Level::Warning, file, {line, 5}, field, message, kMended};
}

Lines printed(const std::vector<Remark>& remarks, bool every_mend) {
  std::FILE* out = std::tmpfile();
  REQUIRE(out != nullptr);
  const Options options;
  RemarkPrinter printer(out, options, 2, false, every_mend);
  for (const Remark& remark : remarks) printer.print(remark);
  printer.finish();
  std::rewind(out);
  Lines lines;
  for (std::array<char, 512> line{}; std::fgets(line.data(), line.size(), out) != nullptr;) {
    lines.emplace_back(line.data());
    lines.back().pop_back();
  }
  std::fclose(out);
  return lines;
}

}  // namespace

TEST_CASE("what was mended in rows is told once a file and sort, errors as they come") {
  std::vector<Remark> remarks = {
      mended("a.csv", 2, "image_urls", "dropped 1 duplicate"),
      mended("a.csv", 2, "image_urls", "read as a Python list"),
      mended("a.csv", 3, "image_urls", "dropped 12 duplicates (row starts on line 2)"),
      {Remark::Level::Error, "a.csv", {4, 1}, "description", "is empty", "invalid_value"},
      mended("a.csv", 5, "image_urls", "dropped 2 duplicates"),
      mended("a.csv", 5, "image_urls", "dropped 'l'été.pdf', which is no photo"),
      mended("a.csv", 5, "image_urls", "dropped 'b.pdf', which is no photo"),
      mended("a.csv", 6, "image_urls", "dropped 'c.mp4', which is no photo"),
      mended("a.csv", 6, "logo_url", "read &amp; as &"),
      mended("b.csv", 2, "image_urls", "dropped 1 duplicate"),
      {Remark::Level::Warning, "b.csv", {1, 1}, {}, "line ends are mixed"},
  };
  CHECK(printed(remarks, false) ==
        Lines{"a.csv:4:1: description: is empty", "b.csv:1:1: line ends are mixed (warning)",
              "a.csv:2:5: image_urls: dropped 1 duplicate (the first of 3 rows) (warning)",
              "a.csv:2:5: image_urls: read as a Python list (warning)",
              "a.csv:5:5: image_urls: dropped 'l'été.pdf', which is no photo (the first of 2 rows) (warning)",
              "a.csv:6:5: logo_url: read &amp; as & (warning)",
              "b.csv:2:5: image_urls: dropped 1 duplicate (warning)"});
  remarks.resize(3);
  CHECK(printed(remarks, true) ==
        Lines{"a.csv:2:5: image_urls: dropped 1 duplicate (warning)",
              "a.csv:2:5: image_urls: read as a Python list (warning)",
              "a.csv:3:5: image_urls: dropped 12 duplicates (row starts on line 2) (warning)"});
}

}  // namespace reelbatch
