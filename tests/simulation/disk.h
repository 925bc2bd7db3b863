// A disk in memory under SQLite, with what real ones do to programs: writes that were not synced are lost, torn or
// reordered when the power goes, a sync fails, the disk is full. One at a time in a process.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/seeded_random.h"

namespace reelbatch {

class SimulatedDisk {
 public:
  /// The name to give SqliteLedger::open().
  static constexpr const char* kVfs = "simulated";

  SimulatedDisk();
  ~SimulatedDisk();
  SimulatedDisk(const SimulatedDisk&) = delete;
  SimulatedDisk& operator=(const SimulatedDisk&) = delete;

  /// What changes the disk, in the order in which SQLite asks for it.
  enum class Op { Create, Write, Truncate, Sync, Delete };
  enum class Fate {
    Done,
    Full,        ///< Write: no space left, nothing of it is written
    Fails,       ///< Sync: an error, and what was to be synced will never be, although it can still be read
    DiesBefore,  ///< the process ends here
    DiesTorn,    ///< Write: the process ends with a part of it written
    DiesAfter,
  };
  /// Asked before each; nothing means Done.
  std::function<Fate(Op)> fate;
  std::int64_t ops = 0;

  enum class End {
    Killed,     ///< what was written stays
    PowerLoss,  ///< of what was not synced anything may be there: each sector of each write, or not
  };
  /// The process is gone: nothing it does from now on reaches the disk, until boot().
  void die() { dead_ = true; }
  bool dead() const { return dead_; }
  /// The next process starts. Handles of the one before stay without effect.
  void boot(End end, SeededRandom& random);

  /// Pages in the write-ahead log at which SQLite copies it into the database.
  int checkpoint_at = 1000;

  /// The bytes of every file, as the next process would read them.
  std::vector<std::string> contents() const;
  /// Takes the place of a file, synced.
  void put(const std::string& path, std::string bytes);
  /// The bytes of a file; empty if there is none.
  std::string get(const std::string& path) const;

  /// What happened at a boot that the next process had to live with.
  struct Damage {
    std::int64_t lost = 0, torn = 0, reordered = 0;
  };
  Damage damage;

 private:
  friend struct DiskFile;
  friend struct DiskVfs;
  struct Change {
    std::size_t at = 0;  ///< the new size, if it is a truncation
    std::string bytes;
    bool truncation = false;
  };
  struct Inode {
    std::string now;               ///< what a read gives
    std::string disk;              ///< what the power cannot take
    std::vector<Change> unsynced;  ///< between the two
    bool named = false;            ///< its name would survive
    std::map<int, std::unique_ptr<char[]>> shared_memory;
  };
  using InodePtr = std::shared_ptr<Inode>;

  static void apply(std::string& bytes, const Change& change);
  void lose_power(Inode& inode, SeededRandom& random);
  Fate ask(Op op);
  void sync_names();

  std::map<std::string, InodePtr> names_;
  std::map<std::string, InodePtr> removed_;  ///< deleted, and the folder not synced since
  bool dead_ = false;
  std::uint64_t life_ = 0;
};

}  // namespace reelbatch
