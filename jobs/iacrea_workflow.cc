#include "jobs/iacrea_workflow.h"

#include <fmt/format.h>

#include <algorithm>

#include "jobs/model_parts.h"
#include "jobs/seeded_random.h"

namespace reelbatch {
namespace {

using Status = IacreaStatus;

constexpr std::size_t kClipsMax = 5;

struct Scene {
  std::string_view category, text;
};
constexpr std::array<Scene, 6> kScenes = {{{"living_room", "A bright living room"},
                                           {"kitchen", "A kitchen ready to cook in"},
                                           {"bedroom", "A quiet bedroom"},
                                           {"bathroom", "A bathroom with daylight"},
                                           {"terrace", "A terrace for long evenings"},
                                           {"facade", "A house with character"}}};
constexpr std::array<std::string_view, 5> kEffects = {"CAMERA_PUSH_IN", "CAMERA_PUSH_OUT", "CAMERA_MOVE_RIGHT",
                                                      "CAMERA_CRANE_UP", "CAMERA_ORBIT_LEFT"};

/// The clips of an order, before any of them was made again.
void add_clips(IacreaPlan& plan, const ServiceOptions& options, SeededRandom& random) {
  const std::size_t images = plan.order.image_urls.size();
  const bool is_explicit = !plan.order.effects.empty();
  const std::size_t wanted = is_explicit ? images : std::min(images, kClipsMax);
  for (const std::size_t at : draw_positions(random, images, wanted)) {
    const Scene& scene = kScenes[random.below(kScenes.size())];
    IacreaClip clip;
    clip.id = draw_uuid(random);
    clip.url = plan.order.image_urls[at];
    clip.effect = kEffects[random.below(kEffects.size())];
    if (is_explicit && !plan.order.effects[at].empty()) clip.effect = plan.order.effects[at];
    clip.category = scene.category;
    clip.text = scene.text;
    clip.takes_ms = draw_duration(random, options.clip_ms);
    clip.fails_first = random.unit() < options.clip_error_rate;
    plan.clips.push_back(std::move(clip));
  }
}

/// Each time that a clip of an explicit video is made, it may turn out to be one that stays in error.
void draw_stuck(IacreaPlan& plan, const IacreaJob& job, const ServiceOptions& options) {
  if (job.is_auto || options.clip_stuck_rate <= 0) return;
  for (std::size_t at = 0; at < plan.clips.size(); ++at) {
    std::uint64_t times = 0;
    for (std::size_t i = 0; i < job.applied; ++i) times += job.remakes[i].clip == at;
    plan.clips[at].stuck = SeededRandom(mix(job.draw, mix(at + 1, times))).unit() < options.clip_stuck_rate;
  }
}

/// The item takes the generation's id: no page says that it keeps its own (PROVIDERS 1.6).
void apply_remakes(IacreaPlan& plan, const IacreaJob& job, JsonReader& reader) {
  for (std::size_t i = 0; i < job.remakes.size(); ++i) {
    const IacreaRemake& remake = job.remakes[i];
    if (remake.clip >= plan.clips.size()) continue;
    IacreaClip& clip = plan.clips[remake.clip];
    if (i >= job.applied) {
      clip.known_as.push_back(remake.id);
      continue;
    }
    clip.known_as.push_back(std::exchange(clip.id, remake.id));
    const IacreaRemakeOrder order = read_iacrea_remake(reader, remake.body).value_or(IacreaRemakeOrder{});
    if (!order.url.empty()) clip.url = order.url;
    if (!order.effect.empty()) clip.effect = order.effect;
  }
}

/// True if the clip is among those that round 2 makes.
bool is_remade(const IacreaJob& job, std::size_t clip) {
  for (std::size_t i = job.finished; i < job.applied; ++i) {
    if (job.remakes[i].clip == clip) return true;
  }
  return false;
}

/// Whether a remake became visible with this GET: the video is back at the beginning.
bool apply_due(IacreaJob& job, std::int64_t lag_ms, std::int64_t now_ms) {
  const std::size_t before = job.applied;
  while (job.applied < job.remakes.size() && now_ms >= job.remakes[job.applied].at_ms + lag_ms) ++job.applied;
  if (job.applied == before) return false;
  // Before the first clips were ready they are all made anew, the new one among them.
  const bool never_made = job.round < 2 && (job.status == Status::Pending || job.status == Status::Generating);
  if (!never_made) job.round = 2;
  job.status = Status::Pending;
  return true;
}

void finish_clips(IacreaJob& job, const IacreaPlan& plan, std::int64_t now_ms) {
  bool any_error = false, any_stuck = false;
  for (std::size_t clip = 0; clip < plan.clips.size(); ++clip) {
    const std::string_view status = iacrea_clip_status(job, plan, clip, now_ms);
    if (status == "pending") return;
    any_error = any_error || status == "error";
    any_stuck = any_stuck || plan.clips[clip].stuck;
  }
  if (any_error && any_stuck && job.round > 0) return;
  if (any_error) {
    job.status = Status::Pending;
    job.round = 1;
    return;
  }
  job.status = plan.fails ? Status::Error : Status::StartRendering;
  job.since_ms = now_ms;
  job.finished = job.applied;
}

}  // namespace

std::string_view name_of(IacreaStatus status) {
  return kIacreaStatusNames[static_cast<std::size_t>(status)];
}

IacreaPlan plan_iacrea_job(const IacreaJob& job, const ServiceOptions& options, JsonReader& reader) {
  IacreaPlan plan;
  const auto order = job.is_auto ? read_iacrea_order(reader, job.body) : read_iacrea_video_order(reader, job.body);
  plan.order = order.value_or(IacreaOrder{});
  SeededRandom random(mix(job.draw, 1));
  add_clips(plan, options, random);
  plan.render_ms = draw_duration(random, options.render_ms);
  plan.fails = random.unit() < options.job_error_rate;
  if (job.applied > 0) plan.fails = SeededRandom(mix(job.draw, 1 + job.applied)).unit() < options.job_error_rate;
  apply_remakes(plan, job, reader);
  draw_stuck(plan, job, options);
  return plan;
}

std::string_view iacrea_clip_status(const IacreaJob& job, const IacreaPlan& plan, std::size_t at, std::int64_t now_ms) {
  const IacreaClip& clip = plan.clips[at];
  const bool made = now_ms - job.since_ms >= clip.takes_ms;
  if (job.status == Status::Error) return "error";
  if (clip.stuck && job.status == Status::Pending && job.round == 1) return "error";
  if (clip.stuck && job.status == Status::Generating) return made ? "error" : "pending";
  if (job.round == 2) {
    if (job.status != Status::Pending && (job.status != Status::Generating || made)) return "success";
    return is_remade(job, at) ? "pending" : "success";
  }
  if (job.status == Status::Pending) return job.round == 0 ? "pending" : clip.fails_first ? "error" : "success";
  if (job.status != Status::Generating) return "success";
  if (job.round == 0) return !made ? "pending" : clip.fails_first ? "error" : "success";
  return clip.fails_first && !made ? "pending" : "success";
}

void advance_iacrea_job(IacreaJob& job, const IacreaPlan& plan, std::int64_t lag_ms, std::int64_t now_ms) {
  if (apply_due(job, lag_ms, now_ms)) return;
  if (job.applied < job.remakes.size()) return;  // what was there before is still shown
  switch (job.status) {
    case Status::Pending:
      job.status = Status::Generating;
      job.since_ms = now_ms;
      return;
    case Status::Generating:
      return finish_clips(job, plan, now_ms);
    case Status::StartRendering:
      job.status = Status::Rendering;
      return;
    case Status::Rendering:
      if (now_ms - job.since_ms >= plan.render_ms) job.status = Status::Done;
      return;
    case Status::Done:
    case Status::Error:
      return;
  }
}

std::string iacrea_video_url(const IacreaJob& job, const ServiceOptions& options) {
  const std::string render = job.finished == 0 ? "" : fmt::format("-{}", job.finished);
  return fmt::format("{}/{}{}.mp4", options.video_base, job.id, render);
}

}  // namespace reelbatch
