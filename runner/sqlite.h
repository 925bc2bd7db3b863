// SQLite with its errors as values: a database, prepared statements, a transaction that rolls back unless committed.
// Only sqlite.cc includes sqlite3.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "jobs/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace reelbatch {

class Statement;

class Database {
 public:
  enum class Mode { ReadOnly, ReadWrite, Create };

  /// Opens `path`. Fails with the file's name and SQLite's reason; nothing is left open.
  ///
  /// vfs  the registered SQLite VFS that holds the file; nullptr: the file system.
  static Result<Database> open(const std::string& path, Mode mode, const char* vfs = nullptr);
  Database(Database&& other) noexcept;
  Database& operator=(Database&&) = delete;
  ~Database();

  /// Runs statements without results.
  Result<void> execute(const char* sql);
  /// Prepares a statement of this program. A statement that does not compile is a bug.
  Statement prepare(std::string_view sql);
  /// The first column of the first row, 0 without one.
  Result<std::int64_t> number(std::string_view sql);

  std::int64_t last_id() const;
  /// Rows that the last INSERT, UPDATE or DELETE touched.
  std::int64_t changes() const;
  /// Moves what the journal of WAL mode has into the file. Waits for nobody: false if a reader needs some of it to
  /// stay.
  Result<bool> checkpoint();
  /// Where the journal is, whatever name the file was opened by.
  std::string journal_path() const;
  /// Whether that journal stays beside the file when the last connection is closed.
  void keep_journal(bool keep);
  /// From here on that is left to the caller, who is told by journal_pages() how much there is to move.
  void take_over_checkpoints();
  int journal_pages() const { return journal_pages_ == nullptr ? 0 : *journal_pages_; }
  /// Whether it stood beside the file, with something in it, before this opened it.
  bool had_journal() const { return had_journal_; }
  /// Copies the whole database into a new file, consistent also while another process writes.
  Result<void> backup_to(const std::string& path);
  /// What went wrong last, with the file's name.
  Error error(std::string_view doing) const;
  const std::string& path() const { return path_; }

 private:
  Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  sqlite3* handle_;
  std::string path_;
  bool had_journal_ = false;
  std::unique_ptr<int> journal_pages_;  ///< where the handle can write it
};

/// A prepared statement, bound and stepped by hand: `s.bind(1, x); while (*s.step()) s.integer(0);`. Positions of
/// parameters count from 1, of columns from 0. Must not outlive its database.
class Statement {
 public:
  Statement() = default;
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  Statement& bind(int at, std::int64_t value);
  Statement& bind(int at, std::optional<std::int64_t> value);
  Statement& bind(int at, std::string_view text);  ///< copied
  Statement& bind_null(int at);
  /// Text, or NULL where it is empty.
  Statement& bind_or_null(int at, std::string_view text);
  Statement& bind_blob(int at, std::string_view bytes);  ///< copied

  /// True if a row is there. Resets by itself at the end, so that the statement can be bound again.
  Result<bool> step();
  /// Runs it to its end.
  Result<void> run();
  void reset();

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  std::optional<std::int64_t> maybe_integer(int column) const;
  std::string_view text(int column) const;  ///< text or blob, valid until the next step or reset; empty if NULL

 private:
  friend class Database;
  Statement(Database* database, sqlite3_stmt* handle) : database_(database), handle_(handle) {}
  Database* database_ = nullptr;
  sqlite3_stmt* handle_ = nullptr;
};

/// BEGIN IMMEDIATE ... COMMIT, or ROLLBACK where commit() was not reached.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace reelbatch
