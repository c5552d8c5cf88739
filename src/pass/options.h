/* The options that rnn-train and rnn-predict share. */
#ifndef PASS_OPTIONS_H
#define PASS_OPTIONS_H

#include "base/options.h"
#include "pass/report.h"

/* Their rows, for a struct of options with the members `progress` (enum progress_style), `verbosity` (int: -v
 * counts up, -q down) and `ask`. */
#define PASS_OPTION_ROWS(options)                                                                            \
    {"progress", 0, OPTION_CHOICE, offsetof(options, progress), .names = progress_names, .own = 1,           \
        .argument = "auto|line|log", .help = "one updating line, or a line per report interval"},            \
        {"quiet", 'q', OPTION_COUNTER, offsetof(options, verbosity), .least = -1,                            \
            .help = "say less; twice: errors only"},                                                         \
        {"verbose", 'v', OPTION_COUNTER, offsetof(options, verbosity), .least = 1, .help = "say more"},      \
        OPTION_ROW_COMPLETION(options), OPTION_ROWS_ASK(options)

#endif
