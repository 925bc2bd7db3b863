#include "runner/image_probe.h"

#include <doctest/doctest.h>

#include <deque>
#include <random>

#include "runner/wire_text.h"

using namespace reelbatch;
using namespace std::chrono_literals;

namespace {

/// What a host does with a request.
struct Reaction {
  Duration connects = 0s;  ///< after the start; what leaves then is what the limits are about
  Duration answers = 0s;   ///< after that
  ProbeAnswer answer = {};
};

Reaction image(Duration connects = 0s, Duration answers = 0s) {
  Reaction made{connects, answers, {}};
  made.answer.connected = true;
  made.answer.status = 200;
  made.answer.content_type = "image/jpeg";
  return made;
}

Reaction silence(Duration timeout) {
  Reaction made{0s, timeout, {}};
  made.answer.connected = true;
  made.answer.timed_out = true;
  made.answer.error = "gives no answer within 10 s";
  return made;
}

Reaction refusal() {
  Reaction made;
  made.answer.error = "connection refused";
  return made;
}

/// Time and the hosts: time moves only where the probe waits.
class ProbeWorld final : public Clock, public ProbeTransport {
 public:
  std::function<Reaction(const ProbeRequest&)> react = [](const ProbeRequest&) { return image(); };
  struct Send {
    std::string host;
    std::string url;
    Instant at;
  };
  std::vector<ProbeRequest> requests;
  std::vector<Send> sends;
  std::size_t open_most = 0;
  std::map<std::string, std::size_t> open_most_of_host;

  Instant now() const override { return now_; }
  WallTime wall() const override { return WallTime(1795285882000ms); }

  void start(const ProbeRequest& request) override {
    const Reaction reaction = react(request);
    requests.push_back(request);
    const std::string host(host_of(request.url));
    open_[request.id] = host;
    open_most = std::max(open_most, open_.size());
    std::size_t& most = open_most_of_host[host];
    most = std::max(most, static_cast<std::size_t>(std::count_if(
                              open_.begin(), open_.end(), [&](const auto& entry) { return entry.second == host; })));
    Happening ready{request, reaction.answer, false};
    if (reaction.answer.connected) happenings_.emplace(now_ + reaction.connects, ready);
    ready.is_end = true;
    happenings_.emplace(now_ + reaction.connects + reaction.answers, ready);
  }

  std::size_t open() const override { return open_.size(); }

  void wait_until(Instant deadline, ProbeHappenings& out) override {
    out.ready.clear();
    out.answers.clear();
    const Instant first = happenings_.empty() ? kNever : happenings_.begin()->first;
    REQUIRE(std::min(first, deadline) != kNever);  // nothing would ever happen
    now_ = std::max(now_, std::min(first, deadline));
    while (!happenings_.empty() && happenings_.begin()->first <= now_) {
      const auto [at, happening] = *happenings_.begin();
      happenings_.erase(happenings_.begin());
      if (happening.is_end) {
        out.answers.push_back(happening.answer);
        out.answers.back().id = happening.request.id;
        out.answers.back().at = at;
        open_.erase(happening.request.id);
      } else {
        out.ready.push_back({happening.request.id, at});
        sends.push_back({std::string(host_of(happening.request.url)), happening.request.url, at});
      }
    }
  }

  std::vector<Instant> sent_to(const std::string& host) const {
    std::vector<Instant> times;
    for (const Send& send : sends) {
      if (send.host == host) times.push_back(send.at);
    }
    std::sort(times.begin(), times.end());
    return times;
  }

 private:
  struct Happening {
    ProbeRequest request;
    ProbeAnswer answer;
    bool is_end = false;
  };
  Instant now_{1h};
  std::multimap<Instant, Happening> happenings_;
  std::map<ExchangeId, std::string> open_;
};

/// What is said, and what is counted, of rows with these addresses.
struct Probed {
  ProbeCounts counts;
  std::vector<std::string> said;
};

Probed probe(ProbeWorld& world, const std::vector<std::string>& addresses, const ProbeOptions& options = {}) {
  Probed probed;
  const RemarkSink sink = [&](const Remark& remark) {
    const char* level = remark.level == Remark::Level::Warning ? "warning: " : "";
    probed.said.push_back(level + remark.message);
  };
  ImageProbe prober(world, world, options, sink);
  ManifestRow row;
  row.file = "feed.csv";
  for (const std::string& address : addresses) {
    ++row.place.line;
    prober.add_row(row, {{"image_urls", address, Media::Image}});
  }
  prober.finish();
  CHECK(world.open() == 0);
  probed.counts = prober.counts();
  return probed;
}

std::string address(int host, int number) {
  return fmt::format("https://host-{}.test/{}.jpg", host, number);
}

/// No closed span of `width` holds more than `limit`.
void check_spans(const std::vector<Instant>& times, std::size_t limit, Duration width) {
  for (std::size_t i = 0; i + limit < times.size(); ++i) REQUIRE(times[i + limit] - times[i] > width);
}

}  // namespace

TEST_CASE("probe: a host is asked exactly as often as it may be, in every window") {
  ProbeWorld world;
  ProbeOptions options;
  options.rate = {{4, 1s}, {10, 5s}};
  std::vector<std::string> addresses;
  for (int i = 0; i < 40; ++i) addresses.push_back(address(1, i));
  CHECK(probe(world, addresses, options).counts.addresses == 40);
  const std::vector<Instant> times = world.sent_to("host-1.test");
  REQUIRE(times.size() == 40);
  check_spans(times, 4, 1s);
  check_spans(times, 10, 5s);
  // Nor is a slot left unused: a nanosecond beyond the window is the next one's.
  for (std::size_t i = 0; i + 10 < times.size(); ++i) CHECK(times[i + 10] - times[i] == 5s + 1ns);
  for (std::size_t i = 0; i < 4; ++i) CHECK(times[i + 4] - times[i] == 1s + 1ns);
}

TEST_CASE("probe: the pace holds for what leaves, however long connections take, retries and redirects included") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 rng(seed);
    const auto draw = [&](int most) { return static_cast<int>(rng() % static_cast<std::uint64_t>(most + 1)); };
    ProbeWorld world;
    ProbeOptions options;
    options.rate = {{1 + draw(5), 1s}, {6 + draw(9), 4s}};
    options.open = 1 + draw(19);
    world.react = [&](const ProbeRequest&) {
      Reaction made = image(draw(700) * 1ms, draw(900) * 1ms);
      const int what = draw(9);
      if (what == 0) made.answer.status = 503;
      if (what == 1) made.answer.status = 405;
      if (what == 2) {
        made.answer.status = 302;
        made.answer.redirect = address(draw(2), 1000 + draw(1000));
      }
      return made;
    };
    std::vector<std::string> addresses;
    for (int i = 0; i < 60; ++i) addresses.push_back(address(draw(2), i));
    probe(world, addresses, options);
    CHECK(world.sends.size() >= 60);
    CHECK(world.open_most <= static_cast<std::size_t>(options.open));
    for (int host = 0; host <= 2; ++host) {
      for (const RateWindow& window : options.rate) {
        const auto limit = static_cast<std::size_t>(window.limit);
        check_spans(world.sent_to(fmt::format("host-{}.test", host)), limit, window.width);
      }
    }
  }
}

TEST_CASE("probe: many hosts are asked side by side, each at its own pace") {
  ProbeWorld world;
  world.react = [](const ProbeRequest&) { return image(5ms, 15ms); };
  ProbeOptions options;
  options.rate = {{4, 1s}};
  std::vector<std::string> addresses;
  for (int i = 0; i < 12 * 30; ++i) addresses.push_back(address(i % 30, i));
  const Instant began = world.now();
  probe(world, addresses, options);
  CHECK(world.sends.size() == 360);
  // One host needs two windows and what its requests take; thirty need the same, and room among 20 open requests.
  CHECK(world.now() - began < 2500ms);
  for (int host = 0; host < 30; ++host) check_spans(world.sent_to(fmt::format("host-{}.test", host)), 4, 1s);
}

TEST_CASE("probe: so many are open at once, and half of them at one host") {
  for (const int open : {1, 2, 3, 20}) {
    CAPTURE(open);
    ProbeWorld world;
    world.react = [](const ProbeRequest&) { return image(1ms, 300ms); };
    ProbeOptions options;
    options.rate = {{1000, 1s}};
    options.open = open;
    std::vector<std::string> addresses;
    for (int i = 0; i < 200; ++i) addresses.push_back(address(i % 4, i));
    probe(world, addresses, options);
    const auto most = static_cast<std::size_t>(open);
    CHECK(world.open_most == most);
    for (const auto& [host, at_once] : world.open_most_of_host) CHECK(at_once <= most / 2 + 1);
  }
}

TEST_CASE("probe: a host that stays silent is given up, and the rest goes on meanwhile") {
  ProbeWorld world;
  world.react = [](const ProbeRequest& request) {
    return host_of(request.url) == "host-0.test" ? silence(10s) : image(5ms, 15ms);
  };
  ProbeOptions options;
  options.rate = {{5, 1s}};
  std::vector<std::string> addresses;
  for (int i = 0; i < 200; ++i) addresses.push_back(address(i % 2, i));
  const Probed probed = probe(world, addresses, options);
  CHECK(probed.counts.dead == 4);
  CHECK(probed.counts.unreachable == 96);
  CHECK(probed.counts.rows == 100);
  CHECK(
      probed.said.back() ==
      "'https://host-0.test/8.jpg' its host 'host-0.test:443' cannot be reached: gives no answer within 10 s, 5 times "
      "in a row; its other addresses are not tried");
  CHECK(world.sent_to("host-0.test").size() <= 11);
  const std::vector<Instant> good = world.sent_to("host-1.test");
  CHECK(good.back() - good.front() == 19 * (1s + 1ns + 5ms));  // as if it were alone
}

TEST_CASE("probe: many silent hosts do not keep the rest waiting for their whole lists") {
  ProbeWorld world;
  world.react = [](const ProbeRequest& request) {
    return host_of(request.url) == "host-9.test" ? image(5ms, 15ms) : silence(10s);
  };
  std::vector<std::string> addresses;
  for (int i = 0; i < 1000; ++i) addresses.push_back(address(i % 10, i));
  const Instant began = world.now();
  const Probed probed = probe(world, addresses);
  CHECK(probed.counts.unreachable + probed.counts.dead == 900);
  CHECK(world.sent_to("host-9.test").size() == 100);
  CHECK(world.now() - began < 60s);
}

TEST_CASE("probe: answers in between keep a host from being given up") {
  ProbeWorld world;
  int nth = 0;
  world.react = [&](const ProbeRequest&) { return ++nth % 5 == 0 ? image() : silence(10s); };
  ProbeOptions options;
  options.open = 1;
  std::vector<std::string> addresses;
  for (int i = 0; i < 25; ++i) addresses.push_back(address(1, i));
  const Probed probed = probe(world, addresses, options);
  CHECK(probed.counts.dead == 20);
  CHECK(probed.counts.unreachable == 0);
}

TEST_CASE("probe: a host that cannot be reached is tried once more after a second, with one request") {
  ProbeWorld world;
  world.react = [](const ProbeRequest&) { return refusal(); };
  std::vector<std::string> addresses;
  for (int i = 0; i < 50; ++i) addresses.push_back(address(1, i));
  ProbeOptions options;
  options.open = 1;
  const Instant began = world.now();
  const Probed probed = probe(world, addresses, options);
  CHECK(probed.counts.unreachable == 50);
  CHECK(probed.said.size() == 1);
  CHECK(world.requests.size() == 2);
  CHECK(world.now() - began == 1s);
}

TEST_CASE("probe: a port that refuses says nothing of the others of its host, which have one pace together") {
  ProbeWorld world;
  world.react = [](const ProbeRequest& request) {
    return host_and_port_of(request.url) == "host.test:8080" ? refusal() : image();
  };
  ProbeOptions options;
  options.rate = {{5, 1s}};
  std::vector<std::string> addresses;
  for (int i = 0; i < 10; ++i)
    for (const char* origin : {"http://host.test:8080", "http://host.test", "https://host.test"})
      addresses.push_back(fmt::format("{}/{}.jpg", origin, i));
  const Probed probed = probe(world, addresses, options);
  CHECK(probed.counts.unreachable == 10);
  REQUIRE(probed.said.size() == 1);
  CHECK(probed.said[0].ends_with(
      "its host 'host.test:8080' cannot be reached: connection refused; its other addresses are not tried"));
  CHECK(world.sent_to("host.test").size() == 20);
  check_spans(world.sent_to("host.test"), 5, 1s);
}

TEST_CASE("probe: Retry-After makes the whole host wait, within bounds") {
  struct Case {
    const char* retry_after;
    Duration pause;
  };
  for (const Case& c : {Case{"7", 7s}, Case{"", 1s}, Case{"0", 1s}, Case{"3600", 30s}, Case{"soon", 1s}}) {
    CAPTURE(c.retry_after);
    ProbeWorld world;
    bool busy = true;
    world.react = [&](const ProbeRequest&) {
      Reaction made = image();
      if (std::exchange(busy, false)) {
        made.answer.status = 429;
        made.answer.retry_after = c.retry_after;
      }
      return made;
    };
    ProbeOptions options;
    options.open = 1;
    CHECK(probe(world, {address(1, 1), address(1, 2)}, options).said.empty());
    REQUIRE(world.sends.size() == 3);
    CHECK(world.sends[1].at - world.sends[0].at == c.pause);
    CHECK(world.sends[2].at == world.sends[1].at);
  }
}

TEST_CASE("probe: a late answer is a warning") {
  ProbeWorld world;
  world.react = [](const ProbeRequest& request) { return image(0s, request.url == address(1, 1) ? 6s : Duration(5s)); };
  const Probed probed = probe(world, {address(1, 1), address(1, 2)});
  CHECK(probed.said == std::vector<std::string>{"warning: 'https://host-1.test/1.jpg' answers after 6 s"});
  CHECK(probed.counts.slow == 1);
  CHECK(probed.counts.rows == 0);
}

TEST_CASE("probe: only what a row itself calls this machine may lead there, and what leads inside is not asked") {
  struct Case {
    const char* address;
    const char* redirect;
    std::vector<bool> may_lead_inside;
  };
  const Case cases[] = {
      {"https://host-1.test/1.jpg", "http://127.0.0.1/2.jpg", {false, false}},
      {"https://host-1.test/1.jpg", "http://10.0.0.5/2.jpg", {false, false}},
      {"http://10.0.0.5/1.jpg", "", {false}},
      {"http://localhost:8080/1.jpg", "http://127.0.0.1/2.jpg", {true, true}},
      {"http://127.0.0.1/1.jpg", "http://10.0.0.5/2.jpg", {true, false}},
      {"http://[::1]/1.jpg", "https://host-1.test/2.jpg", {true, false}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.address);
    ProbeWorld world;
    world.react = [&](const ProbeRequest& request) {
      Reaction made = image();
      if (request.url != c.address || *c.redirect == '\0') return made;
      made.answer.status = 302;
      made.answer.redirect = c.redirect;
      return made;
    };
    probe(world, {c.address});
    std::vector<bool> allowed;
    for (const ProbeRequest& request : world.requests) allowed.push_back(request.may_lead_inside);
    CHECK(allowed == c.may_lead_inside);
  }

  ProbeWorld world;
  world.react = [](const ProbeRequest&) {
    Reaction made;
    made.answer.leads_inside = true;
    made.answer.error = "leads to 10.0.0.5";
    return made;
  };
  // A name may lead elsewhere for the service; a number does not. Neither says that the host is out of reach.
  const Probed probed = probe(world, {address(1, 1), address(1, 2), "http://10.0.0.5/1.jpg", "http://[fe80::1]/1.jpg"});
  CHECK(probed.counts.unknown == 2);
  CHECK(probed.counts.dead == 2);
  CHECK(probed.counts.rows == 2);
  CHECK(world.requests.size() == 4);
}
