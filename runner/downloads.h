// `--download DIR`: the finished videos of a run as files. It comes when the run has ended and its results are written:
// whatever becomes of it, ledger and results stay as they are, and what is missing is fetched by the next run.
//
// A file has the row's id and a digest of the video's address in its name. So a file that is there is the whole video
// of that address and is not asked for again; what a changed listing was made into stands beside the older one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

#include "runner/clock.h"
#include "runner/ledger.h"
#include "runner/progress.h"
#include "runner/stop.h"
#include "runner/video_fetcher.h"

namespace reelbatch {

/// `A-1-3f9a0c1b.mp4`. What is no letter, digit, `-`, `_` or `.` of the id is percent-encoded, a dot in front as well;
/// a long one is cut. The ending is the address', where it is one of a video.
std::string video_file_name(std::string_view id, std::string_view url);

struct DownloadCounts {
  std::int64_t fetched = 0, there = 0, failed = 0;
  std::int64_t left = 0;    ///< not asked for, as the run was stopped
  std::uint64_t bytes = 0;  ///< of those fetched
};

/// `downloads: 12 fetched (340 MB), 3 were there, 1 failed`
std::string words_of(const DownloadCounts& counts);

class Downloads {
 public:
  /// Makes the folder, if only it is missing, and reads what is in it. Fails with Fault::Usage where it cannot be
  /// written to.
  static Result<Downloads> open(const std::string& folder);

  /// Fetches what the selected, finished rows of the run lack. What cannot be fetched is a warning with the row's id.
  ///
  /// until  no later than that; what is open then is given up.
  /// Fails only if the ledger cannot be read.
  Result<DownloadCounts> fetch(Ledger& ledger, const RunRecord& run, VideoFetcher& fetcher, const Clock& clock,
                               const StopRequest& stop, Progress& progress, Instant until);

 private:
  class Fetching;
  std::string folder_;
  std::unordered_set<std::string> there_;
};

}  // namespace reelbatch
