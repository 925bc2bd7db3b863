#include "runner/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <filesystem>

#include "runner/check.h"

namespace reelbatch {
namespace {

/// A database begins with a header of 100 bytes (https://www.sqlite.org/fileformat2.html). SQLite refuses a shorter
/// file, except one of a single byte, which it takes for an empty one (unixFileSize() in its os_unix.c): a ledger cut
/// to that would count as new, and every listing be paid for again.
Result<void> refuse_stump(const std::string& path) {
  struct stat stats = {};
  if (::stat(path.c_str(), &stats) != 0 || stats.st_size == 0 || stats.st_size >= 100) return {};
  return ground_error(
      fmt::format("the ledger {} is cut off after {} byte{}: put back a copy of it, or move it away if nothing was "
                  "ever paid with it",
                  path, stats.st_size, stats.st_size == 1 ? "" : "s"));
}

/// Whether there is one with something in it: who only looks at a file may leave an empty one. Not known counts as
/// there.
bool has_journal(const std::string& path, const char* vfs) {
  sqlite3_vfs* const files = sqlite3_vfs_find(vfs);
  int found = 0;
  // As SQLite does: the journal stands beside what a link leads to.
  std::error_code unknown;
  std::string real = path;
  if (vfs == nullptr) real = std::filesystem::canonical(path, unknown).string();
  const std::string journal = (unknown ? path : real) + "-wal";
  if (files == nullptr || files->xAccess(files, journal.c_str(), SQLITE_ACCESS_EXISTS, &found) != SQLITE_OK)
    return true;
  return found != 0;
}

}  // namespace

// ---- Database -------------------------------------------------------------------------------------------------------

Result<Database> Database::open(const std::string& path, Mode mode, const char* vfs) {
  const int flags = mode == Mode::ReadOnly    ? SQLITE_OPEN_READONLY
                    : mode == Mode::ReadWrite ? SQLITE_OPEN_READWRITE
                                              : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  if (vfs == nullptr) {
    if (Result<void> whole = refuse_stump(path); !whole) return tl::unexpected(whole.error());
  }
  const bool had_journal = has_journal(path, vfs);
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs);
  Database database(handle, path);  // closes the handle on the way out, also one that failed to open
  if (code != SQLITE_OK) return tl::unexpected(database.error("cannot open"));
  database.had_journal_ = had_journal;
  sqlite3_busy_timeout(handle, 10'000);
  return database;
}

Database::Database(Database&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), path_(std::move(other.path_)), had_journal_(other.had_journal_) {}

Database::~Database() {
  sqlite3_close_v2(handle_);
}

Result<void> Database::execute(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return tl::unexpected(error("cannot use"));
  return {};
}

Statement Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                      &statement, nullptr);
  if (code != SQLITE_OK) {
    // A damaged or foreign file fails here as well: the statement then reports it when it is stepped.
    CHECK((code & 0xff) != SQLITE_ERROR ||
          std::string_view(sqlite3_errmsg(handle_)).find("syntax") == std::string_view::npos);
  }
  return Statement(this, statement);
}

Result<std::int64_t> Database::number(std::string_view sql) {
  Statement statement = prepare(sql);
  const Result<bool> row = statement.step();
  if (!row) return tl::unexpected(row.error());
  return *row ? statement.integer(0) : 0;
}

std::int64_t Database::last_id() const {
  return sqlite3_last_insert_rowid(handle_);
}
std::int64_t Database::changes() const {
  return sqlite3_changes64(handle_);
}

Result<bool> Database::checkpoint() {
  int all = 0, moved = 0;
  const int code = sqlite3_wal_checkpoint_v2(handle_, "main", SQLITE_CHECKPOINT_PASSIVE, &all, &moved);
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) return tl::unexpected(error("cannot use"));
  return code == SQLITE_OK && all == moved;
}

std::string Database::journal_path() const {
  return sqlite3_filename_wal(sqlite3_db_filename(handle_, "main"));
}

void Database::keep_journal(bool keep) {
  int persist = keep ? 1 : 0;
  sqlite3_file_control(handle_, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
}

void Database::take_over_checkpoints() {
  journal_pages_ = std::make_unique<int>(0);
  const auto note = [](void* pages, sqlite3*, const char*, int now) {
    *static_cast<int*>(pages) = now;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(handle_, note, journal_pages_.get());
}

Result<void> Database::backup_to(const std::string& path) {
  Result<Database> target = open(path, Mode::Create);
  if (!target) return tl::unexpected(target.error());
  sqlite3_backup* backup = sqlite3_backup_init(target->handle_, "main", handle_, "main");
  if (backup == nullptr) return tl::unexpected(target->error("cannot write"));
  const int stepped = sqlite3_backup_step(backup, -1);
  sqlite3_backup_finish(backup);
  if (stepped != SQLITE_DONE) {
    return ground_error(fmt::format("cannot copy {} to {}: {}", path_, path, sqlite3_errstr(stepped)));
  }
  return {};
}

Error Database::error(std::string_view doing) const {
  const char* reason = handle_ == nullptr ? "out of memory" : sqlite3_errmsg(handle_);
  return Error{Fault::Ground, fmt::format("{} the ledger {}: {}", doing, path_, reason)};
}

// ---- Statement ------------------------------------------------------------------------------------------------------

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_), handle_(std::exchange(other.handle_, nullptr)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(database_, other.database_);
  std::swap(handle_, other.handle_);
  return *this;
}

Statement::~Statement() {
  sqlite3_finalize(handle_);
}

Statement& Statement::bind(int at, std::int64_t value) {
  sqlite3_bind_int64(handle_, at, value);
  return *this;
}

Statement& Statement::bind(int at, std::optional<std::int64_t> value) {
  return value ? bind(at, *value) : bind_null(at);
}

Statement& Statement::bind(int at, std::string_view text) {
  sqlite3_bind_text64(handle_, at, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_TRANSIENT,
                      SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_null(int at) {
  sqlite3_bind_null(handle_, at);
  return *this;
}

Statement& Statement::bind_or_null(int at, std::string_view text) {
  return text.empty() ? bind_null(at) : bind(at, text);
}

Statement& Statement::bind_blob(int at, std::string_view bytes) {
  sqlite3_bind_blob64(handle_, at, bytes.data() == nullptr ? "" : bytes.data(), bytes.size(), SQLITE_TRANSIENT);
  return *this;
}

Result<bool> Statement::step() {
  if (handle_ == nullptr) return tl::unexpected(database_->error("cannot use"));
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(handle_);
    return false;
  }
  Error error = database_->error(sqlite3_stmt_readonly(handle_) != 0 ? "cannot read" : "cannot write");
  sqlite3_reset(handle_);
  return tl::unexpected(std::move(error));
}

Result<void> Statement::run() {
  for (;;) {
    const Result<bool> row = step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return {};
  }
}

void Statement::reset() {
  sqlite3_reset(handle_);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}
std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(handle_, column);
}

std::optional<std::int64_t> Statement::maybe_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}

std::string_view Statement::text(int column) const {
  const void* data = sqlite3_column_blob(handle_, column);
  return {static_cast<const char*>(data), static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

// ---- Transaction ----------------------------------------------------------------------------------------------------

Result<Transaction> Transaction::begin(Database& database) {
  if (Result<void> begun = database.execute("BEGIN IMMEDIATE"); !begun) return tl::unexpected(begun.error());
  return Transaction(database);
}

Transaction::~Transaction() {
  // A failed rollback leaves nothing to do: SQLite has rolled back by itself, or will when the file is opened again.
  if (database_ != nullptr) static_cast<void>(database_->execute("ROLLBACK"));
}

Result<void> Transaction::commit() {
  if (Result<void> committed = database_->execute("COMMIT"); !committed) return committed;
  database_ = nullptr;
  return {};
}

}  // namespace reelbatch
