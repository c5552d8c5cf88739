/* rnn-predict: runs a trained network over a dataset, on any number of ranks. */
#include "base/error.h"
#include "base/streams.h"
#include "cmd/program.h"
#include "predict/predict.h"

int main(int argc, char **argv)
{
    struct predict_options options;
    struct error error;
    program_begin("rnn-predict");
    if (predict_options_parse(&options, argc, argv, &error))
        return streams_end(program_refuse(&error));
    int code = EXIT_CODE_OK;
    if (options.ask)
        program_answer("rnn-predict", options.ask, options.table);
    else
        code = predict_run(&options);
    predict_options_finish(&options);
    return streams_end(code);
}
