// Small texts: durations, rates, credits, headers, Retry-After, addresses, lists; and what stands in a configuration.
#include <fmt/format.h>

#include <optional>
#include <sstream>

#include "jobs/address_list.h"
#include "jobs/credits.h"
#include "jobs/json.h"
#include "jobs/json_quote.h"
#include "jobs/list_literal.h"
#include "jobs/punycode.h"
#include "jobs/retry_after.h"
#include "jobs/service_faults.h"
#include "jobs/unicode.h"
#include "runner/answer_reader.h"
#include "runner/config.h"
#include "runner/durations.h"
#include "runner/text_source.h"
#include "runner/wire_text.h"
#include "tests/fuzz/fuzz.h"

namespace reelbatch {
namespace {

constexpr WallTime kNow = WallTime(std::chrono::milliseconds(1'795'262'400'000));  // 2026-11-21, noon

using std::chrono::milliseconds;

void hold_answer(std::string_view data) {
  // An answer as libcurl delivers it: header lines, then pieces of a body.
  AnswerReader reader;
  const std::size_t blank = data.find("\n\n");
  std::string_view headers = data.substr(0, blank);
  while (!headers.empty()) {
    const std::size_t end = std::min(headers.find('\n'), headers.size() - 1) + 1;
    if (!reader.add_header(headers.substr(0, end))) break;
    headers.remove_prefix(end);
  }
  if (blank != std::string_view::npos) {
    must(reader.add_body(data.substr(blank + 2)), "a small body is taken");
    must(reader.body() == data.substr(blank + 2), "a body is kept as it is");
  }
  static_cast<void>(parse_retry_after(reader.retry_after(), kNow));
  for (const char c : in_our_words(data)) must(static_cast<unsigned char>(c) >= ' ', "our words are printable");
  static_cast<void>(is_loopback(data));
}

}  // namespace

FUZZ_TARGET(texts, 500'000) {
  hold_answer(data);
  if (const Result<Duration> read = parse_duration(data)) {
    must(*read >= Duration::zero(), "a duration is not negative");
    must(parse_duration(to_text(*read)) == *read, "a duration is read back", to_text(*read));
  }
  if (const auto read = parse_rate_windows(data)) {
    must(!read->empty(), "there is a window");
    for (const RateWindow& window : *read)
      must(window.limit >= 1 && window.width > Duration::zero(), "a window is one");
    must(parse_rate_windows(to_text(*read)) == *read, "windows are read back", to_text(*read));
  }
  if (const auto read = parse_deadline(data, kNow))
    must(read->at.has_value() != read->after.has_value(), "a deadline is a time or a duration");
  if (const auto read = parse_credits(data))
    must(parse_credits(to_text(*read)) == read, "credits are read back", to_text(*read));
  FaultOptions faults;
  static_cast<void>(add_faults(data, faults));
  must(is_utf8(printable(data, 80)), "what is printable is UTF-8");
  for (const char c : printable(data, 80)) must(c != '\n' && c != '\x1b', "what is printable is one line");
}

FUZZ_TARGET(retry_after, 1'200'000) {
  const std::optional<milliseconds> read = parse_retry_after(data, kNow);
  const auto longest = std::chrono::hours(24 * 3660);
  must(!read || (*read >= milliseconds::zero() && *read <= longest), "a wait is neither negative nor for ever");
  must(parse_retry_after(fmt::format(" {}\t", data), kNow) == read, "blanks around it do not count", data);
  if (!read || *read > std::chrono::hours(24 * 365)) return;
  // The same wait as a date: rounded up to whole seconds.
  const auto at = std::chrono::ceil<std::chrono::seconds>(kNow.time_since_epoch() + *read);
  const auto again = parse_retry_after(to_http_date(at.count()), kNow);
  must(*read == milliseconds::zero() || (again && *again >= *read && *again < *read + std::chrono::seconds(1)),
       "the same as a date", to_http_date(at.count()));
}

FUZZ_TARGET(addresses, 80'000) {
  if (const Result<std::string> once = normalise_address(data)) {
    const Result<std::string> twice = normalise_address(*once);
    must(twice && *twice == *once, "an address has one form", *once);
    for (const char c : *once) must(c > ' ' && c < 0x7f, "an address is ASCII without blanks", *once);
    must(once->starts_with("http://") || once->starts_with("https://"), "an address is http or https", *once);
  }
  for (const RawValue::Form form : {RawValue::Form::Text, RawValue::Form::Json}) {
    const Result<AddressList> list = parse_address_list({form, std::string(data)});
    if (!list) continue;
    std::string json = "[";
    for (const std::string& address : list->addresses) {
      must(normalise_address(address) == address, "a listed address has its one form", address);
      json += (json.size() > 1 ? "," : "") + json_quote(address);
    }
    const Result<AddressList> again = parse_address_list({RawValue::Form::Json, json + ']'});
    must(splits_again(json) || (again && again->addresses == list->addresses), "a list of normal addresses stays",
         json);
  }
  if (const Result<std::string> json = json_of_literal(data)) {
    JsonReader reader;
    must(reader.parse(*json).has_value(), "a literal becomes JSON", *json);
  }
  // Longer ones are no labels (RFC 1035 section 2.3.4).
  if (const auto label = ascii_label(data); label && label->size() <= 63)
    must(ascii_label(*label) == label, "a label has one form", *label);
}

FUZZ_TARGET(encodings, 170'000) {
  const unsigned choice = take_byte(data);
  std::optional<Encoding> encoding = find_encoding(data).encoding;
  if (choice % 8 < 7) encoding = static_cast<Encoding>(choice % 8);
  const auto decode = [&](std::size_t piece, std::size_t block) {
    StringSource bytes(data, piece);
    TextSource source(bytes, encoding);
    std::string text;
    std::string part(block, '\0');
    while (const Result<std::size_t> taken = source.read(part.data(), part.size())) {
      if (*taken == 0) break;
      text.append(part, 0, *taken);
    }
    return text;
  };
  const std::string whole = decode(SIZE_MAX, 4096);
  must(decode(1, 1) == whole, "the same a byte at a time");
  must(decode(1 + choice / 8, 7) == whole, "the same in pieces");
  if (encoding == Encoding::Utf8) must(whole == data, "UTF-8 is handed on as it is");
  if (encoding == Encoding::Latin1) must(is_utf8(whole), "every byte is a character of ISO-8859-1");
}

FUZZ_TARGET(config, 70'000) {
  std::istringstream in{std::string(data)};
  const Result<Config> config = read_config(in, "reelbatch.yaml", kNow);
  if (!config) {
    must(config.error().fault == Fault::Usage, "a configuration is the user's");
    must(config.error().message.starts_with("reelbatch.yaml"), "a problem names the file", config.error().message);
    return;
  }
  static_cast<void>(make_accounts(config->accounts, config->pace, {}, {}));
  must(config->options.poll_interval >= Duration::zero(), "a duration is not negative");
}

}  // namespace reelbatch
