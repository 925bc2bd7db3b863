#include "tests/fuzz/fuzz.h"

#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>

#include "runner/check.h"

namespace reelbatch {
namespace {

using Run = void (*)(std::string_view data);

struct Target {
  Run run;
  int inputs;
};

std::map<std::string, Target, std::less<>>& targets() {
  static std::map<std::string, Target, std::less<>> all;
  return all;
}

Run chosen = nullptr;

}  // namespace

FuzzTarget::FuzzTarget(const char* name, int inputs, Run run) {
  targets().emplace(name, Target{run, inputs});
}

void must(bool holds, std::string_view promise, std::string_view about) {
  if (holds) return;
  fmt::print(stderr, "broken promise: {}: '{}'\n", promise, about);
  std::abort();
}

unsigned take_byte(std::string_view& data) {
  if (data.empty()) return 0;
  const auto byte = static_cast<unsigned char>(data.front());
  data.remove_prefix(1);
  return byte;
}

bool splits_again(std::string_view json) {
  if (json.find_first_of(";|") != std::string_view::npos) return true;
  for (std::size_t at = json.find(','); at != std::string_view::npos; at = json.find(',', at + 1)) {
    // A quote in front of an address belongs to no address; the one around an item is `"`.
    const std::size_t begin = json.find_first_not_of("'<>", at + 1);
    if (begin != std::string_view::npos && std::string_view("/wWhH").find(json[begin]) != std::string_view::npos)
      return true;
  }
  return false;
}

// In the place of the one in runner/check.cc, which ends the process without a word to libFuzzer.
void check_failed(const char* file, int line, const char* what) {
  fmt::print(stderr, "{}:{}: CHECK({}) failed\n", file, line, what);
  std::abort();
}

}  // namespace reelbatch

/// `fuzz TARGET [options of libFuzzer] FOLDER...`; `fuzz --list` names the targets, each with its number of inputs.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  const std::string name = *argc > 1 ? (*argv)[1] : "";
  if (name == "--list") {
    for (const auto& [known, target] : reelbatch::targets()) fmt::print("{} {}\n", known, target.inputs);
    std::exit(0);
  }
  const auto found = reelbatch::targets().find(name);
  if (found == reelbatch::targets().end()) {
    fmt::print(stderr, "no fuzz target '{}': fuzz --list names them\n", name);
    std::exit(2);
  }
  reelbatch::chosen = found->second.run;
  for (int i = 1; i + 1 < *argc; ++i) (*argv)[i] = (*argv)[i + 1];
  --*argc;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  reelbatch::chosen({reinterpret_cast<const char*>(data), size});
  return 0;
}
