// Fuzz targets: each takes any bytes, and holds what it says about them. One binary has them all; tools/fuzz runs them.
#pragma once

#include <string_view>

namespace reelbatch {

/// Registers a target by name. `inputs`: how many take about 20 seconds, which is what `tools/fuzz --fixed` gives it.
struct FuzzTarget {
  FuzzTarget(const char* name, int inputs, void (*run)(std::string_view data));
};

/// Stops at a broken promise, with the input kept by libFuzzer.
void must(bool holds, std::string_view promise, std::string_view about = {});

/// Takes the first byte off `data`; 0 if there is none.
unsigned take_byte(std::string_view& data);

/// Whether an address in this JSON would be split when it is read as a list once more: bringing it into its one form
/// can make a separator and the beginning of an address of what was neither (`,\\/host`). The program never reads its
/// own form.
bool splits_again(std::string_view json);

}  // namespace reelbatch

#define FUZZ_TARGET(name, inputs)                                                    \
  static void fuzz_##name(std::string_view data);                                    \
  static const ::reelbatch::FuzzTarget target_of_##name(#name, inputs, fuzz_##name); \
  static void fuzz_##name(std::string_view data)
