// The parts of a winner as people read them; shared by the commands that show winners.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "client/tunectl/session.h"
#include "client/tunectl/table.h"
#include "core/status.h"
#include "kiln/v1/kiln.pb.h"

namespace kiln::tunectl {

std::string rate_text(const v1::Cost& cost, const v1::Timing& timing);

// Times of the default over that of the winner, from the same final; 0: the default does not work.
double gain(const v1::Measurement& winner, const v1::Measurement& baseline);

// Largest error over its tolerance, "0.12"; and in full: "3.1e-07, 0.12 of the tolerance; …".
std::string error_text(const v1::Verification& verification);
std::string verification_text(const v1::Verification& verification);

std::string problem_text(Session& session, const v1::Winner& winner);  // short, with family

// What there is to say about a winner, for render_details().
std::vector<std::pair<std::string, Cell>> winner_details(Session& session,
                                                         const v1::Winner& winner);

// All winners that `filter` admits, page by page.
StatusOr<std::vector<v1::Winner>> fetch_winners(Session& session, const v1::WinnerFilter& filter);

StatusOr<v1::Winner> fetch_winner(Session& session, int64_t id);

// The fingerprint of a device given by name; anything else is taken for a fingerprint.
StatusOr<std::string> fingerprint_of(Session& session, const std::string& device);

}  // namespace kiln::tunectl
