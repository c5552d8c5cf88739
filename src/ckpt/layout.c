/* What stands where in a checkpoint: one list of items per group, which writes, reads and checks.
 *
 * A member added to one of these structures must be added to its list, and the version raised; a test fills
 * each byte of them and looks at what comes back (every_word_of_the_structures_is_read_back). */
#include "ckpt/layout.h"

#include "base/memory.h"
#include "ckpt/attributes.h"
#include "ckpt/parameters.h"
#include "net/check.h"

#include <stdio.h>
#include <string.h>

static const int64_t most = INT64_MAX;

static int layout_config(const struct section *whole, struct checkpoint *c)
{
    struct section s;
    section_begin(&s, whole, "/config");
    section_long_text(&s, "text", &c->config);
    return section_end(&s);
}

/* Only the first objection is told: section_fail keeps no other. */
static void refuse_model(void *context, const struct net_objection *objection)
{
    section_fail(context, "has %s that do not go with the rest: %s", objection->member, objection->text);
}

static void check_model(struct section *s, const struct checkpoint *c)
{
    if (s->way != SECTION_READ || s->failed)
        return;
    if (!attributes_fit(&c->model, c->count))
        section_fail(s, "has sizes that its weights do not have");
    else
        net_config_check(&c->model, refuse_model, s);
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
    if (s.way == SECTION_READ && !s.failed && parameters_read(&s, c) == 0) {
        c->weights = memory_create(c->count, sizeof *c->weights, s.error);
        s.failed |= !c->weights;
    }
    attributes_pass(&s, &c->model);
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

/* Epochs end in order, before the step at hand. */
static void check_ends(struct section *s, const struct progress *p, const struct epoch_ends *ends)
{
    int rising = 1;
    for (size_t e = 0; e < ends->n; e++)
        rising &= ends->step[e] > (e ? ends->step[e - 1] : 0) && ends->step[e] <= (double)p->step;
    if (!rising)
        section_fail(s, "has ends of epochs that do not rise to its step");
}

static void layout_ends(struct section *s, const struct progress *p, struct epoch_ends *ends)
{
    int64_t n = (int64_t)ends->n;
    section_integer(s, "epochs_ended", &n, 0, (int64_t)(s->most / sizeof *ends->step));
    ends->n = (size_t)n;
    if (!n || s->failed)
        return;
    if (s->way == SECTION_READ && !(ends->step = memory_create(ends->n, sizeof *ends->step, s->error)))
        s->failed = 1;
    section_reals(s, "epoch_ends", ends->n, ends->step);
    if (s->way == SECTION_READ && !s->failed)
        check_ends(s, p, ends);
}

/* What diverged, and what became of it. */
static void layout_divergence(struct section *s, struct progress *p)
{
    if (s->version >= 3) {
        section_integer(s, "skipped", &p->skipped, 0, most);
        section_integer(s, "backs", &p->backs, 0, most);
        section_integer(s, "anchor", &p->anchor, 0, most);
    } else if (s->way == SECTION_READ) {
        p->anchor = p->step;
    }
}

static int layout_progress(const struct section *whole, struct checkpoint *c)
{
    struct section s;
    struct progress *p = &c->progress;
    int64_t finished = p->finished;
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
    section_integer(&s, "finished", &finished, 0, 1);
    p->finished = (int)finished;
    section_integer(&s, "metrics_rows", &p->metrics_rows, 0, most);
    layout_divergence(&s, p);
    if (s.version >= 6)
        section_integer(&s, "plan_version", &p->plan_version, 1, most);
    else if (s.way == SECTION_READ)
        p->plan_version = 1;
    if (s.version >= 8)
        layout_ends(&s, p, &c->ends);
    return section_end(&s);
}

/* The states that sequences go on from. */
static int layout_carried(const struct section *whole, struct checkpoint *c)
{
    struct section s;
    int64_t going = (int64_t)c->going, numbers = (int64_t)c->numbers;
    section_begin(&s, whole, "/states");
    int64_t room = (int64_t)(s.most / sizeof *c->states);
    section_integer(&s, "sequences", &going, 0, room);
    section_integer(&s, "numbers", &numbers, 0, going > 0 ? room / going : room);
    c->going = (size_t)going;
    c->numbers = (size_t)numbers;
    if (s.way == SECTION_READ && going && !s.failed) {
        c->states = memory_create(c->going * c->numbers, sizeof *c->states, s.error);
        s.failed |= !c->states;
    }
    if (going)
        section_floats(&s, "states", 2, (size_t[]){c->going, c->numbers}, c->states);
    return section_end(&s);
}

/* There must be as many names as what they name. */
static void check_names(struct section *s, const struct checkpoint *c)
{
    const struct net_config *model = &c->model;
    const size_t count[NAMES_LISTS] = {
        [NAMES_OF_FEATURES] = model->symbols ? 0 : model->inputs,
        [NAMES_OF_SYMBOLS] = model->symbols ? model->inputs : 0,
        [NAMES_OF_CLASSES] = c->classes ? model->outputs : 0,
        [NAMES_OF_TARGETS] = c->classes ? 0 : model->outputs,
    };
    for (size_t i = 0; i < NAMES_LISTS && !s->failed; i++)
        if (c->names.list[i].text && c->names.list[i].n != count[i])
            section_fail(s, "has %zu %s for %zu", c->names.list[i].n, names_lists[i], count[i]);
}

static void layout_names(struct section *s, struct checkpoint *c)
{
    for (size_t i = 0; i < NAMES_LISTS; i++)
        section_texts(s, names_lists[i], &c->names.list[i].n, &c->names.list[i].text);
    if (s->way == SECTION_READ && !s->failed)
        check_names(s, c);
}

static const char *const set_names[DATA_SETS] = {[DATA_TRAIN] = "train", [DATA_VALID] = "valid"};

static void layout_fingerprint(struct section *s, const char *set, struct fingerprint *print)
{
    char name[32];
    int64_t complete = print->complete;
    snprintf(name, sizeof name, "%s_shape", set);
    section_hash(s, name, &print->shape);
    snprintf(name, sizeof name, "%s_sample", set);
    section_hash(s, name, &print->sample);
    snprintf(name, sizeof name, "%s_inputs", set);
    section_hash(s, name, &print->inputs);
    snprintf(name, sizeof name, "%s_targets", set);
    section_hash(s, name, &print->targets);
    snprintf(name, sizeof name, "%s_complete", set);
    section_integer(s, name, &complete, 0, 1);
    print->complete = (int)complete;
}

static int layout_data(const struct section *whole, struct checkpoint *c)
{
    struct section s;
    int64_t classes = c->classes, features = (int64_t)c->features;
    section_begin(&s, whole, "/data");
    if (s.version < 5)
        section_hash(&s, "fingerprint", &c->fingerprint);
    for (int i = 0; i < DATA_SETS && s.version >= 5; i++)
        layout_fingerprint(&s, set_names[i], &c->data[i]);
    section_integer(&s, "classes", &classes, 0, INT32_MAX);
    section_integer(&s, "standardized_features", &features, 0, (int64_t)(s.most / sizeof(double)));
    c->classes = (int32_t)classes;
    c->features = (size_t)features;
    if (c->features && s.way == SECTION_READ && !s.failed) {
        c->mean = memory_create(c->features, sizeof *c->mean, s.error);
        c->deviation = memory_create(c->features, sizeof *c->deviation, s.error);
        s.failed |= !c->mean || !c->deviation;
    }
    if (c->features) {
        section_reals(&s, "mean", c->features, c->mean);
        section_reals(&s, "deviation", c->features, c->deviation);
    }
    if (s.version >= 5)
        layout_names(&s, c);
    return section_end(&s);
}

static int layout_flow(const struct section *whole, struct checkpoint *c)
{
    struct section s;
    struct flow_record *flow = &c->flow;
    int64_t distances = (int64_t)flow->curves.distances;
    section_begin(&s, whole, "/gradient_flow");
    section_integer(&s, "epoch", &flow->epoch, 0, most);
    section_integer(&s, "rows", &flow->rows, 0, most);
    section_integer(&s, "distances", &distances, 0, FLOW_MOST_DISTANCES);
    if (s.way == SECTION_READ && !s.failed && distances > 0)
        s.failed |= flow_curves_init(
                        &flow->curves, flow_count_directions(&c->model), (size_t)distances, s.error) != 0;
    if (!s.failed && distances > 0)
        section_reals(&s, "norm", flow->curves.directions * flow->curves.distances, flow->curves.norm);
    return section_end(&s);
}

/* Puts what is read of the first file and of the others together again. */
static void join_files(struct section *s, char *first, char *more, char **files)
{
    size_t size = strlen(first) + strlen(more) + 2;
    char *text = memory_create(size, 1, s->error);
    s->failed |= !text;
    if (text)
        snprintf(text, size, "%s\n%s", first, more);
    memory_destroy(first);
    *files = text;
}

/* An attribute takes the line of the first file, and a set those of others, where there are any: an attribute
 * holds 64 KiB. */
static void layout_files(struct section *s, const char *set, char **files)
{
    char name[32], *first = NULL, *end = *files ? strchr(*files, '\n') : NULL;
    char *more = end ? end + 1 : NULL, **list = more ? &more : NULL;
    size_t n = more ? 1 : 0;
    if (s->way == SECTION_WRITE && end) {
        first = memory_create((size_t)(end - *files) + 1, 1, s->error);
        s->failed |= !first;
        if (first)
            memcpy(first, *files, (size_t)(end - *files));
    }
    snprintf(name, sizeof name, "%s_file", set);
    section_text(s, name, first ? &first : files);
    snprintf(name, sizeof name, "%s_more_files", set);
    section_texts(s, name, &n, &list);
    if (s->way == SECTION_READ && list && !s->failed)
        join_files(s, *files, list[0], files);
    if (s->way == SECTION_READ)
        memory_destroy(list);
    memory_destroy(first);
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
    if (s.version >= 5)
        section_long_text(&s, "run", &p->run);
    for (int i = 0; i < DATA_SETS && s.version >= 5; i++)
        layout_files(&s, set_names[i], &p->files[i]);
    return section_end(&s);
}

/* Weights alone have neither group; one without the other is a damaged checkpoint. */
static int layout_state(const struct section *whole, struct checkpoint *c)
{
    if (whole->way == SECTION_READ)
        c->weights_alone = !h5_has(whole->file, "/optimizer") && !h5_has(whole->file, "/progress");
    if (c->weights_alone)
        return 0;
    if (layout_optimizer(whole, c) != 0 || layout_progress(whole, c) != 0)
        return -1;
    return whole->version >= 8 ? layout_carried(whole, c) : 0;
}

/* /provenance comes last: it differs between equal runs, and what comes before it does not move. */
int layout_pass(const struct section *whole, struct checkpoint *c)
{
    if (layout_config(whole, c) != 0 || layout_model(whole, c) != 0 || layout_state(whole, c) != 0 ||
        layout_data(whole, c) != 0)
        return -1;
    if (whole->version >= 8 && !c->weights_alone && layout_flow(whole, c) != 0)
        return -1;
    return layout_provenance(whole, c);
}
