// `init`: files to start from.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "runner/commands.h"
#include "runner/progress_printer.h"
#include "runner/say.h"
#include "runner/starter_files.h"

namespace reelbatch {
namespace {

/// Never over what is there, nor through a link.
Result<void> write_new(const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 && errno == EEXIST) return usage_error(fmt::format("{} is there already; nothing was written", path));
  if (fd < 0) return ground_error(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  ssize_t written = 0;
  while (!text.empty() && (written = ::write(fd, text.data(), text.size())) > 0) {
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  const int error = errno;
  if (::close(fd) == 0 && text.empty()) return {};
  ::unlink(path.c_str());
  return ground_error(fmt::format("cannot write {}: {}", path, std::strerror(error)));
}

}  // namespace

int command_init(const InitCommand& command) {
  const std::filesystem::path folder = command.folder;
  const std::string config = starter_config();
  const std::array<std::pair<std::string, std::string_view>, 2> files = {
      {{(folder / kStarterConfigName).string(), config},
       {(folder / kStarterManifestName).string(), starter_manifest()}}};
  std::vector<std::string> made;
  for (const auto& [path, text] : files) {
    const Result<void> written = write_new(path, text);
    if (written) {
      made.push_back(path);
      continue;
    }
    for (const std::string& other : made) ::unlink(other.c_str());
    return report_error(written.error());
  }
  say("wrote {} and {}\n"
      "  try it without a key or cost:  reelbatch run --sandbox {}\n"
      "  then put your listings in, and look before you spend:  reelbatch check, reelbatch plan\n",
      for_terminal(files[0].first), for_terminal(files[1].first), for_terminal(files[1].first));
  return 0;
}

}  // namespace reelbatch
