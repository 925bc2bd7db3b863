// The journal of the model of IACrea: what it takes to bring a new model to the same state.
//
//   {"job":ID,"customer":..,"draw":..,"created_ms":..,"charged":..,"body":..}
//                                                                      a job; with "route":"video" one from sequences
//   {"again":ID,"video":ID,"clip":..,"at_ms":..,"charged":..,"body":..} a sequence made again
//   {"step":ID,"status":..,"since_ms":..,"round":..}                   where a job is; with "applied" and "finished"
//   where
//                                                                      any of its sequences was made again
#include <fmt/format.h>

#include <algorithm>

#include "jobs/iacrea_model.h"
#include "jobs/json_quote.h"

namespace reelbatch {
namespace {

/// A member that is a whole number from 0 up; false if it is there and is not.
bool read_index(JsonElement line, std::string_view member, std::size_t& out) {
  std::uint64_t value = 0;
  JsonElement given;
  if (line[member].get(given) != simdjson::SUCCESS) return true;
  if (given.get(value) != simdjson::SUCCESS) return false;
  out = static_cast<std::size_t>(value);
  return true;
}

tl::unexpected<Error> cannot_restore(std::string_view what, std::string_view id, std::string_view why) {
  return ground_error(fmt::format("cannot restore {} '{}': {}", what, id, why));
}

}  // namespace

std::string IacreaModel::first_line(const Accepted& accepted) const {
  const IacreaJob& job = jobs_[accepted.job];
  if (accepted.remake) {
    const IacreaRemake& remake = job.remakes[*accepted.remake];
    return fmt::format(R"({{"again":"{}","video":"{}","clip":{},"at_ms":{},"charged":{},"body":{}}})", remake.id,
                       job.id, remake.clip, remake.at_ms, to_text(remake.charged), json_quote(remake.body));
  }
  return fmt::format(R"({{"job":"{}",{}"customer":"{}","draw":{},"created_ms":{},"charged":{},"body":{}}})", job.id,
                     job.is_auto ? "" : R"("route":"video",)", job.customer, job.draw, job.created_ms,
                     to_text(job.charged), json_quote(job.body));
}

std::string IacreaModel::step_line(const IacreaJob& job) {
  std::string remakes;
  if (job.applied > 0) remakes = fmt::format(R"(,"applied":{},"finished":{})", job.applied, job.finished);
  return fmt::format(R"({{"step":"{}","status":"{}","since_ms":{},"round":{}{}}})", job.id, name_of(job.status),
                     job.since_ms, job.round, remakes);
}

std::vector<std::string> IacreaModel::take_changes() {
  std::vector<std::string> lines;
  for (; journaled_ < accepted_.size(); ++journaled_) {
    Accepted& one = accepted_[journaled_];
    if (!std::exchange(one.journaled, true)) lines.push_back(first_line(one));
  }
  for (const std::size_t at : std::exchange(dirty_, {})) {
    is_dirty_[at] = false;
    if (!jobs_[at].is_new()) lines.push_back(step_line(jobs_[at]));
  }
  return lines;
}

std::vector<std::string> IacreaModel::snapshot() const {
  std::vector<std::string> lines;
  for (const Accepted& one : accepted_) lines.push_back(first_line(one));
  for (const IacreaJob& job : jobs_) {
    if (!job.is_new()) lines.push_back(step_line(job));
  }
  return lines;
}

Result<void> IacreaModel::restore(std::string_view line) {
  const Result<JsonElement> parsed = reader_.parse(line);
  if (!parsed) return ground_error("cannot restore a job: " + parsed.error().message);
  if (const auto id = json_string(*parsed, "job")) return restore_job(*parsed, *id);
  if (const auto id = json_string(*parsed, "again")) return restore_remake(*parsed, *id);
  if (const auto id = json_string(*parsed, "step")) return restore_step(*parsed, *id);
  return ground_error("cannot restore a job: the line has neither 'job' nor 'again' nor 'step'");
}

Result<void> IacreaModel::restore_job(JsonElement line, std::string_view id) {
  IacreaJob job;
  job.id = id;
  job.is_auto = json_string(line, "route").value_or("auto") == "auto";
  job.customer = json_string(line, "customer").value_or("");
  const auto charged = json_credits(line, "charged");
  const auto body = json_string(line, "body");
  const bool whole = charged && body && line["draw"].get(job.draw) == simdjson::SUCCESS &&
                     line["created_ms"].get(job.created_ms) == simdjson::SUCCESS;
  if (!whole) return cannot_restore("job", id, "a member is missing or has another type");
  if (index_.contains(job.id)) return cannot_restore("job", id, "it is there already");
  job.charged = *charged;
  job.body = *body;
  const auto order = job.is_auto ? read_iacrea_order(reader_, job.body) : read_iacrea_video_order(reader_, job.body);
  if (!order) return cannot_restore("job", job.id, order.error().message);
  now_ms_ = std::max(now_ms_, job.created_ms);
  add(std::move(job), true);
  return {};
}

Result<void> IacreaModel::restore_remake(JsonElement line, std::string_view id) {
  IacreaRemake remake;
  remake.id = id;
  const auto video = json_string(line, "video");
  const auto found = index_.find(std::string(video.value_or("")));
  if (found == index_.end()) return cannot_restore("sequence", id, "no such video");
  const auto charged = json_credits(line, "charged");
  const auto body = json_string(line, "body");
  const bool whole = charged && body && line["clip"].is_uint64() && read_index(line, "clip", remake.clip) &&
                     line["at_ms"].get(remake.at_ms) == simdjson::SUCCESS;
  if (!whole) return cannot_restore("sequence", id, "a member is missing or has another type");
  remake.charged = *charged;
  remake.body = *body;
  if (const auto order = read_iacrea_remake(reader_, remake.body); !order) {
    return cannot_restore("sequence", remake.id, order.error().message);
  }
  now_ms_ = std::max(now_ms_, remake.at_ms);
  add(found->second, std::move(remake), true);
  return {};
}

Result<void> IacreaModel::restore_step(JsonElement line, std::string_view id) {
  const auto found = index_.find(std::string(id));
  if (found == index_.end()) return ground_error(fmt::format("cannot restore a step of job '{}': no such job", id));
  const auto name = json_string(line, "status");
  const auto status = std::find(kIacreaStatusNames.begin(), kIacreaStatusNames.end(), name.value_or(""));
  std::int64_t since_ms = 0;
  std::int64_t round = 0;
  std::size_t applied = 0;
  std::size_t finished = 0;
  IacreaJob& job = jobs_[found->second];
  const bool whole = status != kIacreaStatusNames.end() && line["since_ms"].get(since_ms) == simdjson::SUCCESS &&
                     line["round"].get(round) == simdjson::SUCCESS && round >= 0 && round <= 2 &&
                     read_index(line, "applied", applied) && read_index(line, "finished", finished) &&
                     finished <= applied && applied <= job.remakes.size() && (round < 2 || applied > 0);
  if (!whole) return ground_error(fmt::format("cannot restore a step of job '{}': a member is missing or wrong", id));
  job.status = static_cast<IacreaStatus>(status - kIacreaStatusNames.begin());
  job.since_ms = since_ms;
  job.round = static_cast<int>(round);
  job.applied = applied;
  job.finished = finished;
  now_ms_ = std::max(now_ms_, since_ms);
  return {};
}

}  // namespace reelbatch
