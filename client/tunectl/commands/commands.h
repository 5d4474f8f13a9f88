// The subcommands; one file each.

#pragma once

#include "client/tunectl/command.h"

namespace kiln::tunectl {

Action declare_cancel(OptionSet& set);
Action declare_compile(OptionSet& set);
Action declare_delete(OptionSet& set);
Action declare_describe(OptionSet& set);
Action declare_devices(OptionSet& set);
Action declare_doctor(OptionSet& set);
Action declare_export(OptionSet& set);
Action declare_families(OptionSet& set);
Action declare_gc(OptionSet& set);
Action declare_get(OptionSet& set);
Action declare_import(OptionSet& set);
Action declare_jobs(OptionSet& set);
Action declare_list(OptionSet& set);
Action declare_pretune(OptionSet& set);
Action declare_report(OptionSet& set);
Action declare_show(OptionSet& set);
Action declare_tune(OptionSet& set);
Action declare_watch(OptionSet& set);
Action declare_workload(OptionSet& set);

}  // namespace kiln::tunectl
