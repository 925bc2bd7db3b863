#include "runner/intake.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "jobs/raw_fields.h"
#include "jobs/registry.h"

namespace reelbatch {
namespace {

/// A mass change is more than so many listings, and more than one in so many of those that have a video
/// (PRODUCT.md 4.2).
constexpr std::int64_t kMassChange = 20;
constexpr std::int64_t kMassChangePart = 5;
/// A feed shrank if the last run had at least so many rows, and this one has less than one in so many of them.
constexpr std::int64_t kShrinkFrom = 20;
constexpr std::int64_t kShrinkPart = 2;

std::string errors_of(const ManifestRow& row) {
  std::string text;
  for (const Remark& remark : row.remarks) {
    if (remark.level != Remark::Level::Error) continue;
    if (!text.empty()) text += "; ";
    if (!remark.field.empty()) text += remark.field + ": ";
    text += remark.message;
  }
  return text;
}

/// Of a row that is submitted, the labels that a budget of its account looks at.
std::string labels_that_count(const AccountOptions& account, const RowRecord& record) {
  std::string text;
  if (record.action != Action::Submit) return text;
  for (const Label& label : record.labels) {
    const bool counts = std::any_of(account.budget.labels.begin(), account.budget.labels.end(),
                                    [&](const LabelBudget& budget) { return budget.label == label.name; });
    if (counts) text += fmt::format("{}:{}{}:{}", label.name.size(), label.name, label.value.size(), label.value);
  }
  return text;
}

}  // namespace

std::size_t items_in_lists(std::span<const NormalField> fields) {
  std::size_t items = 0;
  for (const NormalField& field : fields) {
    if (!field.spec->is_list || field.json.size() <= 2) continue;
    ++items;
    bool in_text = false;
    int depth = 0;
    for (std::size_t i = 0; i < field.json.size(); ++i) {
      const char c = field.json[i];
      if (in_text) {
        if (c == '\\') ++i;
        in_text = c != '"';
      } else if (c == '"') {
        in_text = true;
      } else if (c == '[' || c == '{') {
        ++depth;
      } else if (c == ']' || c == '}') {
        --depth;
      } else if (c == ',' && depth == 1) {
        ++items;
      }
    }
  }
  return items;
}

std::string ledger_ref(const Options& options, std::string_view id) {
  return options.catalogue.empty() ? std::string(id) : fmt::format("{}/{}", options.catalogue, id);
}

std::string feed_of(const Options& options) {
  std::string feed = options.catalogue;
  for (const std::string& manifest : options.manifests) {
    feed += '\n';
    for (const char c : manifest) {
      const bool is_digit = c >= '0' && c <= '9';
      if (!is_digit || feed.back() != '#') feed += is_digit ? '#' : c;
    }
  }
  return feed;
}

const AccountOptions* account_for(const Options& options, const JobKind& kind, std::string_view name) {
  for (const AccountOptions& account : options.accounts) {
    if (account.service->name != kind.service()) continue;
    // The sandbox has one account a service, whatever the feed calls those it is made for.
    if (name.empty() || options.sandbox || account.name == name) return &account;
  }
  return nullptr;
}

void tell_no_account(ManifestRow& row, Remark::Level level) {
  const std::string why =
      row.account.empty()
          ? fmt::format("no account of the service {} is configured", row.kind->service())
          : fmt::format("no account '{}' of the service {} is configured", row.account, row.kind->service());
  row.remarks.push_back({level, row.file, row.place, "account", why, "unknown_account"});
}

Planner::Planner(Ledger* ledger, const Options& options, bool digests)
    : ledger_(ledger),
      options_(options),
      only_(options.only.begin(), options.only.end()),
      keeps_digests_(digests || options.keep_to) {}

Result<void> Planner::start() {
  if (ledger_ == nullptr) return {};
  Result<std::optional<Ledger::RowsBefore>> before = ledger_->rows_before(feed_of(options_));
  if (!before) return tl::unexpected(before.error());
  before_ = std::move(*before);
  const Result<void> read = ledger_->for_each_paid([&](const Digest& text, JobId job) { paid_.add(text, job); });
  paid_.build();
  return read;
}

const IgnoreRules& Planner::rules_for(const JobKind& kind) {
  const auto found = rules_.find(&kind);
  return found != rules_.end() ? found->second
                               : rules_.emplace(&kind, IgnoreRules(kind, options_.manifest.ignore)).first->second;
}

/// A row's fields without what does not count.
std::span<const FieldText> Planner::what_counts(const JobKind& kind, const IgnoreRules& rules,
                                                std::span<const FieldText> fields) {
  counting_.clear();
  counting_texts_.clear();
  counting_texts_.reserve(fields.size());  // views of them stay
  for (const FieldText& field : fields) {
    if (!rules.concern(field.name)) {
      counting_.push_back(field);
      continue;
    }
    std::optional<RawValue> counts = rules.what_counts(kind, field.name, {field.form, std::string(field.text)});
    if (!counts) continue;
    counting_texts_.push_back(std::move(counts->text));
    counting_.push_back({field.name, counts->form, counting_texts_.back()});
  }
  return counting_;
}

/// By which a row is known: two rows have it in common if all of this is the same.
Digest Planner::text_of(const AccountOptions& account, const JobKind& kind, std::string_view id,
                        std::span<const FieldText> fields) {
  return digest_of_fields(std::array<std::string_view, 4>{account.name, kind.name(), options_.catalogue, id}, kind,
                          fields);
}

/// Of what a listing says, without its name: normalised, so that it is the same however it is written.
Digest Planner::content_of(const JobKind& kind, const RawFields& fields) {
  const IgnoreRules& rules = rules_for(kind);
  const Normalised normal = kind.normalise(fields);
  std::vector<FieldText> content;
  for (const NormalField& field : normal.fields) {
    if (field.spec->is_content && !rules.concern(field.spec->name)) {
      content.push_back({field.spec->name, RawValue::Form::Json, field.json});
    }
  }
  for (const RawField& field : fields) {
    if (rules.concern(field.name)) content.push_back({field.name, field.value.form, field.value.text});
  }
  return digest_of_fields(std::array<std::string_view, 1>{kind.name()}, kind, content);
}

/// Every part with its length in front, so that no two rows make one text.
Digest Planner::digest_of_fields(std::span<const std::string_view> names, const JobKind& kind,
                                 std::span<const FieldText> all_fields) {
  const IgnoreRules& rules = rules_for(kind);
  const std::span<const FieldText> fields = rules.empty() ? all_fields : what_counts(kind, rules, all_fields);
  constexpr std::string_view kText = "text", kJson = "json";
  static_assert(kText.size() == kJson.size());
  std::size_t room = rules.signature().size() + (1 + names.size() + 3 * fields.size()) * sizeof(std::uint64_t);
  for (const std::string_view name : names) room += name.size();
  for (const FieldText& field : fields) room += field.name.size() + kText.size() + field.text.size();
  if (text_.size() < room) text_.resize(2 * room);
  char* to = text_.data();
  const auto add = [&to](std::string_view part) {
    // On a machine with the other byte order the rows of a ledger that was moved there are looked at closely, once.
    const auto size = static_cast<std::uint64_t>(part.size());
    std::memcpy(to, &size, sizeof(size));
    to += sizeof(size);
    to += part.copy(to, part.size());
  };
  for (const std::string_view name : names) add(name);
  for (const FieldText& field : fields) {
    add(field.name);
    add(field.form == RawValue::Form::Text ? kText : kJson);
    add(field.text);
  }
  // Found under other rules, an equal text would be no equal content.
  if (!rules.empty()) add(rules.signature());
  return digest_of({text_.data(), static_cast<std::size_t>(to - text_.data())});
}

/// A row that would be submitted as new: its content may have been paid for under another name.
Result<void> Planner::note_new(const ManifestRow& row) {
  if (ledger_ == nullptr || options_.allow_mass_change) return {};
  if (!has_jobs_) {
    const Result<LedgerCounts> counts = ledger_->counts();
    if (!counts) return tl::unexpected(counts.error());
    has_jobs_ = !counts->jobs.empty();
  }
  if (*has_jobs_) renamed_.add_new(content_of(*row.kind, row.fields), ledger_ref(options_, row.id));
  return {};
}

/// Which files have rows at all.
void Planner::see_file(std::string_view file) {
  if (!files_.empty() && file == last_file_) return;
  last_file_ = file;
  files_.insert(last_file_);
}

const UnchangedRow* Planner::unchanged(const RowText& row) {
  const AccountOptions* account = account_for(options_, *row.kind, row.account);
  if (account == nullptr) return nullptr;
  unchanged_.text = text_of(*account, *row.kind, row.id, row.fields);
  unchanged_.job = paid_.find(unchanged_.text);
  if (unchanged_.job == 0) return nullptr;
  unchanged_.number = ++counts_.rows;
  see_file(row.file);
  unchanged_.id = row.id;
  unchanged_.kind = row.kind->name();
  unchanged_.account = account->name;
  unchanged_.file = row.file;
  unchanged_.line = row.line;
  unchanged_.labels = row.labels;
  unchanged_.selected = chosen(row.id);
  ++counts_.with_video;
  seen_.add_job(unchanged_.job);
  if (keeps_digests_) {
    note_decision(unchanged_.text, fmt::format("{} {}", unchanged_.job, unchanged_.selected ? "unchanged" : "left"));
  }
  if (unchanged_.selected) {
    ++counts_.actions[Action::Skip];
    ++counts_.reasons[Reason::Unchanged];
  } else {
    ++counts_.not_selected;
  }
  return &unchanged_;
}

Result<RowPlan> Planner::plan(ManifestRow& row) {
  RowPlan plan;
  RowRecord& record = plan.record;
  record.number = ++counts_.rows;
  see_file(row.file);
  record.id = row.id;
  record.kind = row.kind_name;
  record.account = row.account;
  record.file = row.file;
  record.line = row.place.line;
  record.labels = row.labels;
  has_video_ = false;

  const AccountOptions* account = row.kind == nullptr ? nullptr : account_for(options_, *row.kind, row.account);
  if (account != nullptr) record.account = account->name;
  if (row.kind != nullptr && account == nullptr) tell_no_account(row);
  if (account != nullptr && !row.id.empty() && ledger_ != nullptr) {
    const Result<ListingId> listing = ledger_->find_listing(account->name, row.kind_name, ledger_ref(options_, row.id));
    if (!listing) return tl::unexpected(listing.error());
    record.listing = *listing;
  }
  if (record.listing != 0) {
    seen_.add_listing(record.listing);
  } else if (account == nullptr) {
    seen_ids_.insert(row.id);
  }
  if (row.valid()) {
    plan.fields = to_json(row.fields);
    const Result<Decision> decision = decide_row(row, plan);
    if (!decision) return tl::unexpected(decision.error());
    record.action = decision->action;
    record.reason = decision->reason;
    record.job = decision->job;
  }
  if (!row.valid() && record.action != Action::Hold && record.action != Action::Resume) {
    record.action = Action::Invalid;
    record.reason = Reason::Invalid;
    record.detail = errors_of(row);
    record.job = 0;
    plan.fields.clear();
  } else if (!row.valid()) {
    plan.fields.clear();  // its job goes on; what it says now is not sent
  }
  if (!plan.fields.empty() && !row.kind->may_be_overtaken()) {
    plan.text = text_of(*account, *row.kind, row.id, texts_of(row.fields));
  }
  select(record);
  if (keeps_digests_) {
    // Of what is submitted all counts: a plan is kept to by what it would send.
    const bool by_text = plan.text && (record.action != Action::Submit || rules_for(*row.kind).empty());
    note_decision(record,
                  by_text ? *plan.text : digest_of(fmt::format("{}\n{}\n{}", record.id, record.detail, plan.fields)),
                  account == nullptr ? std::string() : labels_that_count(*account, record));
  }
  count(plan);
  // Those too that --limit leaves to later runs: a catalogue is not bought again in slices.
  if (chosen(record.id) && record.reason == Reason::New && plan.text) {
    if (Result<void> noted = note_new(row); !noted) return tl::unexpected(noted.error());
  }
  return plan;
}

void Planner::note_decision(const RowRecord& record, const Digest& text, std::string_view labels) {
  note_decision(text,
                fmt::format("{} {} {} {} {}", record.job, name_of(record.action), name_of(record.reason),
                            record.selected ? "" : "left", record.account),
                labels);
}

/// Each digest is that of the one before and of what this row adds to it.
void Planner::note_decision(const Digest& text, std::string_view words, std::string_view labels) {
  const auto add = [&](Digest& digest, std::string_view more) {
    chain_.assign(reinterpret_cast<const char*>(&digest), sizeof(digest));
    chain_.append(reinterpret_cast<const char*>(&text), sizeof(text));
    chain_ += more;
    digest = digest_of(chain_);
  };
  add(digests_.manifest, labels);
  add(digests_.decisions, words);
}

Normalised Planner::normalise(ManifestRow& row) {
  Normalised now = validate(row);
  photos_.add(now.fields, row.file, row.place);
  return now;
}

Result<Decision> Planner::decide_row(ManifestRow& row, RowPlan& plan) {
  RowRecord& record = plan.record;
  std::vector<Ledger::JobOfListing> known;
  if (record.listing != 0) {
    Result<std::vector<Ledger::JobOfListing>> jobs = ledger_->jobs_of(record.listing);
    if (!jobs) return tl::unexpected(jobs.error());
    known = std::move(*jobs);
  }
  has_video_ = std::any_of(known.begin(), known.end(), [](const auto& job) { return job.job.state == State::Done; });
  // The very same text was paid for: nothing to normalise. This is nearly every row of a nightly run.
  Normalised now;
  bool validated = false;
  std::vector<KnownJob> jobs;
  std::map<JobId, std::vector<FieldChange>> differences;
  for (Ledger::JobOfListing& job : known) {
    job.job.same_content = job.fields == plan.fields;
    if (!job.job.same_content) {
      if (!validated) now = normalise(row);
      validated = true;
      const Result<RawFields> before = raw_fields_from_json(job.fields);
      if (!before) return tl::unexpected(before.error());
      const Normalised normalised = row.kind->normalise(*before);
      differences[job.job.id] = changes_between(normalised.fields, now.fields, rules_for(*row.kind));
      job.job.same_content = differences[job.job.id].empty() && row.valid();
    }
    jobs.push_back(job.job);
  }
  const Decision decision = decide(jobs, {options_.retry_failed, options_.retry_limit, options_.on_change});
  if (decision.action == Action::Submit && !validated) now = normalise(row);
  if (decision.action == Action::Submit && row.valid()) record.subject = row.kind->subject(now.fields);
  if (decision.action == Action::Submit) plan.items = items_in_lists(now.fields);
  if (decision.reason == Reason::Changed) {
    plan.changes = std::move(differences[decision.compare_with]);
    record.detail = change_words(plan.changes);
  }
  return decision;
}

/// By --only.
bool Planner::chosen(std::string_view id) {
  if (only_.empty()) return true;
  const auto found = only_.find(id);
  if (found != only_.end()) only_met_.insert(*found);
  return found != only_.end();
}

void Planner::select(RowRecord& record) {
  record.selected = chosen(record.id);
  if (record.selected && record.action == Action::Submit && options_.limit &&
      counts_.actions[Action::Submit] >= *options_.limit) {
    record.selected = false;
  }
}

void Planner::count(const RowPlan& plan) {
  const RowRecord& record = plan.record;
  if (has_video_) ++counts_.with_video;
  if (!record.selected) {
    ++counts_.not_selected;
    return;
  }
  ++counts_.actions[record.action];
  ++counts_.reasons[record.reason];
  if (record.action != Action::Submit || record.reason != Reason::Changed || !has_video_) return;
  ++counts_.videos_replaced;
  for (const FieldChange& change : plan.changes) ++counts_.changed_fields[std::string(change.field->name)];
}

Result<void> Planner::find_gone() {
  if (ledger_ == nullptr) return {};
  const std::size_t catalogue = ledger_ref(options_, "").size();
  return ledger_->for_each_gone(feed_of(options_), seen_, [&](const ListingName& listing) {
    std::string id = listing.ref.substr(std::min(catalogue, listing.ref.size()));
    if (!seen_ids_.contains(id)) counts_.gone.push_back({std::move(id), listing.kind, listing.account});
  });
}

Result<void> Planner::finish() {
  if (options_.keep_to && digests_ != *options_.keep_to) {
    const bool read_alike = digests_.manifest == options_.keep_to->manifest;
    return usage_error(
        fmt::format("{} since the plan was made; nothing was submitted. Plan again, and look at what is "
                    "different",
                    read_alike ? "the ledger has moved on, or the options are others," : "the manifest has changed"));
  }
  for (const std::string& ref : only_) {
    if (only_met_.count(ref) == 0) return usage_error(fmt::format("--only {}: no row has this id", ref));
  }
  if (before_ && before_->rows >= kShrinkFrom && counts_.rows * kShrinkPart < before_->rows && !options_.allow_shrink) {
    return usage_error(fmt::format(
        "the feed has {} rows, less than half of the {} it had in the last run ({}): is it whole? Nothing was "
        "submitted. If that is meant, run again with --allow-shrink",
        counts_.rows, before_->rows, before_->run));
  }
  // One of several feeds that went empty may be less than half of the whole.
  if (before_ && before_->rows - counts_.rows >= kShrinkFrom && counts_.rows > 0 && !options_.allow_shrink) {
    for (const std::string& manifest : options_.manifests) {
      if (manifest == "-" || files_.contains(manifest)) continue;
      return usage_error(fmt::format(
          "{} has no rows, and all files together have {} where they had {} in the last run ({}): is it whole? Nothing "
          "was submitted. If that is meant, run again with --allow-shrink",
          manifest, counts_.rows, before_->rows, before_->run));
    }
  }
  if (options_.allow_mass_change) return {};
  if (counts_.videos_replaced <= kMassChange || counts_.videos_replaced * kMassChangePart <= counts_.with_video) {
    return refuse_renamed();
  }
  std::string fields;
  for (const auto& [field, times] : counts_.changed_fields) {
    fields += fmt::format("{}{} ({} rows)", fields.empty() ? "" : ", ", field, times);
  }
  return usage_error(
      fmt::format("{} of {} listings that have a video have changed and would be paid for again; changed: {}; nothing "
                  "was submitted. If that is "
                  "meant, run again with --allow-mass-change; to keep the videos there are, with --on-change skip",
                  counts_.videos_replaced, counts_.with_video, fields));
}

Result<void> Planner::refuse_renamed() {
  if (ledger_ == nullptr) return {};
  return renamed_.check(*ledger_, seen_, counts_.with_video, [&](const Ledger::PaidContent& paid) -> Result<Digest> {
    const JobKind* kind = find_kind(paid.kind);
    const Result<RawFields> fields = raw_fields_from_json(paid.fields);
    if (!fields) return tl::unexpected(fields.error());
    return kind == nullptr ? Digest() : content_of(*kind, *fields);
  });
}

// ---- Into the ledger ------------------------------------------------------------------------------------------------

namespace {

/// Adds one row as planned, with its listing and its content.
Result<void> record_row(Ledger& ledger, const Options& options, const BindAccount& bind, RowPlan& plan) {
  RowRecord& record = plan.record;
  if (!plan.fields.empty()) {
    const Result<AccountId> account = bind(record.account);
    if (!account) return tl::unexpected(account.error());
    if (record.listing == 0) {
      const Result<ListingId> listing = ledger.listing(*account, record.kind, ledger_ref(options, record.id));
      if (!listing) return tl::unexpected(listing.error());
      record.listing = *listing;
    }
    if (record.reason == Reason::Unchanged) {
      // In other words than those it is known by: known by these from now on.
      return plan.text ? ledger.know_job(record.job, *plan.text).and_then([&] { return ledger.add_row(record); })
                       : ledger.add_row(record);
    }
    const Result<ContentId> content = ledger.content(record.listing, plan.fields, plan.text);
    if (!content) return tl::unexpected(content.error());
    record.content = *content;
  }
  return ledger.add_row(record);
}

/// Whether two contents say the same, as rows are compared.
Result<bool> say_the_same(const JobKind* kind, const Options& options, std::string_view before, std::string_view now) {
  if (before == now || kind == nullptr) return before == now;
  const Result<RawFields> old_fields = raw_fields_from_json(before);
  if (!old_fields) return tl::unexpected(old_fields.error());
  const Result<RawFields> new_fields = raw_fields_from_json(now);
  if (!new_fields) return tl::unexpected(new_fields.error());
  const IgnoreRules rules(*kind, options.manifest.ignore);
  return changes_between(kind->normalise(*old_fields).fields, kind->normalise(*new_fields).fields, rules).empty();
}

/// The decision for a row that is to be submitted, since its listing may have got a job meanwhile; or for one that was
/// held, and that an operator let go.
Result<void> decide_again(Ledger& ledger, const Options& options, const RunRecord& run, RowRecord row) {
  const Result<std::vector<Ledger::JobOfListing>> known = ledger.jobs_of(row.listing);
  if (!known) return tl::unexpected(known.error());
  const Result<std::string> fields = ledger.fields_of(row.content);
  if (!fields) return tl::unexpected(fields.error());
  std::vector<KnownJob> jobs;
  for (const Ledger::JobOfListing& job : *known) {
    const Result<bool> same = say_the_same(find_kind(row.kind), options, job.fields, *fields);
    if (!same) return tl::unexpected(same.error());
    jobs.push_back(job.job);
    jobs.back().same_content = *same;
  }
  // Of a row that was held nothing was decided yet.
  const bool was_held = row.action == Action::Hold;
  const DecidePolicy policy{was_held ? options.retry_failed : row.reason == Reason::Retry, options.retry_limit,
                            was_held ? options.on_change : OnChange::Submit};
  const Decision decision = decide(jobs, policy);
  if (decision.action == Action::Submit && !was_held) return {};
  row.job = decision.job;
  row.action = decision.action;
  row.reason = decision.reason;
  return ledger.update_row(run.id, row);
}

}  // namespace

Result<IntakeCounts> take_in(Ledger& ledger, const Options& options, const BindAccount& bind, RunRecord& run,
                             const RemarkSink& remark) {
  if (Result<void> begun = ledger.begin_intake(run); !begun) return tl::unexpected(begun.error());
  Planner planner(&ledger, options);
  std::string bound;
  const auto glance = [&](const RowText& row) -> Result<bool> {
    const UnchangedRow* same = planner.unchanged(row);
    if (same == nullptr) return false;
    if (same->account != bound) {
      if (const Result<AccountId> account = bind(std::string(same->account)); !account) {
        return tl::unexpected(account.error());
      }
      bound = same->account;
    }
    if (Result<void> added = ledger.add_unchanged_row(*same); !added) return tl::unexpected(added.error());
    return true;
  };
  const auto take = [&](ManifestRow& row) -> Result<void> {
    Result<RowPlan> plan = planner.plan(row);
    if (!plan) return tl::unexpected(plan.error());
    tell_remarks(row, remark);
    return record_row(ledger, options, bind, *plan);
  };
  Result<void> done = planner.start();
  if (done) done = read_manifests(options.manifests, options.manifest, take, remark, glance);
  if (const std::optional<Remark> shared = planner.photos().remark()) remark(*shared);
  if (done) done = planner.finish();
  if (done) done = planner.find_gone();
  if (done) done = ledger.note_feed(feed_of(options));
  if (done) done = ledger.commit_intake();
  if (!done) {
    ledger.abandon_intake();
    run.id = 0;
    return tl::unexpected(done.error());
  }
  return planner.counts();
}

Result<void> take_up(Ledger& ledger, const Options& options, const RunRecord& run) {
  if (const Result<std::int64_t> left = ledger.leave_replaced(run.id); !left) return tl::unexpected(left.error());
  std::vector<RowRecord> waiting;
  const auto collect = [&](const RowView& view) -> Result<void> {
    const bool planned = !view.state || *view.state == State::Planned;
    const bool may_be_sent =
        view.row.action == Action::Submit || (view.row.action == Action::Hold && view.row.job != 0);
    if (may_be_sent && view.row.selected && planned && view.row.content != 0) waiting.push_back(view.row);
    return {};
  };
  if (Result<void> done = ledger.for_each_row(run.id, collect); !done) return done;
  for (RowRecord& row : waiting) {
    if (Result<void> done = decide_again(ledger, options, run, std::move(row)); !done) return done;
  }
  return {};
}

}  // namespace reelbatch
