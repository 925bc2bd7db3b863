// Creatify's Aurora endpoints from the service's side: what the vendor's pages and public recordings say, and where
// they are silent a choice that is hard on clients rather than kind to them.
//
//   POST /api/aurora/              starts a job
//   GET  /api/aurora/{id}/         reads it
//   GET  /api/aurora/              lists the newest first; `ids` picks up to 100, `ordering` is created_at or
//   -created_at GET  /api/remaining_credits/   the balance
//
//   pending -> in_queue -> running -> done | failed | rejected      moves by itself, polled or not
//
// Source: reference/creatify-aurora.txt and PROVIDERS.md 2.1 to 2.11, read 2026-11-21. Not documented by the vendor,
// and decided here:
//   first state    any of the first three; a `done` is for a moment without its address
//   price          1 credit a second (aurora_v1) or a half (aurora_v1_fast), of a length that follows from the audio's
//                  address; credits_used is 0 at first, a half of the price while running, all of it at the end
//   balance        goes down by a part at the POST, at the beginning of the run, and later still: charge_late_ms; what
//   is
//                  not charged yet does not stop the next POST, so it can go below zero
//   keys           each pair of id and key is a customer with jobs and credits of its own; a job of another customer is
//                  not known
//   no credits     400 {"non_field_errors":[...]}
//   ids            unknown ones are left out of a list; what is no UUID, or more than 100, is a 400
//   answers        name echoed, inputs rewritten to a copy, times with microseconds and an offset, updated_at does not
//                  move before the end, failed_reason null, a text or ""
//   slash          a path without its last one is a 301 with an empty page, for every method
//   webhooks       at every end, to some jobs twice
//   order          slash, route, method, key, content type, body, credits: the first that fails answers
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "jobs/creatify_order.h"
#include "jobs/json.h"
#include "jobs/service_model.h"

namespace reelbatch {

class CreatifyModel final : public ServiceModel {
 public:
  explicit CreatifyModel(const ServiceOptions& options);

  bool serves(std::string_view path) const override;
  void pass(std::int64_t now_ms) override;
  ServiceReply handle(const ServiceRequest& request, std::int64_t now_ms) override;
  std::vector<WebhookCall> take_webhooks() override;
  std::vector<ServiceJob> jobs() const override;
  std::vector<std::string> take_changes() override;
  Result<void> restore(std::string_view line) override;
  std::vector<std::string> snapshot() const override;

 private:
  enum class Status { Pending, InQueue, Running, Done, Failed, Rejected };

  /// All else follows from `draw`, the order and the time.
  struct Job {
    std::string id;
    std::string customer;  ///< whose it is; empty if the journal does not say
    std::uint64_t draw = 0;
    std::int64_t created_ms = 0;
    Credits price;  ///< kept, so that a restored job costs what it did whatever the options are now
    std::string body;
    CreatifyOrder order;
    std::int64_t queued_ms = 0, running_ms = 0, ended_ms = 0;  ///< when these states begin
    std::int64_t url_ms = 0;                                   ///< when a done job has its address
    Status end = Status::Done;
    bool refunded = false;  ///< if it does not end well
    bool told = false;      ///< its webhook was called
    bool journaled = false;
    bool told_journaled = false;
  };

  ServiceReply start(const ServiceRequest& request, const std::string& customer);
  ServiceReply list(const ServiceRequest& request, std::string_view customer) const;
  ServiceReply read(std::string_view id, std::string_view customer) const;
  ServiceReply balance(const std::string& customer) const;
  std::optional<ServiceReply> refuse_key(const ServiceRequest& request) const;
  void make_plan(Job& job) const;
  void settle();
  void tell(Job& job);
  Status status_of(const Job& job) const;
  Credits used_by(const Job& job) const;
  Credits taken_for(const Job& job) const;
  Credits remaining(const std::string& customer) const;
  std::string job_json(const Job& job) const;
  std::string video_url(const Job& job) const;
  std::string_view failed_reason(const Job& job) const;
  Job& add(Job job);
  static std::string_view name_of(Status status);
  static std::string first_line(const Job& job);
  static std::string told_line(const Job& job);

  ServiceOptions options_;
  JsonReader reader_;
  std::vector<Job> jobs_;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<std::size_t> open_;                     ///< jobs that will still charge or call
  std::unordered_map<std::string, Credits> settled_;  ///< what the others were charged, by customer
  std::int64_t now_ms_ = 0;
  std::vector<std::size_t> changed_;
  std::vector<WebhookCall> webhooks_;
};

}  // namespace reelbatch
