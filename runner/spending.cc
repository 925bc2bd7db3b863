#include "runner/spending.h"

#include <fmt/format.h>

#include <algorithm>

namespace reelbatch {

using Mode = Budget::Mode;

void Spending::set_cap(Cap cap) {
  Counter counter;
  counter.cap = std::move(cap);
  counter.from = reservations_ + 1;
  const auto same = std::find_if(caps_.begin(), caps_.end(),
                                 [&](const Counter& other) { return other.cap.name == counter.cap.name; });
  if (same == caps_.end()) {
    caps_.push_back(std::move(counter));
  } else {
    *same = std::move(counter);
  }
}

bool Spending::unlimited(Group group) const {
  return std::none_of(caps_.begin(), caps_.end(), [&](const Counter& counter) { return counter.cap.group == group; });
}

/// What an open job counts as; 0 while its price is unknown.
Credits Spending::counted_as(const Price& price) const {
  if (mode_ == Mode::Soft) return {};
  const std::optional<Credits>& known = mode_ == Mode::Cautious && price.likely ? price.likely : price.highest;
  return known.value_or(Credits{});
}

std::string Spending::passed_by(const Price& price, Group group) const {
  const Credits next = counted_as(price);
  const Credits likely = mode_ == Mode::Soft ? price.highest.value_or(Credits{}) : next;
  for (const Counter& counter : caps_) {
    if (counter.cap.group != group) continue;
    // Who asks may be of another account or kind than those whose price is unknown.
    const Credits each = std::max(likely, counter.highest);
    const Credits spent = counter.cap.spent_before + counter.spent + Credits{each.milli * counter.unpriced};
    const Credits counted = spent + counter.reserved;
    if (counted + next > counter.cap.limit || counted >= counter.cap.limit) return words(counter, price, spent);
  }
  return {};
}

std::vector<std::string> Spending::passed() const {
  std::vector<std::string> all;
  for (const Counter& counter : caps_) {
    const Credits spent = counter.cap.spent_before + counter.spent;
    if (counter.spent > Credits{} && spent > counter.cap.limit) all.push_back(spent_words(counter, spent));
  }
  return all;
}

/// `the budget day of account a: 18 of 15 spent, 15 of it assumed for jobs of unknown price, over by 3`
std::string Spending::spent_words(const Counter& counter, Credits spent) {
  std::string text = fmt::format("{}: {} of {} spent", counter.cap.name, to_text(spent), to_text(counter.cap.limit));
  const Credits assumed = counter.assumed + (spent - counter.cap.spent_before - counter.spent);
  if (assumed > Credits{}) text += fmt::format(", {} of it assumed for jobs of unknown price", to_text(assumed));
  if (spent > counter.cap.limit) text += fmt::format(", over by {}", to_text(spent - counter.cap.limit));
  return text;
}

/// `the budget month of agency=Lyon: 998 of 1000 spent, the next job may cost 3`
std::string Spending::words(const Counter& counter, const Price& price, Credits spent) const {
  std::string text = spent_words(counter, spent);
  if (counter.reserved > Credits{}) {
    text +=
        fmt::format(", {} {}", to_text(counter.reserved), mode_ == Mode::Hard ? "reserved" : "expected of open jobs");
  }
  if (mode_ == Mode::Soft) return text;
  if (!price.known()) return text + ", the price of the next job is unknown";
  return text +
         fmt::format(", the next job {} cost {}", mode_ == Mode::Hard ? "may" : "should", to_text(counted_as(price)));
}

bool Spending::has_open(Group group) const {
  if (group == kAll) return !open_.empty();
  const auto found = open_in_.find(group);
  return found != open_in_.end() && found->second > 0;
}

/// Whether a cap counts a reservation.
bool Spending::counts(const Counter& counter, const Reservation& reservation) {
  if (reservation.number == 0 || reservation.number < counter.from) return false;
  const std::vector<Group>& groups = reservation.groups;
  return counter.cap.group == kAll || std::find(groups.begin(), groups.end(), counter.cap.group) != groups.end();
}

void Spending::reserve(std::int64_t job, const Price& price, std::vector<Group> groups) {
  Reservation& made = open_[job];
  made = {price, std::move(groups), ++reservations_};
  reserved_ = reserved_ + price.highest.value_or(Credits{});
  for (const Group group : made.groups) ++open_in_[group];
  for (Counter& counter : caps_) {
    if (counts(counter, made)) counter.reserved = counter.reserved + counted_as(price);
  }
}

std::optional<Credits> Spending::reserved_for(std::int64_t job) const {
  const auto found = open_.find(job);
  return found == open_.end() ? std::nullopt : found->second.price.highest;
}

/// Ends a reservation; its number is 0 if there is none.
Spending::Reservation Spending::take(std::int64_t job) {
  const auto found = open_.find(job);
  if (found == open_.end()) return {};
  Reservation taken = std::move(found->second);
  open_.erase(found);
  reserved_ = reserved_ - taken.price.highest.value_or(Credits{});
  for (const Group group : taken.groups) --open_in_[group];
  for (Counter& counter : caps_) {
    if (counts(counter, taken)) counter.reserved = counter.reserved - counted_as(taken.price);
  }
  return taken;
}

void Spending::release(std::int64_t job) {
  take(job);
}

void Spending::settle(std::int64_t job, std::optional<Credits> cost) {
  const Reservation taken = take(job);
  const std::optional<Credits>& expected =
      mode_ == Mode::Cautious && taken.price.likely ? taken.price.likely : taken.price.highest;
  const std::optional<Credits> known = cost ? cost : expected;
  for (Counter& counter : caps_) {
    if (!counts(counter, taken)) continue;
    if (known) {
      counter.spent = counter.spent + *known;
      if (!cost) counter.assumed = counter.assumed + *known;
      counter.highest = std::max(counter.highest, *known);
    } else {
      ++counter.unpriced;
    }
  }
}

}  // namespace reelbatch
