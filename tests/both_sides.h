// A kind against the model of its service: each was written from the vendor's page alone, here they meet.
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/registry.h"
#include "jobs/service_model.h"

namespace reelbatch {

/// One account's exchanges; every one takes 5 s of the service's time.
class BothSides {
 public:
  BothSides(std::string_view kind, const ServiceOptions& options)
      : kind_(*find_kind(kind)), model_(make_service_model(kind_.service(), options)) {}
  /// Another kind of the same service.
  BothSides(std::string_view kind, const BothSides& other) : kind_(*find_kind(kind)), model_(other.model_) {
    now_ms = other.now_ms;
  }

  Normalised normal(const RawFields& row) const {
    Normalised normal = kind_.normalise(row);
    REQUIRE_MESSAGE(normal.problems.empty(), normal.problems[0].field, ": ", normal.problems[0].message);
    return normal;
  }
  SubmitVerdict submit(const RawFields& row, std::string_view marker = "marker") {
    return kind_.read_submit(exchange(kind_.submit(normal(row).fields, marker)));
  }
  std::vector<PollVerdict> poll(const std::vector<PolledJob>& jobs) {
    return kind_.read_poll(jobs, exchange(kind_.poll(jobs)));
  }
  PollVerdict poll(std::string_view id, std::string_view subject = {}) {
    return poll(std::vector<PolledJob>{{id, subject}})[0];
  }
  /// Polls until the job has ended, 200 times at most.
  PollVerdict finish(std::string_view id, std::string_view subject = {}) {
    PollVerdict verdict;
    for (polls = 0; polls < 200; ++polls) {
      verdict = poll(id, subject);
      if (verdict.outcome != PollOutcome::Running) break;
    }
    return verdict;
  }
  Response exchange(const Request& request, const std::string& key = "k") {
    const std::size_t mark = request.path.find('?');
    const std::string query = mark == std::string::npos ? "" : request.path.substr(mark + 1);
    const ServiceReply reply =
        model_->handle({request.method,
                        request.path.substr(0, mark),
                        query,
                        {{"x-api-key", key}, {"x-api-id", "i"}, {"content-type", "application/json"}},
                        request.body},
                       now_ms += 5'000);
    return {reply.status, reply.body};
  }

  const JobKind& kind_;
  std::shared_ptr<ServiceModel> model_;
  std::int64_t now_ms = 0;
  int polls = 0;
};

}  // namespace reelbatch
