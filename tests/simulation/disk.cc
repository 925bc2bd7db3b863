#include "tests/simulation/disk.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>

#include "runner/check.h"

namespace reelbatch {

namespace {

constexpr std::size_t kSector = 512;

/// The one that SQLite's calls reach, and the last connection that was opened on it.
SimulatedDisk* current = nullptr;
sqlite3* last_connection = nullptr;

int remember_connection(sqlite3* connection, char**, const sqlite3_api_routines*) {
  last_connection = connection;
  return SQLITE_OK;
}

}  // namespace

// ---- SQLite's side --------------------------------------------------------------------------------------------------

/// A file as SQLite holds it; SQLite gives the memory.
struct DiskFile {
  sqlite3_file base;  ///< first: SQLite looks here
  SimulatedDisk::InodePtr* inode;
  std::uint64_t life;
  int keeps_log;  ///< SQLITE_FCNTL_PERSIST_WAL

  static DiskFile& of(sqlite3_file* file) { return *reinterpret_cast<DiskFile*>(file); }
  SimulatedDisk::Inode& node() const { return **inode; }
  bool gone() const { return current == nullptr || current->dead_ || life != current->life_; }

  static int close(sqlite3_file* file) {
    delete of(file).inode;
    of(file).inode = nullptr;
    return SQLITE_OK;
  }

  static int read(sqlite3_file* file, void* out, int amount, sqlite3_int64 offset) {
    if (of(file).gone()) return SQLITE_IOERR_READ;
    const std::string& bytes = of(file).node().now;
    const auto at = static_cast<std::size_t>(offset);
    const auto wanted = static_cast<std::size_t>(amount);
    const std::size_t there = at >= bytes.size() ? 0 : std::min(wanted, bytes.size() - at);
    std::memcpy(out, bytes.data() + (there == 0 ? 0 : at), there);
    if (there == wanted) return SQLITE_OK;
    std::memset(static_cast<char*>(out) + there, 0, wanted - there);
    return SQLITE_IOERR_SHORT_READ;
  }

  /// Carries out a change as fate wants it.
  static int change(sqlite3_file* file, SimulatedDisk::Op op, SimulatedDisk::Change wanted, int failure) {
    if (of(file).gone()) return failure;
    const SimulatedDisk::Fate fate = current->ask(op);
    if (fate == SimulatedDisk::Fate::Full) return SQLITE_FULL;
    if (fate == SimulatedDisk::Fate::DiesTorn) wanted.bytes.resize(wanted.bytes.size() / 2);
    if (fate != SimulatedDisk::Fate::DiesBefore) {
      SimulatedDisk::apply(of(file).node().now, wanted);
      of(file).node().unsynced.push_back(std::move(wanted));
    }
    if (fate == SimulatedDisk::Fate::Done) return SQLITE_OK;
    current->die();
    return failure;
  }

  static int write(sqlite3_file* file, const void* bytes, int amount, sqlite3_int64 offset) {
    return change(file, SimulatedDisk::Op::Write,
                  {static_cast<std::size_t>(offset),
                   std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(amount)), false},
                  SQLITE_IOERR_WRITE);
  }

  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    return change(file, SimulatedDisk::Op::Truncate, {static_cast<std::size_t>(size), "", true}, SQLITE_IOERR_TRUNCATE);
  }

  static int sync(sqlite3_file* file, int) {
    if (of(file).gone()) return SQLITE_IOERR_FSYNC;
    SimulatedDisk::Inode& node = of(file).node();
    const SimulatedDisk::Fate fate = current->ask(SimulatedDisk::Op::Sync);
    if (fate == SimulatedDisk::Fate::Fails) {
      // The kernel has marked the pages clean: they can be read, and no later sync writes them.
      node.unsynced.clear();
      return SQLITE_IOERR_FSYNC;
    }
    if (fate != SimulatedDisk::Fate::DiesBefore) {
      for (const SimulatedDisk::Change& change : node.unsynced) SimulatedDisk::apply(node.disk, change);
      node.unsynced.clear();
      if (!node.named) current->sync_names();  // the first sync of a file syncs its folder
    }
    if (fate == SimulatedDisk::Fate::Done) return SQLITE_OK;
    current->die();
    return SQLITE_IOERR_FSYNC;
  }

  static int file_size(sqlite3_file* file, sqlite3_int64* size) {
    if (of(file).gone()) return SQLITE_IOERR_FSTAT;
    *size = static_cast<sqlite3_int64>(of(file).node().now.size());
    return SQLITE_OK;
  }

  // One process, one connection: there is nobody to lock out.
  static int lock(sqlite3_file*, int) { return SQLITE_OK; }
  static int unlock(sqlite3_file*, int) { return SQLITE_OK; }
  static int check_reserved_lock(sqlite3_file*, int* taken) {
    *taken = 0;
    return SQLITE_OK;
  }

  static int control(sqlite3_file* file, int what, void* argument) {
    if (what == SQLITE_FCNTL_PERSIST_WAL) {
      int& keep = *static_cast<int*>(argument);  // below 0: asked for
      (keep < 0 ? keep : of(file).keeps_log) = keep < 0 ? of(file).keeps_log : keep;
      return SQLITE_OK;
    }
    if (what != SQLITE_FCNTL_PRAGMA || current == nullptr) return SQLITE_NOTFOUND;
    // Small runs would never reach the size at which the program copies its log.
    const char* name = static_cast<char**>(argument)[1];
    const bool is_set = static_cast<char**>(argument)[2] != nullptr;
    if (!is_set || std::strcmp(name, "wal_autocheckpoint") != 0) return SQLITE_NOTFOUND;
    sqlite3_wal_autocheckpoint(last_connection, current->checkpoint_at);
    return SQLITE_OK;
  }

  static int sector_size(sqlite3_file*) { return kSector; }
  static int characteristics(sqlite3_file*) { return 0; }

  static int shared_memory_map(sqlite3_file* file, int region, int size, int extend, void volatile** out) {
    if (of(file).gone()) return SQLITE_IOERR_SHMMAP;
    auto& memory = of(file).node().shared_memory[region];
    if (!memory && extend == 0) {
      *out = nullptr;
      return SQLITE_OK;
    }
    if (!memory) memory = std::make_unique<char[]>(static_cast<std::size_t>(size));
    *out = memory.get();
    return SQLITE_OK;
  }
  static int shared_memory_lock(sqlite3_file*, int, int, int) { return SQLITE_OK; }
  static void shared_memory_barrier(sqlite3_file*) {}
  static int shared_memory_unmap(sqlite3_file* file, int) {
    if (!of(file).gone()) of(file).node().shared_memory.clear();
    return SQLITE_OK;
  }
};

struct DiskVfs {
  static const sqlite3_io_methods* methods() {
    static const sqlite3_io_methods kMethods = [] {
      sqlite3_io_methods methods = {};
      methods.iVersion = 2;
      methods.xClose = DiskFile::close;
      methods.xRead = DiskFile::read;
      methods.xWrite = DiskFile::write;
      methods.xTruncate = DiskFile::truncate;
      methods.xSync = DiskFile::sync;
      methods.xFileSize = DiskFile::file_size;
      methods.xLock = DiskFile::lock;
      methods.xUnlock = DiskFile::unlock;
      methods.xCheckReservedLock = DiskFile::check_reserved_lock;
      methods.xFileControl = DiskFile::control;
      methods.xSectorSize = DiskFile::sector_size;
      methods.xDeviceCharacteristics = DiskFile::characteristics;
      methods.xShmMap = DiskFile::shared_memory_map;
      methods.xShmLock = DiskFile::shared_memory_lock;
      methods.xShmBarrier = DiskFile::shared_memory_barrier;
      methods.xShmUnmap = DiskFile::shared_memory_unmap;
      return methods;
    }();
    return &kMethods;
  }

  static int open(sqlite3_vfs*, const char* name, sqlite3_file* out, int flags, int* out_flags) {
    DiskFile& file = DiskFile::of(out);
    file.base.pMethods = nullptr;
    if (current == nullptr || current->dead_) return SQLITE_CANTOPEN;
    SimulatedDisk::InodePtr inode;
    if (name != nullptr) {
      const auto found = current->names_.find(name);
      if (found != current->names_.end()) inode = found->second;
    }
    if (!inode) {
      if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
      inode = std::make_shared<SimulatedDisk::Inode>();
      if (name != nullptr) {
        const SimulatedDisk::Fate fate = current->ask(SimulatedDisk::Op::Create);
        if (fate != SimulatedDisk::Fate::DiesBefore) current->names_[name] = inode;
        if (fate != SimulatedDisk::Fate::Done) {
          current->die();
          return SQLITE_CANTOPEN;
        }
      }
    }
    file.base.pMethods = methods();
    file.keeps_log = 0;
    file.inode = new SimulatedDisk::InodePtr(std::move(inode));
    file.life = current->life_;
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
  }

  static int remove(sqlite3_vfs*, const char* name, int sync_folder) {
    if (current == nullptr || current->dead_) return SQLITE_IOERR_DELETE;
    const auto found = current->names_.find(name);
    if (found == current->names_.end()) return SQLITE_IOERR_DELETE_NOENT;
    const SimulatedDisk::Fate fate = current->ask(SimulatedDisk::Op::Delete);
    if (fate != SimulatedDisk::Fate::DiesBefore) {
      if (found->second->named) current->removed_[name] = found->second;
      current->names_.erase(found);
      if (sync_folder != 0) current->sync_names();
    }
    if (fate == SimulatedDisk::Fate::Done) return SQLITE_OK;
    current->die();
    return SQLITE_IOERR_DELETE;
  }

  static int access(sqlite3_vfs*, const char* name, int flags, int* out) {
    if (current == nullptr || current->dead_) return SQLITE_IOERR_ACCESS;
    const auto found = current->names_.find(name);
    *out = found != current->names_.end() && (flags != SQLITE_ACCESS_EXISTS || !found->second->now.empty()) ? 1 : 0;
    return SQLITE_OK;
  }

  static int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
  }

  static int randomness(sqlite3_vfs*, int size, char* out) {
    std::memset(out, 7, static_cast<std::size_t>(size));  // salts only: they still change with every restart of the log
    return size;
  }
  static int sleep(sqlite3_vfs*, int microseconds) { return microseconds; }
  static int time(sqlite3_vfs*, sqlite3_int64* now) {
    *now = 210'866'760'000'000;  // 1970 in SQLite's milliseconds: the ledger never asks SQLite for the time
    return SQLITE_OK;
  }

  static void make_known() {
    static sqlite3_vfs vfs = [] {
      sqlite3_vfs made = {};
      made.iVersion = 2;
      made.szOsFile = sizeof(DiskFile);
      made.mxPathname = 512;
      made.zName = SimulatedDisk::kVfs;
      made.xOpen = open;
      made.xDelete = remove;
      made.xAccess = access;
      made.xFullPathname = full_path;
      made.xRandomness = randomness;
      made.xSleep = sleep;
      made.xCurrentTimeInt64 = time;
      return made;
    }();
    static const bool once = [] {
      sqlite3_vfs_register(&vfs, 0);
      sqlite3_auto_extension(reinterpret_cast<void (*)()>(remember_connection));
      return true;
    }();
    static_cast<void>(once);
  }
};

// ---- The disk -------------------------------------------------------------------------------------------------------

SimulatedDisk::SimulatedDisk() {
  CHECK(current == nullptr);
  DiskVfs::make_known();
  current = this;
}

SimulatedDisk::~SimulatedDisk() {
  current = nullptr;
}

SimulatedDisk::Fate SimulatedDisk::ask(Op op) {
  ++ops;
  return fate ? fate(op) : Fate::Done;
}

void SimulatedDisk::apply(std::string& bytes, const Change& change) {
  if (change.truncation) return bytes.resize(change.at);
  if (bytes.size() < change.at + change.bytes.size()) bytes.resize(change.at + change.bytes.size());
  std::copy(change.bytes.begin(), change.bytes.end(), bytes.begin() + static_cast<std::ptrdiff_t>(change.at));
}

void SimulatedDisk::sync_names() {
  for (auto& [name, inode] : names_) inode->named = true;
  removed_.clear();
}

/// Each sector of each write reached the disk or did not, in any order; sometimes all of them did, or none.
void SimulatedDisk::lose_power(Inode& inode, SeededRandom& random) {
  const std::uint64_t sort = random.below(4);
  const double kept = sort == 0 ? 0 : sort == 1 ? 1 : random.unit();
  if (sort == 3) {
    for (std::size_t i = inode.unsynced.size(); i > 1; --i) {
      std::swap(inode.unsynced[i - 1], inode.unsynced[random.below(i)]);
    }
    damage.reordered += inode.unsynced.size() > 1;
  }
  for (const Change& change : inode.unsynced) {
    if (change.truncation) {
      if (random.unit() < kept) apply(inode.disk, change);
      continue;
    }
    std::size_t sectors_kept = 0;
    for (std::size_t at = 0; at < change.bytes.size(); at += kSector) {
      if (random.unit() >= kept) continue;
      ++sectors_kept;
      apply(inode.disk, {change.at + at, change.bytes.substr(at, kSector), false});
    }
    const std::size_t sectors = (change.bytes.size() + kSector - 1) / kSector;
    damage.lost += sectors_kept == 0;
    damage.torn += sectors_kept > 0 && sectors_kept < sectors;
  }
}

void SimulatedDisk::boot(End end, SeededRandom& random) {
  dead_ = false;
  ++life_;
  for (auto& [name, inode] : names_) inode->shared_memory.clear();
  if (end == End::Killed) return;
  for (auto found = names_.begin(); found != names_.end();) {
    Inode& inode = *found->second;
    lose_power(inode, random);
    inode.now = inode.disk;
    inode.unsynced.clear();
    const bool lost = !inode.named && random.below(2) == 0;
    inode.named = true;
    found = lost ? names_.erase(found) : std::next(found);
  }
  for (auto& [name, inode] : removed_) {
    if (names_.count(name) != 0 || random.below(2) == 0) continue;
    inode->now = inode->disk;
    inode->unsynced.clear();
    names_[name] = inode;
  }
  removed_.clear();
}

std::vector<std::string> SimulatedDisk::contents() const {
  std::vector<std::string> contents;
  for (const auto& [name, inode] : names_) contents.push_back(inode->now);
  return contents;
}

void SimulatedDisk::put(const std::string& path, std::string bytes) {
  auto inode = std::make_shared<Inode>();
  inode->now = inode->disk = std::move(bytes);
  inode->named = true;
  names_[path] = std::move(inode);
}

std::string SimulatedDisk::get(const std::string& path) const {
  const auto found = names_.find(path);
  return found == names_.end() ? std::string() : found->second->now;
}

}  // namespace reelbatch
