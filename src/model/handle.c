#include "model/handle.h"

#include "net/standardize.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static enum rnn_code code_of(int code)
{
    return code == EXIT_CODE_IO      ? RNN_IO
        : code == EXIT_CODE_INTERNAL ? RNN_MEMORY
        : code == EXIT_CODE_USAGE    ? RNN_MISUSE
                                     : RNN_DATA;
}

enum rnn_code handle_fail(const struct error *inside, struct rnn_error *error)
{
    enum rnn_code code = code_of(inside->code);
    if (error) {
        error->code = code;
        snprintf(error->text, sizeof error->text, "%s", inside->text);
    }
    return code;
}

static int check_features(const struct rnn_model *model, const float *x, size_t n, struct error *error)
{
    size_t I = model->config->inputs;
    for (size_t i = 0; i < n * I; i++)
        if (!isfinite(x[i]))
            return error_set(error, EXIT_CODE_DATA,
                "feature %zu of frame %zu is not finite: only finite numbers are allowed", i % I, i / I);
    return 0;
}

static int check_symbols(const struct rnn_model *model, const int32_t *symbols, size_t n, struct error *error)
{
    for (size_t i = 0; i < n; i++)
        if (symbols[i] < 0 || (size_t)symbols[i] >= model->config->inputs)
            return error_set(error, EXIT_CODE_DATA,
                "symbol %" PRId32 " of frame %zu is out of range: the network knows 0 to %zu", symbols[i], i,
                model->config->inputs - 1);
    return 0;
}

int handle_check_frames(
    const struct rnn_model *model, const struct handle_frames *frames, size_t n, struct error *error)
{
    int symbols = model->config->symbols;
    if (symbols ? !frames->symbols : !frames->x)
        return error_set(error, EXIT_CODE_USAGE, "%s: takes %s, and was given %s", model->path,
            symbols ? "symbols" : "features", symbols ? "features" : "symbols");
    return symbols ? check_symbols(model, frames->symbols, n, error)
                   : check_features(model, frames->x, n, error);
}

void handle_pack_frame(const struct rnn_model *model, const struct handle_frames *frames, size_t from,
    struct microbatch *microbatch, size_t n)
{
    size_t I = model->config->inputs;
    if (model->config->symbols)
        microbatch->symbols[n] = frames->symbols[from];
    else
        standardize_frame(frames->x + from * I, model->mean, model->deviation, I,
            microbatch->inputs + n * microbatch->inputs_stride);
}

int handle_resize(const struct rnn_model *model, struct microbatch *microbatch, size_t B,
    const int32_t *length, const int64_t *sequence, struct error *error)
{
    const struct microbatch_format format = {.inputs = model->config->symbols ? 0 : model->config->inputs};
    return microbatch_resize(microbatch, &format, B, length, sequence, NULL, error);
}
