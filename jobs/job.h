// The vocabulary of this program: what a manifest row becomes on its way to a request, and what an answer means.
// Everything here is a value. A kind (JobKind) is one API call family; it does no I/O, reads no clock, knows no secret.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/credits.h"
#include "jobs/error.h"

namespace reelbatch {

// ---- A row's fields -------------------------------------------------------------------------------------------------

/// What the service fetches from an address.
enum class Media {
  None,  ///< nothing: the field holds no address, or one that is called and not read
  Image,
  Audio,
  Visual,  ///< a picture or a film
  Any,     ///< a picture, a film or a sound
};

/// One field that a kind understands.
struct FieldSpec {
  std::string_view name;      ///< our name, snake_case: `display_logo`
  std::string_view api_name;  ///< the API's own: `displayLogo`. Either is accepted in a manifest
  bool is_list = false;       ///< several columns or a list may feed it
  bool is_images = false;     ///< a list of addresses of images, which no row goes without
  bool is_prose = false;   ///< the same of a description, as websites write it: read with read_prose() of field_rules.h
  bool is_content = true;  ///< part of what is paid for; a change of it makes the listing `changed`
  Media media = Media::None;  ///< of a field that is an address or a list of addresses
};

/// A value as the manifest gave it.
struct RawValue {
  enum class Form {
    Text,  ///< a CSV cell or a YAML scalar, as read
    Json,  ///< a list or a map, as JSON text
  };
  Form form = Form::Text;
  std::string text;
  bool operator==(const RawValue&) const = default;
};

/// A field as read: after mapping and defaults, before normalising. The ledger keeps these.
struct RawField {
  std::string name;  ///< FieldSpec::name of the row's kind
  RawValue value;
  bool operator==(const RawField&) const = default;
};

/// In the order of JobKind::fields(), each at most once. An absent or empty field is not there.
using RawFields = std::vector<RawField>;

/// A field in someone else's memory.
struct FieldText {
  std::string_view name;  ///< FieldSpec::name
  RawValue::Form form = RawValue::Form::Text;
  std::string_view text;
};

/// A field ready to be sent: its value as compact, canonical JSON. Equal values have equal text.
struct NormalField {
  const FieldSpec* spec = nullptr;
  std::string json;
};

/// What is wrong with one field, or worth a remark.
struct Problem {
  std::string field;    ///< FieldSpec::name
  std::string message;  ///< what is wrong and what would be right, without the field's name
};

/// What JobKind::normalise found. With problems the row is invalid and `fields` must not be sent.
struct Normalised {
  std::vector<NormalField> fields;  ///< in the order of JobKind::fields()
  std::vector<Problem> problems;
  std::vector<Problem> remarks;  ///< mended silently enough to go on: `kept the first of 2 equal addresses`
};

/// An address that the service will fetch for a row.
struct MediaAddress {
  std::string_view field;  ///< FieldSpec::name
  std::string address;
  Media media = Media::Any;  ///< never None
};

// ---- Requests and answers -------------------------------------------------------------------------------------------

/// A request to the account's service; the credentials are added on the way out and never seen here.
struct Request {
  std::string method;  ///< `GET` or `POST`
  std::string path;    ///< from the base URL on, starting with `/`, percent-encoded
  std::string body;    ///< JSON, empty for GET
};

/// An answer that arrived whole as far as HTTP can tell. Any bytes may be in it.
struct Response {
  int status = 0;
  std::string body;
};

/// What an answer to a submission means for the row and for the account (PRODUCT.md 4.5).
enum class SubmitOutcome {
  Accepted,        ///< taken; `remote_id` names the job
  Throttled,       ///< 429: certainly not taken, send again when the account may
  RowRefused,      ///< the row's fault: it is failed
  KeyRefused,      ///< 401, 403: the account's fault
  NoCredits,       ///< 402, or what the kind reads as such: the account's fault
  AddressRefused,  ///< 3xx, 404, 405: the account's base URL is wrong
  Unknown,         ///< maybe taken: held
};

struct SubmitVerdict {
  SubmitOutcome outcome = SubmitOutcome::Unknown;
  std::string remote_id;  ///< Accepted only; opaque, not empty
  std::string detail;     ///< for people: the service's words, or why the answer cannot be believed
  CreditFigures credits;  ///< whatever figures the answer carried
};

/// What an answer to a poll means for one job (PRODUCT.md 4.7).
enum class PollOutcome {
  Running,     ///< not finished, or not known to be: poll again
  Done,        ///< finished; `url` may still be empty if the service gave none
  Failed,      ///< the service says that the job failed
  NotKnown,    ///< 404: perhaps not yet, later no longer
  KeyRefused,  ///< 401
  Throttled,   ///< 429
  TryAgain,    ///< any other refusal, or an answer that cannot be read
  AskAlone,    ///< a question about several jobs was refused, or its answer leaves this one out: ask for it alone
};

struct PollVerdict {
  PollOutcome outcome = PollOutcome::TryAgain;
  std::string url;        ///< Done only
  std::string detail;     ///< for people: the state's name, the failure's words
  CreditFigures credits;  ///< whatever figures the answer carried
  /// Running only: the parts of the job that are in error now, by ids that repair() takes. Nothing where the answer
  /// does not tell of parts.
  std::optional<std::vector<std::string>> broken = {};
};

/// What an answer to a search means (JobKind::search).
struct SearchVerdict {
  enum class Outcome { Listed, KeyRefused, Throttled, TryAgain };
  Outcome outcome = Outcome::TryAgain;
  std::vector<std::string> remote_ids;  ///< Listed only: one for each marker asked for, empty where it is not listed
  std::string detail;                   ///< for people, when it is not Listed
  std::string next = {};                ///< Listed only: the address of the list's next part, as the answer has it
};

// ---- Kinds and services ---------------------------------------------------------------------------------------------

/// What a kind needs to know of a job in order to poll it.
struct PolledJob {
  std::string_view remote_id;
  std::string_view subject = {};  ///< JobKind::subject() of its row
};

/// A part of a job made again: what the row would say that asks for it.
struct Repair {
  std::string_view kind;  ///< whose row it is; its subject is the job that has the part
  RawFields fields;       ///< without problems
};

/// One API: checks a row, builds each request, reads each response. Stateless; one instance serves every job.
///
/// Adding one: jobs/README.md.
class JobKind {
 public:
  virtual ~JobKind() = default;

  virtual std::string_view name() const = 0;     ///< `iacrea.auto`: what a manifest's `kind` column says
  virtual std::string_view service() const = 0;  ///< ServiceSpec::name
  virtual std::span<const FieldSpec> fields() const = 0;

  /// Names, snake_case, that are no fields though their user may mean them to be sent: members of the API, and parts
  /// of a field's name. A column of that name is a label, and its user is told so.
  virtual std::span<const std::string_view> unsent() const { return {}; }

  /// Checks a row and brings it into the one form that is sent and compared. Never throws, whatever the bytes.
  virtual Normalised normalise(const RawFields& raw) const = 0;

  /// True only if normalise() would find nothing wrong with these fields and have no remark: told from the form that
  /// nearly all rows have, in a fraction of the time. Then images are addresses in their one form, a text with `|`
  /// between them or a compact JSON list. False says nothing.
  ///
  /// fields  in the order of fields(), well-formed UTF-8.
  virtual bool is_plain(std::span<const FieldText>) const { return false; }

  /// Every address that the service will fetch for a row without problems, in its order. By FieldSpec::media, unless a
  /// kind has addresses inside of other fields.
  virtual std::vector<MediaAddress> media(std::span<const NormalField> fields) const;

  /// The id of a job that exists already and that the row only follows: nothing is submitted and nothing paid for.
  /// Empty for a row that is submitted.
  virtual std::string followed(std::span<const NormalField>) const { return {}; }

  /// False only if no row of the kind follows a job: known without reading the row.
  virtual bool may_follow() const { return false; }

  /// What a row's job works on, where that is at the service before the job is: the id of a video. Jobs of one subject
  /// are submitted one after the other, then polled together with one request, and take one place in flight. A later
  /// job on it overtakes what a finished one made. Figures of credits used are the subject's, with all that was made
  /// of it before. Empty for a job that stands for itself.
  virtual std::string subject(std::span<const NormalField>) const { return {}; }

  /// True if a later job, of this or another kind, may make anew what a finished one made: a night on which its row is
  /// unchanged still looks at it.
  virtual bool may_be_overtaken() const { return false; }

  /// How a part of a job that is in error is made again, which is paid for like a row of that kind. Nothing where the
  /// service cannot do it.
  ///
  /// part  one of PollVerdict::broken.
  virtual std::optional<Repair> repair(std::string_view remote_id, std::string_view part) const {
    static_cast<void>(remote_id), static_cast<void>(part);
    return std::nullopt;
  }

  /// True if an answer to a poll may for a while speak of what was there before the job: then Done and Failed count
  /// only after an answer that was neither, or a minute after the acceptance.
  virtual bool may_answer_with_the_past() const { return false; }

  /// The paid request for a row without problems that follows nothing.
  ///
  /// fields  of a Normalised of this kind.
  /// marker  unique for the submission, of letters, digits and `-`; kinds whose service can be searched put it where
  ///         it will be found.
  virtual Request submit(std::span<const NormalField> fields, std::string_view marker) const = 0;

  /// What any answer to submit() means. Never throws; an answer that proves nothing is Unknown.
  virtual SubmitVerdict read_submit(const Response& response) const = 0;

  /// How many jobs one poll may carry, at least 1. Those of one subject count as one.
  virtual std::size_t poll_max() const { return 1; }

  /// One GET for 1 to poll_max() jobs of one account, or for all jobs of one subject.
  virtual Request poll(std::span<const PolledJob> jobs) const = 0;

  /// What any answer to poll() means, one verdict a job in the order asked. Never throws.
  virtual std::vector<PollVerdict> read_poll(std::span<const PolledJob> jobs, const Response& response) const = 0;

  /// The GET that lists the account's jobs, in order to find submissions whose answers were lost by their markers.
  /// Nothing if the service cannot be searched.
  virtual std::optional<Request> search() const { return std::nullopt; }

  /// What any answer to search(), or to a GET of its next part, says of these markers. That one is not listed proves
  /// nothing. Never throws.
  virtual SearchVerdict read_search(std::span<const std::string> markers, const Response&) const {
    return {SearchVerdict::Outcome::TryAgain, std::vector<std::string>(markers.size()),
            "the service cannot be searched"};
  }
};

/// A secret that a service wants in a header of every request.
struct CredentialSpec {
  std::string_view name;    ///< its name in an account's configuration: `key`, `id`
  std::string_view header;  ///< `x-api-key`
  std::string_view env;     ///< where it is found by default: `IACREA_API_KEY`
};

/// A company's API: where it is and how it is spoken to.
struct ServiceSpec {
  std::string_view name;          ///< also the name of its account when no configuration names one
  std::string_view base_url;      ///< `https://iacrea.com`, no slash at the end
  std::string_view base_url_env;  ///< moves it: `IACREA_BASE_URL`
  std::span<const CredentialSpec> credentials;
  bool cost_is_per_job = false;  ///< documented: a job's `used` figure is its own, whatever `credits:` says
  /// A free GET that tells the balance; empty if there is none.
  std::string_view balance_path = {};
  /// The figure in an answer to it. None where the answer cannot be read; never throws.
  CreditFigures (*read_balance)(const Response& response) = nullptr;
};

}  // namespace reelbatch
