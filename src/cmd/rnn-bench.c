/* rnn-bench: how fast the training step is on this machine. */
#include "base/log.h"
#include "bench/bench.h"
#include "cmd/program.h"
#include "comm/launcher.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    struct bench_options options;
    struct error error;
    log_set_speaker("rnn-bench", -1, "");
    if (bench_options_parse(&options, argc, argv, &error)) {
        if (launcher_get()->first)
            log_line(LOG_ERROR, "%s", error.text);
        return error.code;
    }
    if (options.ask == ASK_NOTHING)
        return options.kernel ? bench_kernel() : bench_train(&options);
    if (launcher_get()->first && options.ask == ASK_HELP)
        fputs(bench_options_help(), stdout);
    else if (launcher_get()->first)
        program_print_version("rnn-bench");
    return EXIT_CODE_OK;
}
