/* What a network is, and what a pass over a microbatch takes and gives: what callers of net/net.h and the
 * files of this folder share.
 *
 * B sequences and N frames of a microbatch, I inputs, H units per direction, O outputs. */
#ifndef NET_TYPES_H
#define NET_TYPES_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

enum cell {
#define CELL(enumerator, name, kind, arithmetic, file) CELL_##enumerator,
#include "kernel/cells/list.h"
#undef CELL
};
enum output {
#define OUTPUT(enumerator, name) OUTPUT_##enumerator,
#include "net/outputs/list.h"
#undef OUTPUT
};
enum loss {
#define LOSS(enumerator, name) LOSS_##enumerator,
#include "net/losses/list.h"
#undef LOSS
};
enum attention { ATTENTION_ADDITIVE, ATTENTION_DOT, ATTENTION_NONE };

/* The enumerators as configurations and checkpoints write them; each list ends with NULL. */
extern const char *const cell_names[], *const output_names[], *const loss_names[], *const attention_names[];

enum { NET_MOST_LAYERS = 64, NET_MOST_CLASS_WEIGHTS = 4096, NET_MOST_QUANTILES = 64 };

/* A number, or where it is not given what is usual. */
struct net_choice {
    int given;
    double number;
};

/* What a network is. net_config_check (net/check.h) has the rules for what it can be. */
struct net_config {
    enum cell cell;
    enum output output;
    enum loss loss;
    size_t layers;                      /* L; 0: no recurrence */
    size_t hidden[NET_MOST_LAYERS];     /* H of each layer */
    int bidirectional[NET_MOST_LAYERS]; /* 0 or 1 */
    size_t inputs;                      /* I; with symbols: how many there are */
    int symbols;                        /* 1: inputs are symbols, one-hot or embedded */
    size_t embedding;                   /* 0: one-hot; else the width of the learned vectors */
    size_t outputs;                     /* O: classes of the dataset, or values; see net_count_head */
    double dropout;                     /* of the outputs of every layer but the last, in [0, 1) */

    /* Deep in all three blocks (Pascanu et al. 2014): dense layers with tanh. */
    size_t input_layers, input_size[NET_MOST_LAYERS];   /* between x(t) and the first recurrent layer */
    size_t transition_layers;                           /* between h(t-1) and h(t), of H units each */
    size_t output_layers, output_size[NET_MOST_LAYERS]; /* between the last layer and the head */
    int residual;             /* 1: a layer's outputs are added to its inputs, from the second layer on */
    int normalize;            /* 1: the inputs of each layer but the first are normalized */
    int initial_state;        /* 1: it is learned; 0: it is zero */
    int peepholes;            /* 1: the gates of an lstm see its memory */
    double recurrent_dropout; /* of h(t-1), one mask per sequence and direction, in [0, 1) */
    struct net_choice forget_bias; /* start of the gate that keeps the state */
    double recurrent_max; /* what bounds the size of u of an indrnn, in its start too; 0: u starts between 0
                           * and 1, and nothing bounds it */
    double timescale; /* T of at least 2: recurrent layers start so that units remember up to T steps; 0: they
                       * do not */
    double input_noise; /* deviation of what is added to real-valued inputs in training */

    /* What the loss is made of. */
    size_t class_weights; /* how many weights there are: one per class, or 0, and all are 1 */
    double class_weight[NET_MOST_CLASS_WEIGHTS];
    double label_smoothing; /* in [0, 1): this part of the target is spread over all classes alike */
    double huber_delta;     /* above 0; where the Huber loss turns from squares to absolute values */
    size_t quantiles;       /* Q: how many outputs the quantile loss has for each target value */
    double quantile[NET_MOST_QUANTILES]; /* rising, each in (0, 1) */

    /* A decoder, where the output has one. */
    enum attention attention;
    size_t decoder_layers, decoder_hidden; /* recurrent layers, and their units S */
    size_t decoder_embedding;              /* E of the symbols that are fed back */
    size_t attention_size;                 /* A of additive attention */
    size_t target_length; /* U: with real values of every sequence, since there is no end symbol; with classes
                           * of the longest that trains it, for when to give up; 0: it is not known */
};

/* One tensor of the flat parameter vector, row-major, named and shaped as in the PyTorch module
 * { rnn = nn.LSTM | nn.GRU | nn.RNN, head = nn.Linear }: gate order i f g o, r z n. */
struct parameter {
    char name[64];
    int dimensions; /* 1 or 2 */
    size_t size[2];
    size_t offset, count; /* floats, in the flat vector */
    int frozen;           /* 1: it is not trained (net_freeze) */
};

/* A piece of the starting weights, made on its own: a tensor, or one of the square matrices of a tensor that
 * starts orthogonal. */
struct net_piece {
    size_t tensor, block; /* which of the parameters, and which matrix of it */
    size_t offset, count; /* floats, in the flat vector */
    double work;          /* about how long it takes, in the time of one random number */
};

/* Called every now and then in work that takes long; show NULL: nothing is. */
struct net_life {
    void (*show)(const void *context);
    const void *context;
};

struct net;
struct kernel;

/* How a pass makes do with less memory: so many of the lowest recurrent layers keep what they give and little
 * else, and make the rest again in backward, so many steps at a time. 0: all layers keep all. */
struct net_saving {
    size_t layers, steps;
    size_t bytes; /* of the workspace */
};

/* Which members of a team meet: all of them, or of an even number the first or the second half. */
enum net_group { NET_TEAM, NET_FIRST_HALF, NET_SECOND_HALF, NET_GROUPS };

/* Processes or threads that compute one microbatch together. Each calls the same functions on a net of its
 * own, with the same microbatch; their nets share panels (net_use_panels), and the workspace of the pass and
 * the gradient lie in memory that all of them see. The first member leads: it alone has outputs and scores.
 * No bit depends on how many members there are. */
struct net_team {
    size_t index, members;
    struct net_saving saving; /* net_find_saving of the pass */
    void *workspace;          /* saving.bytes at least, aligned to MEMORY_ALIGNMENT */
    size_t workspace_bytes;
    /* Waits until all members of the group have come; returns -1 where one does not come any more. */
    int (*meet)(void *context, enum net_group group);
    void *context;
    int left; /* 1: a member has left, and the pass ends as one that is unwanted */
};

/* How the members of a team compute a recurrent layer: one of them all of it; one a direction, who meet once;
 * all a share of the units of each direction, who meet at each step; or half of them those of a direction. */
enum net_sharing { NET_ALONE, NET_BY_DIRECTIONS, NET_BY_UNITS, NET_BY_BOTH };

/* What sequences go on from that are computed in pieces, one microbatch a piece, and what they leave for the
 * next: their states, net_count_states numbers each, those of row b of the microbatch at place[b]. Of
 * networks of one direction; gradients end where a piece begins. */
struct net_carry {
    const float *before;  /* NULL: they begin as those of any microbatch do */
    float *after;         /* what rows 0 .. going - 1 leave; may be `before` */
    size_t going;         /* rows, the first ones, that go on behind this microbatch: all T steps have them */
    const int64_t *place; /* [B]; NULL: row b is at b */
};

/* Who wants the gradient of what stands above the first recurrent layer before that of this one is there: of
 * all parameters from net_first_layer_end on, if there are any. */
struct net_ahead {
    /* Called in net_backward when they are complete: once, but not at all where nothing is trained below
     * them. Of a pass that is unwanted they are whatever they are. */
    void (*tell)(void *context);
    void (*look)(void *context); /* called at each step and piece of a product, before that too */
    void *context;
};

/* What one pass is for. */
struct net_pass {
    int training;         /* 1: dropout is on, and what backward needs is kept */
    int still;            /* 1: nothing is random in training either: no dropout and no noise */
    uint64_t seed, epoch; /* key of the random masks, together with sequence, layer and step */
    size_t beam;          /* ctc and decoder, not in training: hypotheses kept; 0 and 1: greedy */
    double temperature; /* decoder of classes, not in training: above 0, symbols are drawn, keyed by seed, and
                         * there is no beam */
    size_t most_labels; /* decoder of classes: labels made at most; 0: see docs/network.md */
    /* Bytes that the workspace is to take at most, of a team's for each member; 0: as many as it likes. Where
     * even the least takes more, it is taken. No bit depends on this. */
    size_t memory;
    /* Where it is not 0, nobody wants the results any more: the pass ends within the time of a product, and
     * what it leaves is of no use. Once not 0 it stays so. NULL: they are always wanted. */
    const volatile sig_atomic_t *unwanted;
    struct net_team *team;         /* NULL: the pass is computed alone */
    const struct net_carry *carry; /* NULL: sequences are whole */
    const struct net_ahead *ahead; /* NULL: nobody does; not of a team */
};

/* Loss and error of one sequence of a microbatch, sums over what was counted. */
struct net_score {
    /* Summed over targets: nats of softmax and ctc, and of sigmoid over all outputs; of values the mean over
     * outputs. */
    double loss;
    double errors;  /* wrong targets; of ctc and decoder edits; NaN for a loss that knows no wrong */
    double counted; /* what losses are divided by: targets, also the end symbol of a decoder; of ctc 1; of a
                     * row of values some of which are missing the part that is there; times the target's
                     * weight */
    double labels;  /* what errors are divided by: as counted; of ctc and decoder labels of the reference */
};

/* Outputs of the net for one microbatch, of the workspace: probabilities (softmax, sigmoid) or values, as the
 * loss has them (loss_present gives what users are told). */
struct net_outputs {
    /* In the order of the microbatch: one a frame or one a sequence (struct output_kind tells which); of a
     * decoder of values target_length of each sequence in turn, of a decoder of classes none. */
    size_t rows;
    size_t stride;       /* floats from row to row */
    const float *values; /* [rows][stride], net_count_head of each; valid until the next call on this net */

    /* The labels that ctc or a decoder of classes made: label_start[b] .. label_start[b + 1] - 1 are those of
     * row b of the microbatch. NULL in training. */
    const size_t *label_start; /* [B + 1] */
    const int32_t *labels;
};

/* How gradients fade on their way back through the time of single directions of recurrent layers. */
struct net_flow {
    size_t first, end; /* directions first .. end - 1 of the net (net/flow.h) */
    /* [end - first][B][T] the caller's, in the order of the microbatch: the norm of the gradient by the
     * states so many steps before the last one that the direction visits, divided by that at the last one,
     * where a gradient of 1 / sqrt(H) by the output of each unit begins. It is infinite behind a row's
     * length, and where the gradient is beyond what a float holds; and NaN where there is none at the last
     * step. */
    double *norms;
};

/* How many gates a cell has: its weights have so many times H rows. */
size_t net_count_gates(enum cell cell);

/* How many outputs the head has: O, times what the loss takes for each target value (struct loss_kind), and
 * one more where labels are made: the blank of ctc, the end symbol of a decoder. */
size_t net_count_head(const struct net_config *config);

/* Where the time of a pass goes: see net_set_times. */
enum net_time { NET_FORWARD, NET_BACKWARD, NET_WEIGHT_GRADIENT, NET_ACTIVATION, NET_TIMES };

#endif
