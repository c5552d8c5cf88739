/* rnn-train: trains a recurrent network on a sequence dataset, on any number of ranks. */
#include "base/error.h"
#include "base/log.h"
#include "cmd/program.h"
#include "comm/launcher.h"

#include <stdio.h>
#include <string.h>

/* The words of the command line in one text, cut where it is too long. */
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
    log_set_speaker("rnn-train", -1, "");
    join_words(argc, argv, command, sizeof command);
    if (train_options_parse(&options, argc, argv, &error)) {
        if (launcher_get()->first)
            log_line(LOG_ERROR, "%s", error.text);
        return error.code;
    }
    int code = EXIT_CODE_OK;
    if (options.ask == ASK_NOTHING && options.verify)
        code = launcher_get()->first ? program_verify(options.verify) : EXIT_CODE_OK;
    else if (options.ask == ASK_NOTHING)
        code = program_train(&options, command);
    else if (launcher_get()->first && options.ask == ASK_HELP)
        fputs(train_options_help(), stdout);
    else if (launcher_get()->first)
        program_print_version("rnn-train");
    train_options_finish(&options);
    return code;
}
