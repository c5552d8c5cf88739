#include "model/facts.h"

#include "model/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct fact_taker {
    int (*take)(void *context, const char *name, const char *value, struct error *error);
    void *context;
    struct error *error;
};

/* Ends the stream and hands over what was written to it. */
static int hand_over(const struct fact_taker *taker, const char *name, FILE *stream, char **text)
{
    int failed = fclose(stream) != 0 || !*text;
    if (failed)
        error_set(taker->error, EXIT_CODE_INTERNAL, "out of memory");
    int outcome = failed ? -1 : taker->take(taker->context, name, *text, taker->error);
    free(*text);
    return outcome;
}

static int give_numbers(const struct fact_taker *taker, const char *name, const double *numbers, size_t n)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return error_set(taker->error, EXIT_CODE_INTERNAL, "out of memory");
    json_write_numbers(stream, numbers, n);
    return hand_over(taker, name, stream, &text);
}

static int give_names(const struct fact_taker *taker, const char *name, const struct name_list *list)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return error_set(taker->error, EXIT_CODE_INTERNAL, "out of memory");
    json_write_texts(stream, list->text, list->n);
    return hand_over(taker, name, stream, &text);
}

int facts_list(const struct checkpoint *checkpoint,
    int (*take)(void *context, const char *name, const char *value, struct error *error), void *context,
    struct error *error)
{
    const struct fact_taker taker = {take, context, error};
    char hash[17], name[64];
    snprintf(hash, sizeof hash, "%016" PRIx64, checkpoint->weights_hash);
    int outcome = take(context, "rnn-train.version", RNN_VERSION, error);
    if (outcome == 0)
        outcome = take(context, "rnn-train.weights_hash", hash, error);
    if (outcome == 0)
        outcome = take(context, "rnn-train.config", checkpoint->config, error);
    if (outcome == 0 && checkpoint->features)
        outcome = give_numbers(&taker, "rnn-train.mean", checkpoint->mean, checkpoint->features);
    if (outcome == 0 && checkpoint->features)
        outcome = give_numbers(&taker, "rnn-train.deviation", checkpoint->deviation, checkpoint->features);
    for (size_t i = 0; i < NAMES_LISTS && outcome == 0; i++) {
        snprintf(name, sizeof name, "rnn-train.%s", names_lists[i]);
        if (checkpoint->names.list[i].text)
            outcome = give_names(&taker, name, &checkpoint->names.list[i]);
    }
    return outcome;
}
