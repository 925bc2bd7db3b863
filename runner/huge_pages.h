// Memory for big tables that are looked into at random.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>

namespace reelbatch {

/// An allocator that asks for huge pages where there is room for one: otherwise nearly every look into a table of some
/// megabytes has to find its page as well. Whether they are given is for the system to say.
template <class T>
struct HugePages {
  using value_type = T;

  HugePages() = default;
  template <class U>
  HugePages(const HugePages<U>&) {}  // NOLINT: as allocators are converted

  T* allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    void* const memory = ::operator new(bytes, alignment(bytes));
    if (bytes >= kPage) ::madvise(memory, bytes, MADV_HUGEPAGE);
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) { ::operator delete(memory, alignment(count * sizeof(T))); }
  bool operator==(const HugePages&) const { return true; }

 private:
  static constexpr std::size_t kPage = std::size_t{2} << 20U;
  static std::align_val_t alignment(std::size_t bytes) {
    return std::align_val_t{bytes >= kPage ? kPage : alignof(std::max_align_t)};
  }
};

}  // namespace reelbatch
