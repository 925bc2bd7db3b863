// The sandbox really calls webhooks, but never leaves this machine.
#pragma once

#include "jobs/service_model.h"

namespace reelbatch {

/// POSTs `call.body` to a plain http address on loopback (127.0.0.0/8, `localhost`, `[::1]`); other addresses are left
/// alone, a sandbox must not reach a real one. Blocks for 200 ms at most in each of connecting, sending and waiting for
/// the answer, which is not read further. Returns true if the call was sent whole. Never tried again, like the
/// services'.
bool call_webhook(const WebhookCall& call);

}  // namespace reelbatch
