#include "runner/json_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "jobs/json.h"
#include "jobs/unicode.h"
#include "runner/json_fault.h"

namespace reelbatch {
namespace {

constexpr std::size_t kMaxPiece = std::size_t{64} << 20U;
constexpr std::size_t kBlock = std::size_t{256} * 1024;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

struct Position {
  std::uint64_t line = 1;
  std::uint64_t column = 1;

  void pass(char c) {
    if (c == '\n') {
      ++line;
      column = 1;
    } else if (!is_continuation(c)) {
      ++column;
    }
  }
  void pass(std::string_view text) {
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
      ++line;
      column = 1;
      text.remove_prefix(end + 1);
    }
    column += count_code_points(text);
  }
};

/// Whether the character at `at`, which stands somewhere behind an opening quote, has an odd number of `\` before it.
bool is_escaped(std::string_view text, std::size_t at) {
  std::size_t from = at;
  while (text[from - 1] == '\\') --from;
  return (at - from) % 2 == 1;
}

/// Behind the string that begins at `at`.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (std::size_t quote = text.find('"', at + 1); quote != std::string_view::npos; quote = text.find('"', quote + 1))
    if (!is_escaped(text, quote)) return quote + 1;
  return text.size();
}

// ---- Text and its elements to trees ---------------------------------------------------------------------------------

/// Walks valid JSON text beside the elements that were read from it: the elements have the values, the text the places.
class TreeBuilder {
 public:
  TreeBuilder(std::string_view text, Position at) : text_(text), at_(at) {}

  YamlNode build(JsonElement element);

  struct Repeated {
    std::string key;
    Position at;
    std::uint64_t first_line = 0;
  };
  const std::optional<Repeated>& repeated() const { return repeated_; }

 private:
  char peek() const { return next_ < text_.size() ? text_[next_] : '\0'; }
  char take() {
    const char c = peek();
    at_.pass(c);
    ++next_;
    return c;
  }
  void skip(std::string_view more) {
    while (next_ < text_.size() && (is_space(peek()) || more.find(peek()) != std::string_view::npos)) take();
  }
  /// Over a string or a token, which has no line end in it.
  std::string_view skip_to(std::size_t end) {
    const std::string_view passed = text_.substr(next_, end - next_);
    at_.column += count_code_points(passed);
    next_ = end;
    return passed;
  }
  void skip_string() { skip_to(end_of_string(text_, next_)); }
  std::string_view skip_token() { return skip_to(std::min(text_.find_first_of(" \t\n\r,]}", next_), text_.size())); }
  YamlNode place(YamlNode::Kind kind) const;
  YamlNode build_object(const simdjson::dom::object& object);

  std::string_view text_;
  std::size_t next_ = 0;
  Position at_;
  std::optional<Repeated> repeated_;
};

YamlNode TreeBuilder::place(YamlNode::Kind kind) const {
  YamlNode node;
  node.kind = kind;
  node.line = at_.line;
  node.column = at_.column;
  return node;
}

YamlNode TreeBuilder::build(JsonElement element) {
  skip({});
  switch (element.type()) {
    case simdjson::dom::element_type::OBJECT:
      return build_object(element.get_object().value_unsafe());
    case simdjson::dom::element_type::ARRAY: {
      YamlNode node = place(YamlNode::Kind::List);
      take();
      const simdjson::dom::array items = element.get_array().value_unsafe();
      for (const JsonElement item : items) {
        skip(",");
        node.items.push_back(build(item));
      }
      skip({});
      take();
      return node;
    }
    case simdjson::dom::element_type::STRING: {
      YamlNode node = place(YamlNode::Kind::Scalar);
      node.quoted = true;
      node.scalar = element.get_string().value_unsafe();
      skip_string();
      return node;
    }
    case simdjson::dom::element_type::NULL_VALUE: {
      YamlNode node = place(YamlNode::Kind::Null);
      skip_token();
      return node;
    }
    default: {
      YamlNode node = place(YamlNode::Kind::Scalar);
      node.scalar = skip_token();
      return node;
    }
  }
}

YamlNode TreeBuilder::build_object(const simdjson::dom::object& object) {
  YamlNode node = place(YamlNode::Kind::Map);
  std::unordered_map<std::string, std::uint64_t> keys;
  node.members.reserve(object.size());
  take();
  for (const auto field : object) {
    skip(",");
    YamlNode key = place(YamlNode::Kind::Scalar);
    key.quoted = true;
    key.scalar = field.key;
    const auto [found, added] = keys.emplace(key.scalar, key.line);
    if (!added && !repeated_) repeated_ = Repeated{key.scalar, at_, found->second};
    skip_string();
    skip(":");
    YamlNode value = build(field.value);
    node.members.emplace_back(std::move(key), std::move(value));
  }
  skip({});
  take();
  return node;
}

tl::expected<YamlNode, JsonFault> build_tree(JsonReader& reader, std::string_view text, Position at) {
  const Result<JsonElement> element = reader.parse(text);
  if (!element) {
    const std::optional<TextFault> fault = find_json_fault(text);
    if (!fault) return tl::unexpected(JsonFault{at.line, at.column, element.error().message, false});
    at.pass(text.substr(0, fault->at));
    return tl::unexpected(JsonFault{at.line, at.column, "not valid JSON: " + fault->message, fault->in_value});
  }
  TreeBuilder builder(text, at);
  YamlNode node = builder.build(*element);
  if (const auto& repeated = builder.repeated())
    return tl::unexpected(
        JsonFault{repeated->at.line, repeated->at.column,
                  fmt::format("duplicate key '{}', first on line {}", repeated->key, repeated->first_line), true});
  return node;
}

// ---- A document, piece by piece -------------------------------------------------------------------------------------

/// Finds where the pieces of a document begin and end; whether they are valid is for the JSON reader to say.
class Scanner {
 public:
  Scanner(ByteSource& source, std::string_view file, std::string_view list, const JsonSink& sink)
      : source_(source), file_(file), list_(list), sink_(sink), block_(kBlock) {}

  Result<void> read();

 private:
  static constexpr int kEnd = -1;

  int peek() {
    if (next_ == filled_ && !refill()) return kEnd;
    return static_cast<unsigned char>(block_[next_]);
  }
  void take() { at_.pass(block_[next_++]); }
  std::string_view rest_of_block() const { return {block_.data() + next_, filled_ - next_}; }
  /// Its position is passed when the piece is whole.
  void copy(std::size_t size) {
    piece_.append(rest_of_block().substr(0, size));
    next_ += size;
  }
  bool refill();
  int skip_space() {
    while (peek() != kEnd && is_space(static_cast<char>(peek()))) take();
    return peek();
  }
  tl::unexpected<Error> error_at(Position at, std::string_view message) const {
    return usage_error(fmt::format("{}:{}:{}: {}", file_, at.line, at.column, message));
  }
  tl::unexpected<Error> unexpected(std::string_view wanted);
  Result<void> read_piece();
  std::size_t plain_size() const;
  void copy_string();
  Result<YamlNode> read_value();
  Result<void> read_items();
  Result<void> read_members();
  Result<void> read_member();

  ByteSource& source_;
  std::string_view file_;
  std::string_view list_;
  const JsonSink& sink_;
  std::vector<char> block_;
  std::size_t next_ = 0;
  std::size_t filled_ = 0;
  bool ended_ = false;
  std::string source_error_;
  Position at_;
  std::string piece_;
  Position piece_at_;
  JsonReader reader_;
  std::map<std::string, std::uint64_t> keys_;
};

bool Scanner::refill() {
  if (ended_) return false;
  const Result<std::size_t> taken = source_.read(block_.data(), block_.size());
  if (!taken) source_error_ = taken.error().message;
  next_ = 0;
  filled_ = taken.value_or(0);
  ended_ = filled_ == 0;
  return !ended_;
}

tl::unexpected<Error> Scanner::unexpected(std::string_view wanted) {
  if (!source_error_.empty()) return usage_error(source_error_);
  const int found = peek();
  if (found == kEnd)
    return error_at(
        at_, fmt::format("expected {}, found the end of the file: was it cut, or is it still being written?", wanted));
  if (found < 0x20 || found > 0x7E) return error_at(at_, fmt::format("expected {}", wanted));
  return error_at(at_, fmt::format("expected {}, found '{}'", wanted, static_cast<char>(found)));
}

/// How much of the block, from here on, neither begins a string nor opens or closes anything.
std::size_t Scanner::plain_size() const {
  const std::string_view rest = rest_of_block();
  const auto is_structure = [](char c) { return c == '"' || c == '[' || c == ']' || c == '{' || c == '}'; };
  return static_cast<std::size_t>(std::find_if(rest.begin(), rest.end(), is_structure) - rest.begin());
}

void Scanner::copy_string() {
  copy(1);
  while (peek() != kEnd && piece_.size() <= kMaxPiece) {
    const std::size_t quote = rest_of_block().find('"');
    const bool found = quote != std::string_view::npos;
    copy(found ? quote + 1 : rest_of_block().size());
    if (found && !is_escaped(piece_, piece_.size() - 1)) return;
  }
}

/// The text of the value that begins here, into piece_.
Result<void> Scanner::read_piece() {
  piece_.clear();
  skip_space();
  piece_at_ = at_;
  std::size_t depth = 0;
  while (true) {
    const int c = peek();
    if (piece_.size() > kMaxPiece)
      return error_at(piece_at_, fmt::format("a value is longer than {} MiB", kMaxPiece >> 20U));
    if (c == kEnd) break;
    if (c == '"') {
      copy_string();
      if (depth == 0) break;
      continue;
    }
    const bool closes = c == ']' || c == '}';
    const bool outside = closes || c == ',' || c == ':' || is_space(static_cast<char>(c));
    if (depth == 0 && outside) break;
    copy(1);
    if (c == '[' || c == '{') ++depth;
    if (closes && --depth == 0) break;
    if (depth > 0) copy(plain_size());
  }
  at_.pass(piece_);
  if (!source_error_.empty()) return usage_error(source_error_);
  if (piece_.empty()) return unexpected("a value");
  if (depth > 0) return error_at(piece_at_, "what begins here is never closed: is the file still being written?");
  return {};
}

Result<YamlNode> Scanner::read_value() {
  if (Result<void> read = read_piece(); !read) return tl::unexpected<Error>(read.error());
  tl::expected<YamlNode, JsonFault> node = build_tree(reader_, piece_, piece_at_);
  if (!node) return error_at({node.error().line, node.error().column}, node.error().message);
  return *std::move(node);
}

Result<void> Scanner::read() {
  for (const char c : {'\xEF', '\xBB', '\xBF'})
    if (peek() == static_cast<unsigned char>(c)) ++next_;
  const int first = skip_space();
  if (first == kEnd && source_error_.empty()) return {};
  if (first != '[' && first != '{') return unexpected(fmt::format("a list of jobs or an object with '{}'", list_));
  if (Result<void> read = first == '[' ? read_items() : read_members(); !read) return read;
  if (skip_space() == kEnd && source_error_.empty()) return {};
  return unexpected("nothing more (a file with one job a line is named .jsonl)");
}

Result<void> Scanner::read_items() {
  take();
  if (skip_space() == ']') return take(), Result<void>();
  while (true) {
    if (Result<void> read = read_piece(); !read) return read;
    tl::expected<YamlNode, JsonFault> item = build_tree(reader_, piece_, piece_at_);
    if (!item && !item.error().is_alone)
      return error_at({item.error().line, item.error().column}, item.error().message);
    Result<void> taken =
        item ? sink_.item(*item) : sink_.broken({piece_, piece_at_.line, piece_at_.column}, item.error());
    if (!taken) return taken;
    const int c = skip_space();
    if (c != ',' && c != ']') return unexpected("',' or ']'");
    take();
    if (c == ']') return {};
  }
}

Result<void> Scanner::read_members() {
  take();
  if (skip_space() == '}') return take(), Result<void>();
  while (true) {
    if (Result<void> read = read_member(); !read) return read;
    const int c = skip_space();
    if (c != ',' && c != '}') return unexpected("',' or '}'");
    take();
    if (c == '}') return {};
  }
}

Result<void> Scanner::read_member() {
  if (skip_space() != '"') return unexpected("a key in quotes");
  Result<YamlNode> key = read_value();
  if (!key) return tl::unexpected<Error>(key.error());
  const auto [found, added] = keys_.emplace(key->scalar, key->line);
  if (!added)
    return error_at({key->line, key->column},
                    fmt::format("duplicate key '{}', first on line {}", key->scalar, found->second));
  if (skip_space() != ':') return unexpected("':'");
  take();
  if (skip_space() == '[' && key->scalar == list_) {
    YamlNode list;
    list.kind = YamlNode::Kind::List;
    list.line = at_.line;
    list.column = at_.column;
    if (Result<void> read = read_items(); !read) return read;
    return sink_.member(*key, list);
  }
  Result<YamlNode> value = read_value();
  if (!value) return tl::unexpected<Error>(value.error());
  return sink_.member(*key, *value);
}

}  // namespace

Result<void> stream_json(ByteSource& source, std::string_view file, std::string_view list, const JsonSink& sink) {
  return Scanner(source, file, list, sink).read();
}

tl::expected<YamlNode, JsonFault> tree_of(const JsonLine& line, JsonReader& reader) {
  return build_tree(reader, line.text, {line.line, 1});
}

Result<void> stream_json_lines(ByteSource& source, std::string_view file,
                               const std::function<Result<void>(const JsonLine& line)>& sink) {
  std::vector<char> buffer(kBlock + kJsonPadding);
  std::size_t begin = 0;
  std::size_t filled = 0;
  std::uint64_t number = 1;
  const auto deliver = [&](std::string_view text, bool newline) -> Result<void> {
    if (number == 1 && text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    const bool is_blank = text.find_first_not_of(" \t\r") == std::string_view::npos;
    if (is_blank) return ++number, Result<void>();
    return sink({text, number++, newline});
  };
  while (true) {
    if (begin > 0) std::memmove(buffer.data(), buffer.data() + begin, filled - begin);
    filled -= begin;
    begin = 0;
    if (filled > kMaxPiece)
      return usage_error(fmt::format("{}:{}:1: a line is longer than {} MiB", file, number, kMaxPiece >> 20U));
    if (filled + kJsonPadding == buffer.size()) buffer.resize(2 * buffer.size());
    const Result<std::size_t> taken = source.read(buffer.data() + filled, buffer.size() - kJsonPadding - filled);
    if (!taken) return tl::unexpected<Error>(taken.error());
    std::size_t unseen = filled;
    filled += *taken;
    while (const void* end = std::memchr(buffer.data() + unseen, '\n', filled - unseen)) {
      const auto at = static_cast<std::size_t>(static_cast<const char*>(end) - buffer.data());
      if (Result<void> sunk = deliver({buffer.data() + begin, at - begin}, true); !sunk) return sunk;
      begin = unseen = at + 1;
    }
    if (*taken == 0) return begin == filled ? Result<void>() : deliver({buffer.data() + begin, filled - begin}, false);
  }
}

}  // namespace reelbatch
