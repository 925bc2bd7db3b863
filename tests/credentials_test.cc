#include "runner/credentials.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <array>
#include <string>
#include <vector>

#include "tests/scoped_env.h"
#include "tests/scoped_folder.h"

namespace reelbatch {
namespace {

constexpr std::array<CredentialSpec, 2> kSpecs = {
    {{"id", "X-Test-Id", "REELBATCH_TEST_ID"}, {"key", "X-Test-Key", "REELBATCH_TEST_KEY"}}};
constexpr ServiceSpec kService{"acme", "https://acme.example", "ACME_BASE_URL", kSpecs};

AccountOptions account_with_key(KeySource::From from, std::string where) {
  AccountOptions account;
  account.name = "main";
  account.service = &kService;
  account.keys["id"] = KeySource{KeySource::From::Env, "REELBATCH_TEST_ID"};
  account.keys["key"] = KeySource{from, std::move(where)};
  return account;
}

std::string redacted(const Credentials& credentials, std::string text) {
  const bool found = credentials.redact(text);
  CHECK(found == (text.find(kRedacted) != std::string::npos));
  return text;
}

}  // namespace

TEST_CASE("keys come from the environment by default") {
  const ScopedEnv id("REELBATCH_TEST_ID", "id-1");
  const ScopedEnv key("REELBATCH_TEST_KEY", "  s3cret/key \n");
  const auto loaded = load_credentials(account_with_key(KeySource::From::Env, "REELBATCH_TEST_KEY"));
  REQUIRE(loaded);
  CHECK(*loaded->headers() == std::vector<std::string>{"X-Test-Id: id-1", "X-Test-Key: s3cret/key"});
}

TEST_CASE("a missing or useless key says what to do and nothing of the key") {
  struct Case {
    const char* name;
    const char* value;
    const char* message;
  };
  const std::vector<Case> cases = {
      {"not set", nullptr,
       "account 'main': key: REELBATCH_TEST_KEY is not set in the environment: set it to the account's key (export "
       "REELBATCH_TEST_KEY=...), or say in the configuration where the key is ({file: ...} or {command: ...})"},
      {"empty", "",
       "account 'main': key: REELBATCH_TEST_KEY is empty in the environment: set it to the account's key (export "
       "REELBATCH_TEST_KEY=...), or say in the configuration where the key is ({file: ...} or {command: ...})"},
      {"blank", " \n ", "account 'main': key: REELBATCH_TEST_KEY in the environment is empty: a key is expected"},
      {"two lines", "hush-1\nhush-2",
       "account 'main': key: REELBATCH_TEST_KEY in the environment is no key: it has line breaks, control characters "
       "or letters beyond ASCII inside; copy the key alone"},
      {"not ASCII", "hush-\xc3\xa9",
       "account 'main': key: REELBATCH_TEST_KEY in the environment is no key: it has line breaks, control characters "
       "or letters beyond ASCII inside; copy the key alone"}};
  const ScopedEnv id("REELBATCH_TEST_ID", "id-1");
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const ScopedEnv key("REELBATCH_TEST_KEY", c.value);
    const auto loaded = load_credentials(account_with_key(KeySource::From::Env, "REELBATCH_TEST_KEY"));
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().fault == Fault::Usage);
    CHECK(loaded.error().message == c.message);
  }
}

TEST_CASE("a key file is its owner's alone") {
  const ScopedEnv id("REELBATCH_TEST_ID", "id-1");
  const ScopedFolder folder;
  const std::string path = folder.write("key", "hush-hush\r\n");
  const AccountOptions account = account_with_key(KeySource::From::File, path);
  const auto loaded = load_credentials(account);
  REQUIRE(loaded);
  CHECK(loaded->headers()->back() == "X-Test-Key: hush-hush");

  for (const mode_t mode : {0640U, 0604U, 0620U, 0644U}) {
    CAPTURE(mode);
    REQUIRE(chmod(path.c_str(), mode) == 0);
    const auto refused = load_credentials(account);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("run chmod 600 '" + path + "'") != std::string::npos);
    CHECK(refused.error().message.find("hush") == std::string::npos);
  }
  REQUIRE(chmod(path.c_str(), 0400) == 0);
  CHECK(load_credentials(account));

  const auto absent = load_credentials(account_with_key(KeySource::From::File, path + ".no"));
  REQUIRE_FALSE(absent);
  CHECK(absent.error().message ==
        "account 'main': key: cannot open key file '" + path + ".no': No such file or directory");
  const auto is_folder = load_credentials(account_with_key(KeySource::From::File, folder.path().string()));
  REQUIRE_FALSE(is_folder);
  const auto long_file =
      load_credentials(account_with_key(KeySource::From::File, folder.write("long", std::string(70'000, 'x'))));
  REQUIRE_FALSE(long_file);
  CHECK(long_file.error().message.find("it is longer than 64 KiB: that is no key") != std::string::npos);
}

TEST_CASE("a key command gives its first line, within bounds") {
  struct Case {
    const char* command;
    const char* outcome;  ///< the header's value, or the message's end
  };
  const std::vector<Case> cases = {{"printf 'hush-1\\nhush-2\\n'", "hush-1"},
                                   {"cat; echo hush-3", "hush-3"},
                                   {"exit 3", "the key command: it exited with status 3"},
                                   {"echo hush; exit 1", "the key command: it exited with status 1"},
                                   {"kill -9 $$", "the key command: it was ended by signal 9"},
                                   {"true", "the first line that the key command prints is empty: a key is expected"},
                                   {"exec sleep 60", "the key command: it took longer than 200ms"},
                                   {"exec >&-; exec sleep 60", "the key command: it took longer than 200ms"},
                                   {"exec yes", "the key command: it printed more than 1000 bytes"}};
  const ScopedEnv id("REELBATCH_TEST_ID", "id-1");
  for (const Case& c : cases) {
    CAPTURE(c.command);
    const bool slow = std::string(c.command).find("sleep") != std::string::npos;
    const CommandLimits limits{slow ? Duration(std::chrono::milliseconds(200)) : std::chrono::seconds(30), 1000};
    const auto loaded = load_credentials(account_with_key(KeySource::From::Command, c.command), limits);
    if (loaded) {
      CHECK(loaded->headers()->back() == "X-Test-Key: " + std::string(c.outcome));
    } else {
      CHECK(loaded.error().message == "account 'main': key: " + std::string(c.outcome));
      CHECK(loaded.error().fault == Fault::Usage);
    }
  }
}

TEST_CASE("secrets are blanked out in every form they may take") {
  const ScopedEnv id("REELBATCH_TEST_ID", "a/b\"c d");
  const ScopedEnv key("REELBATCH_TEST_KEY", "a/b\"c d and more");
  const auto loaded = load_credentials(account_with_key(KeySource::From::Env, "REELBATCH_TEST_KEY"));
  REQUIRE(loaded);
  CHECK(redacted(*loaded, "x-api-key: a/b\"c d and more!") == "x-api-key: ***!");
  CHECK(redacted(*loaded, "a/b\"c d, twice a/b\"c d") == "***, twice ***");
  CHECK(redacted(*loaded, R"({"id":"a/b\"c d"})") == R"({"id":"***"})");
  CHECK(redacted(*loaded, R"({"id":"a\/b\"c d"})") == R"({"id":"***"})");
  CHECK(redacted(*loaded, "?id=a%2Fb%22c%20d&key=a%2fb%22c%20d%20and%20more") == "?id=***&key=***");
  CHECK(redacted(*loaded, "nothing here") == "nothing here");
}

TEST_CASE("a secret too short to tell from a word is not looked for") {
  const ScopedEnv id("REELBATCH_TEST_ID", "abcde");
  const ScopedEnv key("REELBATCH_TEST_KEY", "abcdef");
  const auto loaded = load_credentials(account_with_key(KeySource::From::Env, "REELBATCH_TEST_KEY"));
  REQUIRE(loaded);
  CHECK(redacted(*loaded, "abcde abcdef") == "abcde ***");
}

TEST_CASE("the sandbox needs no key and gets a stand-in that is no secret") {
  const ScopedEnv id("REELBATCH_TEST_ID", nullptr);
  AccountOptions account;
  account.name = "sandbox/acme";
  account.service = &kService;
  account.sandbox = true;
  const auto loaded = load_credentials(account);
  REQUIRE(loaded);
  CHECK(*loaded->headers() == std::vector<std::string>{"X-Test-Id: sandbox", "X-Test-Key: sandbox"});
  CHECK(redacted(*loaded, "the sandbox") == "the sandbox");
}

}  // namespace reelbatch
