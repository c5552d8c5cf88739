/* A kept file of each version of the checkpoint format, written by the program of its time, is read on. */
#include "base/hash.h"
#include "ckpt/checkpoint.h"
#include "ckpt/layout.h"
#include "support/suite.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The newest that is kept. A format that no release has yet is kept with the release. */
enum { KEPT = 8 };

static void read_kept(int version, struct checkpoint *checkpoint)
{
    char path[1000];
    struct error error = {0};
    snprintf(path, sizeof path, "%s/version-%d.h5", CHECKPOINTS, version);
    checkpoint_init(checkpoint);
    if (checkpoint_read(path, CHECKPOINT_SEALED, checkpoint, &error) != 0)
        ck_abort_msg("%s", error.text);
}

static void expect_common(const struct net_config *m)
{
    ck_assert(m->output == OUTPUT_FRAME && m->loss == LOSS_SOFTMAX && m->layers == 2);
    ck_assert(m->hidden[0] == 3 && m->hidden[1] == 2 && m->dropout == 0.25);
    ck_assert(m->inputs == 8 && m->symbols == 1 && m->outputs == 4 && m->target_length == 0);
}

/* Version 1 knew no options: they have their defaults. */
static void expect_first(const struct net_config *m)
{
    expect_common(m);
    ck_assert(m->cell == CELL_GRU && m->embedding == 3);
    ck_assert(m->bidirectional[0] == 1 && m->bidirectional[1] == 0);
    ck_assert(m->input_layers == 0 && m->output_layers == 0 && m->transition_layers == 0);
    ck_assert(m->initial_state == 0 && m->peepholes == 0 && m->recurrent_dropout == 0);
    ck_assert(m->class_weights == 0 && m->label_smoothing == 0 && m->huber_delta == 1);
    ck_assert(m->attention == ATTENTION_ADDITIVE && m->decoder_layers == 1 && m->decoder_hidden == 0);
}

static void expect_options(const struct net_config *m)
{
    static const double weight[] = {0.5, 1, 2.25, 1};
    expect_common(m);
    ck_assert(m->cell == CELL_LSTM && m->embedding == 2);
    ck_assert(m->bidirectional[0] == 0 && m->bidirectional[1] == 0);
    ck_assert(m->input_layers == 2 && m->input_size[0] == 3 && m->input_size[1] == 2);
    ck_assert(m->output_layers == 1 && m->output_size[0] == 4 && m->transition_layers == 1);
    ck_assert(m->initial_state == 1 && m->peepholes == 1 && m->recurrent_dropout == 0.125);
    ck_assert(m->residual == 0 && m->normalize == 0 && m->input_noise == 0 && m->huber_delta == 1);
    ck_assert(m->class_weights == 4 && memcmp(m->class_weight, weight, sizeof weight) == 0);
    ck_assert(m->label_smoothing == 0.0625 && m->attention == ATTENTION_ADDITIVE);
    ck_assert(m->decoder_layers == 1 && m->decoder_hidden == 0 && m->attention_size == 0);
}

START_TEST(the_model_of_every_version_is_read)
{
    struct checkpoint c;
    struct error error = {0};
    read_kept(_i, &c);
    if (_i == 1)
        expect_first(&c.model);
    else
        expect_options(&c.model);
    struct net *net = net_create(&c.model, &error);
    ck_assert_msg(net != NULL, "%s", error.text);
    ck_assert_int_eq(checkpoint_fits(&c, "kept", net, &error), 0);
    net_destroy(net);
    checkpoint_finish(&c);
}
END_TEST

START_TEST(the_weights_of_every_version_are_those_that_were_trained)
{
    static const uint64_t hash[] = {0x01c6c054745fc019, 0xf564a7651cb0b4b6};
    static const enum optimizer optimizer[] = {OPTIMIZER_ADAM, OPTIMIZER_MOMENTUM};
    struct checkpoint c;
    read_kept(_i, &c);
    ck_assert_uint_eq(c.weights_hash, hash[_i > 1]);
    ck_assert_uint_eq(hash_bytes(c.weights, c.count * sizeof *c.weights), hash[_i > 1]);
    ck_assert_int_eq(c.optimizer, optimizer[_i > 1]);
    for (size_t i = 0; i < OPTIM_MOST_MOMENTS; i++)
        ck_assert_int_eq(c.moments[i] != NULL, i < optim_count_moments(c.optimizer));
    checkpoint_finish(&c);
}
END_TEST

/* Version 5 knows both sets by their values, and what they are called. */
static void expect_data(const struct checkpoint *c)
{
    const struct fingerprint *train = &c->data[DATA_TRAIN], *valid = &c->data[DATA_VALID];
    struct file_identity identity;
    ck_assert(train->shape && train->sample && train->inputs && train->targets && train->complete);
    ck_assert(!valid->shape && !valid->complete);
    ck_assert_int_eq(file_read_identity(c->provenance.files[DATA_TRAIN], &identity), 0);
    ck_assert_int_eq(identity.size, 8068);
    ck_assert_str_eq(c->provenance.files[DATA_VALID], "");
    ck_assert_uint_eq(c->names.list[NAMES_OF_CLASSES].n, 4);
    ck_assert_str_eq(c->names.list[NAMES_OF_CLASSES].text[1], "1");
    ck_assert_ptr_null(c->names.list[NAMES_OF_SYMBOLS].text);
}

START_TEST(the_progress_of_every_version_is_read)
{
    struct checkpoint c;
    read_kept(_i, &c);
    const struct progress *p = &c.progress;
    ck_assert(p->epoch == 2 && p->step == 3 && p->position == 1 && p->finished == 0);
    ck_assert(p->best_epoch == 1 && p->metrics_rows == 3 && p->waited == 0);
    ck_assert(p->epoch_counted > 0 && p->epoch_labels > 0 && isfinite(p->epoch_loss));
    ck_assert(p->anchor == 3 && p->skipped == 0 && p->backs == 0);
    ck_assert(c.optim.step == 3 && c.optim.reduction == 1);
    ck_assert_int_eq(p->plan_version, _i < 6 ? 1 : 2);
    ck_assert_int_eq(c.version, _i);
    if (_i < 5)
        ck_assert_uint_eq(c.fingerprint, 0x3b75f9e95b9a3405);
    else
        expect_data(&c);
    ck_assert(c.classes == 4 && c.features == 0);
    ck_assert_ptr_nonnull(strstr(c.config, _i < 4 ? "\ngrain = 2\n" : "\nmicrobatch = 2\n"));
    checkpoint_finish(&c);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("versions");
    TCase *cases = tcase_create("versions");
    tcase_add_loop_test(cases, the_model_of_every_version_is_read, 1, KEPT + 1);
    tcase_add_loop_test(cases, the_weights_of_every_version_are_those_that_were_trained, 1, KEPT + 1);
    tcase_add_loop_test(cases, the_progress_of_every_version_is_read, 1, KEPT + 1);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
