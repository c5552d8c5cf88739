/* A deep bidirectional recurrent network: what it is made of, its parameters, forward and backward on one
 * microbatch.
 *
 *     x(t) -> [embedding] -> [input layers] -> recurrent layer 1 -> ... -> recurrent layer L
 *          -> [decoder] -> [output layers] -> head -> y(t)
 *
 * A recurrent layer runs its cell over the sequence in one direction or in both; with both, the outputs of
 * the two are joined at each step. Nothing here knows files, ranks or optimizers, and nothing is collective.
 * docs/network.md has the equations.
 *
 * T steps, B sequences, N frames of a microbatch (net/microbatch.h), I inputs, H units per direction, D
 * directions, O outputs, P parameters. */
#ifndef NET_NET_H
#define NET_NET_H

#include "base/error.h"
#include "net/microbatch.h"

#include <stddef.h>
#include <stdint.h>

enum cell {
#define CELL(enumerator, name, kind, file) CELL_##enumerator,
#include "net/cells/list.h"
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

enum { NET_MOST_LAYERS = 64, NET_MOST_CLASS_WEIGHTS = 4096 };

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
    double input_noise;       /* deviation of what is added to real-valued inputs in training */

    /* What the loss is made of. */
    size_t class_weights; /* how many weights there are: one per class, or 0, and all are 1 */
    double class_weight[NET_MOST_CLASS_WEIGHTS];
    double label_smoothing; /* in [0, 1): this part of the target is spread over all classes alike */
    double huber_delta;     /* above 0; where the Huber loss turns from squares to absolute values */

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
};

struct net;
struct kernel;

/* The net is owned by the caller, who ends it with net_destroy. The configuration is copied; it must be one
 * that net_config_check has no objection to (assert), bound to a dataset. */
struct net *net_create(const struct net_config *config, struct error *error);
void net_destroy(struct net *net); /* takes NULL */

const struct net_config *net_get_config(const struct net *net);
const struct kernel *net_get_kernel(const struct net *net);
size_t net_count_gates(enum cell cell);

/* How many outputs the head has: O, and one more where labels are made: the blank of ctc, the end symbol of a
 * decoder. */
size_t net_count_head(const struct net_config *config);
size_t net_count_parameters(const struct net *net); /* P */

/* The net's own table of its n parameters, in order of offset. */
const struct parameter *net_get_parameters(const struct net *net, size_t *n);

/* Writes the starting weights [P], a pure function of the configuration and seed. Input weights, biases and
 * the head are uniform in +-1/sqrt(H) as PyTorch has them, dense layers and the head by their own number of
 * inputs; initial states are zero. Recurrent weights are orthogonal per gate (Saxe, McClelland and Ganguli
 * 2014), made from Householder reflections. The LSTM's forget gate starts with a bias of 1 in all, half in
 * each of its two biases (Jozefowicz, Zaremba and Sutskever 2015). */
int net_init_weights(const struct net *net, uint64_t seed, float *weights, struct error *error);

/* Packs weights [P] into the panels that forward and backward multiply with, once per update. Nothing reads
 * `weights` again afterwards. */
void net_pack(struct net *net, const float *weights);

/* How many bytes the net holds for panels. */
size_t net_panel_bytes(const struct net *net);

/* What one pass is for. */
struct net_pass {
    int training;         /* 1: dropout is on, and what backward needs is kept */
    uint64_t seed, epoch; /* key of the random masks, together with sequence, layer and step */
    size_t beam;          /* ctc and decoder, not in training: hypotheses kept; 0 and 1: greedy */
    double temperature; /* decoder of classes, not in training: above 0, symbols are drawn, keyed by seed, and
                         * there is no beam */
    size_t most_labels; /* decoder of classes: labels made at most; 0: see docs/network.md */
};

/* Returns the bytes of the workspace of a pass over a microbatch, with scores where the microbatch has
 * targets. Of the microbatch only its layout is read, and whether it has targets. A pass made before is lost:
 * net_backward cannot follow any more. */
size_t net_workspace_bytes(
    struct net *net, const struct net_pass *options, const struct microbatch *microbatch);

/* Loss and error of one sequence of a microbatch, sums over what was counted. */
struct net_score {
    double loss;   /* summed over targets: nats of softmax and ctc, and of sigmoid over all outputs; of values
                    * the   mean over outputs */
    double errors; /* wrong targets; of ctc and decoder edits; NaN for a loss that knows no wrong */
    double counted; /* what losses are divided by: targets, also the end symbol of a decoder; of ctc 1 */
    double labels;  /* what errors are divided by: as counted; of ctc and decoder labels of the reference */
};

/* Outputs of the net for one microbatch, of the workspace: probabilities (softmax, sigmoid) or values. */
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

/* Runs the net on a microbatch, growing its workspace where it must. Without targets in the microbatch scores
 * may be NULL. scores [B] are in the order of the microbatch. Row by row, outputs and scores do not depend on
 * which other sequences are in the microbatch. */
int net_forward(struct net *net, const struct net_pass *options, const struct microbatch *microbatch,
    struct net_outputs *outputs, struct net_score *scores, struct error *error);

/* The states of all layers of B sequences, for running a net step by step. Before any step they are those
 * that the net starts sequences from. Returns NULL and an error (EXIT_CODE_USAGE) for a net with a reverse
 * direction, which starts at the end, or with a decoder, which reads all of a sequence first. The caller owns
 * the state and ends it with net_state_destroy, before or after the net. */
struct net_state;
struct net_state *net_state_create(const struct net *net, size_t B, struct error *error);
void net_state_destroy(struct net_state *state); /* takes NULL */

/* Runs a microbatch of B equal lengths, not in training and without scores, from the state, and leaves the
 * state after its last step: pieces of sequences run in turn give the bits of the whole in one. Row b goes on
 * from row b. */
int net_continue(struct net *net, struct net_state *state, const struct microbatch *microbatch,
    struct net_outputs *outputs, struct error *error);

/* Backpropagates through time the pass just made on this microbatch, with training = 1 and scores: adds the
 * gradient of the sum of the losses over the microbatch to `gradient` [P]. It destroys the outputs of the
 * pass.
 */
void net_backward(
    struct net *net, const struct net_pass *options, const struct microbatch *microbatch, float *gradient);

/* From now on seconds are added to times [NET_TIMES], which are the caller's, at the cost of reading a clock;
 * NULL ends that. Forward and backward hold all that is in them: both the activations, and backward the
 * weight gradients. */
enum net_time { NET_FORWARD, NET_BACKWARD, NET_WEIGHT_GRADIENT, NET_ACTIVATION, NET_TIMES };
void net_set_times(struct net *net, double *times);

#endif
