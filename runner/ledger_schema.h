// The ledger's tables and how older files become newer ones.
#pragma once

#include <span>

#include "runner/sqlite.h"

namespace reelbatch {

/// Each brings a file from version i to i + 1; a new file runs them all. Never edit one that was released: append.
std::span<const char* const> ledger_migrations();

struct PrepareLedger {
  bool may_make = true;           ///< an empty file becomes a ledger
  bool may_lack_journal = false;  ///< that a run left beside it
};

/// Sets the connection up and brings the file to the newest version.
///
/// An existing older file is copied to `<path>.v<version>.bak` first. Fails, leaving the file as it was, if it is no
/// ledger, is newer than this program, cannot be written, is empty and may not be made now, or lacks the journal that a
/// run left beside it.
Result<void> prepare_ledger(Database& database, std::span<const char* const> migrations, PrepareLedger how = {});

/// For readers: fails with what to do unless the file is a ledger of exactly this program's version.
Result<void> require_current(Database& database, std::span<const char* const> migrations);

}  // namespace reelbatch
