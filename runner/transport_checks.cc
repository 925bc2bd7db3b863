#include "runner/transport_checks.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace reelbatch {

Result<void> check_roots(const std::string& path) {
  if (path.empty()) return {};
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in.is_open() || in.bad()) return usage_error(fmt::format("cannot read '{}', the roots to trust", path));
  if (text.find("-----BEGIN ") == std::string::npos || text.find("CERTIFICATE-----") == std::string::npos) {
    return usage_error(fmt::format("no certificate in '{}': roots to trust are given as PEM", path));
  }
  return {};
}

// One descriptor for each exchange, one for each connection that is kept for later, and some for the rest of us.
Result<void> make_room_for_files(int max_connections) {
  const rlim_t needed = static_cast<rlim_t>(max_connections) * 2 + 64;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed) return {};
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = std::min(needed, limit.rlim_max);
  if (limit.rlim_max < needed || ::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return ground_error(
        fmt::format("{} connections need {} open files, and only {} are allowed: ask for fewer "
                    "connections or raise the limit (ulimit -n)",
                    max_connections, needed, std::max(before, limit.rlim_max)));
  }
  return {};
}

}  // namespace reelbatch
