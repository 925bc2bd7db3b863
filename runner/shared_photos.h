// Photos that stand in many listings: "photo coming soon" makes a video that nobody wants.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/job.h"
#include "runner/manifest.h"

namespace reelbatch {

/// Counts the photos of millions of listings in a table of 512 KiB: exactly for those that come up again within ten
/// thousand others, and from there on. One that far-apart listings of a huge catalogue share may be missed; one that
/// stands everywhere is not, be it the first of its listings or an agency's card behind their own.
class SharedPhotos {
 public:
  /// So many listings with one photo are worth a word: a flat that is for sale and for rent is there twice.
  static constexpr std::uint64_t kListings = 3;

  SharedPhotos();

  /// A row's fields as normalised. Where the row stands is for the message.
  void add(std::span<const NormalField> fields, std::string_view file, Place place);

  /// The same for fields that JobKind::is_plain() holds for.
  void add_plain(const JobKind& kind, std::span<const FieldText> fields, std::string_view file, Place place);

  /// What there is to say, once: how many photos, and the one in most listings. Nothing if none is in kListings.
  std::optional<Remark> remark() const;

 private:
  static constexpr std::size_t kWays = 4;
  static constexpr std::size_t kSets = std::size_t{1} << 14U;
  static constexpr std::size_t kSharedMax = 1000;  ///< photos that are counted one by one

  struct Shared {
    std::string address;
    std::string file;
    Place place;  ///< of the row that made it one too many
    std::uint64_t listings = 0;
  };
  /// Of a list of texts as JSON, or with `|` between them.
  void add_list(RawValue::Form form, std::string_view list, std::string_view file, Place place);
  struct Address {
    std::string_view text;
    std::uint64_t digest = 0;
  };
  void add_address(const Address& address, std::string_view file, Place place);
  void count(const Address& address, std::string_view file, Place place);
  std::uint32_t* set_of(std::uint64_t digest);

  std::vector<std::uint32_t> seen_;  ///< kSets of kWays: a part of the digest, and in the last two bits how often
  std::map<std::uint64_t, Shared> shared_;
  bool more_ = false;  ///< than kSharedMax
};

}  // namespace reelbatch
