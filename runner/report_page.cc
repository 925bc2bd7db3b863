#include <fmt/format.h>

#include "jobs/unicode.h"
#include "runner/durations.h"
#include "runner/report_formats.h"

namespace reelbatch {
namespace {

constexpr std::int64_t kRowsMost = 10'000;  // a browser shows so many without a pause
constexpr std::size_t kLabelsShown = 4;
constexpr std::size_t kLabelPoints = 60;

// Choosing a state hides the rows of all others by style alone: the page runs no script, and its policy allows none.
constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; --ink: #1d2330; --dim: #5d6675; --paper: #fff; --line: #dfe3ea; --tint: #f5f6f9;
  --done: #1f8a4c; --failed: #c62f3b; --timed_out: #b5651d; --in_flight: #2f6fd0; --held: #8a4fc7; --planned: #7b8494;
  --invalid: #9b2c6e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7ee; --dim: #9aa3b2; --paper: #14171d; --line: #2b303a;
  --tint: #1b1f27; --done: #45b876; --failed: #f0717b; --timed_out: #e09a55; --in_flight: #74a8f5; --held: #b990ea;
  --planned: #8f98a8; --invalid: #dc7fb3; } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif }
h1 { font-size: 1.35rem; margin: 0 } h2 { font-size: 1rem; margin: 2rem 0 .5rem }
p { margin: .3rem 0; color: var(--dim) } p.alarm { color: var(--failed); font-weight: 600 }
.bar { display: flex; height: .8rem; margin: 1.2rem 0 .8rem; border-radius: .4rem; overflow: hidden; background: var(--line) }
.bar span { min-width: 3px }
.pick { position: absolute; opacity: 0 }
.tiles { display: flex; flex-wrap: wrap; gap: .5rem }
.tiles label { padding: .35rem .8rem; border: 1px solid var(--line); border-radius: .4rem; cursor: pointer }
.tiles b { margin-right: .35rem }
table { width: 100%; border-collapse: collapse } th { text-align: left; font-weight: 600; color: var(--dim) }
th, td { padding: .4rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
td { overflow-wrap: anywhere } td:first-child { min-width: 7rem } small { color: var(--dim) } a { color: var(--in_flight) }
.wide { overflow-x: auto } .state { white-space: nowrap; font-weight: 600 }
)css";

std::string text(std::string_view text) {
  return escape_markup(text);
}

std::string count_text(std::int64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

/// `timed_out` as people write it.
std::string words_for(RowState state) {
  std::string words(name_of(state));
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

std::string style_of_states() {
  std::string out;
  for (const RowState state : kRowStates) {
    const std::string_view name = name_of(state);
    out += fmt::format(
        ".state.{0} {{ color: var(--{0}) }} .bar .{0} {{ background: var(--{0}) }}\n"
        "#pick-{0}:checked ~ main tr.row:not(.{0}) {{ display: none }}\n"
        "#pick-{0}:checked ~ main label[for=pick-{0}], #pick-{0}:focus-visible ~ main label[for=pick-{0}] "
        "{{ background: var(--tint); border-color: currentColor }}\n",
        name);
  }
  return out +
         "#pick-all:checked ~ main label[for=pick-all], #pick-all:focus-visible ~ main label[for=pick-all] "
         "{ background: var(--tint); border-color: currentColor }\n";
}

std::string head_html(const RunReport& report) {
  const RunRecord& run = report.run;
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
      "<title>reelbatch {}</title>\n<style>{}{}</style>\n</head>\n<body>\n",
      text(run.uid), kStyle, style_of_states());
  out += "<input class=\"pick\" type=\"radio\" name=\"pick\" id=\"pick-all\" checked>\n";
  for (const RowState state : kRowStates) {
    if (report.counts.of(state) == 0) continue;
    out += fmt::format("<input class=\"pick\" type=\"radio\" name=\"pick\" id=\"pick-{}\">\n", name_of(state));
  }
  out += fmt::format("<main>\n<h1>Run {}</h1>\n<p>began {}", text(run.uid), to_rfc3339(run.started_at));
  if (run.finished_at) out += fmt::format(", took {}", about(*run.finished_at - run.started_at));
  out += fmt::format(", {} sent, {} unchanged since an earlier run</p>\n",
                     count_text(report.counts.submissions, "paid request", "paid requests"),
                     count_text(report.counts.unchanged, "row", "rows"));
  if (run.sandbox) out += "<p class=\"alarm\">Sandbox: nothing was paid, and the videos are not real.</p>\n";
  if (!run.finished_at) out += "<p class=\"alarm\">It has not ended, or it died: run it again to continue.</p>\n";
  if (!run.stopped_by.empty()) out += fmt::format("<p class=\"alarm\">Stopped: {}</p>\n", text(run.stopped_detail));
  for (const std::string& sentence : run.accounts_stopped) out += fmt::format("<p>{}</p>\n", text(sentence));
  for (const BudgetStop& stop : run.budgets_reached) {
    out += fmt::format("<p>{} {}, account {}: {}</p>\n", text(stop.label), text(stop.value), text(stop.account),
                       text(stop.why));
  }
  return out;
}

std::string states_html(const RowCounts& counts) {
  std::string bar, tiles = fmt::format("<label for=\"pick-all\"><b>{}</b>all</label>\n", counts.rows);
  for (const RowState state : kRowStates) {
    const std::int64_t count = counts.of(state);
    if (count == 0) continue;
    bar += fmt::format("<span class=\"{0}\" style=\"flex: {1}\" title=\"{1} {2}\"></span>", name_of(state), count,
                       words_for(state));
    tiles += fmt::format("<label for=\"pick-{0}\" class=\"state {0}\"><b>{1}</b>{2}</label>\n", name_of(state), count,
                         words_for(state));
  }
  return fmt::format("<div class=\"bar\">{}</div>\n<div class=\"tiles\">\n{}</div>\n", bar, tiles);
}

std::string maybe(const std::optional<Credits>& credits) {
  return credits ? to_text(*credits) : "unknown";
}

std::string credits_html(const std::map<std::string, CreditSums>& credits) {
  if (credits.empty()) return {};
  std::string out =
      "<h2>Credits</h2>\n<div class=\"wide\"><table>\n<tr><th>account<th class=\"n\">used<th class=\"n\">unattributed"
      "<th class=\"n\">reserved<th class=\"n\">remaining<th class=\"n\">jobs of unknown price</tr>\n";
  for (const auto& [account, sums] : credits) {
    out += fmt::format(
        "<tr><td>{}<td class=\"n\">{}<td class=\"n\">{}<td class=\"n\">{}<td class=\"n\">{}<td class=\"n\">{}</tr>\n",
        text(account), maybe(sums.used), maybe(sums.unattributed), maybe(sums.reserved), maybe(sums.remaining),
        sums.unknown_jobs);
  }
  return out + "</table></div>\n";
}

std::string labels_html(std::span<const Label> labels) {
  std::string out;
  std::size_t shown = 0;
  for (const Label& label : labels) {
    if (label.value.empty()) continue;
    if (shown++ == kLabelsShown) break;
    out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", text(printable(label.name, kLabelPoints)),
                       text(printable(label.value, kLabelPoints)));
  }
  return out;
}

std::string row_html(const ResultRow& row) {
  const std::string id = row.id.empty() ? "(no id)" : text(row.id);
  // Another scheme is nothing to click on.
  const bool is_link = row.url.starts_with("https://") || row.url.starts_with("http://");
  const std::string video =
      is_link ? fmt::format("<a href=\"{}\" target=\"_blank\" rel=\"noopener noreferrer\">video</a>", text(row.url))
              : text(row.url);
  const std::string labels = labels_html(row.labels);
  return fmt::format(
      "<tr class=\"row {0}\"><td><b>{1}</b><br><small>{2}:{3}</small><td class=\"state {0}\">{4}<td>{5}"
      "<td class=\"n\">{6}<td>{7}{8}{9}</tr>\n",
      name_of(row.state), id, text(row.file), row.line, words_for(row.state), video,
      row.credits_used ? to_text(*row.credits_used) : "", row.state == RowState::Done ? "" : text(row.reason),
      labels.empty() || row.state == RowState::Done ? "" : "<br>",
      labels.empty() ? "" : fmt::format("<small>{}</small>", labels));
}

}  // namespace

std::string escape_markup(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const bool allowed = static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\n' || c == '\r';
    // U+FFFE and U+FFFF are no characters of XML 1.0 (section 2.2).
    const std::string_view three = text.substr(at, 3);
    if (three == "\xEF\xBF\xBE" || three == "\xEF\xBF\xBF") {
      out += "\xEF\xBF\xBD";
      at += 2;
    } else if (!allowed) {
      out += "\xEF\xBF\xBD";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\t' || c == '\n' || c == '\r') {
      out += fmt::format("&#{};", static_cast<int>(c));  // as they are, attributes would lose them
    } else {
      out += c;
    }
  }
  return out;
}

Result<void> write_page(Ledger& ledger, const RunReport& report, AtomicFile& file) {
  file.write(head_html(report));
  file.write(states_html(report.counts));
  file.write(credits_html(report.credits));
  file.write(
      "<h2>Rows</h2>\n<div class=\"wide\"><table>\n<tr><th>id<th>state<th>video<th class=\"n\">credits<th>why, and its "
      "labels</tr>\n");
  const auto walk = [&](bool done, std::int64_t most) {
    return each_row(ledger, report.run, [&, most](const ResultRow& row) mutable -> Result<void> {
      if ((row.state == RowState::Done) != done) return {};
      if (done && most-- <= 0) return {};
      file.write(row_html(row));
      return {};
    });
  };
  const std::int64_t done = report.counts.of(RowState::Done);
  const std::int64_t others = report.counts.rows - done;
  const std::int64_t room = std::max<std::int64_t>(kRowsMost - others, 0);
  if (Result<void> written = walk(false, others); !written) return written;
  if (Result<void> written = walk(true, room); !written) return written;
  file.write("</table></div>\n");
  if (done > room) {
    file.write(fmt::format("<p>{} that are done are not on this page; results as .csv or .jsonl have all.</p>\n",
                           count_text(done - room, "row", "rows")));
  }
  file.write("</main>\n</body>\n</html>\n");
  return {};
}

}  // namespace reelbatch
