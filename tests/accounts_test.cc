#include "runner/accounts.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "jobs/registry.h"
#include "runner/durations.h"

namespace reelbatch {
namespace {

using Windows = std::vector<RateWindow>;

Windows windows(const char* text) {
  return *parse_rate_windows(text);
}

const ServiceSpec& iacrea() {
  return *find_service("iacrea");
}

AccountConfig configured(const char* name) {
  AccountConfig account;
  account.options.name = name;
  account.options.service = &iacrea();
  account.options.service_stated = true;
  return account;
}

}  // namespace

TEST_CASE("what is below a base URL, and what is at another host or above it") {
  struct Case {
    const char* base;
    const char* address;
    const char* expected;
  };
  for (const Case& c : std::vector<Case>{{"https://api.x.test", "https://api.x.test/a/?page=2", "/a/?page=2"},
                                         {"https://api.x.test", "http://API.x.test:80/a/", "/a/"},
                                         {"https://api.x.test", "/a/?page=2", "/a/?page=2"},
                                         {"https://gw.test/api", "https://gw.test/api/a/", "/a/"},
                                         {"https://gw.test/api", "https://gw.test/apis/a/", ""},
                                         {"https://gw.test/api", "https://gw.test/a/", ""},
                                         {"https://gw.test/api", "/api/../a/", ""},
                                         {"https://api.x.test", "https://evil.test/a/", ""},
                                         {"https://api.x.test", "https://api.x.test.evil.test/a/", ""},
                                         {"https://api.x.test", "https://api.x.test@evil.test/a/", ""},
                                         {"https://api.x.test", "https://u:p@api.x.test/a/", ""},
                                         {"https://api.x.test", "//evil.test/a/", ""},
                                         {"https://api.x.test", "https://api.x.test//evil.test/", ""},
                                         {"https://api.x.test", "https://api.x.test", ""},
                                         {"https://api.x.test", "?page=2", "/jobs/?page=2"},
                                         {"https://gw.test/api", "?page=2", "/jobs/?page=2"},
                                         {"https://api.x.test", "?page=2 HTTP/1.1", ""},
                                         {"https://api.x.test", "/a/ HTTP/1.1\r\nX: y", ""},
                                         {"https://api.x.test", "", ""}}) {
    CAPTURE(c.address);
    CHECK(path_below(c.base, "/jobs/?page=1", c.address) == c.expected);
  }
}

TEST_CASE("base URLs are absolute, safe and without a slash at the end") {
  struct Good {
    const char* text;
    const char* expected;
  };
  const std::vector<Good> good = {{"https://iacrea.com", "https://iacrea.com"},
                                  {"https://iacrea.com/", "https://iacrea.com"},
                                  {"https://gw.example/iacrea//", "https://gw.example/iacrea"},
                                  {"HTTPS://Example.COM:8443", "HTTPS://Example.COM:8443"},
                                  {"http://localhost:8080/", "http://localhost:8080"},
                                  {"http://LOCALHOST", "http://LOCALHOST"},
                                  {"http://127.0.0.1:1", "http://127.0.0.1:1"},
                                  {"http://127.255.0.9", "http://127.255.0.9"},
                                  {"http://[::1]:8080/x", "http://[::1]:8080/x"},
                                  {"https://[2001:db8::1]", "https://[2001:db8::1]"}};
  for (const Good& c : good) {
    CAPTURE(c.text);
    const Result<std::string> url = check_base_url(c.text);
    REQUIRE(url);
    CHECK(*url == c.expected);
  }

  const std::string clear =
      " would send the key in the clear: write https (plain http only to localhost, 127.0.0.1 or [::1])";
  const std::string absolute = " is no absolute http or https URL: write one such as https://example.com";
  struct Bad {
    const char* text;
    std::string message;
  };
  const std::vector<Bad> bad = {
      {"", "''" + absolute},
      {"iacrea.com", "'iacrea.com'" + absolute},
      {"/api", "'/api'" + absolute},
      {"://x", "'://x'" + absolute},
      {"ftp://iacrea.com", "'ftp://iacrea.com'" + absolute},
      {"https:iacrea.com", "'https:iacrea.com'" + absolute},
      {"https://", "'https://' has no valid host and port"},
      {"https:///x", "'https:///x' has no valid host and port"},
      {"https://x:0", "'https://x:0' has no valid host and port"},
      {"https://x:65536", "'https://x:65536' has no valid host and port"},
      {"https://x:y", "'https://x:y' has no valid host and port"},
      {"https://[::1", "'https://[::1' has no valid host and port"},
      {"https://a,b", "'https://a,b' has no valid host and port"},
      {"https://x:", "'https://x:'" + absolute},
      {"https://me:hush@x", "a base URL must not have a user name or a password in it"},
      {"https://x?key=1", "a base URL must not have a query (?) or a fragment (#)"},
      {"https://x/#a", "a base URL must not have a query (?) or a fragment (#)"},
      {"https://x y", "a base URL must not have blanks, backslashes, control characters or letters beyond ASCII"},
      {"https://x\\y", "a base URL must not have blanks, backslashes, control characters or letters beyond ASCII"},
      {"https://\xc3\xa9.fr",
       "a base URL must not have blanks, backslashes, control characters or letters beyond ASCII"},
      {"http://iacrea.com", "'http://iacrea.com'" + clear},
      {"http://127.0.0.1.example.com", "'http://127.0.0.1.example.com'" + clear},
      {"http://127.1", "'http://127.1'" + clear},
      {"http://1270.0.0.1", "'http://1270.0.0.1'" + clear},
      {"http://128.0.0.1", "'http://128.0.0.1'" + clear},
      {"http://localhost.example.com", "'http://localhost.example.com'" + clear},
      {"http://0.0.0.0", "'http://0.0.0.0'" + clear},
      {"http://[::2]", "'http://[::2]'" + clear}};
  for (const Bad& c : bad) {
    CAPTURE(c.text);
    const Result<std::string> url = check_base_url(c.text);
    REQUIRE_FALSE(url);
    CHECK(url.error().fault == Fault::Usage);
    CHECK(url.error().message == c.message);
  }
}

TEST_CASE("an origin is scheme, host and port") {
  CHECK(origin("https://iacrea.com") == "https://iacrea.com");
  CHECK(origin("HTTPS://IACrea.com:443/v1/x") == "https://iacrea.com");
  CHECK(origin("http://localhost:80") == "http://localhost");
  CHECK(origin("http://localhost:0443") == "http://localhost:443");
  CHECK(origin("https://x:8443/y") == "https://x:8443");
  CHECK(origin("http://[::1]:8080/y") == "http://[::1]:8080");
  CHECK(origin("http://[::1]/y") == "http://[::1]");
  CHECK(origin("").empty());
}

TEST_CASE("without a configuration every service has an account of its name") {
  const auto accounts = make_accounts({}, {}, {}, {});
  REQUIRE(accounts);
  REQUIRE(accounts->size() == all_services().size());
  for (std::size_t i = 0; i < accounts->size(); ++i) {
    const AccountOptions& account = (*accounts)[i];
    const ServiceSpec& service = all_services()[i];
    CAPTURE(account.name);
    CHECK(account.name == service.name);
    CHECK(account.service == find_service(service.name));
    CHECK_FALSE(account.service_stated);
    CHECK_FALSE(account.sandbox);
    CHECK(account.base_url == service.base_url);
    CHECK(account.rate == windows("10/1s"));
    CHECK(account.submit_rate == windows("1/1s"));
    CHECK(account.max_in_flight == 20);
    CHECK(account.hold_limit == 5);
    REQUIRE(account.keys.size() == service.credentials.size());
    for (const CredentialSpec& spec : service.credentials) {
      const KeySource& source = account.keys.at(std::string(spec.name));
      CHECK(source.from == KeySource::From::Env);
      CHECK(source.where == spec.env);
    }
  }
}

TEST_CASE("a service's variable moves the accounts that have no base URL of their own") {
  AccountConfig own = configured("own");
  own.options.base_url = "https://other.example";
  const Environment environment = {{std::string(iacrea().base_url_env), "http://localhost:9/"}};
  const auto accounts = make_accounts({configured("main"), own}, {}, {}, environment);
  REQUIRE(accounts);
  CHECK((*accounts)[0].base_url == "http://localhost:9");
  CHECK((*accounts)[1].base_url == "https://other.example");
  CHECK(make_accounts({configured("main")}, {}, {}, {{std::string(iacrea().base_url_env), ""}})->front().base_url ==
        iacrea().base_url);

  const auto refused = make_accounts({configured("a"), configured("b")}, {}, {},
                                     {{std::string(iacrea().base_url_env), "http://x.example"}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message ==
        "IACREA_BASE_URL: 'http://x.example' would send the key in the clear: write https (plain http only to "
        "localhost, 127.0.0.1 or [::1])");
}

TEST_CASE("limits come from flag or environment, account, top level, default, in this order") {
  Pace given;
  Pace file;
  AccountConfig account = configured("main");
  const auto made = [&] { return make_accounts({account}, file, given, {})->front(); };
  CHECK(made().rate == windows("10/1s"));
  file = Pace{windows("20/1s"), windows("2/1s"), 22};
  CHECK(made().rate == windows("20/1s"));
  CHECK(made().submit_rate == windows("2/1s"));
  CHECK(made().max_in_flight == 22);
  account.pace = Pace{windows("30/1s"), windows("3/1s"), 33};
  CHECK(made().rate == windows("30/1s"));
  CHECK(made().submit_rate == windows("3/1s"));
  CHECK(made().max_in_flight == 33);
  given = Pace{windows("40/1s"), windows("4/1s"), 44};
  CHECK(made().rate == windows("40/1s"));
  CHECK(made().submit_rate == windows("4/1s"));
  CHECK(made().max_in_flight == 44);
}

TEST_CASE("the sandbox has accounts of its own with a pace of their own") {
  const std::vector<AccountOptions> accounts = make_sandbox_accounts({});
  REQUIRE(accounts.size() == all_services().size());
  CHECK(accounts[0].name == "sandbox/iacrea");
  for (const AccountOptions& account : accounts) {
    CHECK(account.sandbox);
    CHECK(account.keys.empty());
    CHECK(account.base_url.empty());
    CHECK(account.rate == windows("100/1s"));
    CHECK(account.submit_rate == windows("10/1s"));
  }
  CHECK(make_sandbox_accounts(Pace{windows("5/1s"), {}, {}}).front().rate == windows("5/1s"));
}

}  // namespace reelbatch
