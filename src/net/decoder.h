/* A decoder on the outputs of the recurrent layers: it makes a sequence of symbols, or of values, from what
 * the encoder made of a sequence of frames (docs/network.md, Decoder). What it gives are rows for the output
 * layers and head, struct top.
 *
 * With targets it runs over all symbols at once, each input the true symbol before (teacher forcing), on an
 * inner microbatch: `targets`, whose frames are the symbols of the microbatch's sequences, those with most
 * symbols first. Otherwise it runs on what it makes itself, one step of all rows at a time: see
 * decoder_search.c.
 *
 * N frames, B sequences, T frames of the longest sequence, F encoder outputs, S units, U targets of a
 * sequence, R rows: symbols of the inner microbatch, or hypotheses. Buffers are of the workspace, taken by
 * decoder_take_workspace before forward and valid until backward is done. */
#ifndef NET_DECODER_H
#define NET_DECODER_H

#include "net/attention.h"
#include "net/dense.h"
#include "net/embedding.h"
#include "net/recurrent.h"
#include "net/top.h"

struct decoder_layer {
    struct dense start; /* from the encoder's last states to h and, of an lstm, c before the first symbol */
    struct recurrent recurrent;
    /* Workspace. */
    float *Y, *dY; /* [R + rows of a step][S_stride] */
    float *begin;  /* [B][start_stride] what `start` gave, behind tanh; in order of the microbatch */
};

/* What a free run keeps. Entry u of what has one for each step describes the hypotheses that step u computes.
 */
struct decoder_search {
    size_t rows;  /* most hypotheses at once: B times the beam */
    float *h, *c; /* [layers][rows][S_stride], [layers][rows][Sp] states behind the last step */
    int32_t *symbol,
        *parent;            /* [steps][rows] input of a hypothesis; row of the step before it goes on from */
    int32_t *row;           /* [rows] of the next step: row of the microbatch */
    double *sum, *next_sum; /* [rows] sums of logarithms */
    float *logits;          /* [head's stride] */
    struct continuation *continuations; /* [beam] */
    struct finished *finished;          /* [B] */
};

struct decoder {
    const struct net_config *config; /* the net's */
    const struct cell_kind *kind;    /* of its recurrent layers */
    int classes;                     /* 1: symbols with an end; 0: values */
    size_t layers, S, Sp;
    size_t S_stride, F_stride, X_stride, start_stride;
    struct extent encoder, outputs;   /* what it sees, what it gives */
    struct embedding embedding;       /* of symbols; zeroes with values */
    struct decoder_layer *layer;      /* [layers] */
    struct attention_layer attention; /* zeroes: none */
    struct tensors tensors;           /* of the embedding, then of the layers from below, then of attention */

    /* Workspace. */
    struct microbatch targets; /* classes or values as the head is to give them; no frames: no targets */
    int32_t *source;           /* [B] row of the microbatch that row b of targets comes from */
    int32_t *row;              /* [R] row of the microbatch that each row belongs to */
    int32_t *order;            /* [symbols] those of a sequence together */
    float *X, *dX;             /* [R][X_stride] inputs */
    float *e, *de;             /* [B][F_stride] the encoder's last states; de twice */
    float *dbegin;             /* [B][start_stride] */
    float *out, *dout;         /* [R][S_stride] the rows it gives, and the gradient by them */
    struct decoder_search search;
    float *values;       /* free run with values: [B U][stride of the head] */
    size_t *label_start; /* free run with classes: as in struct net_outputs */
    int32_t *labels;
};

struct decoder_size {
    int training;
    size_t B, N, T;
    size_t symbols, steps; /* of the inner microbatch: all, and of the longest; 0: no targets */
    size_t beam;           /* 0: no free run */
    size_t most, labels;   /* of a free run: symbols of the longest sequence, labels of all, at most */
    size_t head_stride;    /* of the head's outputs */
};

/* Declares the tensors of the decoder that the configuration asks for, on rows of extent `encoder`, and sets
 * it up. The configuration is read as long as the decoder is used. */
int decoder_init(struct decoder *d, const struct net_config *config, struct extent encoder,
    struct parameters *parameters, struct error *error);
void decoder_finish(struct decoder *d); /* takes zeroes */
void decoder_take_panels(struct decoder *d, struct arena *arena);
void decoder_pack(struct decoder *d, const struct packing *packing);

/* What the workspace of a pass over a microbatch depends on. */
struct decoder_size decoder_measure(const struct decoder *d, const struct pass *pass, size_t head_stride);
size_t decoder_count_rows(const struct decoder_size *size); /* R: most that the head sees at once */

void decoder_take_workspace(
    struct decoder *d, const struct pass *pass, struct arena *arena, const struct decoder_size *size);

/* Computes starting states and keys from the encoder's outputs `in` [N], before anything else is run. */
void decoder_start(struct decoder *d, const struct pass *pass, struct dense_input in);

/* Teacher forcing: makes d->targets of the microbatch's targets, and computes rows d->out of its frames. */
void decoder_forward(struct decoder *d, const struct pass *pass, struct dense_input in);

/* Backpropagates from d->dout; dY, with the stride of `in`, is overwritten; NULL: it is not wanted, and
 * nothing below the lowest layer of the decoder that is trained is computed. */
void decoder_backward(struct decoder *d, const struct pass *pass, struct dense_input in, float *dY);

/* Runs freely after decoder_start: into d->values, or d->label_start and d->labels. It overwrites what
 * decoder_forward and top_forward left. */
void decoder_run(struct decoder *d, const struct pass *pass, struct dense_input in, struct top *top);

/* ---- shared by the files of the decoder ---- */

/* Runs layers and attention once over the frames of `inner`, whose inputs are in d->X, whose rows' starting
 * states are set, and whose frames belong to rows d->row of the microbatch. */
void decoder_compute(struct decoder *d, const struct pass *pass, const struct microbatch *inner,
    struct dense_input in, const int32_t *order);

/* The queries that the R rows of the uppermost layer's outputs are. */
struct attention_queries decoder_queries(const struct decoder *d, size_t R,
    const struct microbatch *microbatch, struct dense_input in, const int32_t *order);

/* Symbols that the targets of row b are made into. */
size_t decoder_count_symbols(const struct decoder *d, const struct microbatch *microbatch, size_t b);

/* The inner microbatch of targets: its workspace, then all of it, with inputs and starting states. */
void decoder_targets_take_workspace(struct decoder *d, struct arena *arena, const struct decoder_size *size);
void decoder_targets_set(struct decoder *d, const struct microbatch *microbatch);

void decoder_search_take_workspace(struct decoder *d, struct arena *arena, const struct decoder_size *size);

/* How many symbols a free run makes of T frames at most, the end symbol among them: few frames may have many.
 */
static inline size_t decoder_most_symbols(
    const struct net_config *config, const struct net_pass *options, size_t T)
{
    size_t usual = 10 * T > config->target_length ? 10 * T : config->target_length;
    return options->most_labels ? options->most_labels : usual + 20;
}

#endif
