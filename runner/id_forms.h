// What the ids of a table look like: an id that looks like no other may be no id, and a record without one no row.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace reelbatch {

/// What a text is made of: `A-17` is `a-9`.
class Form {
 public:
  explicit Form(std::string_view text);
  std::string_view text() const { return {text_.data(), size_}; }
  /// Whether there is a letter or a digit.
  bool has_text() const { return text().find_first_of("a9") != std::string_view::npos; }
  /// Whether hardly anything but ids looks so: with digits, and with more than these, in one word.
  bool is_telling() const;

 private:
  std::array<char, 32> text_{};
  std::size_t size_ = 0;
};

class IdForms {
 public:
  enum class Match {
    Unknown,  ///< too few ids are known
    Unlike,   ///< any of them
    Alike,    ///< as some, and as words or numbers anywhere
    Same,     ///< as some, and as hardly anything else
  };

  bool is_learning() const { return count_ < kSample; }
  /// Takes the id of a row that is right, for all that is known.
  void learn(std::string_view id);

  Match match(std::string_view text) const;
  /// Whether ids have few forms, so that one of another is strange.
  bool are_alike() const { return count_ >= kMin && forms_.size() <= kFormsMax; }
  /// Whether two texts are one id that was cut: together they look like one and are as long as one, and the second does
  /// not by itself.
  bool are_halves(std::string_view first, std::string_view second) const;
  /// Whether a text looks like an id, as long as one.
  bool is_whole(std::string_view text) const;

 private:
  static constexpr std::size_t kMin = 3;       ///< show what ids look like
  static constexpr std::size_t kSample = 200;  ///< are learnt from
  static constexpr std::size_t kFormsMax = 3;  ///< where they have more, an id looks like nothing

  std::size_t count_ = 0;
  std::set<std::string, std::less<>> forms_;
  std::size_t shortest_ = SIZE_MAX, longest_ = 0;
};

}  // namespace reelbatch
