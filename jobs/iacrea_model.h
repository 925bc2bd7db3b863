// IACrea's video endpoints from the service's side: what the vendor's pages say, and where they are silent a choice
// that is hard on clients rather than kind to them.
//
//   POST /api/video-editor/generate/video/auto        starts a job from a listing
//   GET  /api/video-editor/generate/video/auto/{id}   reads it, and takes at most one step of its workflow
//   POST /api/video-editor/generate/video             starts one from explicit sequences
//   GET  /api/video-editor/generate/video/{id}        the same for these
//   POST /api/video-editor/generate/sequence/{id}     makes a sequence of these again, in whatever state they are
//
// The workflow is in iacrea_workflow.h. Between polls nothing moves but the clips and the render already begun: who
// stops polling stops the job.
//
// Source: reference/ and PROVIDERS.md 1.1 to 1.9, read 2026-11-21. Not documented by the vendor, and decided here:
//   price          1 credit a clip, charged at the POST, by the server's own second try not again; a sequence made
//   again
//                  1 credit; a job in ERROR is not paid back
//   no credits     402 {"error":"Insufficient credits"}
//   ERROR          status 200 with generatedContent and both credit figures, like DONE
//   creation       201 from explicit sequences too, with id, status, generatedContent and both figures
//   ids            of auto jobs are not known to the other endpoints, nor the reverse; a video id that is no UUID is a
//   400
//                  to the sequence endpoint; an item made again has the `generationId` for an id, and is still found
//                  by its earlier ones
//   keys           each is a customer with jobs and credits of its own; a job of another customer is a 404
//   creditsUsed    where it is the job's, a video's own with all that was made again in it
//   progress       0 to 1 of auto jobs, 0 to 100 of the others
//   other answers  405 with Allow, 415, 308 for one slash too many and an HTML page for unknown routes (as Next.js)
//   order          route, method, key, content type, ids, body, credits: the first that fails answers
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "jobs/iacrea_workflow.h"
#include "jobs/json.h"
#include "jobs/service_model.h"

namespace reelbatch {

class IacreaModel final : public ServiceModel {
 public:
  explicit IacreaModel(const ServiceOptions& options);

  bool serves(std::string_view path) const override;
  void pass(std::int64_t now_ms) override;
  ServiceReply handle(const ServiceRequest& request, std::int64_t now_ms) override;
  std::vector<WebhookCall> take_webhooks() override;
  /// A sequence made again is a job of its own, with the `generationId` for an id and its video's state.
  std::vector<ServiceJob> jobs() const override;
  std::vector<std::string> take_changes() override;
  Result<void> restore(std::string_view line) override;
  std::vector<std::string> snapshot() const override;

 private:
  /// Something that was paid for: a job, or one of its remakes.
  struct Accepted {
    std::size_t job = 0;
    std::optional<std::size_t> remake;
    bool journaled = false;  ///< its line is in the journal already
  };

  struct Route {
    enum class To { Start, Read, Remake };
    To to = To::Start;
    bool is_auto = false;
    std::string_view id;
  };

  static std::optional<Route> route_of(std::string_view path);

  ServiceReply start(const ServiceRequest& request, bool is_auto, std::string_view customer);
  ServiceReply read(std::string_view id, bool is_auto, std::string_view customer);
  ServiceReply remake(const ServiceRequest& request, std::string_view id, std::string_view customer);
  IacreaJob* find(std::string_view id, bool is_auto, std::string_view customer);
  Credits remaining(const std::string& customer) const;
  std::string content_json(const IacreaJob& job, const IacreaPlan& plan) const;
  std::string credits_json(const IacreaJob& job) const;
  std::string state_json(const IacreaJob& job, const IacreaPlan& plan) const;
  bool key_is_right(const ServiceRequest& request) const;
  IacreaJob& add(IacreaJob job, bool journaled);
  void add(std::size_t job, IacreaRemake remake, bool journaled);
  void touch(IacreaJob& job);

  // In iacrea_model_journal.cc.
  std::string first_line(const Accepted& accepted) const;
  static std::string step_line(const IacreaJob& job);
  Result<void> restore_job(JsonElement line, std::string_view id);
  Result<void> restore_remake(JsonElement line, std::string_view id);
  Result<void> restore_step(JsonElement line, std::string_view id);

  ServiceOptions options_;
  JsonReader reader_;
  std::vector<IacreaJob> jobs_;  ///< in the order of acceptance
  std::vector<Accepted> accepted_;
  std::unordered_map<std::string, std::size_t> index_;
  std::unordered_map<std::string, Credits> charged_;  ///< the sums over accepted_, by customer
  std::int64_t now_ms_ = 0;
  std::size_t journaled_ = 0;       ///< everything in accepted_ before it is
  std::vector<std::size_t> dirty_;  ///< jobs whose step is not in the journal, each once
  std::vector<bool> is_dirty_;      ///< a flag for each of jobs_
  std::vector<WebhookCall> webhooks_;
};

}  // namespace reelbatch
