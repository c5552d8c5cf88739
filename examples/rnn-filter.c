/* A filter: frames of sequences come on standard input, a line each, and what a trained network makes of them
 * goes to standard output as soon as it is known.
 *
 *     cc rnn-filter.c $(pkg-config --cflags --libs rnn) -o rnn-filter
 *     rnn-filter best.h5 < frames.txt
 *
 * A line holds the features of a frame, or its symbol, as numbers with blanks or commas between; an empty
 * line ends a sequence. Of networks that read in both directions CHUNK frames are run at a time, and
 * LOOK-AHEAD further ones behind them (rnn_stream_open). */
#include <rnn.h>

#include <stdio.h>
#include <stdlib.h>

static int complain(const struct rnn_error *error)
{
    fprintf(stderr, "rnn-filter: %s\n", error->text);
    return 1;
}

/* A row: the name of its label, or its number, and its values. Of ctc and its like rows are left out and
 * labels come by themselves. */
static void print_rows(const struct rnn_model *model, const struct rnn_rows *rows)
{
    size_t columns = rnn_output(model) == RNN_CTC ? 0 : rows->width;
    size_t lines = columns ? rows->rows : rows->labels;
    for (size_t i = 0; i < lines; i++) {
        if (rows->label) {
            const char *name = rnn_name(model, RNN_NAMES_OF_CLASSES, (size_t)rows->label[i]);
            if (name)
                printf("%s", name);
            else
                printf("%d", (int)rows->label[i]);
        }
        for (size_t c = 0; c < columns; c++)
            printf("%s%.9g", c || rows->label ? " " : "", (double)rows->values[i * rows->width + c]);
        printf("\n");
    }
    fflush(stdout);
}

/* Reads up to `most` numbers from a line; returns how many there are, which may be more. */
static size_t read_numbers(char *line, float *numbers, size_t most)
{
    size_t n = 0;
    for (char *at = line, *end;; at = end) {
        while (*at == ' ' || *at == ',' || *at == '\t')
            at++;
        double number = strtod(at, &end);
        if (end == at)
            return *at == '\n' || *at == '\r' || *at == 0 ? n : most + 1;
        if (n++ < most)
            numbers[n - 1] = (float)number;
    }
}

/* Takes a line, and prints what can be said by then. */
static enum rnn_code take_line(
    const struct rnn_model *model, struct rnn_stream *stream, char *line, float *x, struct rnn_error *error)
{
    size_t wanted = rnn_input(model) == RNN_SYMBOLS ? 1 : rnn_inputs(model);
    size_t found = read_numbers(line, x, wanted);
    struct rnn_rows rows;
    if (found && found != wanted) {
        error->code = RNN_DATA;
        snprintf(error->text, sizeof error->text, "a line does not hold %zu number%s: %.60s", wanted,
            wanted == 1 ? "" : "s", line);
        return RNN_DATA;
    }
    int32_t symbol = wanted == 1 && x[0] >= 0 && x[0] < 1e9f ? (int32_t)x[0] : -1;
    enum rnn_code code = !found           ? rnn_stream_end(stream, &rows, error)
        : rnn_input(model) == RNN_SYMBOLS ? rnn_stream_symbols(stream, 1, &symbol, &rows, error)
                                          : rnn_stream_features(stream, 1, x, &rows, error);
    if (code != RNN_OK)
        return code;
    print_rows(model, &rows);
    if (!found)
        printf("\n");
    return RNN_OK;
}

static enum rnn_code filter(const struct rnn_model *model, struct rnn_stream *stream, struct rnn_error *error)
{
    char *line = NULL;
    size_t room = 0;
    int open = 0; /* 1: a sequence has begun */
    enum rnn_code code = RNN_OK;
    float *x = malloc((rnn_inputs(model) + 1) * sizeof *x);
    while (x && code == RNN_OK && getline(&line, &room, stdin) > 0) {
        code = take_line(model, stream, line, x, error);
        open = line[0] != '\n';
    }
    if (code == RNN_OK && open)
        code = take_line(model, stream, (char[]){""}, x, error);
    free(line);
    free(x);
    return code;
}

int main(int argc, char **argv)
{
    struct rnn_error error;
    struct rnn_model *model;
    struct rnn_stream *stream;
    if (argc != 2 && argc != 4) {
        fprintf(stderr, "Usage: rnn-filter CHECKPOINT [CHUNK LOOK-AHEAD]\n");
        return 2;
    }
    size_t chunk = argc == 4 ? strtoul(argv[2], NULL, 10) : 32,
           look_ahead = argc == 4 ? strtoul(argv[3], NULL, 10) : 32;
    if (rnn_open(argv[1], &model, &error) != RNN_OK)
        return complain(&error);
    enum rnn_code code = rnn_stream_open(model, chunk, look_ahead, &stream, &error);
    if (code == RNN_OK)
        code = filter(model, stream, &error);
    rnn_stream_close(stream);
    rnn_close(model);
    return code == RNN_OK ? 0 : complain(&error);
}
