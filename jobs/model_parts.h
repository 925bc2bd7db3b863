// What the models of the services are made of: replies, headers, ids and durations.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/seeded_random.h"
#include "jobs/service_model.h"

namespace reelbatch {

ServiceReply json_reply(int status, std::string body);

/// A header's value, empty if it is absent; `name` in lower case.
std::string_view header_of(const ServiceRequest& request, std::string_view name);

/// Who has these secrets: 16 hexadecimal digits that show in journals and reports what must not, the secrets
/// themselves.
///
/// seed     of the model, so that no two models have the same name for a secret.
/// secrets  all that a request brings, in the service's order.
std::string customer_of(std::uint64_t seed, std::initializer_list<std::string_view> secrets);

/// True if a job of `owner` is there for `customer`. One from a journal that names no owner is there for everybody.
bool is_known_to(std::string_view customer, std::string_view owner);

/// True if a body of this content type is to be read as JSON; parameters behind it do not count.
bool is_json_type(std::string_view content_type);

/// `path?query`, for a Location.
std::string with_query(std::string_view path, std::string_view query);

/// Each `%41` as the byte it stands for; what is no escape stays.
std::string percent_decode(std::string_view text);

/// The value of `name` in a query, decoded. Nothing if it is not there.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

/// True for http and https with a host and without blanks or control characters: what any service refuses otherwise.
bool is_service_address(std::string_view text);

/// A version 4 UUID.
std::string draw_uuid(SeededRandom& random);
/// True if `text` has the form of a UUID, whatever its version.
bool is_uuid(std::string_view text);

/// Between 70 and 130 % of `about_ms`.
std::int64_t draw_duration(SeededRandom& random, std::int64_t about_ms);

/// `wanted` different positions below `size`, in order.
std::vector<std::size_t> draw_positions(SeededRandom& random, std::size_t size, std::size_t wanted);

}  // namespace reelbatch
