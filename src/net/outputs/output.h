/* Outputs: what is made of the rows of the stack, and what of it is compared with which targets. Each is a
 * struct output_kind in a file of its own, and a line of net/outputs/list.h.
 *
 * All end with the output layers and the head (net/top.h), on rows that the kind chooses. */
#ifndef NET_OUTPUTS_OUTPUT_H
#define NET_OUTPUTS_OUTPUT_H

#include "base/memory.h"
#include "net/losses/loss.h"
#include "net/packing.h"
#include "net/pass.h"

/* What there is one of. */
enum per {
    PER_FRAME,
    PER_SEQUENCE,
    PER_TARGET /* Of targets: a sequence may have any number of them, from none on. */
};

struct output_kind {
    const char *name;
    enum per targets; /* What a target belongs to. */
    enum per rows;    /* What a row of outputs belongs to. */
    int has_decoder; /* It is a network of its own, of the decoder's members of the configuration, which reads
                      * all of a sequence before it makes anything. */
    int aligns;  /* It finds out itself which frames each label belongs to: the targets are classes, no more
                  * than there are frames for, and its loss is not one of rows with a target each. */
    int divides; /* The members of a team divide it: forward and backward are called by all of them, and only
                  * the leader's outputs and scores are of use. Else the leader computes it alone. */
    int takes_pieces;  /* What it makes of a frame needs no frame behind it, so that sequences can be worked
                        * off in pieces. */
    int takes_symbols; /* It can stand on symbols themselves: it asks stack.one_hot before it looks for the
                        * rows of the stack, which are not there then. */

    /* Makes what the net has of this kind, net->top included. On failure finish is called as well. */
    int (*init)(struct net *net, struct error *error);
    void (*finish)(struct net *net); /* NULL: net->output_state is all there is. */

    /* Panels beside those of net->top; NULL: there are none. */
    void (*take_panels)(struct net *net, struct arena *arena);
    void (*pack)(struct net *net, const struct packing *packing);

    /* Takes the buffers of a pass from the arena, in the order of their use, with what scores need if
     * `scored`. Of the pass's microbatch the layout is read, and not its contents. */
    void (*take_workspace)(struct net *net, const struct pass *pass, struct arena *arena, int scored);

    /* From the outputs of the stack to those of the net, and, where scores is not NULL, scores [B]. */
    void (*forward)(
        struct net *net, const struct pass *pass, struct net_outputs *outputs, struct net_score *scores);

    /* Adds to pass->gradient, and overwrites the gradient by the outputs of the stack, if that needs one. */
    void (*backward)(struct net *net, const struct pass *pass);
};

/* One of each, by enum output. */
extern const struct output_kind *const output_kinds[];

static inline const struct output_kind *output_of(const struct net_config *config)
{
    return output_kinds[config->output];
}

/* Does the network make sequences of labels? Then its head has one more output than there are classes: the
 * blank of ctc, the end symbol of a decoder. */
static inline int output_makes_labels(const struct net_config *config)
{
    return output_of(config)->targets == PER_TARGET && loss_of(config)->takes_classes;
}

/* Must all sequences have the same number of targets? A decoder of values has no end symbol. */
static inline int output_needs_target_length(const struct net_config *config)
{
    return output_of(config)->has_decoder && !loss_of(config)->takes_classes;
}

/* ---- what the kinds share ---- */

/* The workspace of the output layers and the head on at most R rows, and of the scores of `scored` rows. */
void output_take_rows(struct net *net, const struct pass *pass, struct arena *arena, size_t R, size_t scored);

/* The first R rows that the head gave go through the loss; net->row_scores [R] where `scored`. Rows of
 * `targets` are the targets. Returns outputs that are these rows. Each member of a team takes its own, and
 * all meet. */
struct net_outputs output_rows_forward(
    struct net *net, const struct pass *pass, size_t R, const struct microbatch *targets, int scored);

/* From what output_rows_forward left to the gradient by the head's sums, each member of a team its rows. */
void output_rows_backward(
    struct net *net, const struct pass *pass, size_t R, const struct microbatch *targets);

#endif
