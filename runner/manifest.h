// Manifests: files of listings, read once, as a stream, row by row.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/error.h"
#include "jobs/job.h"
#include "jobs/prose.h"
#include "runner/ignore_rules.h"
#include "runner/label.h"

namespace reelbatch {

/// What becomes of a row whose id was there before.
enum class OnDuplicate {
  Error,   ///< the manifest is wrong
  First,   ///< it is left out
  Last,    ///< the earlier ones are left out: the files are read twice
  Suffix,  ///< it becomes a listing of its own, `A-2`: which one that is depends on the order of the rows
};

/// How columns become fields, from the configuration and the command line.
struct ManifestOptions {
  /// FIELD -> COLUMN: a header's name, `#12` (position from 1), or a glob over names (`photo_*`) for list fields; more
  /// in feed_presets.h, ColumnSpec. FIELD is `id`, `kind`, `account` or a field of some kind, by its own name or the
  /// API's.
  std::map<std::string, std::string> map;
  /// A known program's export (feed_presets.h): its name, `auto` to find out, or `none`.
  std::string preset = "auto";
  std::optional<std::string> encoding;   ///< as encoding_named() takes; nothing: found by the bytes
  std::optional<std::string> delimiter;  ///< of tables, as parse_delimiter() takes; nothing: found by trial
  std::size_t skip_lines = 0;            ///< of tables, in front of the header
  bool no_header = false;                ///< tables have none: positions are the names
  /// Between the images in one cell; nothing: split where an address starts.
  std::optional<std::string> images_separator;
  /// A table whose rows are all of the default kind, and which has no column for the images that this needs, is wrong
  /// as a whole; otherwise its rows are, one by one.
  bool require_columns = false;
  ProseOptions prose;      ///< what is done to descriptions beyond what is done to all (prose.h)
  std::string media_base;  ///< an http or https address in front of images that are file names; empty: none
  /// Which other columns are carried to the reports; all of them when not set.
  std::optional<std::vector<std::string>> labels;
  /// Values for fields (and `kind`, `account`) that a row leaves empty. A row's own value wins.
  std::map<std::string, RawValue> defaults;
  OnDuplicate on_duplicate = OnDuplicate::Error;
  bool id_from_hash = false;         ///< a row without an id gets one that is made of what it says (row_ids.h)
  std::vector<IgnoreRule> ignore;    ///< what does not count as a change
  std::uint64_t min_rows = 0;        ///< fewer in all files together: the manifest is wrong
  bool allow_invalid_start = false;  ///< a file that begins with kInvalidStart invalid rows may have valid ones
};

/// So many rows at the start of a file without a valid one: its columns are taken to be mapped wrongly.
constexpr std::uint64_t kInvalidStart = 20;

/// A place in a manifest. Line and column count from 1, the column in characters; 0 where nothing can be blamed.
struct Place {
  std::uint64_t line = 0;
  std::uint64_t column = 0;
};

/// Remark::code of a warning that is about a row and not about its file.
constexpr std::string_view kMended = "mended";

/// Something to say about a place in a manifest.
struct Remark {
  enum class Level {
    Error,    ///< a row is refused
    Warning,  ///< something was mended or is odd
    Note,     ///< something to know
    File,     ///< a file is wrong as a whole: a line of the error that ends the reading, told when it is found
  };
  Level level = Level::Error;
  std::string file;
  Place place;
  std::string field;  ///< the field or column, may be empty
  std::string message;
  std::string_view code = {};  ///< for programs: what sort of error it is, `too_many_fields`, or kMended; a literal
  bool repeats = false;        ///< what was said of rows enough before: of use in a file of rejects alone
  // What tell_remarks() adds to errors of rows.
  std::uint64_t record = 0;  ///< the row's number in its file, from 1; 0: not known
  std::string raw = {};      ///< the row as it stands in the file, as much as kRawMax of it
  std::string excerpt = {};  ///< as excerpt() makes it
  static constexpr std::size_t kRawMax = std::size_t{64} * 1024;
  /// `listings.csv:12:5: description: needs at least 10 characters`
  std::string text() const;
};

/// A row as it stands in its file, in the reader's memory.
struct RecordText {
  std::uint64_t number = 0;  ///< in its file, from 1
  std::string_view text;     ///< of a table or a line: as written; else the job as JSON
  std::uint64_t line = 0;    ///< where `text` starts; 0 if it is not what the file says
};

/// One row, as read. With errors among its remarks it is invalid; its id and labels are there as far as readable.
struct ManifestRow {
  std::string id;                 ///< trimmed; empty only if invalid
  std::string kind_name;          ///< as given, or the default
  const JobKind* kind = nullptr;  ///< nullptr only if invalid
  std::string account;            ///< as given, empty for the service's default
  RawFields fields;               ///< of the kind, after mapping and defaults
  /// Where each of `fields` stands, by its position: asked for by the few rows that have something to say. Valid while
  /// the row is with its sink; may be empty.
  std::function<Place(std::size_t field)> place_of_field;
  /// What it was read from: asked for where something is wrong, so that a good row costs nothing. Valid like
  /// `place_of_field`; may be empty.
  std::function<RecordText()> record;
  std::vector<Label> labels;
  std::string file;
  Place place;  ///< where the row starts
  std::vector<Remark> remarks;
  bool valid() const;
};

/// Valid as long as `fields` are not changed.
std::vector<FieldText> texts_of(const RawFields& fields);

/// A row with nothing wrong in its shape, as it stands in the reader's memory. Valid as long as it is looked at.
struct RowText {
  std::string_view id;            ///< trimmed, not empty
  const JobKind* kind = nullptr;  ///< never nullptr
  std::string_view account;       ///< as given, empty for the service's default
  std::span<const FieldText> fields;
  std::span<const LabelText> labels;
  std::string_view file;
  std::uint64_t line = 0;  ///< where the row starts
};

/// Looks at each such row before a ManifestRow is made of it. True: the row is dealt with and goes to no sink. In a
/// catalogue that is read every night nearly every row is known, so that what is spared here is most of the work.
using RowGlance = std::function<Result<bool>(const RowText& row)>;

/// Takes each row as it is read; the row may be moved from. Returning an error stops the reading with that error.
using RowSink = std::function<Result<void>(ManifestRow& row)>;
using RemarkSink = std::function<void(const Remark&)>;

/// Reads manifests in order: tables (`.csv`, `.tsv`, `.txt`, `.blm`), YAML (`.yaml`, `.yml`), JSON (`.json`), JSON
/// Lines (`.jsonl`, `.ndjson`); `-` is standard input, whose first character decides between JSON and a table. The
/// encoding, and of tables the delimiter and what stands in front of the header, are found by the first bytes, whatever
/// the name (text_source.h, table_format.h).
///
/// Every row reaches `sink`, valid or not, but one whose id was there before (ManifestOptions::on_duplicate). What is
/// wrong with its shape (an empty id, too many cells, malformed UTF-8, an unknown kind) is among its remarks already;
/// what is wrong with its fields is found by validate(), so that a caller who knows the row can spare it. Warnings go
/// to `remark` at the end of their file, each sort once, with the first place and how often: a column that is nearly a
/// field, cells that were mended, 0 listings.
///
/// Fails, after having delivered rows or not, on what makes a file wrong as a whole: not readable, no `id` column, a
/// mapped column that does not exist, the same id twice in all files, an unclosed quote, YAML that does not parse, a
/// column that is nearly a field, ids that a spreadsheet shortened, a file that is cut short or is no text, one that
/// begins with kInvalidStart invalid rows, fewer rows than ManifestOptions::min_rows or than the file states. Each is
/// told to `remark` as well, as Level::File. Reading goes on after most of these, so that one look finds them all. The
/// message has one line a finding, each `file:line:column: ...`, at most 100 and ten repeated ids, with how many there
/// are. Options that name what does not exist fail before anything is read.
///
/// glance  may be empty: then every row goes to `sink`.
Result<void> read_manifests(const std::vector<std::string>& paths, const ManifestOptions& options, const RowSink& sink,
                            const RemarkSink& remark, const RowGlance& glance = {});

/// Normalises the row's fields by its kind and adds what that found to row.remarks, with places. The result's fields
/// must not be sent unless row.valid() afterwards. A row that is invalid already is left as it is; the result is then
/// empty.
Normalised validate(ManifestRow& row);

/// Hands a row's remarks on, errors with the record that they are about. While the row is with its sink.
void tell_remarks(const ManifestRow& row, const RemarkSink& remark);

}  // namespace reelbatch
