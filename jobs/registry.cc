#include "jobs/registry.h"

#include <array>

#include "jobs/creatify.h"
#include "jobs/creatify_aurora.h"
#include "jobs/iacrea.h"
#include "jobs/iacrea_auto.h"
#include "jobs/iacrea_sequence.h"
#include "jobs/iacrea_video.h"

namespace reelbatch {
namespace {

const IacreaAuto kIacreaAuto;
const IacreaVideo kIacreaVideo;
const IacreaSequence kIacreaSequence;
const CreatifyAurora kCreatifyAurora;

const std::array<const JobKind*, 4> kKinds{&kIacreaAuto, &kIacreaVideo, &kIacreaSequence, &kCreatifyAurora};

}  // namespace

std::span<const JobKind* const> all_kinds() {
  return kKinds;
}

std::span<const ServiceSpec> all_services() {
  // Copied on first use: the order in which other files' constants come to life is not ours to rely on.
  static const std::array<ServiceSpec, 2> services{kIacrea, kCreatify};
  return services;
}

const JobKind* find_kind(std::string_view name) {
  for (const JobKind* kind : all_kinds()) {
    if (kind->name() == name) return kind;
  }
  return nullptr;
}

const ServiceSpec* find_service(std::string_view name) {
  for (const ServiceSpec& service : all_services()) {
    if (service.name == name) return &service;
  }
  return nullptr;
}

const JobKind& default_kind() {
  return kIacreaAuto;
}

}  // namespace reelbatch
