// How a job of the model of IACrea moves: pure steps of one job, without routes and journal.
//
//   PENDING -> GENERATING_VIDEO -> START_RENDERING_VIDEO -> RENDERING_VIDEO -> DONE
//     ^  ^        |       |  \.
//     |  +--------+       |   ERROR
//     |  (a clip failed   |
//     |  and is made      |
//     |  again)           |
//     +-------------------+---- any state: a sequence is made again, and a render under way is thrown away
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/iacrea_order.h"
#include "jobs/json.h"
#include "jobs/service_model.h"

namespace reelbatch {

enum class IacreaStatus { Pending, Generating, StartRendering, Rendering, Done, Error };

inline constexpr std::array<std::string_view, 6> kIacreaStatusNames{
    "PENDING", "GENERATING_VIDEO", "START_RENDERING_VIDEO", "RENDERING_VIDEO", "DONE", "ERROR"};

std::string_view name_of(IacreaStatus status);

/// A sequence that was paid for once more.
struct IacreaRemake {
  std::string id;        ///< the `generationId`
  std::size_t clip = 0;  ///< its place among the clips
  std::int64_t at_ms = 0;
  Credits charged;
  std::string body;  ///< the POST
};

/// Only what cannot be computed again: clips and durations follow from `draw`, `body` and the options.
struct IacreaJob {
  std::string id;
  bool is_auto = true;     ///< made by the auto endpoint, and only known there
  std::string customer;    ///< whose it is; empty if the journal does not say
  std::uint64_t draw = 0;  ///< the seed of everything about this job
  std::int64_t created_ms = 0;
  Credits charged;  ///< without the remakes
  std::string body;
  IacreaStatus status = IacreaStatus::Pending;
  std::int64_t since_ms = 0;  ///< when the clips, or the render, of this status were begun
  int round = 0;  ///< 0: clips are made for the first time; 1: the failed ones again; 2: those paid for again
  std::vector<IacreaRemake> remakes;
  std::size_t applied = 0;   ///< remakes that a GET shows already
  std::size_t finished = 0;  ///< remakes whose clips are made; also tells one render from the next

  /// True while there is nothing to tell that creating the job did not.
  bool is_new() const { return status == IacreaStatus::Pending && round == 0 && applied == 0; }
};

struct IacreaClip {
  std::string id, url, effect, category, text;
  std::int64_t takes_ms = 0;  ///< in any round
  bool fails_first = false;
  bool stuck = false;                 ///< in error, whatever the server tries, until it is made again
  std::vector<std::string> known_as;  ///< earlier ids, that a customer may still hold
};

struct IacreaPlan {
  IacreaOrder order;
  std::vector<IacreaClip> clips;
  std::int64_t render_ms = 0;
  bool fails = false;
};

/// What becomes of a job, the same whenever it is asked.
IacreaPlan plan_iacrea_job(const IacreaJob& job, const ServiceOptions& options, JsonReader& reader);

/// `pending`, `success` or `error`.
std::string_view iacrea_clip_status(const IacreaJob& job, const IacreaPlan& plan, std::size_t clip,
                                    std::int64_t now_ms);

/// At most one step, as one GET makes it happen.
void advance_iacrea_job(IacreaJob& job, const IacreaPlan& plan, std::int64_t lag_ms, std::int64_t now_ms);

/// The address of the finished video. Another render has another one.
std::string iacrea_video_url(const IacreaJob& job, const ServiceOptions& options);

}  // namespace reelbatch
