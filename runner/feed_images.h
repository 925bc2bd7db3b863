// Images as feeds name them: file names that need an address in front, and lists with a separator of their own. The
// same for tables and for what has keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "jobs/error.h"
#include "jobs/job.h"
#include "runner/manifest.h"

namespace reelbatch {

class FeedImages {
 public:
  /// options  must outlive this.
  explicit FeedImages(const ManifestOptions& options) : options_(options) {}

  void start_file();

  /// A list of images as the options want it kept, as JSON: split at their separator, and with their base in front of
  /// file names, as complete_images() does. Nothing where they ask for nothing. Fails if the text begins like JSON and
  /// cannot be read.
  Result<std::optional<std::string>> complete(RawValue::Form form, std::string_view text) const;

  /// Whether every image of `more` is among those of `known` as well: both lists as a row has them. False where `more`
  /// cannot be read.
  static bool has_all(std::string_view known, std::string_view more);

  /// Whether any image of the file has an address so far: then see() has nothing more to find out.
  bool has_address() const { return has_address_; }
  /// Takes one row's images, completed.
  void see(std::string_view text, Place place);

  /// At the end of a file in which images are names and none has an address: what to do about it.
  std::optional<std::string> finding() const;
  /// Where the first of these names stands.
  Place place() const { return first_; }

 private:
  const ManifestOptions& options_;
  bool has_address_ = false;
  std::uint64_t rows_ = 0;  ///< with names alone
  Place first_;
  std::string first_name_;
};

}  // namespace reelbatch
