/* A rule is a condition and the objection to what breaks it. The rules stand in groups, and a group is asked
 * only where those before it have shown that its lists are no longer than their arrays. */
#include "net/check.h"

#include "net/cells/cell.h"
#include "net/outputs/output.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

/* The answers of kinds to what a rule asks, for naming those that would do. */
static int cell_has_peepholes(size_t cell)
{
    return cell_kinds[cell]->unit_weights_are_peepholes;
}

static int cell_has_bound(size_t cell)
{
    return cell_kinds[cell]->unit_weights_are_bounded;
}

static int cell_has_keeping_gate(size_t cell)
{
    return cell_kinds[cell]->keeps.sign != 0;
}

static int cell_takes_timescale(size_t cell)
{
    return cell_kinds[cell]->takes_timescale;
}

static int loss_takes_classes(size_t loss)
{
    return loss_kinds[loss]->takes_classes;
}

static int loss_makes_values(size_t loss)
{
    return !loss_kinds[loss]->takes_classes && !loss_kinds[loss]->count_heads;
}

static int output_has_decoder(size_t output)
{
    return output_kinds[output]->has_decoder;
}

struct kinds_text {
    char text[80];
};

/* The names of those that are asked for, "a or b or c". */
static struct kinds_text name_kinds(const char *const *names, int (*is_one)(size_t kind))
{
    struct kinds_text list = {""};
    size_t length = 0;
    for (size_t kind = 0; names[kind]; kind++)
        if (is_one(kind) && length < sizeof list.text)
            length += (size_t)snprintf(
                list.text + length, sizeof list.text - length, "%s%s", length ? " or " : "", names[kind]);
    return list;
}

struct check {
    const struct net_config *config;
    net_object *object;
    void *context;
    size_t objections;
};

/* Objects to `member`, because of `other` where it is not NULL. */
__attribute__((format(printf, 5, 6))) static void check_if(
    struct check *check, int broken, const char *member, const char *other, const char *format, ...)
{
    struct net_objection objection = {.member = member, .others = {other}};
    va_list arguments;
    if (!broken)
        return;
    va_start(arguments, format);
    vsnprintf(objection.text, sizeof objection.text, format, arguments);
    va_end(arguments);
    check->objections++;
    if (check->object)
        check->object(check->context, &objection);
}

/* A count, of layers or of weights, that `most` have room for. */
static void check_count(struct check *check, const char *member, size_t count, size_t most)
{
    check_if(check, count > most, member, NULL, "%zu are more than %zu: give less", count, most);
}

/* Lists fit their arrays, so that the other rules may read them. */
static void check_counts(struct check *check)
{
    const struct net_config *c = check->config;
    check_count(check, "layers", c->layers, NET_MOST_LAYERS);
    check_count(check, "input_layers", c->input_layers, NET_MOST_LAYERS);
    check_count(check, "transition_layers", c->transition_layers, NET_MOST_LAYERS);
    check_count(check, "output_layers", c->output_layers, NET_MOST_LAYERS);
    check_count(check, "decoder_layers", c->decoder_layers, NET_MOST_LAYERS);
    check_count(check, "class_weights", c->class_weights, NET_MOST_CLASS_WEIGHTS);
    check_count(check, "quantiles", c->quantiles, NET_MOST_QUANTILES);
}

static void check_sizes(struct check *check, const char *member, size_t layers, const size_t *size)
{
    int empty = 0;
    for (size_t l = 0; l < layers; l++)
        empty |= size[l] == 0;
    check_if(check, empty, member, NULL, "a layer has no units: give every layer 1 or more");
}

/* A part of something, from none of it to less than all of it. */
static void check_part(struct check *check, const char *member, double part)
{
    check_if(check, !(part >= 0 && part < 1), member, NULL,
        "%g is not from 0 to below 1: give a number that is", part);
}

static int is_finite_and_positive(double x)
{
    return x > 0 && x <= DBL_MAX;
}

/* What each member can be by itself. */
static void check_values(struct check *check)
{
    const struct net_config *c = check->config;
    int weights = 1;
    check_sizes(check, "hidden", c->layers, c->hidden);
    check_sizes(check, "input_layers", c->input_layers, c->input_size);
    check_sizes(check, "output_layers", c->output_layers, c->output_size);
    check_part(check, "dropout", c->dropout);
    check_part(check, "recurrent_dropout", c->recurrent_dropout);
    check_part(check, "label_smoothing", c->label_smoothing);
    check_if(check, c->forget_bias.given && !(fabs(c->forget_bias.number) <= DBL_MAX), "forget_bias", NULL,
        "this is no finite number: give one, or auto");
    check_if(check, c->recurrent_max != 0 && !is_finite_and_positive(c->recurrent_max), "recurrent_max", NULL,
        "this is no number above 0: give one, or 0 for that of the longest sequence");
    check_if(check, c->timescale != 0 && !(c->timescale >= 2 && c->timescale <= DBL_MAX), "timescale", NULL,
        "%g steps are no time scale: give 2 or more, or 0 for none", c->timescale);
    for (size_t k = 0; k < c->class_weights; k++)
        weights &= c->class_weight[k] == 0 || is_finite_and_positive(c->class_weight[k]);
    check_if(check, !weights, "class_weights", NULL, "a weight is no number of at least 0: give one");
    check_if(check, c->input_noise != 0 && !is_finite_and_positive(c->input_noise), "input_noise", NULL,
        "this is no number of at least 0: give one");
    check_if(check, loss_of(c)->takes_delta && !is_finite_and_positive(c->huber_delta), "huber_delta", NULL,
        "this is no number above 0: give one");
}

/* What the quantile loss asks. */
static void check_quantiles(struct check *check)
{
    const struct net_config *c = check->config;
    int inside = 1, rising = 1;
    if (!loss_of(c)->takes_quantiles)
        return;
    for (size_t q = 0; q < c->quantiles; q++) {
        inside &= c->quantile[q] > 0 && c->quantile[q] < 1;
        rising &= q == 0 || !(c->quantile[q] <= c->quantile[q - 1]);
    }
    check_if(check, c->quantiles == 0, "quantiles", "loss",
        "model.loss = %s needs them: give one or more, each above 0 and below 1", loss_of(c)->name);
    check_if(check, !inside, "quantiles", NULL,
        "a quantile is not above 0 and below 1: give shares of what lies below, as 0.1 0.5 0.9");
    check_if(check, !rising, "quantiles", NULL,
        "each has to be larger than the one before: sort them, and leave out those that stand twice");
}

static void check_loss(struct check *check)
{
    const struct net_config *c = check->config;
    const struct output_kind *output = output_of(c);
    struct kinds_text of_classes = name_kinds(loss_names, loss_takes_classes);
    struct kinds_text of_values = name_kinds(loss_names, loss_makes_values);
    int classes = loss_of(c)->takes_classes, aligns = output->aligns;
    double weights = 0;
    for (size_t k = 0; k < c->class_weights; k++)
        weights += c->class_weight[k];
    check_if(check, aligns && !classes, "loss", "output",
        "model.output = %s has classes: set model.loss = %s, or another model.output", output->name,
        of_classes.text);
    check_if(check, output->has_decoder && loss_of(c)->count_heads, "loss", "output",
        "model.output = %s feeds each value back, and this loss makes several numbers of one: set model.loss "
        "= "
        "%s, or another model.output",
        output->name, of_values.text);
    check_if(check, c->class_weights && !classes, "class_weights", "loss",
        "only model.loss = %s has classes: leave it empty", of_classes.text);
    check_if(check, c->class_weights && aligns, "class_weights", "output",
        "model.output = %s has no target of its own at each frame to weigh: leave it empty", output->name);
    check_if(check, c->class_weights && weights == 0, "class_weights", "loss",
        "no weight is above 0: nothing would be learned: make one larger");
    check_if(check, c->label_smoothing > 0 && !classes, "label_smoothing", "loss",
        "only model.loss = %s has classes: set it to 0", of_classes.text);
    check_if(check, c->label_smoothing > 0 && aligns, "label_smoothing", "output",
        "model.output = %s has no target of its own at each frame to smooth: set it to 0", output->name);
}

static size_t width(const struct net_config *config, size_t layer)
{
    return config->hidden[layer] * (config->bidirectional[layer] ? 2 : 1);
}

/* Sums of inputs and outputs of a layer need both to be equally wide. */
static void check_residual(struct check *check)
{
    const struct net_config *c = check->config;
    struct net_objection objection = {.member = "residual", .others = {"layers", "hidden", "bidirectional"}};
    for (size_t l = 1; c->residual && l < c->layers; l++)
        if (width(c, l) != width(c, 0)) {
            snprintf(objection.text, sizeof objection.text,
                "layer 1 has %zu outputs (units times directions) and layer %zu has %zu: make all layers "
                "equally wide, or set it to no",
                width(c, 0), l + 1, width(c, l));
            check->objections++;
            if (check->object)
                check->object(check->context, &objection);
            return;
        }
}

/* Where units begin: by a gate that keeps what they have, or by what bounds or forgets it. */
static void check_memory(struct check *check)
{
    const struct net_config *c = check->config;
    int keeps = cell_of(c)->keeps.sign != 0;
    struct kinds_text keepers = name_kinds(cell_names, cell_has_keeping_gate);
    check_if(check, c->forget_bias.given && !keeps, "forget_bias", "cell",
        "only model.cell = %s has a gate that keeps the state: set it to auto", keepers.text);
    check_if(check, c->forget_bias.given && keeps && c->timescale != 0, "forget_bias", "timescale",
        "model.timescale starts that gate too: set one of the two, and this to auto or that to 0");
    check_if(check, c->recurrent_max != 0 && !cell_of(c)->unit_weights_are_bounded, "recurrent_max", "cell",
        "only model.cell = %s has weights that it bounds: set it to 0",
        name_kinds(cell_names, cell_has_bound).text);
    check_if(check, c->timescale != 0 && !cell_of(c)->takes_timescale, "timescale", "cell",
        "only model.cell = %s starts by a time scale: set it to 0",
        name_kinds(cell_names, cell_takes_timescale).text);
}

static void check_layers(struct check *check)
{
    static const char none[] =
        "there are no recurrent layers: set model.layers to 1 or more, or leave it out";
    static const char alone[] = "each unit of this cell meets its own state alone: set it to 0";
    const struct net_config *c = check->config;
    int flat = c->layers == 0;
    check_if(check, flat && c->transition_layers, "transition_layers", "layers", "%s", none);
    check_if(check, flat && c->initial_state, "initial_state", "layers", "%s", none);
    check_if(check, flat && c->peepholes, "peepholes", "layers", "%s", none);
    check_if(check, flat && c->recurrent_dropout > 0, "recurrent_dropout", "layers", "%s", none);
    check_if(check, flat && output_of(c)->has_decoder, "layers", "output",
        "model.output = %s begins from the last state of a recurrent layer: set model.layers to 1 or more",
        output_of(c)->name);
    check_if(check, c->peepholes && !cell_of(c)->unit_weights_are_peepholes, "peepholes", "cell",
        "only model.cell = %s has a memory to look at: set it to no",
        name_kinds(cell_names, cell_has_peepholes).text);
    check_if(
        check, c->transition_layers && !cell_of(c)->has_product, "transition_layers", "cell", "%s", alone);
    check_if(check, c->recurrent_dropout > 0 && !cell_of(c)->has_product, "recurrent_dropout", "cell", "%s",
        alone);
    check_if(check, flat && c->timescale != 0, "timescale", "layers", "%s", none);
    check_if(check, flat && c->recurrent_max != 0, "recurrent_max", "layers", "%s", none);
    check_if(check, flat && c->forget_bias.given, "forget_bias", "layers", "%s", none);
    check_memory(check);
    check_residual(check);
}

static void check_decoder(struct check *check)
{
    static const char none[] = "there is no decoder: set model.output = %s, or leave it out";
    struct kinds_text decoders = name_kinds(output_names, output_has_decoder);
    const struct net_config *c = check->config;
    int without = !output_of(c)->has_decoder;
    check_if(
        check, without && c->attention != ATTENTION_ADDITIVE, "attention", "output", none, decoders.text);
    check_if(check, without && c->decoder_layers > 1, "decoder_layers", "output", none, decoders.text);
    check_if(check, without && c->decoder_hidden, "decoder_hidden", "output", none, decoders.text);
    check_if(check, without && c->decoder_embedding, "decoder_embedding", "output", none, decoders.text);
    check_if(check, without && c->attention_size, "attention_size", "output", none, decoders.text);
    check_if(check, !without && c->decoder_layers == 0, "decoder_layers", "output",
        "a decoder has at least one layer: set it to 1 or more");
    check_if(check, c->attention_size && c->attention != ATTENTION_ADDITIVE, "attention_size", "attention",
        "only model.attention = additive has units of its own: set it to 0");
    check_if(check, c->decoder_embedding && !loss_of(c)->takes_classes, "decoder_embedding", "loss",
        "only classes (model.loss = %s) are embedded, values are not: set it to 0",
        name_kinds(loss_names, loss_takes_classes).text);
}

/* Is there nothing between the output and symbols that nobody has embedded? Then the stack gives the symbols
 * as they are, and no rows. */
static int gives_symbols(const struct net_config *config)
{
    return config->symbols && !config->embedding && !config->input_layers && !config->layers;
}

/* What follows from the dataset, and sizes that were left open until it was known. */
static void check_bound(struct check *check)
{
    static const char open[] = "a decoder needs it: set it to 1 or more";
    const struct net_config *c = check->config;
    int decoder = output_of(c)->has_decoder, classes = loss_of(c)->takes_classes;
    check_if(check, c->outputs == 0, "outputs", NULL, "the network makes nothing");
    check_if(check, c->embedding && !c->symbols, "embedding", NULL,
        "the inputs are real values and no symbols: set it to 0");
    check_if(check, !output_of(c)->takes_symbols && gives_symbols(c), "layers", "output",
        "model.output = %s needs rows of values, and the inputs are symbols: set model.layers, "
        "model.input_layers or model.embedding",
        output_of(c)->name);
    check_if(check, c->class_weights && c->class_weights != c->outputs, "class_weights", NULL,
        "there is not one for each class: give as many as there are classes");
    check_if(check, decoder && c->decoder_hidden == 0, "decoder_hidden", "output", "%s", open);
    check_if(
        check, decoder && classes && c->decoder_embedding == 0, "decoder_embedding", "output", "%s", open);
    check_if(check, output_needs_target_length(c) && c->target_length == 0, "target_length", "output",
        "a decoder that makes values must know how many");
    check_if(check, decoder && c->attention == ATTENTION_ADDITIVE && c->attention_size == 0, "attention_size",
        "output", "%s", open);
}

size_t net_config_check(const struct net_config *config, net_object *object, void *context)
{
    struct check check = {.config = config, .object = object, .context = context};
    check_counts(&check);
    if (check.objections)
        return check.objections;
    check_values(&check);
    check_loss(&check);
    check_quantiles(&check);
    check_layers(&check);
    check_decoder(&check);
    if (config->inputs)
        check_bound(&check);
    return check.objections;
}
