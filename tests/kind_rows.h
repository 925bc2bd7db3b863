// What the tests of single kinds share: rows in a line, and what normalise() said of them as text.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "jobs/job.h"

namespace reelbatch {

using TextFields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// A row of cells; a later field takes the place of an earlier one of its name.
inline RawFields cells(TextFields fields, TextFields more = {}) {
  RawFields row;
  for (const TextFields& list : {fields, more}) {
    for (const auto& [name, text] : list) {
      std::erase_if(row, [&, name = name](const RawField& field) { return field.name == name; });
      row.push_back({std::string(name), {RawValue::Form::Text, std::string(text)}});
    }
  }
  return row;
}

inline std::string json_of(const Normalised& normal, std::string_view name) {
  for (const NormalField& field : normal.fields) {
    if (field.spec->name == name) return field.json;
  }
  return "(absent)";
}

inline std::string lines_of(const std::vector<Problem>& problems) {
  std::string all;
  for (const Problem& problem : problems) all += problem.field + ": " + problem.message + "\n";
  return all;
}

}  // namespace reelbatch
