// Descriptions out of any bytes.
#include "jobs/prose.h"

#include "jobs/contacts.h"
#include "jobs/field_rules.h"
#include "jobs/plain_text.h"
#include "jobs/unicode.h"
#include "tests/fuzz/fuzz.h"

namespace reelbatch {
namespace {

void hold_clean(std::string_view text, std::string_view cell) {
  must(is_utf8(text), "a description is UTF-8", text);
  must(trim_blanks(text) == text, "a description has no blanks around it", text);
  must(text.size() <= cell.size() + cell.size() / 2, "a description does not grow", text);
  for (const std::string_view blanks : {"  ", "\n\n\n", " \n", "\n ", "\t", "\r", "\xC2\xA0"})
    must(text.find(blanks) == std::string_view::npos, "blanks are tidied", text);
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    must(!is_control_point(point.value), "no control characters are left", text);
    at += point.size;
  }
}

/// Nothing that is silent is heard, wherever it stands.
void hold_silence(std::string_view cell) {
  constexpr std::string_view kSecret = "QQheardQQ";
  // A cell may say it itself, once what stands in the middle of it is taken out.
  const std::string alone = read_prose_text(cell).text;
  if (alone.find(kSecret) != std::string::npos) return;
  // A closed element of its own, in front of whatever else there is.
  for (const std::string_view name : {"script", "style", "head", "noscript", "button", "svg", "iframe"}) {
    const std::string element = "<" + std::string(name) + ">" + std::string(kSecret) + "</" + std::string(name) + ">";
    const Prose prose = read_prose_text(element + std::string(cell));
    must(prose.text.find(kSecret) == std::string::npos, "what is in a silent element is left out", name);
    must(alone == prose.text, "a silent element changes nothing around it", cell);
  }
}

}  // namespace

FUZZ_TARGET(prose, 100'000) {
  const unsigned choice = take_byte(data);
  const ProseOptions options{.strip_contacts = (choice & 1U) != 0, .repair_mojibake = (choice & 2U) != 0};
  const RawValue value{RawValue::Form::Text, std::string(data)};
  const FieldReading field = read_prose(value, 0);
  if (!is_utf8(data) || data.find('\0') != std::string_view::npos) {
    must(!field.problems.empty(), "what is no text is refused");
    return;
  }
  const Prose once = read_prose_text(data, options);
  hold_clean(once.text, data);
  must(once.work <= 24 * (data.size() + 1), "the work is in proportion to the size");
  // Markup in markup, and what is encoded three times, is left (prose.h). Repairing and stripping are not done twice
  // either: what is left of two numbers may look like a third.
  if (once.text.find_first_of("<&[\\") == std::string::npos && !options.any()) {
    const Prose twice = read_prose_text(once.text);
    must(twice.text == once.text, "what was read is not changed by being read again", once.text);
  }
  const std::string_view trimmed = trim_blanks(data);
  if (is_utf8(data) && is_plain_prose(trimmed)) {
    const Prose plain = read_prose_text(trimmed);
    must(plain.text == trimmed && plain.remarks.empty(), "what is plain stays as it is", data);
  }
  const auto kept = read_prose_with_options(prose_with_options(data, options));
  must(kept && kept->text == data && kept->options.strip_contacts == options.strip_contacts &&
           kept->options.repair_mojibake == options.repair_mojibake,
       "options are kept with their text", data);
  // At its beginning a cell may hold line ends, which change what a spelt-out one means.
  if (data.find('\\') == std::string_view::npos && data.find('[') == std::string_view::npos) hold_silence(data);
}

}  // namespace reelbatch
