/* Connectionist temporal classification (docs/network.md, section CTC; net/ctc.h for one sequence): losses of
 * a microbatch's sequences, the labels read from what the head gives for their frames, and the gradient.
 * Each sequence is computed from its own rows alone, one after the other, or by the members of a team in
 * turn.
 *
 * B sequences, N frames, C classes and the blank behind them, U labels of a sequence. */
#include "net/ctc.h"

#include "base/edit_distance.h"
#include "net/layout.h"
#include "net/outputs/output.h"

struct transcript {
    /* Workspace. */
    float *posterior;         /* [N][stride of the head]; training */
    void *scratch;            /* of what this member does with one sequence */
    struct net_score *scores; /* [B] of all members */
    size_t *edits;            /* [U + 1] scratch of edit_distance */
    size_t *label_start;      /* [B + 1] as in struct net_outputs */
    int32_t *labels;          /* [N] */
};

static int init(struct net *net, struct error *error)
{
    struct dense_shape shape = stack_output_shape(&net->stack);
    net->output_state = memory_create(1, sizeof(struct transcript), error);
    return net->output_state ? top_init(&net->top, net->config, &shape, &net->parameters, error) : -1;
}

static size_t count_labels(const struct microbatch *microbatch, size_t b)
{
    return microbatch->target_start[b + 1] - microbatch->target_start[b];
}

/* How many prefixes are kept; 1 stands for the best path. */
static size_t beam_of(const struct pass *pass)
{
    return pass->options.training || pass->options.beam == 0 ? 1 : pass->options.beam;
}

static void take_workspace(struct net *net, const struct pass *pass, struct arena *arena, int scored)
{
    const struct microbatch *microbatch = pass->microbatch;
    struct transcript *transcript = net->output_state;
    size_t B = microbatch->B, N = microbatch->N, T = microbatch->T, C = net->config->outputs;
    size_t U = 0, beam = beam_of(pass);
    int training = pass->options.training;
    for (size_t b = 0; b < B && scored; b++)
        U = count_labels(microbatch, b) > U ? count_labels(microbatch, b) : U;
    size_t lattice = ctc_forward_bytes(C, T, U, training);
    size_t search = beam > 1 ? ctc_decode_beam_bytes(C, T, beam) : 0;
    output_take_rows(net, pass, arena, N, 0);
    transcript->posterior = arena_take(arena, training ? N * net->top.stride : 0, sizeof(float));
    for (size_t i = 0; i < pass_members(pass); i++) {
        void *scratch = arena_take(arena, search > lattice ? search : lattice, 1);
        if (i == pass_index(pass))
            transcript->scratch = scratch;
    }
    transcript->scores = arena_take(arena, scored ? B : 0, sizeof *transcript->scores);
    transcript->edits = arena_take(arena, U + 1, sizeof *transcript->edits);
    transcript->label_start = arena_take(arena, B + 1, sizeof *transcript->label_start);
    transcript->labels = arena_take(arena, N, sizeof *transcript->labels);
}

/* What the head gave for the frames of row b. */
static struct ctc_frames frames_of(const struct net *net, const struct microbatch *microbatch, size_t b)
{
    return (struct ctc_frames){.T = (size_t)microbatch->length[b],
        .rows = as_rows(net->top.outputs, net->top.stride),
        .first = microbatch->first,
        .b = b};
}

/* Makes labels of the probabilities of row b, behind those of the rows before it. */
static void transcribe(
    const struct transcript *transcript, size_t C, const struct ctc_frames *frames, size_t b, size_t beam)
{
    size_t first = transcript->label_start[b];
    int32_t *labels = transcript->labels + first;
    transcript->label_start[b + 1] = first +
        (beam > 1 ? ctc_decode_beam(C, frames, beam, labels, transcript->scratch)
                  : ctc_decode_best_path(C, frames, labels));
}

static void score_edits(
    const struct transcript *transcript, const struct microbatch *microbatch, struct net_score *scores)
{
    for (size_t b = 0; b < microbatch->B; b++) {
        const size_t *made = transcript->label_start + b, *wanted = microbatch->target_start + b;
        scores[b] = transcript->scores[b];
        scores[b].errors = (double)edit_distance(transcript->labels + made[0], made[1] - made[0],
            microbatch->classes + wanted[0], wanted[1] - wanted[0], transcript->edits);
    }
}

/* Makes probabilities of the head's sums for every sequence that is this member's, and its loss where
 * `scored`. Sequences are dealt in turn, as neighbours are of like lengths. */
static void align(struct net *net, const struct pass *pass, int scored)
{
    const struct microbatch *microbatch = pass->microbatch;
    const struct transcript *transcript = net->output_state;
    size_t C = net->config->outputs;
    float *posterior = pass->options.training ? transcript->posterior : NULL;
    for (size_t b = pass_index(pass); b < microbatch->B && !pass_is_unwanted(pass); b += pass_members(pass)) {
        struct ctc_frames frames = frames_of(net, microbatch, b);
        if (!scored) {
            ctc_softmax(pass->kernel, C, &frames);
            continue;
        }
        const int32_t *wanted = microbatch->classes + microbatch->target_start[b];
        size_t U = count_labels(microbatch, b);
        transcript->scores[b] = (struct net_score){.counted = 1, .labels = (double)U};
        transcript->scores[b].loss =
            ctc_forward(pass->kernel, C, &frames, wanted, U, posterior, transcript->scratch);
    }
}

/* Probabilities, losses and, by the leader, labels. */
static void forward(
    struct net *net, const struct pass *pass, struct net_outputs *outputs, struct net_score *scores)
{
    const struct microbatch *microbatch = pass->microbatch;
    struct transcript *transcript = net->output_state;
    top_forward(&net->top, pass, microbatch->N, stack_output(&net->stack, microbatch));
    pass_meet(pass);
    align(net, pass, scores != NULL);
    pass_meet(pass);
    if (!pass_leads(pass))
        return;
    transcript->label_start[0] = 0;
    for (size_t b = 0; b < microbatch->B; b++) {
        if (pass_is_unwanted(pass))
            return;
        struct ctc_frames frames = frames_of(net, microbatch, b);
        transcribe(transcript, net->config->outputs, &frames, b, beam_of(pass));
    }
    if (scores)
        score_edits(transcript, microbatch, scores);
    *outputs = (struct net_outputs){.rows = microbatch->N,
        .stride = net->top.stride,
        .values = net->top.outputs,
        .label_start = pass->options.training ? NULL : transcript->label_start,
        .labels = pass->options.training ? NULL : transcript->labels};
}

static void backward(struct net *net, const struct pass *pass)
{
    const struct microbatch *microbatch = pass->microbatch;
    const struct transcript *transcript = net->output_state;
    struct stack *stack = &net->stack;
    for (size_t b = pass_index(pass); b < microbatch->B; b += pass_members(pass)) {
        struct ctc_frames frames = frames_of(net, microbatch, b);
        ctc_backward(net->config->outputs, &frames, transcript->posterior);
    }
    pass_meet(pass);
    top_backward(
        &net->top, pass, microbatch->N, stack_output(stack, microbatch), stack_gradient(stack, pass));
}

const struct output_kind output_ctc = {.name = "ctc",
    .targets = PER_TARGET,
    .rows = PER_FRAME,
    .aligns = 1,
    .divides = 1,
    .takes_symbols = 1,
    .init = init,
    .take_workspace = take_workspace,
    .forward = forward,
    .backward = backward};
