/* librnn: networks that rnn-train has trained, in other programs.
 *
 *     struct rnn_error error;
 *     struct rnn_model *model;
 *     if (rnn_open("best.h5", &model, &error))
 *         return complain(error.text);
 *     const int64_t offsets[] = {0, 120, 200};          // two sequences, of 120 and of 80 frames
 *     const struct rnn_result *result;
 *     if (rnn_run_features(model, 2, offsets, x, 0, &result, &error))
 *         return complain(error.text);
 *     use(result->values, result->rows, result->width);
 *     rnn_result_free(result);
 *     rnn_close(model);
 *
 * What it gives has the bits of what `rnn-predict -o` writes, whatever runs together, in pieces or alone.
 * Inputs are given as they are: a network that was trained on standardized ones standardizes them itself.
 *
 * Every function that can fail returns RNN_OK or what kind of thing went wrong, and puts a line for people
 * into *error, which may be NULL; what it was to make is NULL or untouched then. The library has no output,
 * never ends the process, handles no signals, and needs no MPI. It reads the environment variable RNN_ISA, as
 * the programs do.
 *
 * Threads. A model with its streams is used by one thread at a time; different models by different
 * threads at once. Results belong to nobody but their owner. Only rnn_open() uses HDF5, behind a lock of its
 * own: a program that uses HDF5 itself, in a build that is not thread-safe, does not do so meanwhile.
 *
 * Trust. rnn_open() takes files that end with their hash line, as rnn-train and rnn-model write them, and
 * no byte of another reaches HDF5: what was damaged or cut, or written by other programs, is refused.
 * Whatever is in a file that was made to deceive is checked as well, but its hash can be forged, and HDF5 has
 * faults that a forger may know: take files from people whom you would take programs from.
 *
 * Names begin with rnn_ and RNN_. Functions are added, and members behind those of struct rnn_result; none
 * changes within a major version of the library.
 */
#ifndef RNN_H
#define RNN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What became of a call. */
enum rnn_code {
    RNN_OK = 0,
    RNN_MISUSE = 1, /* the network cannot do that, or an argument is out of its range */
    RNN_DATA = 2,   /* a checkpoint that is damaged or none, or inputs that are no numbers */
    RNN_IO = 3,     /* a file that cannot be read */
    RNN_MEMORY = 4  /* no memory */
};

/* What went wrong, the caller's own. */
struct rnn_error {
    int code;        /* enum rnn_code */
    char text[1024]; /* one line, without its end: what is wrong, and mostly what to do */
};

/* A network, from rnn_open() to rnn_close(). */
struct rnn_model;

/* A sequence that comes in pieces, from rnn_stream_open() to rnn_stream_close(). */
struct rnn_stream;

/* The version of the library, as "0.2.0". */
const char *rnn_version(void);

/* ---- a model ---- */

/* Opens the checkpoint at `path`, or best.h5 of a run directory. */
enum rnn_code rnn_open(const char *path, struct rnn_model **model, struct rnn_error *error);

/* Ends a model, all streams of which have been closed. Takes NULL. */
void rnn_close(struct rnn_model *model);

/* What a network takes. */
enum rnn_input_kind {
    RNN_FEATURES, /* numbers, rnn_inputs() a frame */
    RNN_SYMBOLS   /* one symbol a frame, 0 to rnn_inputs() - 1 */
};

/* What a network makes of a sequence. */
enum rnn_output_kind {
    RNN_FRAME,    /* a row for each frame */
    RNN_SEQUENCE, /* a row for the sequence */
    RNN_CTC,      /* a row for each frame, the blank last in it, and labels read from them */
    RNN_DECODER   /* labels, or where it is of real values as many rows for every sequence */
};

/* What lists of names are of. */
enum rnn_names { RNN_NAMES_OF_FEATURES, RNN_NAMES_OF_SYMBOLS, RNN_NAMES_OF_CLASSES, RNN_NAMES_OF_TARGETS };

enum rnn_input_kind rnn_input(const struct rnn_model *model);
enum rnn_output_kind rnn_output(const struct rnn_model *model);

/* Features of a frame, or how many symbols there are. */
size_t rnn_inputs(const struct rnn_model *model);

/* Numbers in a row of values; 0 where there are only labels. */
size_t rnn_width(const struct rnn_model *model);

/* How many neighbours in a row belong to one target: 1, or as many as there are quantiles, or 2 where the
 * network tells mean and variance. */
size_t rnn_numbers_per_target(const struct rnn_model *model);

/* How many classes labels are of; 0 where the network tells real values or independent probabilities. */
size_t rnn_classes(const struct rnn_model *model);

/* 1: sequences are read forward only; 2: also from their end, at least in one layer. */
size_t rnn_directions(const struct rnn_model *model);

/* Rows of values that a sequence of so many frames gives. */
size_t rnn_count_rows(const struct rnn_model *model, size_t frames);

/* How many weights there are. */
size_t rnn_parameters(const struct rnn_model *model);

/* The hash of the weights, as rnn-train prints it. */
uint64_t rnn_weights_hash(const struct rnn_model *model);

/* The words of the configuration: "lstm" and so on, "frame" and so on, "softmax" and so on. */
const char *rnn_cell_name(const struct rnn_model *model);
const char *rnn_output_name(const struct rnn_model *model);
const char *rnn_loss_name(const struct rnn_model *model);

/* Name `i` of a list, in UTF-8, the model's; NULL where the training set had no such list, or not so many.
 */
const char *rnn_name(const struct rnn_model *model, enum rnn_names list, size_t i);

/* ---- whole sequences ---- */

/* What a network made of sequences: the library's own memory, to be read until rnn_result_free(). */
struct rnn_result {
    size_t sequences;
    size_t rows, width;         /* of the values; no rows where there are only labels */
    const float *values;        /* [rows][width] probabilities, or values */
    const int64_t *row_offsets; /* [sequences + 1] rows of sequence s: row_offsets[s] .. [s + 1] - 1 */
    size_t labels;              /* how many */
    const int32_t *label; /* [labels] classes; NULL where rnn_classes() is 0. Of frames and sequences the
                             most probable of each row */
    const int64_t *label_offsets; /* [sequences + 1]; NULL as label */
};

/* Runs `sequences` whole sequences, of any lengths: frames offsets[s] .. offsets[s + 1] - 1 of x are
 * sequence s, offsets[0] is 0 and each sequence has a frame at least. x: [frames][rnn_inputs()], finite.
 *
 * `beam` is of ctc and of decoders of classes: how many hypotheses the search for labels keeps, as --beam of
 * rnn-predict, 65536 at most; 0 and 1: the best label at each step. */
enum rnn_code rnn_run_features(struct rnn_model *model, size_t sequences, const int64_t *offsets,
    const float *x, size_t beam, const struct rnn_result **result, struct rnn_error *error);

/* The same of symbols [frames]. */
enum rnn_code rnn_run_symbols(struct rnn_model *model, size_t sequences, const int64_t *offsets,
    const int32_t *symbols, size_t beam, const struct rnn_result **result, struct rnn_error *error);

/* Takes NULL. */
void rnn_result_free(const struct rnn_result *result);

/* ---- sequences as they come ---- */

/* Rows that a stream gives: its own memory, until the next call on the model or its streams. */
struct rnn_rows {
    size_t rows, width;
    const float *values;  /* [rows][width] */
    size_t labels;        /* how many */
    const int32_t *label; /* of frames and sequences the most probable class of each row; of ctc the labels
                             of the best path that begin in these rows; NULL where rnn_classes() is 0 */
};

/* Begins a stream.
 *
 * Of a network with forward directions alone neither number is looked at: what is pushed is computed at once,
 * however much it is, a frame at a time or thousands, and all together has the bits of the whole in one.
 *
 * A network with both directions begins at the end of a sequence too, which is not there yet. It is run by
 * windows: `chunk` frames, 1 at least, and behind them `look_ahead` further ones. Forward directions go on
 * from chunk to chunk; reverse ones begin anew at the end of each window, as though the sequence ended there.
 * So rows of a chunk come as soon as look_ahead frames behind it are there, and are not those of the whole
 * sequence, but near them: the nearer, the further the network looks ahead, at a cost of (chunk +
 * look_ahead) / chunk. Where a sequence fits in one window the bits are those of the whole.
 *
 * A network that makes one row of a sequence gives it at every push, for the sequence so far; it must have
 * forward directions alone. A decoder reads a sequence whole before it says anything, and has no streams. */
enum rnn_code rnn_stream_open(struct rnn_model *model, size_t chunk, size_t look_ahead,
    struct rnn_stream **stream, struct rnn_error *error);

/* Ends a stream. Takes NULL. */
void rnn_stream_close(struct rnn_stream *stream);

/* Goes on with `frames` more frames of the sequence, x [frames][rnn_inputs()]; there may be none. *rows gets
 * what can be told by now. Frames that are refused (RNN_DATA, RNN_MISUSE) have not been; after RNN_MEMORY the
 * stream is at the beginning of a sequence, and so it is where what came out is not finite. */
enum rnn_code rnn_stream_features(
    struct rnn_stream *stream, size_t frames, const float *x, struct rnn_rows *rows, struct rnn_error *error);

/* The same of symbols. */
enum rnn_code rnn_stream_symbols(struct rnn_stream *stream, size_t frames, const int32_t *symbols,
    struct rnn_rows *rows, struct rnn_error *error);

/* Ends the sequence: *rows gets what was held back for the frames to come, and the stream is at the
 * beginning of another sequence. */
enum rnn_code rnn_stream_end(struct rnn_stream *stream, struct rnn_rows *rows, struct rnn_error *error);

#ifdef __cplusplus
}
#endif

#endif
