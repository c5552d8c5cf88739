/* What --verify finds in checkpoints that have all their hashes: numbers that are not finite, and shapes that
 * are not those of the model. The rest is tested with the program (cli/test_verify.c). */
#include "base/hash.h"
#include "base/memory.h"
#include "ckpt/rundir.h"
#include "ckpt/verify.h"
#include "support/checkpoints.h"
#include "support/sample.h"
#include "support/suite.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static char folder[256], path[300], said[4096];

static void keep(void *context, const char *line)
{
    snprintf(said, sizeof said, "%s", line);
    ++*(int *)context;
}

/* Saves the checkpoint as best.h5 and looks at it: one line. Returns the code. */
static int look(struct checkpoint *checkpoint)
{
    struct error error = {0};
    int lines = 0;
    struct verdict verdict = {.say = keep, .context = &lines};
    struct own own = {.directory = folder, .best_is_ours = 1};
    checkpoint->weights_hash = hash_bytes(checkpoint->weights, checkpoint->count * sizeof(float));
    ck_assert_msg(rundir_save_best(&own, checkpoint, &error) == 0, "%s", error.text);
    verify_checkpoint(path, &verdict);
    ck_assert_int_eq(lines, 1);
    ck_assert_msg(strncmp(said, path, strlen(path)) == 0, "%s", said);
    return verdict.code;
}

START_TEST(weights_and_moments_must_be_finite)
{
    struct checkpoint c;
    struct net *net = checkpoints_make(&c, 2, 3, 5);
    ck_assert_msg(look(&c) == 0, "%s", said);
    ck_assert_ptr_nonnull(strstr(said, ": sound: step=5 "));
    float *values[] = {c.weights, c.moments[0], c.moments[1]};
    static const char *const names[] = {"the weights of", "exp_avg of", "exp_avg_sq of"};
    for (size_t i = 0; i < 3; i++) {
        float kept = values[i][c.count - 1];
        values[i][c.count - 1] = i % 2 ? NAN : -INFINITY;
        ck_assert_int_eq(look(&c), EXIT_CODE_DATA);
        ck_assert_msg(strstr(said, names[i]) && strstr(said, "head.bias is not finite"), "%s", said);
        values[i][c.count - 1] = kept;
    }
    net_destroy(net);
    checkpoint_finish(&c);
}
END_TEST

START_TEST(no_checkpoint_with_numbers_that_are_none_is_read)
{
    struct checkpoint c, read;
    struct error error;
    struct net *net = checkpoints_make(&c, 2, 3, 5);
    struct {
        double *place, bad;
    } cases[] = {{&c.mean[0], NAN}, {&c.deviation[0], INFINITY}, {&c.deviation[0], 0}};
    ck_assert_uint_gt(c.features, 0);
    checkpoint_init(&read);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double kept = *cases[i].place;
        *cases[i].place = cases[i].bad;
        ck_assert_int_eq(look(&c), EXIT_CODE_DATA);
        ck_assert_int_eq(checkpoint_read(path, CHECKPOINT_SEALED, &read, &error), -1);
        ck_assert_msg(error.code == EXIT_CODE_DATA && strstr(error.text, "feature 0"), "%s", error.text);
        *cases[i].place = kept;
    }
    c.weights[0] = NAN;
    ck_assert_int_eq(look(&c), EXIT_CODE_DATA);
    ck_assert_int_eq(checkpoint_read(path, CHECKPOINT_SEALED, &read, &error), -1);
    ck_assert_msg(
        error.code == EXIT_CODE_DATA && strstr(error.text, "number 0 of the weights"), "%s", error.text);
    net_destroy(net);
    checkpoint_finish(&c);
}
END_TEST

START_TEST(shapes_must_be_those_of_the_model)
{
    struct checkpoint c;
    struct net *net = checkpoints_make(&c, 2, 3, 5);
    c.model.hidden[1] = 4;
    ck_assert_int_eq(look(&c), EXIT_CODE_DATA);
    ck_assert_msg(strstr(said, ": damaged: ") && strstr(said, "where the model has"), "%s", said);
    net_destroy(net);
    checkpoint_finish(&c);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("verify");
    TCase *tests = tcase_create("verify");
    tcase_add_test(tests, weights_and_moments_must_be_finite);
    tcase_add_test(tests, no_checkpoint_with_numbers_that_are_none_is_read);
    tcase_add_test(tests, shapes_must_be_those_of_the_model);
    suite_add_tcase(suite, tests);
    sample_make_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/best.h5", folder);
    int outcome = suite_run(suite);
    sample_remove_folder(folder);
    return outcome;
}
