/* rnn-train: trains a recurrent network on a sequence dataset, on any number of ranks. */
#include "base/error.h"
#include "base/streams.h"
#include "cmd/program.h"
#include "comm/launcher.h"

#include <stdio.h>

/* Joins the words of the command line to one text, which is cut where it is too long. */
static void join_words(int argc, char **argv, char *text, size_t size)
{
    size_t used = 0;
    for (int i = 0; i < argc && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "", argv[i]);
}

int main(int argc, char **argv)
{
    struct train_options options;
    struct error error;
    char command[4096] = "";
    program_begin("rnn-train");
    join_words(argc, argv, command, sizeof command);
    if (train_options_parse(&options, argc, argv, &error))
        return streams_end(program_refuse(&error));
    int code = EXIT_CODE_OK;
    if (options.ask)
        program_answer("rnn-train", options.ask, &train_option_table);
    else if (options.verify)
        code = launcher_get()->first ? program_verify(options.verify) : EXIT_CODE_OK;
    else
        code = program_train(&options, command);
    train_options_finish(&options);
    return streams_end(code);
}
