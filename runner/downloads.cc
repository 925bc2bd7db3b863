#include "runner/downloads.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <unordered_map>
#include <vector>

#include "jobs/unicode.h"
#include "runner/digest.h"
#include "runner/progress_printer.h"
#include "runner/result_row.h"

namespace reelbatch {
namespace {

using namespace std::chrono_literals;

constexpr int kTriesMax = 3;
constexpr Duration kRetryFirst = 1s, kRetryMost = 60s;
constexpr std::int64_t kWarningsMost = 10;
constexpr std::size_t kSchemeMost = std::string_view("https://").size();
constexpr int kSilentMost = 5;  ///< times in a row without an answer: then a host is asked no more
/// Of an encoded id. Names of files may have 255 bytes.
constexpr std::size_t kIdBytesMost = 200;
constexpr std::string_view kPart = ".part";

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

std::string_view ending_of(std::string_view url) {
  constexpr std::array<std::string_view, 4> kEndings{".mp4", ".mov", ".webm", ".m4v"};
  const std::string path = ascii_lower(url.substr(0, url.find_first_of("?#")));
  const auto* const found =
      std::find_if(kEndings.begin(), kEndings.end(), [&](std::string_view ending) { return path.ends_with(ending); });
  return found == kEndings.end() ? kEndings.front() : *found;
}

}  // namespace

std::string video_file_name(std::string_view id, std::string_view url) {
  std::string name;
  for (const char c : id) {
    if (is_plain(c) && !(c == '.' && name.empty())) {
      name += c;
    } else {
      name += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    if (name.size() >= kIdBytesMost) break;
  }
  return fmt::format("{}-{:08x}{}", name, static_cast<std::uint32_t>(short_digest_of(fmt::format("{}\n{}", id, url))),
                     ending_of(url));
}

std::string words_of(const DownloadCounts& counts) {
  std::string words = fmt::format("downloads: {} fetched", counts.fetched);
  if (counts.fetched > 0) words += fmt::format(" ({:.1f} MB)", static_cast<double>(counts.bytes) / 1e6);
  if (counts.there > 0) words += fmt::format(", {} {} there", counts.there, counts.there == 1 ? "was" : "were");
  if (counts.failed > 0) words += fmt::format(", {} failed", counts.failed);
  if (counts.left > 0) words += fmt::format(", {} left for the next run", counts.left);
  return words;
}

Result<Downloads> Downloads::open(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directory(folder, error);
  const bool is_folder = std::filesystem::is_directory(folder, error);
  if (!is_folder || ::access(folder.c_str(), W_OK | X_OK) != 0) {
    return usage_error(
        fmt::format("--download {}: {}; give a folder that can be written to, or one below such a folder",
                    for_terminal(folder), is_folder ? std::strerror(errno) : "is no folder, and cannot be made"));
  }
  Downloads downloads;
  downloads.folder_ = folder;
  for (auto file = std::filesystem::directory_iterator(folder, error);
       !error && file != std::filesystem::directory_iterator(); file.increment(error)) {
    downloads.there_.insert(file->path().filename().string());
  }
  if (error)
    return usage_error(fmt::format("--download {}: cannot be read: {}", for_terminal(folder), error.message()));
  return downloads;
}

/// The state of one fetch().
class Downloads::Fetching {
 public:
  Fetching(Downloads& downloads, VideoFetcher& fetcher, const Clock& clock, const StopRequest& stop, Progress& progress,
           Instant until)
      : downloads_(downloads), fetcher_(fetcher), clock_(clock), stop_(stop), progress_(progress), until_(until) {}

  void want(std::string_view id, std::string_view url) {
    const std::string name = video_file_name(id, url);
    if (!downloads_.there_.insert(name).second) {
      ++counts.there;
      return;
    }
    while (!is_over() && !(fetcher_.has_room() && waiting_.size() < kWaitingMost)) turn();
    Video video{std::string(id), std::string(url), name, 0, clock_.now()};
    if (is_over()) {
      ++counts.left;
    } else if (silent_of(video) >= kSilentMost) {
      fail(video, "is not asked for: its host gave no answer");
    } else {
      begin(std::move(video));
    }
  }

  void finish() {
    while (!is_over() && (fetcher_.open() > 0 || !waiting_.empty())) turn();
    counts.left += static_cast<std::int64_t>(fetcher_.open() + waiting_.size());
    if (counts.failed > kWarningsMost)
      progress_.alarm(fmt::format("{} more videos could not be fetched", counts.failed - kWarningsMost));
  }

  DownloadCounts counts;

 private:
  struct Video {
    std::string id, url, name;
    int tries = 0;
    Instant at;  ///< of the next try
  };
  static constexpr std::size_t kWaitingMost = 64;

  bool is_over() const { return stop_.requested() || clock_.now() >= until_; }
  std::string path_of(const Video& video) const { return downloads_.folder_ + '/' + video.name; }

  void begin(Video video) {
    ++video.tries;
    fetcher_.start(next_, video.url, path_of(video) + std::string(kPart));
    open_.emplace_back(next_++, std::move(video));
  }

  /// Waits for what is open, and begins what is to be tried again.
  void turn() {
    Instant wake = until_;
    for (std::size_t i = 0; i < waiting_.size();) {
      if (waiting_[i].at <= clock_.now() && fetcher_.has_room()) {
        Video video = std::move(waiting_[i]);
        waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
        if (silent_of(video) >= kSilentMost) {
          fail(video, "cannot be fetched: its host gave no answer");
        } else {
          begin(std::move(video));
        }
      } else {
        wake = std::min(wake, std::max(waiting_[i].at, clock_.now() + 10ms));
        ++i;
      }
    }
    if (fetcher_.open() == 0 && waiting_.empty()) return;
    for (const FetchAnswer& answer : fetcher_.wait(wake)) settle(answer);
  }

  void settle(const FetchAnswer& answer) {
    const auto found =
        std::find_if(open_.begin(), open_.end(), [&](const auto& open) { return open.first == answer.id; });
    Video video = std::move(found->second);
    open_.erase(found);
    std::string why = answer.error;
    int& silent = silent_of(video);
    silent = answer.no_answer ? silent + 1 : 0;
    if (why.empty() && std::rename((path_of(video) + std::string(kPart)).c_str(), path_of(video).c_str()) != 0)
      why = fmt::format("cannot be named {}: {}", path_of(video), std::strerror(errno));
    if (why.empty()) {
      ++counts.fetched;
      counts.bytes += answer.bytes;
      progress_.detail(fmt::format("{}: fetched {}", video.id, video.name));
    } else if (answer.may_change && video.tries < kTriesMax) {
      video.at = clock_.now() +
                 std::min<Duration>(answer.retry_after.value_or(kRetryFirst * (1 << (video.tries - 1))), kRetryMost);
      waiting_.push_back(std::move(video));
    } else {
      fail(video, why);
    }
  }

  int& silent_of(const Video& video) { return silent_[video.url.substr(0, video.url.find('/', kSchemeMost))]; }

  /// It is what the exit code is about: said even where nothing else is.
  void fail(const Video& video, const std::string& why) {
    if (++counts.failed <= kWarningsMost) progress_.alarm(fmt::format("{}: its video {} {}", video.id, video.url, why));
  }

  Downloads& downloads_;
  VideoFetcher& fetcher_;
  const Clock& clock_;
  const StopRequest& stop_;
  Progress& progress_;
  const Instant until_;
  std::size_t next_ = 0;
  std::vector<std::pair<std::size_t, Video>> open_;
  std::vector<Video> waiting_;                   ///< for another try
  std::unordered_map<std::string, int> silent_;  ///< hosts: how often in a row they gave no answer
};

Result<DownloadCounts> Downloads::fetch(Ledger& ledger, const RunRecord& run, VideoFetcher& fetcher, const Clock& clock,
                                        const StopRequest& stop, Progress& progress, Instant until) {
  Fetching fetching(*this, fetcher, clock, stop, progress, until);
  const Result<void> walked = ledger.for_each_row(run.id, [&](const RowView& view) -> Result<void> {
    const ResultRow row = result_row(view, run);
    if (row.selected && row.state == RowState::Done && !row.url.empty()) fetching.want(row.id, row.url);
    return {};
  });
  fetching.finish();
  if (!walked) return tl::unexpected(walked.error());
  return fetching.counts;
}

}  // namespace reelbatch
