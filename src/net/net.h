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
#include "net/types.h"

#include <stddef.h>
#include <stdint.h>

/* The net is owned by the caller, who ends it with net_destroy. The configuration is copied; it must be one
 * that net_config_check has no objection to (assert), bound to a dataset. */
struct net *net_create(const struct net_config *config, struct error *error);

/* A net that is only described: parameters and sizes are known, of however large a network, and little memory
 * is taken. Nothing can be packed or computed with it before net_use_panels. */
struct net *net_describe(const struct net_config *config, struct error *error);

void net_destroy(struct net *net); /* takes NULL */

const struct net_config *net_get_config(const struct net *net);
const struct kernel *net_get_kernel(const struct net *net);

size_t net_count_parameters(const struct net *net); /* P */

/* Returns where the parameters of what stands above the first recurrent layer begin; P where that is no more
 * than a dense output, or there is no recurrent layer. */
size_t net_first_layer_end(const struct net *net);

/* The net's own table of its n parameters, in order of offset. */
const struct parameter *net_get_parameters(const struct net *net, size_t *n);

/* Freezes those of the n tensors for which frozen[i] is not 0, and no others. What stands there is learned no
 * more: net_backward adds to their gradient nothing or something that is of no use, and it computes nothing
 * below the lowest layer that has a tensor that is not frozen. To be called before the first pass; sizes of
 * workspaces depend on it. */
void net_freeze(struct net *net, const unsigned char *frozen);

/* How many of the P parameters are not frozen. */
size_t net_count_trained(const struct net *net);

/* Returns, for each tensor, 1 where it is of the head and 0 where not: of the head is what has its shape from
 * the number of outputs, which are head.weight and head.bias, and of a decoder what it takes in of what it
 * has made (the embedding of its symbols; with values the input weights of its first layer). All else is the
 * body, and a network of other classes or values has the same. The caller's, ended by memory_destroy; NULL
 * and an error where there is no memory. (head.c) */
unsigned char *net_find_head(const struct net *net, struct error *error);

/* Writes the starting weights [P], a pure function of the configuration and seed. Input weights, biases and
 * the head are uniform in +-1/sqrt(H) as PyTorch has them, dense layers and the head by their own number of
 * inputs; initial states are zero. Recurrent weights are orthogonal per gate (Saxe, McClelland and Ganguli
 * 2014), made from Householder reflections. The LSTM's forget gate starts with a bias of 1 in all, half in
 * each of its two biases (Jozefowicz, Zaremba and Sutskever 2015). */
int net_init_weights(const struct net *net, uint64_t seed, float *weights, struct error *error);

/* The same in pieces, for ranks that share the work: an orthogonal matrix takes H^3 operations. Sets *piece
 * to piece i, from 0 on, and returns 1, or 0 where there is none; the pieces are all of the weights. The
 * second writes one of them where it belongs in weights [P]. */
int net_get_piece(const struct net *net, size_t i, struct net_piece *piece);
int net_start_piece(const struct net *net, const struct net_piece *piece, uint64_t seed,
    const struct net_life *life, float *weights, struct error *error);

/* Brings weights [end - first], numbers first .. end - 1 of the flat vector, back within what bounds them
 * (recurrent_max), as whoever has changed them does. */
void net_bound_weights(const struct net *net, size_t first, size_t end, float *weights);

/* Gives a net that is only described the memory for what is packed: net_panel_bytes of zeroes, aligned to
 * MEMORY_ALIGNMENT, the caller's, kept by reference. Nets of the same configuration in several processes may
 * share it, as soon as each has called this. */
void net_use_panels(struct net *net, void *memory);

/* Packs weights [P] into the panels that forward and backward multiply with, once per update. Nothing reads
 * `weights` again afterwards. The second packs one of `shares` equal shares: all are packed together. */
void net_pack(struct net *net, const float *weights);
void net_pack_share(struct net *net, const float *weights, size_t share, size_t shares);

/* How many bytes the net holds, or would hold, for what is packed. */
size_t net_panel_bytes(const struct net *net);

/* Returns the bytes of the workspace of a pass over a microbatch, with scores where the microbatch has
 * targets, and how it saves memory, of options->memory. Of the microbatch only its layout is read, and
 * whether it has targets; of a team how many members it has. A pass made before is lost: net_backward cannot
 * follow any more. */
size_t net_workspace_bytes(
    struct net *net, const struct net_pass *options, const struct microbatch *microbatch);
struct net_saving net_find_saving(
    struct net *net, const struct net_pass *options, const struct microbatch *microbatch);

/* How a team of so many members computes recurrent layer `layer`; and how many members of a team have
 * something to do at most. */
enum net_sharing net_find_sharing(const struct net *net, size_t layer, size_t members);
size_t net_count_employed(const struct net *net);

/* Runs the net on a microbatch, growing its workspace where it must. Without targets in the microbatch scores
 * may be NULL. scores [B] are in the order of the microbatch. Row by row, outputs and scores do not depend on
 * which other sequences are in the microbatch. */
int net_forward(struct net *net, const struct net_pass *options, const struct microbatch *microbatch,
    struct net_outputs *outputs, struct net_score *scores, struct error *error);

/* Lends memory of the workspace to the system between passes, `bytes` or a little more as far as there is so
 * much (memory_give_back): the next pass takes it again. A pass made before is lost. */
void net_give_back(struct net *net, size_t bytes);

/* Measures how far gradients reach (docs/network.md, "Gradient flow"): runs a microbatch, without anything
 * random, and fills in the norms of the flow. Row by row these do not depend on which other sequences are in
 * the microbatch. net_flow_bytes returns the bytes of its workspace. A pass made before is lost. */
int net_measure_flow(struct net *net, const struct net_pass *options, const struct microbatch *microbatch,
    const struct net_flow *flow, struct error *error);
size_t net_flow_bytes(struct net *net, const struct microbatch *microbatch);

/* How many numbers the states of a sequence are (struct net_carry); 0 where there are no recurrent layers. */
size_t net_count_states(const struct net *net);

/* The states of all layers of B sequences, for running a net step by step. Before any step they are those
 * that the net starts sequences from. Returns NULL and an error (EXIT_CODE_USAGE) for a net with a reverse
 * direction, which starts at the end, or with a decoder, which reads all of a sequence first. The caller owns
 * the state and ends it with net_state_destroy, before or after the net. */
struct net_state;
struct net_state *net_state_create(const struct net *net, size_t B, struct error *error);
void net_state_destroy(struct net_state *state); /* takes NULL */

/* Makes the states again those that sequences start from. */
void net_state_restart(struct net_state *state);

/* Runs a microbatch of B equal lengths, not in training and without scores, from the state, and leaves the
 * state after its last step: pieces of sequences run in turn give the bits of the whole in one. Row b goes on
 * from row b. */
int net_continue(struct net *net, struct net_state *state, const struct microbatch *microbatch,
    struct net_outputs *outputs, struct error *error);

/* The same for a net that may have reverse directions, by windows of frames: forward directions go on from
 * the state, reverse ones start at the end of each window, as if sequences ended there (Zhang et al. 2016,
 * "Highway long short-term memory RNNs", latency control). The state is left after the first `kept` steps of
 * the microbatch, 1 at least; what lies behind them was looked ahead at, and comes again in the next window.
 * Only with forward directions alone, or in one window, are these the bits of the whole in one. */
struct net_state *net_state_create_windows(const struct net *net, size_t B, struct error *error);
int net_continue_window(struct net *net, struct net_state *state, const struct microbatch *microbatch,
    size_t kept, struct net_outputs *outputs, struct error *error);

/* Backpropagates through time the pass just made on this microbatch, with training = 1 and scores: adds the
 * gradient of the sum of the losses over the microbatch to `gradient` [P]. It destroys the outputs of the
 * pass. */
void net_backward(
    struct net *net, const struct net_pass *options, const struct microbatch *microbatch, float *gradient);

/* Counts the operations, 2 for each multiply-add, of the matrix products of a step: forward, and for the
 * gradients of inputs (but those of the network), of recurrent states and of weights. `frames`, `sequences`
 * and, of a decoder, `labels` are those of the whole step. (operations.c) */
double net_count_operations(const struct net_config *model, double frames, double sequences, double labels);

/* Counts the operations of what a pass makes again where it saves so: the products of forward of the layers.
 */
double net_count_repeated(const struct net_config *model, const struct net_saving *saving, double frames);

/* From now on seconds are added to times [NET_TIMES], which are the caller's, at the cost of reading a clock;
 * NULL ends that. Forward and backward hold all that is in them: both the activations, and backward the
 * weight gradients. */
void net_set_times(struct net *net, double *times);

#endif
