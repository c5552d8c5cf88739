/* OUTPUT_CTC: losses of a microbatch's sequences, the labels read from what the head gives for their frames,
 * and the gradient. (docs/network.md, section CTC; net/ctc.h for one sequence.)
 *
 * B sequences, N frames, C classes and the blank behind them. Buffers are of the workspace, laid by
 * transcript_lay before forward and valid until backward is done. */
#ifndef NET_TRANSCRIPT_H
#define NET_TRANSCRIPT_H

#include "base/memory.h"
#include "net/ctc.h"
#include "net/net.h"

struct transcript_size {
    int training;
    size_t B, N, T, U; /* T, U: most frames and labels of a sequence */
    size_t beam;       /* prefixes kept; 1: best path */
};

struct transcript {
    size_t C, stride; /* stride: of what the head gives */

    /* Workspace. */
    float *posterior;    /* [N][stride]; training */
    void *scratch;       /* of what is done with one sequence */
    size_t *edits;       /* [U + 1] scratch */
    size_t *label_start; /* [B + 1] as in struct net_outputs */
    int32_t *labels;     /* [N] */
};

/* Of a pass over a microbatch, without the microbatch's targets unless `scored`. */
struct transcript_size transcript_measure(
    const struct net_pass *pass, const struct microbatch *microbatch, int scored);
void transcript_lay(struct transcript *transcript, struct arena *arena, const struct transcript_size *size);

/* outputs [N][stride]: sums of the head into probabilities, and these into labels: those of the best path, or
 * not in training with pass->beam above 1 those of a search. scores [B], or NULL: the microbatch's targets
 * are not looked at. */
void transcript_forward(struct transcript *transcript, const struct kernel *kernel,
    const struct net_pass *pass, const struct microbatch *microbatch, float *outputs,
    struct net_score *scores);

/* Outputs of forward in training, with scores, into the gradient of the summed losses by the sums, in place;
 * padding becomes zero. */
void transcript_backward(
    const struct transcript *transcript, const struct microbatch *microbatch, float *outputs);

#endif
