/* A matrix product of m by n with r rows is 2 r m n operations forward, as many for the gradient of its
 * weights, and as many for the gradient of its inputs, which only a layer with weights before it makes use
 * of. Nothing but matrix products is counted: no activations, no lattice of ctc, no rows of an embedding. */
#include "net/cells/cell.h"
#include "net/net.h"
#include "net/outputs/output.h"

/* The count on its way from the inputs of the network to its outputs. */
struct counting {
    double sum;               /* multiply-adds */
    double width;             /* of the inputs of the next layer */
    int needs_input_gradient; /* 1: a layer with weights makes these inputs */
};

static void add_dense(struct counting *counting, double outputs, double rows)
{
    counting->sum += (counting->needs_input_gradient ? 3 : 2) * outputs * counting->width * rows;
    counting->width = outputs;
    counting->needs_input_gradient = 1;
}

/* C of two parts and the gate, D beside them, of H states of each direction. */
static void add_mixing(struct counting *counting, double outputs, double H, double rows)
{
    counting->sum += 3 * outputs * 3 * H * rows;
    counting->sum += (counting->needs_input_gradient ? 3 : 2) * outputs * counting->width * rows;
}

/* Without a learned initial state there is none before the first frame of a sequence to multiply with; but
 * transition layers make one even of that. */
static void add_recurrent(
    struct counting *counting, const struct net_config *model, size_t layer, double frames, double sequences)
{
    double H = (double)model->hidden[layer], D = model->bidirectional[layer] ? 2 : 1;
    double gates = D * H * (double)net_count_gates(model->cell), K = (double)model->transition_layers;
    double states = model->initial_state ? frames : frames - sequences;
    if (cell_of(model)->has_product)
        counting->sum += 3 * gates * H * (K > 0 ? frames : states);
    if (cell_of(model)->mixing)
        add_mixing(counting, D * H, H, frames);
    counting->sum += K > 0 ? 3 * D * H * H * (states + (K - 1) * frames) : 0;
    add_dense(counting, gates, frames);
    counting->width = D * H;
}

/* The end symbols are among the `symbols`. Scores and averages of an attention are products of all symbols of
 * a sequence with all its frames. */
static void add_decoder(struct counting *counting, const struct net_config *model, double frames,
    double sequences, double symbols)
{
    double F = counting->width, S = (double)model->decoder_hidden, A = (double)model->attention_size;
    double gates = S * (double)net_count_gates(model->cell), pairs = frames * symbols / sequences;
    double inputs = (double)model->decoder_embedding, sum = 0;
    for (size_t n = 0; n < model->decoder_layers; n++) {
        sum += (cell_of(model)->has_memory ? 2 : 1) * S * F * sequences + gates * inputs * symbols;
        sum += cell_of(model)->has_product ? gates * S * symbols : 0;
        sum += cell_of(model)->mixing ? S * (3 * S + inputs) * symbols : 0;
        inputs = S;
    }
    if (model->attention != ATTENTION_NONE)
        sum += F * pairs + S * (S + F) * symbols;
    if (model->attention == ATTENTION_ADDITIVE)
        sum += A * F * frames + A * S * symbols + A * pairs;
    else if (model->attention == ATTENTION_DOT)
        sum += S * F * frames + S * pairs;
    counting->sum += 3 * sum;
    counting->width = S;
}

double net_count_operations(const struct net_config *model, double frames, double sequences, double labels)
{
    struct counting counting = {.width = (double)model->inputs};
    double rows = frames;
    for (size_t k = 0; k < model->input_layers; k++)
        add_dense(&counting, (double)model->input_size[k], frames);
    for (size_t l = 0; l < model->layers; l++)
        add_recurrent(&counting, model, l, frames, sequences);
    if (output_of(model)->has_decoder) {
        rows = labels + sequences;
        add_decoder(&counting, model, frames, sequences, rows);
    }
    for (size_t k = 0; k < model->output_layers; k++)
        add_dense(&counting, (double)model->output_size[k], rows);
    add_dense(&counting, (double)net_count_head(model), rows);
    return 2 * counting.sum;
}

double net_count_repeated(const struct net_config *model, const struct net_saving *saving, double frames)
{
    const struct cell_kind *kind = cell_of(model);
    double sum = 0, inputs = (double)(model->embedding ? model->embedding : model->inputs);
    if (model->input_layers > 0)
        inputs = (double)model->input_size[model->input_layers - 1];
    for (size_t l = 0; l < saving->layers; l++) {
        double H = (double)model->hidden[l], outputs = (model->bidirectional[l] ? 2 : 1) * H;
        double seen = inputs + (kind->has_product ? H : 0);
        sum += outputs * ((double)kind->gates * seen + (double)model->transition_layers * H);
        sum += kind->mixing ? outputs * (3 * H + inputs) : 0;
        inputs = outputs;
    }
    return 2 * sum * frames;
}
