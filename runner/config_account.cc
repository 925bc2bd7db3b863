#include "runner/config_account.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>
#include <vector>

#include "jobs/edit_distance.h"
#include "jobs/registry.h"
#include "runner/durations.h"

namespace reelbatch {
namespace {

constexpr std::size_t kNameBytesMax = 64;
constexpr std::string_view kLabelPrefix = "label:";

bool is_account_name(std::string_view name) {
  const auto fits = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f && c != '/' && c != ':' && c != ',';
  };
  return !name.empty() && name.size() <= kNameBytesMax && std::all_of(name.begin(), name.end(), fits);
}

bool is_variable_name(std::string_view name) {
  const auto fits = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::all_of(name.begin(), name.end(), fits);
}

template <typename T, std::size_t N>
void choose(ConfigReader& reader, const ConfigValue& value,
            const std::array<std::pair<std::string_view, T>, N>& choices, T& target) {
  std::string known;
  for (const auto& [name, choice] : choices) known += fmt::format("{}{}", known.empty() ? "" : ", ", name);
  const std::string* const text = reader.scalar(value, fmt::format("one of {}", known));
  if (text == nullptr) return;
  const auto found = std::find_if(choices.begin(), choices.end(), [&](const auto& c) { return c.first == *text; });
  if (found == choices.end()) return reader.problem(value, fmt::format("'{}' is not one of {}", *text, known));
  target = found->second;
}

class AccountReading {
 public:
  AccountReading(ConfigReader& reader, const std::filesystem::path& folder) : reader_(reader), folder_(folder) {}

  std::optional<AccountConfig> read(std::string_view name, const ConfigValue& value) {
    account().name = std::string(name);
    if (!is_account_name(name)) {
      reader_.problem(value,
                      fmt::format("an account's name has 1 to {} bytes, without blanks and / : ,", kNameBytesMax));
      return std::nullopt;
    }
    if (!find_out_service(value)) return std::nullopt;
    reader_.map(value, members());
    return std::move(config_);
  }

 private:
  AccountOptions& account() { return config_.options; }

  /// The other keys depend on the service, wherever it stands among them.
  bool find_out_service(const ConfigValue& value) {
    std::vector<std::string_view> names;
    for (const ServiceSpec& service : all_services()) names.push_back(service.name);
    const YamlNode* const stated = value.node.kind == YamlNode::Kind::Map ? value.node.find("service") : nullptr;
    if (stated == nullptr) {
      account().service = find_service(account().name);
      if (account().service == nullptr) {
        reader_.problem(value, fmt::format("has no service: add 'service:' with one of {}", fmt::join(names, ", ")));
      }
      return account().service != nullptr;
    }
    const ConfigValue service{*stated, value.name + ".service"};
    const std::string* const text = reader_.scalar(service, fmt::format("one of {}", fmt::join(names, ", ")));
    if (text == nullptr) return false;
    account().service = find_service(*text);
    account().service_stated = true;
    if (account().service != nullptr) return true;
    reader_.problem(service,
                    fmt::format("'{}' is not one of {}{}", *text, fmt::join(names, ", "), did_you_mean(*text, names)));
    return false;
  }

  std::vector<ConfigMember> members() {
    std::vector<ConfigMember> known = {
        {"service", [](const ConfigValue&) {}},
        {"base_url", [this](const ConfigValue& value) { read_base_url(value); }},
        {"rate", [this](const ConfigValue& value) { read_rates(value, config_.pace.rate); }},
        {"submit_rate", [this](const ConfigValue& value) { read_rates(value, config_.pace.submit_rate); }},
        {"max_in_flight",
         [this](const ConfigValue& value) { read_int(value, 1, 100'000, config_.pace.max_in_flight); }},
        {"hold_limit", [this](const ConfigValue& value) { read_int(value, 1, 1000, account().hold_limit); }},
        {"credits", [this](const ConfigValue& value) { read_meaning(value); }},
        {"max_price", [this](const ConfigValue& value) { read_prices(value); }},
        {"not_taken", [this](const ConfigValue& value) { read_not_taken(value); }},
        {"budget", [this](const ConfigValue& value) { read_budget(value); }}};
    for (const CredentialSpec& spec : account().service->credentials) {
      known.push_back({std::string(spec.name), [this, &spec](const ConfigValue& value) { read_key(spec, value); }});
    }
    return known;
  }

  template <typename Int>
  void read_int(const ConfigValue& value, long least, long most, Int& target) {
    const std::string* const text = reader_.scalar(value, "a whole number");
    if (text == nullptr) return;
    const Result<long> number = parse_whole(*text, least, most);
    if (!number) return reader_.problem(value, number.error().message);
    target = static_cast<int>(*number);
  }

  void read_base_url(const ConfigValue& value) {
    const std::string* const text = reader_.scalar(value, "a URL");
    if (text != nullptr) reader_.store(value, check_base_url(*text), account().base_url);
  }

  void read_rates(const ConfigValue& value, std::optional<std::vector<RateWindow>>& target) {
    std::vector<RateWindow> windows;
    for (const std::string& text : reader_.scalars(value, "a rate such as 10/1s")) {
      const Result<std::vector<RateWindow>> some = parse_rate_windows(text);
      if (!some) return reader_.problem(value, some.error().message);
      windows.insert(windows.end(), some->begin(), some->end());
    }
    if (!windows.empty()) target = std::move(windows);
  }

  void read_meaning(const ConfigValue& value) {
    constexpr std::array<std::pair<std::string_view, CreditMeaning>, 3> kChoices = {
        {{"auto", CreditMeaning::Auto}, {"job", CreditMeaning::Job}, {"account", CreditMeaning::Account}}};
    choose(reader_, value, kChoices, account().credits);
  }

  template <typename Target>
  void read_amount(const ConfigValue& value, Target& target) {
    const std::string* const text = reader_.scalar(value, "an amount of credits");
    if (text != nullptr) reader_.store(value, parse_amount(*text), target);
  }

  void read_prices(const ConfigValue& value) {
    std::vector<ConfigMember> kinds;
    for (const JobKind* kind : all_kinds()) {
      if (kind->service() != account().service->name) continue;
      std::string name(kind->name());
      kinds.push_back({name, [this, name](const ConfigValue& price) {
                         Credits amount;
                         const std::string* const text = reader_.scalar(price, "an amount of credits");
                         if (text == nullptr) return;
                         const Result<Credits> parsed = parse_amount(*text);
                         reader_.store(price, parsed, amount);
                         if (amount > Credits{}) {
                           account().max_price[name] = amount;
                         } else if (parsed) {
                           reader_.problem(price,
                                           "0 would reserve nothing, and no budget would be kept: say what a job costs "
                                           "at most, or leave it out");
                         }
                       }});
    }
    reader_.map(value, kinds);
  }

  void read_not_taken(const ConfigValue& value) {
    for (const std::string& text : reader_.scalars(value, "a status such as 503")) {
      const Result<long> status = parse_whole(text, 500, 599);
      if (!status) {
        reader_.problem(value, fmt::format("'{}' is no status from 500 to 599: what others mean is settled", text));
      } else {
        account().not_taken.push_back(static_cast<int>(*status));
      }
    }
  }

  // ---- keys ----

  /// Whatever stands here may be the secret itself, so no message repeats it, not even as an unknown key.
  void read_key(const CredentialSpec& spec, const ConfigValue& value) {
    const auto refuse = [&] {
      reader_.problem(value, fmt::format("a key is not written into the configuration: say where it is, "
                                         "{{env: {}}}, {{file: PATH}} or {{command: COMMAND}}",
                                         spec.env));
    };
    if (value.node.kind != YamlNode::Kind::Map || value.node.members.empty()) return refuse();
    const auto& places = value.node.members;
    const bool known = std::all_of(places.begin(), places.end(), [](const auto& place) {
      const std::string& from = place.first.scalar;
      return from == "env" || from == "file" || from == "command";
    });
    if (places.size() > 1 && known) {
      return reader_.problem(value, "names several places for one key: keep one of env, file and command");
    }
    if (places.size() > 1) return refuse();
    const auto& [key, place] = value.node.members.front();
    if (place.kind != YamlNode::Kind::Scalar || place.scalar.empty()) return refuse();
    KeySource source;
    source.where = place.scalar;
    if (key.scalar == "env") {
      if (!is_variable_name(place.scalar)) {
        return reader_.problem({place, value.name + ".env"}, "is no name of an environment variable");
      }
    } else if (key.scalar == "file") {
      source.from = KeySource::From::File;
      source.where = path_in_config(folder_, place.scalar);
    } else if (key.scalar == "command") {
      source.from = KeySource::From::Command;
    } else {
      return refuse();
    }
    account().keys[std::string(spec.name)] = std::move(source);
  }

  // ---- budgets ----

  void read_budget(const ConfigValue& value) {
    Budget& budget = account().budget;
    const std::array<ConfigMember, 5> members = {
        {{"run", [&](const ConfigValue& inner) { read_amount(inner, budget.run); }},
         {"day", [&](const ConfigValue& inner) { read_amount(inner, budget.day); }},
         {"month", [&](const ConfigValue& inner) { read_amount(inner, budget.month); }},
         {"keep", [&](const ConfigValue& inner) { read_amount(inner, budget.keep); }},
         {"mode", [&](const ConfigValue& inner) { read_mode(inner); }}}};
    reader_.map(value, members, [&](std::string_view key, const ConfigValue& inner) {
      if (!key.starts_with(kLabelPrefix) || key.size() == kLabelPrefix.size()) return false;
      read_label_budgets(key.substr(kLabelPrefix.size()), inner);
      return true;
    });
  }

  void read_mode(const ConfigValue& value) {
    constexpr std::array<std::pair<std::string_view, Budget::Mode>, 3> kChoices = {
        {{"hard", Budget::Mode::Hard}, {"soft", Budget::Mode::Soft}, {"cautious", Budget::Mode::Cautious}}};
    choose(reader_, value, kChoices, account().budget.mode);
  }

  void read_label_budgets(std::string_view label, const ConfigValue& value) {
    reader_.map(value, {}, [&](std::string_view label_value, const ConfigValue& caps) {
      LabelBudget budget{std::string(label), std::string(label_value), {}, {}, {}};
      const std::array<ConfigMember, 3> members = {
          {{"run", [&](const ConfigValue& inner) { read_amount(inner, budget.run); }},
           {"day", [&](const ConfigValue& inner) { read_amount(inner, budget.day); }},
           {"month", [&](const ConfigValue& inner) { read_amount(inner, budget.month); }}}};
      reader_.map(caps, members);
      account().budget.labels.push_back(std::move(budget));
      return true;
    });
  }

  ConfigReader& reader_;
  const std::filesystem::path& folder_;
  AccountConfig config_;
};

}  // namespace

std::optional<AccountConfig> read_account(ConfigReader& reader, const std::filesystem::path& folder,
                                          std::string_view name, const ConfigValue& value) {
  return AccountReading(reader, folder).read(name, value);
}

std::string path_in_config(const std::filesystem::path& folder, const std::string& path) {
  if (path.empty() || path.find("://") != std::string::npos) return path;
  return (folder / path).string();
}

}  // namespace reelbatch
