/* What stands where in a checkpoint: one list of items per group, which writes, reads and checks.
 *
 * A member added to one of these structures must be added to its list, and the version raised; the assertions
 * on sizes are there to remind. */
#include "ckpt/internal.h"

#include "base/memory.h"
#include "net/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct progress) == 20 * 8, "a new member of progress belongs into layout_progress");
_Static_assert(
    sizeof(struct optim_state) == 7 * 8, "a new member of optim_state belongs into layout_optimizer");
_Static_assert(
    sizeof(struct provenance) == 7 * sizeof(void *), "a new member belongs into layout_provenance");

enum { LIST_BYTES = NET_MOST_LAYERS * 24 };

static const int64_t most = INT64_MAX;

static int layout_config(const struct section *whole, struct checkpoint *c)
{
    struct section s;
    section_begin(&s, whole, "/config");
    section_long_text(&s, "text", &c->config);
    return section_end(&s);
}

static void size_item(struct section *s, const char *name, size_t *value, int64_t least, int64_t largest)
{
    int64_t n = (int64_t)*value;
    section_integer(s, name, &n, least, largest);
    *value = (size_t)n;
}

static void flag_item(struct section *s, const char *name, int *value)
{
    int64_t n = *value;
    section_integer(s, name, &n, 0, 1);
    *value = (int)n;
}

/* "128 64": one number per layer, nothing without layers. */
static void layers_item(struct section *s, const char *name, size_t layers, size_t *values)
{
    char list[LIST_BYTES] = "", *text = list;
    for (size_t l = 0, used = 0; l < layers && s->way == SECTION_WRITE; l++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%zu", l ? " " : "", values[l]);
    section_text(s, name, &text);
    if (s->way != SECTION_READ || s->failed)
        return;
    char *at = text;
    for (size_t l = 0; l < layers && !s->failed; l++) {
        char *end = at;
        unsigned long long n = *at >= '0' && *at <= '9' ? strtoull(at, &end, 10) : 0;
        if (end == at || *end != (l + 1 < layers ? ' ' : 0))
            section_fail(s, "has %s = '%s', not %zu numbers", name, text, layers);
        values[l] = (size_t)n;
        at = end + 1;
    }
    if (layers == 0 && *text)
        section_fail(s, "has %s = '%s', not 0 numbers", name, text);
    memory_destroy(text);
}

static void bidirectional_item(struct section *s, struct net_config *m)
{
    size_t values[NET_MOST_LAYERS] = {0};
    for (size_t l = 0; l < m->layers; l++)
        values[l] = (size_t)m->bidirectional[l];
    layers_item(s, "bidirectional", m->layers, values);
    for (size_t l = 0; l < m->layers && s->way == SECTION_READ && !s->failed; l++) {
        if (values[l] > 1)
            section_fail(s, "has bidirectional = %zu for layer %zu, not 0 or 1", values[l], l + 1);
        m->bidirectional[l] = (int)values[l];
    }
}

/* Whatever is the size of something is the size of some weights: none can be beyond their number. */
static int sizes_fit(const struct net_config *m, size_t count)
{
    int fits = m->inputs <= count && m->outputs <= count && m->embedding <= count &&
        m->decoder_hidden <= count && m->decoder_embedding <= count && m->attention_size <= count;
    for (size_t l = 0; l < m->layers; l++)
        fits = fits && m->hidden[l] <= count;
    for (size_t l = 0; l < m->input_layers; l++)
        fits = fits && m->input_size[l] <= count;
    for (size_t l = 0; l < m->output_layers; l++)
        fits = fits && m->output_size[l] <= count;
    return fits;
}

/* Only the first objection is told; section_fail keeps that. */
static void refuse_model(void *context, const struct net_objection *objection)
{
    section_fail(context, "has %s that do not go with the rest: %s", objection->member, objection->text);
}

static void check_model(struct section *s, const struct checkpoint *c)
{
    if (s->way != SECTION_READ || s->failed)
        return;
    if (!sizes_fit(&c->model, c->count))
        section_fail(s, "has sizes that its weights do not have");
    else
        net_config_check(&c->model, refuse_model, s);
}

static void weights_item(struct section *s, struct net_config *m)
{
    size_item(s, "class_weights", &m->class_weights, 0, NET_MOST_CLASS_WEIGHTS);
    for (size_t c = 0; c < m->class_weights && !s->failed; c++) {
        char name[48];
        snprintf(name, sizeof name, "class_weight_%zu", c);
        section_real(s, name, &m->class_weight[c]);
    }
}

static void decoder_items(struct section *s, struct net_config *m)
{
    int attention = (int)m->attention;
    section_choice(s, "attention", attention_names, &attention);
    m->attention = (enum attention)attention;
    size_item(s, "decoder_layers", &m->decoder_layers, 0, NET_MOST_LAYERS);
    size_item(s, "decoder_hidden", &m->decoder_hidden, 0, most);
    size_item(s, "decoder_embedding", &m->decoder_embedding, 0, most);
    size_item(s, "attention_size", &m->attention_size, 0, most);
    size_item(s, "target_length", &m->target_length, 0, INT32_MAX);
}

/* What version 1 does not know. */
static void option_items(struct section *s, struct net_config *m)
{
    if (s->version < 2) {
        m->huber_delta = 1;
        m->decoder_layers = 1;
        return;
    }
    size_item(s, "input_layers", &m->input_layers, 0, NET_MOST_LAYERS);
    size_item(s, "transition_layers", &m->transition_layers, 0, NET_MOST_LAYERS);
    size_item(s, "output_layers", &m->output_layers, 0, NET_MOST_LAYERS);
    if (s->failed)
        return;
    layers_item(s, "input_sizes", m->input_layers, m->input_size);
    layers_item(s, "output_sizes", m->output_layers, m->output_size);
    flag_item(s, "residual", &m->residual);
    flag_item(s, "normalize", &m->normalize);
    flag_item(s, "initial_state", &m->initial_state);
    flag_item(s, "peepholes", &m->peepholes);
    section_real(s, "recurrent_dropout", &m->recurrent_dropout);
    section_real(s, "input_noise", &m->input_noise);
    weights_item(s, m);
    section_real(s, "label_smoothing", &m->label_smoothing);
    section_real(s, "huber_delta", &m->huber_delta);
    decoder_items(s, m);
}

static void layout_net_config(struct section *s, struct net_config *m)
{
    int cell = (int)m->cell, output = (int)m->output, loss = (int)m->loss;
    section_choice(s, "cell", cell_names, &cell);
    section_choice(s, "output", output_names, &output);
    section_choice(s, "loss", loss_names, &loss);
    m->cell = (enum cell)cell;
    m->output = (enum output)output;
    m->loss = (enum loss)loss;
    size_item(s, "layers", &m->layers, 0, NET_MOST_LAYERS);
    if (s->failed)
        return;
    layers_item(s, "hidden", m->layers, m->hidden);
    bidirectional_item(s, m);
    size_item(s, "inputs", &m->inputs, 1, most);
    flag_item(s, "symbols", &m->symbols);
    size_item(s, "embedding", &m->embedding, 0, most);
    size_item(s, "outputs", &m->outputs, 1, most);
    section_real(s, "dropout", &m->dropout);
    option_items(s, m);
}

static void parameters_items(struct section *s, const struct checkpoint *c, float *values)
{
    for (size_t i = 0; i < c->parameters && !s->failed; i++) {
        const struct parameter *p = &c->parameter[i];
        section_floats(s, p->name, p->dimensions, p->size, values + p->offset);
    }
}

static void write_offsets(const struct section *s, const struct checkpoint *c)
{
    for (size_t i = 0; i < c->parameters && s->way == SECTION_WRITE; i++) {
        char path[256];
        section_path(s, c->parameter[i].name, path, sizeof path);
        h5_image_attribute_int64(s->image, path, "offset", (int64_t)c->parameter[i].offset);
    }
}

static int layout_model(const struct section *whole, struct checkpoint *c)
{
    struct section s;
    section_begin(&s, whole, "/model");
    if (s.way == SECTION_READ && !s.failed && decode_parameters(&s, c) == 0) {
        c->weights = memory_create(c->count, sizeof *c->weights, s.error);
        s.failed |= !c->weights;
    }
    layout_net_config(&s, &c->model);
    check_model(&s, c);
    parameters_items(&s, c, c->weights);
    write_offsets(&s, c);
    return section_end(&s);
}

static void layout_moment(struct section *outer, struct checkpoint *c, size_t moment)
{
    const char *name = optim_moment_name(c->optimizer, moment);
    char group[64];
    struct section s;
    snprintf(group, sizeof group, "/optimizer/%s", name);
    section_begin(&s, outer, group);
    if (s.way == SECTION_READ && !s.failed) {
        c->moments[moment] = memory_create(c->count, sizeof *c->moments[moment], s.error);
        s.failed |= !c->moments[moment];
    }
    parameters_items(&s, c, c->moments[moment]);
    section_end(&s);
    section_add_group(outer, &s, name);
}

static int layout_optimizer(const struct section *whole, struct checkpoint *c)
{
    struct section s;
    int optimizer = (int)c->optimizer;
    section_begin(&s, whole, "/optimizer");
    section_choice(&s, "name", optimizer_names, &optimizer);
    c->optimizer = (enum optimizer)optimizer;
    section_integer(&s, "step", &c->optim.step, 0, most);
    section_real(&s, "power1", &c->optim.power1);
    section_real(&s, "power2", &c->optim.power2);
    section_real(&s, "plateau_factor", &c->optim.plateau_factor);
    section_real(&s, "plateau_best", &c->optim.plateau_best);
    section_integer(&s, "plateau_wait", &c->optim.plateau_wait, 0, most);
    if (s.version >= 3)
        section_real(&s, "reduction", &c->optim.reduction);
    else if (s.way == SECTION_READ)
        c->optim.reduction = 1;
    for (size_t i = 0; !s.failed && i < optim_count_moments(c->optimizer); i++)
        layout_moment(&s, c, i);
    return section_end(&s);
}

static int layout_progress(const struct section *whole, struct checkpoint *c)
{
    struct section s;
    struct progress *p = &c->progress;
    section_begin(&s, whole, "/progress");
    section_integer(&s, "epoch", &p->epoch, 0, most);
    section_integer(&s, "step", &p->step, 0, most);
    section_integer(&s, "position", &p->position, 0, most);
    section_real(&s, "epoch_loss", &p->epoch_loss);
    section_real(&s, "epoch_errors", &p->epoch_errors);
    section_real(&s, "epoch_counted", &p->epoch_counted);
    if (s.version >= 2)
        section_real(&s, "epoch_labels", &p->epoch_labels);
    else if (s.way == SECTION_READ) /* errors were divided by the same */
        p->epoch_labels = p->epoch_counted;
    section_real(&s, "best", &p->best);
    section_integer(&s, "best_step", &p->best_step, 0, most);
    section_integer(&s, "best_epoch", &p->best_epoch, 0, most);
    section_integer(&s, "waited", &p->waited, 0, most);
    section_real(&s, "loss", &p->loss);
    section_real(&s, "error", &p->error);
    section_real(&s, "train_loss", &p->train_loss);
    section_real(&s, "train_error", &p->train_error);
    flag_item(&s, "finished", &p->finished);
    section_integer(&s, "metrics_rows", &p->metrics_rows, 0, most);
    if (s.version >= 3) {
        section_integer(&s, "skipped", &p->skipped, 0, most);
        section_integer(&s, "backs", &p->backs, 0, most);
        section_integer(&s, "anchor", &p->anchor, 0, most);
    } else if (s.way == SECTION_READ) {
        p->anchor = p->step;
    }
    return section_end(&s);
}

static int layout_data(const struct section *whole, struct checkpoint *c)
{
    struct section s;
    int64_t classes = c->classes;
    section_begin(&s, whole, "/data");
    section_hash(&s, "fingerprint", &c->fingerprint);
    section_integer(&s, "classes", &classes, 0, INT32_MAX);
    size_item(&s, "standardized_features", &c->features, 0, (int64_t)(s.most / sizeof(double)));
    c->classes = (int32_t)classes;
    if (c->features && s.way == SECTION_READ && !s.failed) {
        c->mean = memory_create(c->features, sizeof *c->mean, s.error);
        c->deviation = memory_create(c->features, sizeof *c->deviation, s.error);
        s.failed |= !c->mean || !c->deviation;
    }
    if (c->features) {
        section_reals(&s, "mean", c->features, c->mean);
        section_reals(&s, "deviation", c->features, c->deviation);
    }
    return section_end(&s);
}

static int layout_provenance(const struct section *whole, struct checkpoint *c)
{
    struct section s;
    struct provenance *p = &c->provenance;
    section_begin(&s, whole, "/provenance");
    section_long_text(&s, "version", &p->version);
    section_long_text(&s, "command", &p->command);
    section_long_text(&s, "hosts", &p->hosts);
    section_long_text(&s, "libraries", &p->libraries);
    section_long_text(&s, "job", &p->job);
    section_long_text(&s, "time", &p->time);
    section_integer(&s, "ranks", &p->ranks, 0, most);
    return section_end(&s);
}

/* /provenance last: it differs between equal runs, and what comes before it does not move. */
int layout_pass(const struct section *whole, struct checkpoint *c)
{
    if (layout_config(whole, c) != 0 || layout_model(whole, c) != 0 || layout_optimizer(whole, c) != 0 ||
        layout_progress(whole, c) != 0 || layout_data(whole, c) != 0)
        return -1;
    return layout_provenance(whole, c);
}
