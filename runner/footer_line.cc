#include "runner/footer_line.h"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "jobs/unicode.h"

namespace reelbatch {
namespace {

constexpr std::size_t kWordsMax = 8;

constexpr std::string_view kTotals[] = {"total",  "totals", "totale", "gesamt", "insgesamt", "summe",  "anzahl",
                                        "nombre", "number", "count",  "rows",   "records",   "numero", "n\xC3\xBAmero"};
constexpr std::string_view kCounted[] = {"total",
                                         "totals",
                                         "row",
                                         "rows",
                                         "record",
                                         "records",
                                         "listing",
                                         "listings",
                                         "line",
                                         "lines",
                                         "item",
                                         "items",
                                         "entry",
                                         "entries",
                                         "property",
                                         "properties",
                                         "count",
                                         "number",
                                         "ligne",
                                         "lignes",
                                         "annonce",
                                         "annonces",
                                         "bien",
                                         "biens",
                                         "zeilen",
                                         "zeile",
                                         "objekte",
                                         "objekt",
                                         "datens\xC3\xA4tze",
                                         "righe",
                                         "riga",
                                         "annunci",
                                         "immobili",
                                         "filas",
                                         "registros",
                                         "anuncios",
                                         "inmuebles",
                                         "selected",
                                         "exported",
                                         "affected",
                                         "of",
                                         "de",
                                         "der",
                                         "di",
                                         "d",
                                         "the"};
constexpr std::string_view kMade[] = {
    "export",     "exported",  "exports",   "export\xC3\xA9", "exporte",
    "exportiert", "exportado", "esportato", "generated",      "g\xC3\xA9n\xC3\xA9r\xC3\xA9",
    "generado",   "generato",  "generiert", "copyright",      "\xC2\xA9"};
/// With a date behind it.
constexpr std::string_view kDated[] = {"created",  "updated", "last",   "date",     "stand",
                                       "produced", "printed", "report", "file",     "data",
                                       "erstellt", "datum",   "creato", "creado",   "cr\xC3\xA9\xC3\xA9",
                                       "fichier",  "feed",    "time",   "timestamp"};
constexpr std::string_view kEnds[] = {"end", "eof", "fin", "ende", "fine", "dateiende"};
constexpr std::string_view kEnded[] = {"of",      "the",      "du",      "de",       "la",       "des",
                                       "der",     "file",     "fichier", "l",        "export",   "report",
                                       "rapport", "feed",     "flux",    "list",     "liste",    "data",
                                       "datei",   "document", "records", "listings", "annonces", "page"};
constexpr std::string_view kPages[] = {"page", "seite", "pagina", "p\xC3\xA1gina"};

bool is_in(std::string_view word, std::span<const std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_number(std::string_view word) {
  return std::all_of(word.begin(), word.end(), is_digit);
}

/// A word in lower case, or a number, and the sign behind it.
struct Word {
  std::string text;
  char behind = 0;
};

std::vector<Word> words_of(std::string_view line) {
  std::vector<Word> words;
  for (const char c : line) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80U;
    if (!is_letter && !is_digit(c)) {
      if (!words.empty() && words.back().behind == 0) words.back().behind = c;
      continue;
    }
    const bool goes_on = !words.empty() && words.back().behind == 0;
    if (!goes_on) words.emplace_back();
    words.back().text += c;
  }
  for (Word& word : words) word.text = ascii_lower(word.text);
  return words;
}

/// Takes a date out, as `2026-11-26` or `26.11.26`. False if there is none.
bool take_date(std::vector<Word>& words) {
  for (std::size_t i = 0; i + 2 < words.size(); ++i) {
    const Word &one = words[i], &two = words[i + 1], &three = words[i + 2];
    const bool in_signs =
        one.behind == two.behind && std::string_view("-./").find(one.behind) != std::string_view::npos;
    // The time may stand right behind it, as in `26T10`.
    const std::string last = three.text.substr(0, three.text.find('t'));
    const auto is_part = [](std::string_view text) { return is_number(text) && !text.empty() && text.size() <= 2; };
    const auto is_year = [](std::string_view text) { return is_number(text) && text.size() == 4; };
    const bool is_date = in_signs && is_part(two.text) &&
                         ((is_year(one.text) && is_part(last)) ||
                          (is_part(one.text) && (is_year(last) || (is_part(last) && last.size() == 2))));
    if (!is_date) continue;
    words.erase(words.begin() + static_cast<std::ptrdiff_t>(i), words.begin() + static_cast<std::ptrdiff_t>(i) + 3);
    return true;
  }
  return false;
}

}  // namespace

bool is_footer(std::string_view line, std::uint64_t rows) {
  std::vector<Word> words = words_of(line);
  if (words.empty()) return true;
  if (words.size() > 2 * kWordsMax) return false;
  const bool is_dated = take_date(words);
  const auto are_all = [&](std::size_t from, auto&& is) {
    return std::all_of(words.begin() + static_cast<std::ptrdiff_t>(from), words.end(),
                       [&](const Word& word) { return is(word.text); });
  };
  if (is_dated && are_all(0, [](std::string_view word) { return is_digit(word[0]) || word == "utc"; })) return true;
  if (words.empty() || words.size() > kWordsMax) return false;
  const std::string& first = words[0].text;
  if (is_in(first, kMade) || (is_dated && is_in(first, kDated))) return true;
  if (is_in(first, kPages)) return words.size() > 1 && is_number(words[1].text);
  if (is_in(first, kEnds)) return are_all(1, [](std::string_view word) { return is_in(word, kEnded); });

  const auto counts = [&](std::string_view word) {
    return word == std::to_string(rows) || word == std::to_string(rows + 1);  // the header may be counted
  };
  const bool is_counted = are_all(0, [&](std::string_view word) { return counts(word) || is_in(word, kCounted); }) &&
                          std::any_of(words.begin(), words.end(), [&](const Word& word) { return counts(word.text); });
  return is_counted || (is_in(first, kTotals) && words.size() > 1 &&
                        are_all(1, [&](std::string_view word) { return is_number(word) || is_in(word, kCounted); }));
}

}  // namespace reelbatch
