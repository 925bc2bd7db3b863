#include "jobs/http_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace reelbatch {
namespace {

// RFC 9110 section 15, RFC 6585 and the code of nginx and Cloudflare that people meet (read 2026-11-21).
constexpr std::array<std::pair<int, std::string_view>, 44> kNames{{
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {511, "Network Authentication Required"},
    {520, "Unknown Error"},
}};

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

}  // namespace

SubmitOutcome submit_outcome_of_status(int status) {
  if (status >= 300 && status <= 399) return SubmitOutcome::AddressRefused;
  switch (status) {
    case 400:
    case 413:
    case 415:
    case 422:
      return SubmitOutcome::RowRefused;
    case 401:
    case 403:
      return SubmitOutcome::KeyRefused;
    case 402:
      return SubmitOutcome::NoCredits;
    case 404:
    case 405:
      return SubmitOutcome::AddressRefused;
    case 429:
      return SubmitOutcome::Throttled;
    default:
      return SubmitOutcome::Unknown;
  }
}

PollOutcome poll_outcome_of_status(int status) {
  switch (status) {
    case 401:
      return PollOutcome::KeyRefused;
    case 404:
      return PollOutcome::NotKnown;
    case 429:
      return PollOutcome::Throttled;
    default:
      return PollOutcome::TryAgain;
  }
}

std::string describe_status(int status) {
  for (const auto& [code, name] : kNames) {
    if (code == status) return fmt::format("{} {}", status, name);
  }
  return fmt::format("{}", status);
}

std::string encode_path_segment(std::string_view text) {
  // Dots alone would be taken for "this folder" and "the one above" on the way.
  const bool only_dots = text == "." || text == "..";
  if (!only_dots && std::all_of(text.begin(), text.end(), is_unreserved)) return std::string(text);
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c) && !only_dots) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return out;
}

}  // namespace reelbatch
