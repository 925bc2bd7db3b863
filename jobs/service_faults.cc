#include "jobs/service_faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

namespace reelbatch {
namespace {

using Name = FaultRule::Name;

struct FaultSpec {
  std::string_view text;
  Name name;
  Fault429 form;
  bool timed;                ///< takes a duration
  std::int64_t duration_ms;  ///< when none is given
};
constexpr std::array<FaultSpec, 11> kSpecs = {{
    {"429", Name::TooMany, Fault429::Seconds, true, 5'000},
    {"429-date", Name::TooMany, Fault429::Date, true, 5'000},
    {"429-bare", Name::TooMany, Fault429::Bare, false, 0},
    {"500-before", Name::ErrorBefore, {}, false, 0},
    {"500-after", Name::ErrorAfter, {}, false, 0},
    {"503", Name::Unavailable, {}, true, 0},
    {"lost-before", Name::LostBefore, {}, false, 0},
    {"lost-after", Name::LostAfter, {}, false, 0},
    {"slow", Name::Slow, {}, true, 5'000},
    {"cut", Name::Cut, {}, false, 0},
    {"html", Name::Html, {}, false, 0},
}};

std::string_view name_of(const FaultRule& rule) {
  for (const FaultSpec& spec : kSpecs) {
    if (spec.name == rule.name && spec.form == rule.form) return spec.text;
  }
  return "";
}

/// The whole of `text` as a number, or nothing.
template <typename T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

/// `200ms`, `3s`, `2m`, `1h`: whole, not negative, at most a year.
std::optional<std::int64_t> duration_ms(std::string_view text) {
  struct Unit {
    std::string_view suffix;
    std::int64_t ms;
  };
  constexpr std::array<Unit, 4> kUnits = {{{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}}};
  constexpr std::int64_t kYearMs = 366LL * 24 * 3'600'000;
  for (const Unit& unit : kUnits) {
    if (!text.ends_with(unit.suffix)) continue;
    const auto count = number<std::int64_t>(text.substr(0, text.size() - unit.suffix.size()));
    if (count && *count >= 0 && *count <= kYearMs / unit.ms) return *count * unit.ms;
  }
  return {};
}

tl::unexpected<Error> wrong(std::string_view part, std::string_view why) {
  return usage_error(fmt::format("fault '{}': {}", part, why));
}

Result<Outage> read_outage(std::string_view part) {
  const std::string_view span = part.substr(std::string_view("outage@").size());
  const std::size_t plus = span.find('+');
  const auto from = duration_ms(span.substr(0, plus));
  const auto length = plus == std::string_view::npos ? std::nullopt : duration_ms(span.substr(plus + 1));
  if (!from || !length) return wrong(part, "needs when and how long, like outage@10s+30s");
  return Outage{*from, *length};
}

Result<FaultRule> read_rule(std::string_view part) {
  FaultRule rule;
  std::string_view rest = part;
  for (const std::string_view method : {"post:", "get:"}) {
    if (!rest.starts_with(method)) continue;
    rest.remove_prefix(method.size());
    rule.on_post = method == "post:";
    rule.on_get = !rule.on_post;
    break;
  }
  const std::size_t equals = rest.find('=');
  if (equals == std::string_view::npos) return wrong(part, "needs a rate, like lost-after=0.1");
  const auto rate = number<double>(rest.substr(equals + 1));
  if (!rate || !(*rate >= 0 && *rate <= 1)) return wrong(part, "the rate must be a number from 0 to 1");
  rule.rate = *rate;

  const std::string_view head = rest.substr(0, equals);
  const std::size_t at = head.find('@');
  const auto spec =
      std::find_if(kSpecs.begin(), kSpecs.end(), [&](const FaultSpec& one) { return one.text == head.substr(0, at); });
  if (spec == kSpecs.end()) {
    std::string names;
    for (const FaultSpec& one : kSpecs) names += fmt::format("{}, ", one.text);
    return wrong(part, fmt::format("no such fault; there are {}outage@T+D", names));
  }
  rule.name = spec->name;
  rule.form = spec->form;
  rule.duration_ms = spec->duration_ms;
  if (at != std::string_view::npos) {
    const auto duration = duration_ms(head.substr(at + 1));
    if (!spec->timed) return wrong(part, fmt::format("{} takes no duration", spec->text));
    if (!duration) return wrong(part, "the duration must look like 200ms, 3s or 2m");
    rule.duration_ms = *duration;
  }
  return rule;
}

/// What the rates that concern one method add up to.
double total_rate(const FaultOptions& options, bool post) {
  double total = 0;
  for (const FaultRule& rule : options.rules) total += (post ? rule.on_post : rule.on_get) ? rule.rate : 0;
  return total;
}

FaultAction action_of(const FaultRule& rule) {
  FaultAction action;
  action.name = name_of(rule);
  switch (rule.name) {
    case Name::TooMany:
      action.handled = false;
      action.status = 429;
      action.retry_after_ms = rule.duration_ms;
      action.retry_after_is_date = rule.form == Fault429::Date;
      break;
    case Name::ErrorBefore:
      action.handled = false;
      action.status = 500;
      break;
    case Name::ErrorAfter:
      action.status = 500;
      break;
    case Name::Unavailable:
      action.handled = false;
      action.status = 503;
      action.retry_after_ms = rule.duration_ms;
      break;
    case Name::LostBefore:
      action.handled = action.answered = false;
      break;
    case Name::LostAfter:
      action.answered = false;
      break;
    case Name::Slow:
      action.delay_ms = rule.duration_ms;
      break;
    case Name::Cut:
      action.body = FaultAction::Body::Cut;
      break;
    case Name::Html:
      action.body = FaultAction::Body::Html;
      break;
  }
  return action;
}

std::string_view words_of(int status) {
  return status == 429 ? "Too many requests" : status == 503 ? "Service unavailable" : "Internal server error";
}

}  // namespace

Result<void> add_faults(std::string_view text, FaultOptions& options) {
  FaultOptions added = options;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    if (part.starts_with("outage@")) {
      const Result<Outage> outage = read_outage(part);
      if (!outage) return tl::unexpected(outage.error());
      added.outages.push_back(*outage);
    } else {
      const Result<FaultRule> rule = read_rule(part);
      if (!rule) return tl::unexpected(rule.error());
      added.rules.push_back(*rule);
    }
    for (const bool post : {true, false}) {
      // Sums of decimal rates may miss 1 by a rounding.
      if (total_rate(added, post) > 1 + 1e-9) {
        return wrong(part, fmt::format("the rates for {} add up to more than 1", post ? "post" : "get"));
      }
    }
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  options = std::move(added);
  return {};
}

FaultAction decide_fault(const FaultOptions& options, std::string_view method, std::int64_t since_start_ms,
                         SeededRandom& random) {
  const bool post = method == "POST";
  const bool get = method == "GET";
  const double drawn = post || get ? random.unit() : 1;
  if (in_outage(options, since_start_ms)) {
    FaultAction action;
    action.name = "outage";
    action.handled = action.answered = false;
    return action;
  }
  double below = 0;
  for (const FaultRule& rule : options.rules) {
    if (!(post ? rule.on_post : get && rule.on_get)) continue;
    below += rule.rate;
    if (drawn < below) return action_of(rule);
  }
  return {};
}

bool in_outage(const FaultOptions& options, std::int64_t since_start_ms) {
  return std::any_of(options.outages.begin(), options.outages.end(), [&](const Outage& outage) {
    return since_start_ms >= outage.from_ms && since_start_ms < outage.from_ms + outage.length_ms;
  });
}

ServiceReply faulty_reply(const FaultAction& action, ServiceReply reply, std::int64_t unix_s) {
  if (action.status) {
    reply = ServiceReply{
        *action.status, "application/json", fmt::format(R"({{"error":"{}"}})", words_of(*action.status)), {}};
    const std::int64_t seconds = (action.retry_after_ms + 999) / 1000;
    if (seconds > 0) {
      // The date has no fraction while now has one: a second more keeps the promise.
      reply.headers.emplace_back(
          "Retry-After", action.retry_after_is_date ? to_http_date(unix_s + seconds + 1) : std::to_string(seconds));
    }
  }
  if (action.body == FaultAction::Body::Cut) reply.body.resize(reply.body.size() / 2);
  if (action.body == FaultAction::Body::Html) {
    reply = ServiceReply{
        200, "text/html; charset=utf-8", "<!DOCTYPE html><html><body><h1>We'll be right back</h1></body></html>", {}};
  }
  return reply;
}

std::string to_http_date(std::int64_t unix_s) {
  constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::chrono::sys_seconds at{std::chrono::seconds(unix_s)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), time.hours().count(), time.minutes().count(),
                     time.seconds().count());
}

}  // namespace reelbatch
