// The services' side, as a model: (state, request, now) to reply. Pure like everything in jobs/; the sandbox puts HTTP
// around it, the simulated world of the tests a simulated network.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jobs/credits.h"
#include "jobs/error.h"

namespace reelbatch {

struct ServiceRequest {
  std::string method;
  std::string path;                                          ///< without the query, still percent-encoded
  std::string query;                                         ///< without the `?`, empty if none
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::string body;
};

struct ServiceReply {
  int status = 500;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  ///< beyond the content type
};

/// A call the service makes to a customer's webhook.
struct WebhookCall {
  std::string url;
  std::string body;
};

/// A job as the service itself knows it: the ground truth that tests and rehearsals compare a report with.
struct ServiceJob {
  std::string id;
  std::string status;     ///< as its GET would say now
  Credits charged;        ///< so far
  std::string body;       ///< the POST that made it
  Credits price;          ///< what it costs in the end, unless it is refunded
  std::string customer;   ///< whose key made it, as customer_of() in model_parts.h has it
  bool refunded = false;  ///< it ended badly, and costs nothing
};

/// How a model service behaves. Times are in the model's own time, which a sandbox may run faster. A service reads what
/// concerns it. Every key is a customer of its own, with jobs and credits of its own.
struct ServiceOptions {
  std::uint64_t seed = 1;
  std::string key;                         ///< the only accepted secret, empty accepts any that is not empty
  Credits credits = Credits::whole(1000);  ///< what each customer was ever given; raise it to top a restored model up
  std::int64_t clip_ms = 45'000;           ///< about how long clips take to generate, or a job waits in the queue
  std::int64_t render_ms = 30'000;         ///< about how long the final render takes
  double job_error_rate = 0.0;             ///< a job fails for good
  std::string video_base = "https://videos.sandbox.test";  ///< results are below it, named after their jobs

  // IACrea.
  bool used_per_job = false;           ///< `creditsUsed` is the job's and not the account's
  double clip_error_rate = 0.05;       ///< a clip fails once and is made again: PENDING after GENERATING_VIDEO
  double clip_stuck_rate = 0.0;        ///< a clip of an explicit video stays in error until it is made again
  std::int64_t regenerate_lag_ms = 0;  ///< how long a GET still shows the old render of a sequence made again

  // Creatify.
  double reject_rate = 0.0;         ///< a job is rejected
  bool refunds = false;             ///< a failed or rejected job costs nothing in the end
  bool half_credits = true;         ///< prices are rounded up to a half, else to a whole credit
  std::int64_t charge_late_ms = 0;  ///< a half of a price leaves the balance this long after the job's end; 0: all of
                                    ///< it at the POST
  bool refuse_ids = false;          ///< a list of `ids` is refused with 400
  std::size_t list_max = 0;         ///< the longest list, of the newest jobs; 0: no limit
};

class ServiceModel {
 public:
  virtual ~ServiceModel() = default;

  /// True if `path` lies in this service's part of the address space; several models may share one port.
  virtual bool serves(std::string_view path) const = 0;

  /// It is `now_ms` by now, in model time, which never goes back.
  virtual void pass(std::int64_t now_ms) = 0;

  /// Answers one request at `now_ms`. Never throws, whatever the bytes.
  virtual ServiceReply handle(const ServiceRequest& request, std::int64_t now_ms) = 0;

  /// Webhook calls that became due since the last take.
  virtual std::vector<WebhookCall> take_webhooks() = 0;

  /// Every job ever accepted, whoever its customer, in the order of acceptance.
  virtual std::vector<ServiceJob> jobs() const = 0;

  /// What changed since the last take, one JSON line each: written to a journal and given back to restore() in order,
  /// they bring a new model to the same state. The last line of a job or of the account wins.
  virtual std::vector<std::string> take_changes() = 0;
  /// An error leaves the model as it was. Restored lines are not changes.
  virtual Result<void> restore(std::string_view line) = 0;

  /// The shortest list of lines that brings a new model to this state: what a compacted journal holds.
  virtual std::vector<std::string> snapshot() const = 0;
};

/// The model of the service called `service` (ServiceSpec::name), or nullptr if there is none.
std::unique_ptr<ServiceModel> make_service_model(std::string_view service, const ServiceOptions& options);

}  // namespace reelbatch
