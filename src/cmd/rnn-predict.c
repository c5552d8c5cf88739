/* rnn-predict: runs a trained network over a dataset, on any number of ranks. */
#include "base/error.h"
#include "base/log.h"
#include "cmd/program.h"
#include "comm/launcher.h"
#include "predict/predict.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    struct predict_options options;
    struct error error;
    log_set_speaker("rnn-predict", -1, "");
    if (predict_options_parse(&options, argc, argv, &error)) {
        if (launcher_get()->first)
            log_line(LOG_ERROR, "%s", error.text);
        return error.code;
    }
    if (options.ask == ASK_NOTHING)
        return program_predict(&options);
    if (launcher_get()->first && options.ask == ASK_HELP)
        fputs(predict_options_help(), stdout);
    else if (launcher_get()->first)
        program_print_version("rnn-predict");
    return EXIT_CODE_OK;
}
