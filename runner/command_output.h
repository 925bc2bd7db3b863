// What a shell command prints, within bounds: password managers as a source of keys.
#pragma once

#include <string>

#include "jobs/error.h"
#include "runner/clock.h"

namespace reelbatch {

/// Runs `/bin/sh -c command` and returns its standard output, whole. Its standard input is empty, so that a manifest on
/// ours is not eaten; its standard error is ours. It stays in the foreground: a prompt on the terminal works.
///
/// time   from start to exit, in real time; a command that takes longer is killed.
/// bytes  most that it may print.
///
/// Fails with Fault::Usage if it cannot be started, prints more, takes longer, or exits with anything but 0. The
/// message has neither the command nor its output.
Result<std::string> command_output(const std::string& command, Duration time, std::size_t bytes);

}  // namespace reelbatch
