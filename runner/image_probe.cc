#include "runner/image_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "jobs/address.h"
#include "jobs/retry_after.h"
#include "runner/durations.h"
#include "runner/ip_scope.h"
#include "runner/manifest_run.h"
#include "runner/wire_text.h"

namespace reelbatch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Addresses and mentions that wait to be asked for, before a row more is read.
constexpr std::size_t kWaitingMost = 10'000;
constexpr std::size_t kRecordBytesMost = 64'000'000;
constexpr std::size_t kPortsKept = 10'000;
constexpr int kRedirectsMost = 5;
/// Of one address, after an answer that need not be the last word.
constexpr int kRetriesMost = 2;
constexpr Duration kPause = seconds(1);
constexpr Duration kPauseMost = seconds(30);
/// In a row, until a port counts as out of reach.
constexpr int kRefusalsMost = 2;
constexpr int kSilencesMost = 5;
constexpr Duration kSlow = seconds(5);

std::string_view wanted_words(Media media) {
  switch (media) {
    case Media::Audio:
      return "a sound";
    case Media::Visual:
      return "an image or a film";
    case Media::Any:
      return "an image, a film or a sound";
    case Media::None:
    case Media::Image:
      break;
  }
  return "an image";
}

/// Servers that know nothing of a file call it bytes: that speaks against nothing.
bool fits(std::string_view type, Media media) {
  if (type.empty() || type == "application/octet-stream" || type == "binary/octet-stream") return true;
  const bool image = type.starts_with("image/"), film = type.starts_with("video/"), sound = type.starts_with("audio/");
  switch (media) {
    case Media::None:
    case Media::Image:
      return image;
    case Media::Audio:
      return sound;
    case Media::Visual:
      return image || film;
    case Media::Any:
      return image || film || sound;
  }
  return false;
}

bool refuses_head(int status) {
  return status == 403 || status == 405 || status == 501;
}

/// An answer that says there is nothing. Some servers say so to HEAD alone.
bool is_empty(const ProbeAnswer& answer) {
  return answer.status == 204 || answer.status == 205 || (answer.status / 100 == 2 && answer.size == 0U);
}

/// Whether an address that is counted so speaks for its row.
bool may_be_paid_for(std::int64_t ProbeCounts::*count) {
  return count == nullptr || count == &ProbeCounts::slow || count == &ProbeCounts::unknown;
}

/// Remark::code of an address that speaks against its row, but for its type.
std::string_view code_of(std::int64_t ProbeCounts::*count) {
  if (count == &ProbeCounts::large) return "too_large";
  return count == &ProbeCounts::unreachable ? "unreachable_host" : "dead_address";
}

std::string megabytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

}  // namespace

const RemarkSink ImageProbe::kNoSink;

ImageProbe::ImageProbe(const Clock& clock, ProbeTransport& transport, const ProbeOptions& options,
                       const RemarkSink& remark, const RemarkSink& reject)
    : clock_(clock), transport_(transport), options_(options), remark_(remark), reject_(reject) {}

void ImageProbe::add_row(const ManifestRow& row, const std::vector<MediaAddress>& addresses) {
  ++rows_;
  std::shared_ptr<Remark> record;
  if (reject_ && !addresses.empty()) describe(row, *(record = std::make_shared<Remark>()));
  for (const MediaAddress& address : addresses) {
    Mention mention{row.file, place_of(row, address.field), address.field, address.media, rows_, record};
    const auto [known, is_new] = known_.emplace(digest_of(address.address), concluded_.size());
    const Number number = known->second;
    if (is_new) {
      ++counts_.addresses;
      concluded_.push_back(0);
      Look& look = looks_[number];
      look.address = look.url = address.address;
      look.port = &port_for(look.url);
      look.port->waiting.push_back(number);
    }
    if (const std::uint32_t verdict = concluded_[number]; verdict != 0) {
      tell(mention, address.address, verdict);
    } else {
      looks_[number].mentions.push_back(std::move(mention));
      ++mentions_;
      record_bytes_ += record ? record->raw.size() : 0;
    }
  }
  ask_until(kWaitingMost);
}

void ImageProbe::finish() {
  ask_until(0);
}

ImageProbe::Port& ImageProbe::port_for(const std::string& url) {
  const std::string name = host_and_port_of(url);
  const auto found = ports_.find(name);
  if (found != ports_.end()) return found->second;
  if (ports_.size() >= kPortsKept) forget_idle();
  std::shared_ptr<Host>& host = hosts_[std::string(host_of(url))];
  if (!host) host = std::make_shared<Host>(options_.rate);
  return ports_.emplace(name, Port(host)).first->second;
}

/// Ports and hosts for whose limits nothing counts any more. What is known of the unreachable ones stays.
void ImageProbe::forget_idle() {
  const Instant now = clock_.now();
  std::erase_if(ports_, [&](const auto& entry) {
    const Port& port = entry.second;
    return !port.unreachable && port.open == 0 && port.waiting.empty() && port.host->limiter.recent(now).empty();
  });
  std::erase_if(hosts_, [](const auto& entry) { return entry.second.use_count() == 1; });
}

/// Asks and waits until no more than so many addresses, or so many places where they stand, are not concluded.
void ImageProbe::ask_until(std::size_t waiting_most) {
  ProbeHappenings happened;
  while (looks_.size() > waiting_most || mentions_ > waiting_most || record_bytes_ > kRecordBytesMost) {
    const Instant next = start_due(clock_.now());
    transport_.wait_until(next, happened);
    for (const Ready& ready : happened.ready) {
      looks_.at(ready.id).port->host->limiter.sent(ready.at);
    }
    for (const ProbeAnswer& answer : happened.answers) settle(answer);
  }
}

/// Starts what may start; gives the time at which more may. Ports take turns to be the first, so that some slow ones do
/// not keep the rest from being asked.
Instant ImageProbe::start_due(Instant now) {
  Instant next = kNever;
  auto port = ports_.upper_bound(last_port_);
  for (std::size_t left = ports_.size(); left > 0; --left, ++port) {
    if (port == ports_.end()) port = ports_.begin();
    if (port->second.waiting.empty()) continue;
    const std::size_t open = transport_.open();
    next = std::min(next, start_due(port->second, now));
    if (transport_.open() > open) last_port_ = port->first;
  }
  // What was concluded meanwhile is not waited for.
  return looks_.empty() ? now : next;
}

/// The same of one port.
Instant ImageProbe::start_due(Port& port, Instant now) {
  const auto most = static_cast<std::size_t>(options_.open);
  Host& host = *port.host;
  while (!port.waiting.empty()) {
    const Number number = port.waiting.front();
    if (port.unreachable) {
      port.waiting.pop_front();
      conclude(number, {&ProbeCounts::unreachable, {}, {}});
      continue;
    }
    if (transport_.open() >= most) return kNever;                       // an answer comes first
    if (2 * static_cast<std::size_t>(host.open) > most) return kNever;  // one that hangs leaves room for others
    // A port that could not be reached is asked with one request, not with all that wait.
    if (port.refusals > 0 && port.open > 0) return kNever;
    const Instant due = std::max({host.limiter.next_free(), host.held_until, port.held_until});
    if (due > now) return due;
    port.waiting.pop_front();
    start(looks_.at(number), number, now);
  }
  return kNever;
}

void ImageProbe::start(Look& look, Number number, Instant now) {
  look.port->host->limiter.take();
  ++look.port->host->open;
  ++look.port->open;
  look.started = now;
  const bool rehearsal = is_loopback(host_of(look.address)) && is_loopback(host_of(look.url));
  transport_.start({number, look.url, look.get, rehearsal});
}

void ImageProbe::settle(const ProbeAnswer& answer) {
  Look& look = looks_.at(answer.id);
  Port& port = *look.port;
  Host& host = *port.host;
  --port.open;
  --host.open;
  if (!answer.connected) {
    host.limiter.give_back();
    if (answer.leads_inside) return conclude(answer.id, inside(look, answer));
    if (!port.unreachable && ++port.refusals < kRefusalsMost) {
      port.held_until = std::max(port.held_until, answer.at + kPause);
      return port.waiting.push_front(answer.id);
    }
    return conclude(answer.id, out_of_reach(look, answer.error));
  }
  port.refusals = 0;
  port.silences = answer.timed_out ? port.silences + 1 : 0;
  if (port.silences >= kSilencesMost) {
    return conclude(answer.id, out_of_reach(look, fmt::format("{}, {} times in a row", answer.error, port.silences)));
  }
  if (ask_again(look, answer.id, answer)) return;
  const int status = answer.status;
  if (status == 0) return conclude(answer.id, {&ProbeCounts::dead, {}, answer.error});
  if (status / 100 == 3 && !answer.redirect.empty()) {
    if (!follow(look, answer.id, answer)) return;
    look.port = &port_for(look.url);
    return look.port->waiting.push_front(answer.id);
  }
  if (status == 429)
    return conclude(answer.id, {&ProbeCounts::unknown, {}, "answers 429, too many requests, every time"});
  if (status / 100 != 2) return conclude(answer.id, {&ProbeCounts::dead, {}, fmt::format("answers {}", status)});
  if (is_empty(answer)) return conclude(answer.id, {&ProbeCounts::dead, {}, "is empty"});
  const Duration took = answer.at - look.started;
  if (answer.size && *answer.size > options_.size_max) {
    conclude(answer.id, {&ProbeCounts::large, answer.content_type,
                         fmt::format("has {}, more than the {} of --probe-size", megabytes(*answer.size),
                                     megabytes(options_.size_max))});
  } else if (took > kSlow) {
    conclude(answer.id, {&ProbeCounts::slow, answer.content_type, fmt::format("answers after {}", about(took))});
  } else {
    conclude(answer.id, {nullptr, answer.content_type, {}});
  }
}

/// Whether the address is asked for once more: with GET where HEAD is refused, or later where that may help.
bool ImageProbe::ask_again(Look& look, Number number, const ProbeAnswer& answer) {
  if (!look.get && (refuses_head(answer.status) || is_empty(answer))) {
    look.get = true;
    look.port->waiting.push_front(number);
    return true;
  }
  const bool passing = answer.status == 429 || answer.status == 0 || answer.status / 100 == 5;
  if (!passing || look.retries == kRetriesMost) return false;
  // One that hung has had its time.
  if (answer.timed_out) return false;
  ++look.retries;
  const auto asked = parse_retry_after(answer.retry_after, clock_.wall());
  const Duration pause = asked ? std::clamp<Duration>(*asked, kPause, kPauseMost) : kPause * look.retries;
  Host& host = *look.port->host;
  host.held_until = std::max(host.held_until, answer.at + pause);
  look.port->waiting.push_front(number);
  return true;
}

/// Whether the redirect is followed; concludes if not.
bool ImageProbe::follow(Look& look, Number number, const ProbeAnswer& answer) {
  const auto refuse = [&](const std::string& why) {
    conclude(number, {&ProbeCounts::dead, {}, why});
    return false;
  };
  if (++look.redirects > kRedirectsMost) return refuse(fmt::format("redirects more than {} times", kRedirectsMost));
  if (!is_http_address(answer.redirect) || answer.redirect.find('@') != std::string::npos) {
    return refuse(fmt::format("redirects to {}, which is no http or https address", in_quotes(answer.redirect)));
  }
  look.url = answer.redirect;
  look.get = false;
  return true;
}

/// Gives a port up, and says so where that is new.
ImageProbe::Verdict ImageProbe::out_of_reach(const Look& look, const std::string& why) {
  if (std::exchange(look.port->unreachable, true)) return {&ProbeCounts::unreachable, {}, {}};
  return {&ProbeCounts::unreachable,
          {},
          fmt::format("its host '{}' cannot be reached: {}; its other addresses are not tried",
                      host_and_port_of(look.url), why)};
}

/// An address in numbers is the same for everyone. A name may be another address for the service than it is here, as in
/// an office whose own web server has an inner one.
ImageProbe::Verdict ImageProbe::inside(const Look& look, const ProbeAnswer& answer) {
  const std::string_view host = host_of(look.url);
  const bool same_for_all = ip_scope(host).has_value() || is_loopback(host);
  return {same_for_all ? &ProbeCounts::dead : &ProbeCounts::unknown, {}, answer.error};
}

/// The position of a verdict, from 1.
std::uint32_t ImageProbe::position_of(const Verdict& verdict) {
  const auto [known, is_new] =
      positions_.emplace(fmt::format("{}\n{}\n{}", may_be_paid_for(verdict.count), verdict.type, verdict.message),
                         static_cast<std::uint32_t>(verdicts_.size() + 1));
  if (is_new) verdicts_.push_back(verdict);
  return known->second;
}

void ImageProbe::conclude(Number number, const Verdict& verdict) {
  const auto found = looks_.find(number);
  const Look look = std::move(found->second);
  looks_.erase(found);
  mentions_ -= look.mentions.size();
  for (const Mention& mention : look.mentions) record_bytes_ -= mention.record ? mention.record->raw.size() : 0;
  const bool is_wrong = std::any_of(look.mentions.begin(), look.mentions.end(),
                                    [&](const Mention& mention) { return !fits(verdict.type, mention.media); });
  if (is_wrong) {
    ++counts_.wrong;
  } else if (verdict.count != nullptr) {
    ++(counts_.*verdict.count);
  }
  // Of a host that is out of reach the first place is told, of every row that it is not fine.
  Verdict later = verdict;
  if (verdict.count == &ProbeCounts::unreachable) later.message.clear();
  concluded_[number] = position_of(later);
  for (const Mention& mention : look.mentions) {
    tell(mention, look.address, &mention == look.mentions.data() ? position_of(verdict) : concluded_[number]);
  }
}

void ImageProbe::tell(const Mention& mention, const std::string& address, std::uint32_t position) {
  const Verdict& verdict = verdicts_[position - 1];
  std::string message = verdict.message;
  bool passes = may_be_paid_for(verdict.count);
  std::string_view code = code_of(verdict.count);
  if (!fits(verdict.type, mention.media)) {
    code = "wrong_type";
    message = fmt::format("is {}, not {}", in_quotes(verdict.type), wanted_words(mention.media));
    passes = false;
  }
  const auto row = static_cast<std::size_t>(mention.row);
  if (bad_rows_.size() <= row) bad_rows_.resize(row + row / 2 + 1);
  if (!passes && !bad_rows_[row]) {
    bad_rows_[row] = true;
    ++counts_.rows;
  }
  if (!passes && reject_) reject(mention, address, message, code);
  if (message.empty()) return;
  remark_({passes ? Remark::Level::Warning : Remark::Level::Error, mention.file, mention.place,
           std::string(mention.field), fmt::format("{} {}", in_quotes(address), message)});
}

/// What tell() says, or would if it were the first of its host, with the row that it is about.
void ImageProbe::reject(const Mention& mention, const std::string& address, std::string message,
                        std::string_view code) {
  if (message.empty()) message = "cannot be reached: its host was given up";
  Remark remark = *mention.record;
  remark.level = Remark::Level::Error;
  remark.file = mention.file;
  remark.place = mention.place;
  remark.field = mention.field;
  remark.message = fmt::format("{} {}", in_quotes(address), message);
  remark.code = code;
  reject_(remark);
}

std::string probe_line(const ProbeCounts& counts) {
  std::string line = fmt::format("{} {} looked at", counts.addresses, counts.addresses == 1 ? "address" : "addresses");
  std::int64_t fine = counts.addresses;
  for (const std::int64_t other :
       {counts.dead, counts.wrong, counts.large, counts.unreachable, counts.slow, counts.unknown})
    fine -= other;
  if (fine == counts.addresses && counts.rows == 0) return line + ", all fine";
  const std::array<std::pair<std::int64_t, std::string_view>, 7> parts = {{{fine, "fine"},
                                                                           {counts.dead, "dead"},
                                                                           {counts.wrong, "not what they should be"},
                                                                           {counts.large, "too large"},
                                                                           {counts.unreachable, "out of reach"},
                                                                           {counts.slow, "slow"},
                                                                           {counts.unknown, "not to be known"}}};
  std::string_view before = ": ";
  for (const auto& [count, words] : parts) {
    if (count == 0) continue;
    line += fmt::format("{}{} {}", before, count, words);
    before = ", ";
  }
  return line + fmt::format("; {} {} not to be paid for yet", counts.rows, counts.rows == 1 ? "row is" : "rows are");
}

}  // namespace reelbatch
