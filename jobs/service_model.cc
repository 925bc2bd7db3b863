#include "jobs/service_model.h"

#include "jobs/creatify_model.h"
#include "jobs/iacrea_model.h"

namespace reelbatch {

std::unique_ptr<ServiceModel> make_service_model(std::string_view service, const ServiceOptions& options) {
  if (service == "iacrea") return std::make_unique<IacreaModel>(options);
  if (service == "creatify") return std::make_unique<CreatifyModel>(options);
  return nullptr;
}

}  // namespace reelbatch
