// How long to wait after something went wrong. Pure: told everything, draws from the generator it is given.
#pragma once

#include "jobs/seeded_random.h"
#include "runner/clock.h"

namespace reelbatch {

/// The one source of randomness, seeded once; a seed repeats a run.
using Rng = SeededRandom;

/// The delay without jitter: `first`, doubling with each attempt, at most `most`.
///
/// attempt  1 is the first retry; less counts as 1.
Duration doubling(int attempt, Duration first, Duration most);

/// The same with jitter, so that jobs that failed together do not come back together: uniform between half the delay
/// and the delay. Half and not none at the bottom, because a poll that fails at once should not be repeated at once.
Duration backoff_delay(int attempt, Duration first, Duration most, Rng& rng);

}  // namespace reelbatch
