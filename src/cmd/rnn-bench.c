/* rnn-bench: how fast the training step is on this machine. */
#include "base/streams.h"
#include "bench/bench.h"
#include "cmd/program.h"

int main(int argc, char **argv)
{
    struct bench_options options;
    struct error error;
    program_begin("rnn-bench");
    if (bench_options_parse(&options, argc, argv, &error))
        return streams_end(program_refuse(&error));
    int code = EXIT_CODE_OK;
    if (options.ask)
        program_answer("rnn-bench", options.ask, &bench_option_table);
    else
        code = options.kernel ? bench_kernel() : bench_train(&options);
    bench_options_finish(&options);
    return streams_end(code);
}
