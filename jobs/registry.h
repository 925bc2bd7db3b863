// Which kinds and services exist. The only place that lists them all.
#pragma once

#include <span>
#include <string_view>

#include "jobs/job.h"

namespace reelbatch {

/// Every kind, in the order of the documentation. Live as long as the program.
std::span<const JobKind* const> all_kinds();
std::span<const ServiceSpec> all_services();

/// nullptr if there is none of that name. Names are exact.
const JobKind* find_kind(std::string_view name);
const ServiceSpec* find_service(std::string_view name);

/// The kind of a row that names none.
const JobKind& default_kind();

}  // namespace reelbatch
