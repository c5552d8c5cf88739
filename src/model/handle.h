/* What is behind the handles of rnn.h. Private to this library. */
#ifndef MODEL_HANDLE_H
#define MODEL_HANDLE_H

#include "base/error.h"
#include "model/rnn.h"
#include "net/names.h"
#include "net/net.h"

struct rnn_model {
    char *path; /* of the checkpoint */
    struct net *net;
    const struct net_config *config; /* the net's */
    float *mean, *deviation;         /* [inputs] one block; NULL: inputs are not standardized */
    struct net_names names;
    uint64_t weights_hash;
    struct microbatch microbatch; /* of whole sequences */
};

/* Frames on their way into a microbatch: either of the two is there. */
struct handle_frames {
    const float *x;         /* [frames][inputs] */
    const int32_t *symbols; /* [frames] */
};

/* Gives the caller what went wrong inside, in the words of rnn.h, and returns its code. */
enum rnn_code handle_fail(const struct error *inside, struct rnn_error *error);

/* Refuses frames of the other kind than the network takes, features that are no numbers, and symbols that
 * there are not. */
int handle_check_frames(
    const struct rnn_model *model, const struct handle_frames *frames, size_t n, struct error *error);

/* Makes frame `from` of the frames, standardized, frame n of the microbatch. */
void handle_pack_frame(const struct rnn_model *model, const struct handle_frames *frames, size_t from,
    struct microbatch *microbatch, size_t n);

/* Lays out B sequences as microbatch_resize does. */
int handle_resize(const struct rnn_model *model, struct microbatch *microbatch, size_t B,
    const int32_t *length, const int64_t *sequence, struct error *error);

#endif
