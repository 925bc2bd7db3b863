// IACrea's auto endpoints from the service's side: what the vendor's page says, and where it is silent a choice that is
// hard on clients rather than kind to them.
//
//   POST /api/video-editor/generate/video/auto        starts a job
//   GET  /api/video-editor/generate/video/auto/{id}   reads it, and takes at most one step of its workflow:
//
//   PENDING -> GENERATING_VIDEO -> START_RENDERING_VIDEO -> RENDERING_VIDEO -> DONE
//                ^       |  \.
//                |       v   ERROR
//                +--- PENDING    (a clip failed and is made again)
//
// Between polls nothing moves but the clips and the render already begun: who stops polling stops the job.
//
// Source: reference/iacrea-auto-video.txt and PROVIDERS.md 1.1 to 1.3, 1.7 to 1.9, read 2026-11-21. Not documented by
// the vendor, and decided here:
//   price          1 credit a clip, charged at the POST; a clip made again is free; a job in ERROR is not paid back
//   no credits     402 {"error":"Insufficient credits"}
//   ERROR          status 200 with generatedContent and both credit figures, like DONE
//   other answers  405 with Allow, 415, 308 for one slash too many and an HTML page for unknown routes (as Next.js)
//   order          route, method, key, content type, body, credits: the first that fails answers
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "jobs/iacrea_order.h"
#include "jobs/json.h"
#include "jobs/service_model.h"

namespace reelbatch {

class IacreaModel final : public ServiceModel {
 public:
  explicit IacreaModel(const ServiceOptions& options);

  bool serves(std::string_view path) const override;
  ServiceReply handle(const ServiceRequest& request, std::int64_t now_ms) override;
  std::vector<WebhookCall> take_webhooks() override;
  std::vector<ServiceJob> jobs() const override;
  std::vector<std::string> take_changes() override;
  Result<void> restore(std::string_view line) override;
  std::vector<std::string> snapshot() const override;

 private:
  enum class Status { Pending, Generating, StartRendering, Rendering, Done, Error };

  /// Only what cannot be computed again: clips and durations follow from `draw`, `body` and the options.
  struct Job {
    std::string id;
    std::uint64_t draw = 0;  ///< the seed of everything about this job
    std::int64_t created_ms = 0;
    Credits charged;
    std::string body;
    Status status = Status::Pending;
    std::int64_t since_ms = 0;  ///< when the clips, or the render, of this status were begun
    int round = 0;              ///< 0: clips are made for the first time; 1: the failed ones again
    bool dirty = false;         ///< listed in dirty_
    bool journaled = false;     ///< its first line is in the journal already
  };

  struct Clip {
    std::string id, url, effect, category, text;
    std::int64_t takes_ms = 0;  ///< in either round
    bool fails_first = false;
  };

  struct Plan {
    IacreaOrder order;
    std::vector<Clip> clips;
    std::int64_t render_ms = 0;
    bool fails = false;
  };

  static std::string_view name_of(Status status);

  ServiceReply start(const ServiceRequest& request, std::int64_t now_ms);
  ServiceReply read(std::string_view id, std::int64_t now_ms);
  void advance(Job& job, const Plan& plan, std::int64_t now_ms);
  Plan plan_of(const Job& job);
  std::string clip_status(const Job& job, const Clip& clip, std::int64_t now_ms) const;
  std::string content_json(const Job& job, const Plan& plan, std::int64_t now_ms) const;
  std::string credits_json(const Job& job) const;
  bool key_is_right(const ServiceRequest& request) const;
  Job& add(Job job);
  void touch(Job& job);
  static std::string first_line(const Job& job);
  static std::string step_line(const Job& job);
  Result<void> restore_job(JsonElement line, std::string_view id);
  Result<void> restore_step(JsonElement line, std::string_view id);

  ServiceOptions options_;
  JsonReader reader_;
  std::vector<Job> jobs_;  ///< in the order of acceptance
  std::unordered_map<std::string, std::size_t> index_;
  Credits charged_;  ///< the sum over jobs_
  std::int64_t now_ms_ = 0;
  std::vector<std::size_t> dirty_;
  std::vector<WebhookCall> webhooks_;
};

}  // namespace reelbatch
