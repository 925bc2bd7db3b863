// A row read by a table: which fields a kind has, and how each is read. What all kinds do in normalise() and submit().
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "jobs/field_rules.h"
#include "jobs/job.h"

namespace reelbatch {

/// How one field is read into the JSON that is sent.
using FieldReader = FieldReading (*)(const RawValue&);

/// Every field of `raw` that `specs` knows, read by the reader of the same place. Fields that nobody knows are left
/// out.
///
/// specs    live as long as the result.
/// readers  as many as specs.
Normalised read_row(std::span<const FieldSpec> specs, std::span<const FieldReader> readers, const RawFields& raw);

/// Whether a field is in the form that most rows have, which its reader takes without a word.
using FieldGlance = bool (*)(const FieldText&);

/// Whether every field is in that form, and the first `required` of the specs are there.
///
/// glances  as many as specs; nullptr: a field that is there has to be read.
/// fields   as for JobKind::is_plain().
bool are_plain(std::span<const FieldSpec> specs, std::span<const FieldGlance> glances, std::size_t required,
               std::span<const FieldText> fields);

/// nullptr if the row has no such field, or none that could be read.
const NormalField* find_field(std::span<const NormalField> fields, std::string_view name);

/// True if something is wrong with the field.
bool has_problem(const Normalised& normal, std::string_view name);

/// Adds `message` as a problem if the field is absent; one that is there and wrong has its problem already.
void require_field(Normalised& normal, std::string_view name, std::string_view message);

/// The text of a field whose JSON is a string; empty if it is absent or no string.
std::string field_text(std::span<const NormalField> fields, std::string_view name);

/// `{"displayLogo":true,...}`: the fields under the API's own names.
std::string fields_as_object(std::span<const NormalField> fields);

}  // namespace reelbatch
