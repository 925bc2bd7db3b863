// What is known of feeds in the wild: which columns the exports of known programs have, and how people call the columns
// of their own. Source: the survey of feeds, FORMATS 2 and 3.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jobs/job.h"

namespace reelbatch {

/// Columns that feed one field, as the specification of a mapping says them:
///
///   `A|B`              A, and B in rows where A is empty; of an id the first that the file has, in all rows
///   `A+B`              both, one after the other; of an id with `-` between them
///   `photo_*`          all that fit, in the order of their numbers (lists)
///   `MEDIA_IMAGE_*<60` the same with numbers below 60
///   `#3`, `#85-93,#99` by position, from 1
struct ColumnSpec {
  struct Part {
    std::string pattern;   ///< a name, a glob, or positions
    std::string folded;    ///< fold_name() of it
    long long below = -1;  ///< numbers of a family that count; -1: all
    bool glob = false;
    std::vector<std::pair<std::size_t, std::size_t>> positions;  ///< both included; empty: by name
  };
  std::string text;  ///< as given
  std::string folded;
  std::vector<std::vector<Part>> alternatives;  ///< each a list of parts, one after the other
};

/// Never fails: what is no pattern is a name.
ColumnSpec parse_column_spec(std::string_view text);

struct PresetField {
  std::string_view field;    ///< of any kind that has one of this name
  std::string_view columns;  ///< as ColumnSpec
};

/// Defaults for the mapping of a known program's files. What the options map wins.
struct Preset {
  std::string_view name;
  std::span<const PresetField> fields;
  /// Names that are all there in such a file (each `A|B` for either), in any case; none: known by its form alone.
  std::span<const std::string_view> signature;
  bool has_header = true;
  bool grouped = false;           ///< rows with the same id that follow each other are one listing
  std::string_view opening = {};  ///< grouped: the column that is filled in a listing's first row alone
  bool bare_labels = true;        ///< columns that feed nothing are labels
};

std::span<const Preset> all_presets();
/// nullptr if there is none of that name.
const Preset* find_preset(std::string_view name);
/// Those whose signature is in `names`.
std::vector<const Preset*> presets_of(std::span<const std::string_view> names);

/// What of a preset's signature is not in `names`, for people: `'Handle' or 'URL handle'`.
std::vector<std::string> missing_of(const Preset& preset, std::span<const std::string_view> names);

/// What people call the id, images and descriptions, in the order of preference, folded; empty for other fields.
std::span<const std::string_view> synonyms_of(const FieldSpec& field);

/// A name that is one of a numbered family of images: `photo-01`, `images/0/url`, `image[10].url`; or that may be the
/// first of one, without a number: `image`, `image_url`. `stem` is equal for all of one family, and empty for others.
struct NumberedName {
  std::string stem;
  long long number = -1;
};
NumberedName numbered_image(std::string_view folded);

/// Whether a column holds a listing's main photo beside the column of the others.
bool is_main_photo_name(std::string_view folded);

/// Whether a column is for the eyes of agents alone, such as RESO's PrivateRemarks: then reports do not carry it unless
/// it is asked for by name.
bool is_private_name(std::string_view folded);

/// Whether a column's name says that what it holds is no photo of the listing: a caption, the agent's portrait, a logo,
/// a thumbnail, a floor plan, an EPC, a video, a map. Told by whole words, also where only letter case parts them.
bool is_no_photo_name(std::string_view name);

}  // namespace reelbatch
