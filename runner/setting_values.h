// What the value of each setting may be and where it goes: the functions behind Setting::apply. Private to settings.cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runner/settings.h"

namespace reelbatch {

using Values = std::vector<std::string>;  ///< at least one

// ---- Settings of one form -------------------------------------------------------------------------------------------

Result<void> store_flag(std::string_view text, bool& target);
/// A duration of more than 0.
Result<void> store_span(std::string_view text, Duration& target);
/// Any text but an empty one: a file.
Result<void> store_text(const std::string& text, std::string& target);

template <bool Options::*Member>
Result<void> apply_flag(SettingTarget& target, const Values& values) {
  return store_flag(values.back(), target.options.*Member);
}
template <bool ProseOptions::*Member>
Result<void> apply_prose(SettingTarget& target, const Values& values) {
  return store_flag(values.back(), target.options.manifest.prose.*Member);
}
template <Duration Options::*Member>
Result<void> apply_span(SettingTarget& target, const Values& values) {
  return store_span(values.back(), target.options.*Member);
}
template <std::string Options::*Member>
Result<void> apply_file(SettingTarget& target, const Values& values) {
  return store_text(values.back(), target.options.*Member);
}

// ---- Settings with a form of their own ---------------------------------------------------

Result<void> apply_outputs(SettingTarget& target, const Values& values);
Result<void> apply_map(SettingTarget& target, const Values& values);
Result<void> apply_preset(SettingTarget& target, const Values& values);
Result<void> apply_encoding(SettingTarget& target, const Values& values);
Result<void> apply_delimiter(SettingTarget& target, const Values& values);
Result<void> apply_skip_lines(SettingTarget& target, const Values& values);
Result<void> apply_no_header(SettingTarget& target, const Values& values);
Result<void> apply_images_separator(SettingTarget& target, const Values& values);
Result<void> apply_media_base(SettingTarget& target, const Values& values);
Result<void> apply_rejects(SettingTarget& target, const Values& values);
Result<void> apply_on_duplicate(SettingTarget& target, const Values& values);
Result<void> apply_id_from(SettingTarget& target, const Values& values);
Result<void> apply_min_rows(SettingTarget& target, const Values& values);
Result<void> apply_allow_invalid_start(SettingTarget& target, const Values& values);
Result<void> apply_ledger(SettingTarget& target, const Values& values);
Result<void> apply_rate(SettingTarget& target, const Values& values);
Result<void> apply_submit_rate(SettingTarget& target, const Values& values);
Result<void> apply_max_in_flight(SettingTarget& target, const Values& values);
Result<void> apply_max_connections(SettingTarget& target, const Values& values);
Result<void> apply_wait(SettingTarget& target, const Values& values);
Result<void> apply_deadline(SettingTarget& target, const Values& values);
Result<void> apply_max_credits(SettingTarget& target, const Values& values);
Result<void> apply_limit(SettingTarget& target, const Values& values);
Result<void> apply_only(SettingTarget& target, const Values& values);
Result<void> apply_ignore(SettingTarget& target, const Values& values);
Result<void> apply_on_change(SettingTarget& target, const Values& values);
Result<void> apply_progress(SettingTarget& target, const Values& values);
Result<void> apply_log_level(SettingTarget& target, const Values& values);

}  // namespace reelbatch
