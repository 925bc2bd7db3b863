// How the cells of a table's last column end. A file that is cut inside of its last cell has as many cells as it
// should: nothing tells it from one that is whole, without a last line end, but what that cell says.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

namespace reelbatch {

class LastCells {
 public:
  static constexpr std::size_t kSample = 200;  ///< cells that are learnt from

  bool is_learning() const { return seen_ < kSample; }
  /// Takes the last cell of a row that is whole.
  void learn(std::string_view cell);

  /// Why a cell looks cut, for people: `ends with '.jp', where others end with '.jpg'`. Empty if it does not, or too
  /// few others are known.
  std::string why_cut(std::string_view cell) const;
  /// What is said of a row whose last cell looks so.
  static std::string message(std::string_view why);

 private:
  /// What a text ends with: `.jpg` of an address, `sign` of what closes a sentence, a list or the like, nothing of a
  /// word or a number.
  static std::string ending_of(std::string_view text);

  bool may_be_cut(const std::string& ending) const;
  bool is_of_another_form(std::string_view text) const;

  std::size_t seen_ = 0;
  std::size_t filled_ = 0;
  std::size_t addresses_ = 0;
  std::set<std::string> endings_;  ///< of the filled ones
  std::set<std::string> hosts_;    ///< of all addresses in them
  std::size_t shortest_ = SIZE_MAX;
  std::size_t longest_ = 0;
};

}  // namespace reelbatch
