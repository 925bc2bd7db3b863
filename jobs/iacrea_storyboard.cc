#include "jobs/iacrea_storyboard.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "jobs/canonical_json.h"
#include "jobs/edit_distance.h"
#include "jobs/iacrea.h"
#include "jobs/json.h"
#include "jobs/json_quote.h"
#include "jobs/row_reader.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

constexpr std::array<std::string_view, 3> kFormats{"landscape", "portrait", "square"};
constexpr std::array<std::string_view, 5> kTypes{"intro", "outro", "video", "image", "beforeAfter"};

constexpr double kSecondsMax = 3600;
/// The server cuts a `video` sequence to this.
constexpr double kVideoSecondsMax = 5;

/// A documented member of an object.
struct Member {
  std::string_view name;
  FieldReader read;
  std::string_view if_missing = {};  ///< the problem, empty if it may be absent
};

constexpr std::array<Member, 7> kVideo{{
    {"format", [](const RawValue& value) { return read_choice(value, kFormats); },
     "is missing; needs to be landscape, portrait or square"},
    {"template", read_line},
    {"music", read_line},
    {"font", read_line},
    {"colors", read_color_pair, "is missing; needs two colours, background and text"},
    {"displayLogo", read_boolean},
    {"logoUrl", read_address},
}};

constexpr std::array<Member, 4> kSequence{{
    {"order", [](const RawValue& value) { return read_number(value, 0, std::numeric_limits<int>::max()); },
     "is missing; needs its place as a number, from 0"},
    {"duration", [](const RawValue& value) { return read_number(value, 0, kSecondsMax); },
     "is missing; needs a number of seconds"},
    {"type", [](const RawValue& value) { return read_choice(value, kTypes); },
     "is missing; needs to be intro, outro, video, image or beforeAfter"},
    {"animationType", read_iacrea_effect},
}};

/// Of an intro or outro.
constexpr std::array<Member, 1> kData{{{"displayLogo", read_boolean}}};

double number_in(const JsonMembers& members, std::string_view name) {
  double number = 0;
  if (const auto found = members.find(name); found != members.end()) {
    const std::string& text = found->second;
    std::from_chars(text.data(), text.data() + text.size(), number);
  }
  return number;
}

bool is(const JsonMembers& members, std::string_view name, std::string_view json) {
  const auto found = members.find(name);
  return found != members.end() && found->second == json;
}

class StoryboardReader {
 public:
  FieldReading read(simdjson::dom::object video) {
    const Result<JsonMembers> given = canonical_members(video);
    if (!given) return {std::nullopt, {given.error().message}, {}};
    JsonMembers members = *given;
    if (members.contains("video")) {
      return {std::nullopt, {"has a member 'video'; give what is inside it, the request's own frame is added"}, {}};
    }
    note_slips(members, kVideo, "sequences", "");
    read_members(members, kVideo, "");
    read_sequences(video, members);
    if (shows_logo_ && !members.contains("logoUrl") && !has_wrong_logo_) {
      problem("", "logoUrl", "is missing; a logo that is shown needs its address");
    }
    if (problems_.empty()) return {json_object(members), {}, std::move(remarks_)};
    return {std::nullopt, std::move(problems_), std::move(remarks_)};
  }

 private:
  void problem(std::string_view where, std::string_view member, std::string_view message) {
    problems_.push_back(fmt::format("{}{}: {}", where, member, message));
  }
  void remark(std::string_view where, std::string_view member, std::string_view message) {
    remarks_.push_back(fmt::format("{}{}: {}", where, member, message));
  }

  /// Brings the documented members into their one form.
  void read_members(JsonMembers& members, std::span<const Member> documented, const std::string& where) {
    for (const Member& member : documented) {
      const auto found = members.find(member.name);
      FieldReading reading;
      if (found != members.end()) reading = member.read({RawValue::Form::Json, found->second});
      for (const std::string& text : reading.problems) problem(where, member.name, text);
      for (const std::string& text : reading.remarks) remark(where, member.name, text);
      if (member.name == "logoUrl") has_wrong_logo_ = !reading.problems.empty();
      if (reading.json) {
        found->second = std::move(*reading.json);
        continue;
      }
      if (found != members.end()) members.erase(found);
      if (reading.problems.empty() && !member.if_missing.empty()) problem(where, member.name, member.if_missing);
    }
    shows_logo_ = shows_logo_ || is(members, "displayLogo", "true");
  }

  void read_sequences(simdjson::dom::object video, JsonMembers& members) {
    simdjson::dom::array items;
    JsonElement value;
    if (video.at_key("sequences").get(value) || value.is_null()) {
      return problem("", "sequences", "is missing; needs at least one sequence");
    }
    if (value.get(items)) return problem("", "sequences", "needs to be a list of maps, one a sequence");
    std::string list = "[";
    std::size_t at = 0;
    for (const JsonElement item : items) {
      if (at > 0) list.push_back(',');
      list += read_sequence(item, fmt::format("sequences[{}]", at));
      ++at;
    }
    if (at == 0) problem("", "sequences", "needs at least one sequence");
    if (problems_.empty()) check_places();
    members["sequences"] = list + "]";
  }

  std::string read_sequence(JsonElement item, const std::string& where) {
    simdjson::dom::object object;
    if (item.get(object)) {
      problem(where, "", "needs to be a map with order, duration and type");
      return {};
    }
    JsonMembers members = canonical_members(object).value_or(JsonMembers{});
    note_slips(members, kSequence, "data", where + ".");
    const std::size_t before = problems_.size();
    read_members(members, kSequence, where + ".");
    if (problems_.size() == before) check_type(members, where + ".");
    read_data(object, members, where + ".data.");
    places_.push_back({number_in(members, "order"), members.contains("type") ? members["type"] : std::string()});
    return json_object(members);
  }

  /// Intro and outro have a switch of their own.
  void read_data(simdjson::dom::object sequence, JsonMembers& members, const std::string& where) {
    simdjson::dom::object object;
    if (sequence.at_key("data").get(object)) return;
    JsonMembers data = canonical_members(object).value_or(JsonMembers{});
    read_members(data, kData, where);
    members["data"] = json_object(data);
  }

  /// What is no documented member is passed on, also where it may be a slip; which is said of each name once.
  void note_slips(const JsonMembers& members, std::span<const Member> documented, std::string_view more,
                  const std::string& where) {
    std::vector<std::string_view> names{more};
    for (const Member& member : documented) names.push_back(member.name);
    for (const auto& [name, value] : members) {
      const auto is_like = [&, &given = name](std::string_view known) { return is_slip_for(given, known); };
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      const auto meant = std::find_if(names.begin(), names.end(), is_like);
      if (meant == names.end() || members.contains(*meant) || !told_.insert(name).second) continue;
      remark(where, name, fmt::format("is passed on as it stands; did you mean '{}'?", *meant));
    }
  }

  /// Another way to write the words of a name, or a slip in them, by the measure for columns.
  static bool is_slip_for(std::string_view given, std::string_view known) {
    const auto plain = [](std::string_view name) {
      std::string text = ascii_lower(name);
      std::erase(text, '_');
      return text;
    };
    return edit_distance(plain(given), plain(known), 2) <= (known.size() >= 8 ? 2U : 1U);
  }

  void check_type(const JsonMembers& members, const std::string& where) {
    const double seconds = number_in(members, "duration");
    if (seconds <= 0) problem(where, "duration", "needs to be more than 0 seconds");
    const auto bound = [&](std::string_view type, double min) {
      if (!is(members, "type", json_quote(type)) || (seconds >= min && seconds <= 5)) return;
      problem(where, "duration", fmt::format("needs to be from {} to 5 seconds for type {}", min, type));
    };
    bound("intro", 2);
    bound("outro", 3);
    if (!is(members, "type", "\"video\"")) return;
    if (seconds > kVideoSecondsMax) remark(where, "duration", "the service cuts a sequence of type video to 5 seconds");
    if (!members.contains("animationType")) problem(where, "animationType", "is missing; type video needs one");
  }

  /// The page has the intro first and the outro last, and does not say what becomes of others.
  void check_places() {
    const auto [first, last] = std::minmax_element(places_.begin(), places_.end(),
                                                   [](const Place& a, const Place& b) { return a.order < b.order; });
    for (std::size_t at = 0; at < places_.size(); ++at) {
      const std::string where = fmt::format("sequences[{}].", at);
      if (places_[at].type == "\"intro\"" && places_[at].order > first->order) {
        remark(where, "order", "an intro is meant to be the first sequence");
      }
      if (places_[at].type == "\"outro\"" && places_[at].order < last->order) {
        remark(where, "order", "an outro is meant to be the last sequence");
      }
    }
  }

  struct Place {
    double order = 0;
    std::string type;  ///< as JSON
  };

  std::vector<Place> places_;
  std::vector<std::string> problems_;
  std::vector<std::string> remarks_;
  std::set<std::string> told_;  ///< names that may be slips
  bool shows_logo_ = false;
  bool has_wrong_logo_ = false;
};

}  // namespace

FieldReading read_iacrea_storyboard(const RawValue& value) {
  if (trim_blanks(value.text).empty()) return {};
  JsonReader reader;
  const Result<JsonElement> json = reader.parse(value.text);
  if (!json) {
    return {std::nullopt,
            {fmt::format("needs to be a map, or one as JSON such as {{\"format\":\"portrait\",...}}: {}",
                         json.error().message)},
            {}};
  }
  if (json->is_null()) return {};
  simdjson::dom::object video;
  if (json->get(video)) return {std::nullopt, {"needs to be a map with format, colors and sequences"}, {}};
  return StoryboardReader().read(video);
}

}  // namespace reelbatch
