#include "runner/content_type.h"

#include <algorithm>
#include <array>

#include "jobs/json.h"
#include "jobs/unicode.h"
#include "runner/json_fault.h"

namespace reelbatch {
namespace {

using std::string_view_literals::operator""sv;

struct Magic {
  std::string_view bytes;
  const char* advice;
};

constexpr std::array kMagic{
    Magic{"\x1F\x8B"sv, "this is a gzip archive: unpack it first (gunzip)"},
    Magic{"BZh"sv, "this is a bzip2 archive: unpack it first (bunzip2)"},
    Magic{"\xFD"
          "7zXZ"sv,
          "this is an xz archive: unpack it first (unxz)"},
    Magic{"\x28\xB5\x2F\xFD"sv, "this is a zstd archive: unpack it first (unzstd)"},
    Magic{"\xD0\xCF\x11\xE0"sv, "this is an old Excel workbook: save it as CSV (UTF-8)"},
    Magic{"{\\rtf"sv,
          "this is a document of a word processor (RTF): save it as plain text, or export it as CSV (UTF-8)"},
    Magic{"%PDF"sv, "this is a PDF document: a manifest is CSV, TSV, YAML, JSON or JSON Lines"},
    Magic{"SQLite format 3\0"sv, "this is an SQLite database: a manifest is CSV, TSV, YAML, JSON or JSON Lines"},
};

std::string_view visible(std::string_view head) {
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  while (!head.empty() && std::string_view(" \t\r\n").find(head.front()) != std::string_view::npos)
    head.remove_prefix(1);
  return head;
}

std::optional<std::string> markup(std::string_view text) {
  const std::string start = ascii_lower(text.substr(0, 64));
  constexpr std::array<std::string_view, 14> kPage{"<!doctype html", "<html",  "<head", "<body", "<meta", "<title",
                                                   "<script",        "<style", "<div",  "<p>",   "<h1",   "<form",
                                                   "<center",        "<table"};
  if (std::any_of(kPage.begin(), kPage.end(), [&](std::string_view tag) { return start.starts_with(tag); }))
    return "this is an HTML page, not a feed: did the download need a login?";
  const bool tag = start.size() > 1 && start[0] == '<' &&
                   (start[1] == '?' || start[1] == '!' || (start[1] >= 'a' && start[1] <= 'z'));
  if (tag) return "this is XML, which is not supported: convert it to CSV or JSON";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> foreign_content(std::string_view head) {
  if (head.starts_with("PK\x03\x04") || head.starts_with("PK\x05\x06")) {
    const bool workbook =
        head.find("[Content_Types].xml") != std::string_view::npos || head.find("xl/") != std::string_view::npos;
    return workbook ? "this is an Excel workbook: save it as CSV (UTF-8)" : "this is a ZIP archive: unpack it first";
  }
  for (const Magic& magic : kMagic)
    if (head.starts_with(magic.bytes)) return magic.advice;
  return markup(visible(head));
}

bool is_empty_content(std::string_view head) {
  return visible(head).empty();
}

std::optional<ManifestFormat> format_by_name(std::string_view path) {
  constexpr std::array<std::pair<std::string_view, ManifestFormat>, 9> kEndings{{
      {".csv", ManifestFormat::Csv},
      {".txt", ManifestFormat::Csv},
      {".tsv", ManifestFormat::Tsv},
      {".blm", ManifestFormat::Blm},
      {".yaml", ManifestFormat::Yaml},
      {".yml", ManifestFormat::Yaml},
      {".json", ManifestFormat::Json},
      {".jsonl", ManifestFormat::JsonLines},
      {".ndjson", ManifestFormat::JsonLines},
  }};
  const std::string name = ascii_lower(path);
  for (const auto& [ending, format] : kEndings)
    if (name.ends_with(ending)) return format;
  return std::nullopt;
}

bool is_json_document(std::string_view head) {
  const std::string_view text = visible(head);
  if (text.starts_with('[')) return true;
  if (!text.starts_with('{')) return false;
  const std::string_view first = visible(text.substr(1));
  const bool on_next_line = text.substr(0, text.size() - first.size()).find('\n') != std::string_view::npos;
  return on_next_line || first.starts_with("\"jobs\"") || first.starts_with("\"defaults\"");
}

/// Whether the first line that is no comment is one that only YAML has.
bool is_yaml_document(std::string_view head) {
  std::string_view text = visible(head);
  while (text.starts_with('#')) text = visible(text.substr(std::min(text.find('\n'), text.size())));
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  return line == "---" || line == "-" || (line.starts_with("- ") && line.find(": ") != std::string_view::npos) ||
         line == "jobs:" || line == "defaults:";
}

ManifestFormat format_by_content(std::string_view head) {
  const std::string_view text = visible(head);
  if (is_json_document(text)) return ManifestFormat::Json;
  if (is_yaml_document(text)) return ManifestFormat::Yaml;
  if (!text.starts_with('{')) return ManifestFormat::Csv;
  // One object a line, or one object over many lines: the first line tells, if it is whole.
  const std::string_view line = text.substr(0, text.find('\n'));
  JsonReader reader;
  const Result<JsonElement> object = reader.parse(line);
  if (object)
    return object->at_key("jobs").error() == simdjson::SUCCESS ? ManifestFormat::Json : ManifestFormat::JsonLines;
  // A value that cannot be read, such as NaN, makes the line no less a job.
  const std::optional<TextFault> fault = find_json_fault(line);
  const bool is_line = line.size() == text.size() || (fault && fault->in_value);
  return is_line ? ManifestFormat::JsonLines : ManifestFormat::Json;
}

}  // namespace reelbatch
