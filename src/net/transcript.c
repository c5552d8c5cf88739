/* One sequence after the other, from its own rows alone. */
#include "net/transcript.h"

#include "net/edit.h"

static size_t count_labels(const struct microbatch *microbatch, size_t b)
{
    return microbatch->target_start[b + 1] - microbatch->target_start[b];
}

static size_t beam_of(const struct net_pass *pass)
{
    return pass->training || pass->beam == 0 ? 1 : pass->beam;
}

struct transcript_size transcript_measure(
    const struct net_pass *pass, const struct microbatch *microbatch, int scored)
{
    struct transcript_size size = {.training = pass->training,
        .B = microbatch->B,
        .N = microbatch->N,
        .T = microbatch->T,
        .beam = beam_of(pass)};
    for (size_t b = 0; b < microbatch->B && scored; b++)
        size.U = count_labels(microbatch, b) > size.U ? count_labels(microbatch, b) : size.U;
    return size;
}

void transcript_lay(struct transcript *transcript, struct arena *arena, const struct transcript_size *size)
{
    size_t C = transcript->C, scratch = ctc_forward_bytes(C, size->T, size->U, size->training);
    size_t search = size->beam > 1 ? ctc_decode_beam_bytes(C, size->T, size->beam) : 0;
    transcript->posterior =
        arena_take(arena, size->training ? size->N * transcript->stride : 0, sizeof(float));
    transcript->scratch = arena_take(arena, search > scratch ? search : scratch, 1);
    transcript->edits = arena_take(arena, size->U + 1, sizeof *transcript->edits);
    transcript->label_start = arena_take(arena, size->B + 1, sizeof *transcript->label_start);
    transcript->labels = arena_take(arena, size->N, sizeof *transcript->labels);
}

static struct ctc_frames frames_of(
    const struct transcript *transcript, const struct microbatch *microbatch, size_t b, float *outputs)
{
    return (struct ctc_frames){.T = (size_t)microbatch->length[b],
        .stride = transcript->stride,
        .rows = outputs,
        .first = microbatch->first,
        .b = b};
}

void transcript_forward(struct transcript *transcript, const struct kernel *kernel,
    const struct net_pass *pass, const struct microbatch *microbatch, float *outputs,
    struct net_score *scores)
{
    size_t C = transcript->C, beam = beam_of(pass);
    transcript->label_start[0] = 0;
    for (size_t b = 0; b < microbatch->B; b++) {
        struct ctc_frames frames = frames_of(transcript, microbatch, b, outputs);
        const int32_t *wanted = scores ? microbatch->classes + microbatch->target_start[b] : NULL;
        size_t U = scores ? count_labels(microbatch, b) : 0;
        double loss = 0;
        if (scores)
            loss = ctc_forward(kernel, C, &frames, wanted, U, pass->training ? transcript->posterior : NULL,
                transcript->scratch);
        else
            ctc_softmax(kernel, C, &frames);
        int32_t *labels = transcript->labels + transcript->label_start[b];
        size_t n = beam > 1 ? ctc_decode_beam(C, &frames, beam, labels, transcript->scratch)
                            : ctc_decode_best_path(C, &frames, labels);
        transcript->label_start[b + 1] = transcript->label_start[b] + n;
        if (scores)
            scores[b] = (struct net_score){.loss = loss,
                .errors = (double)edit_distance(labels, n, wanted, U, transcript->edits),
                .counted = 1,
                .labels = (double)U};
    }
}

void transcript_backward(
    const struct transcript *transcript, const struct microbatch *microbatch, float *outputs)
{
    for (size_t b = 0; b < microbatch->B; b++) {
        struct ctc_frames frames = frames_of(transcript, microbatch, b, outputs);
        ctc_backward(transcript->C, &frames, transcript->posterior);
    }
}
