/* A pass has the same bits however little memory it makes do with: every cell and output, without options and
 * with all of them, alone and in teams, from a workspace that keeps all down to the smallest there is. */
#include "reference/scene.h"
#include "reference/team.h"
#include "support/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *name_of(const struct scene *scene)
{
    return output_names[net_get_config(scene->subject.net)->output];
}

/* The gradient is not nothing in any tensor, or its bits would say little. */
static void check_whole(const struct scene *scene)
{
    const struct subject *subject = &scene->subject;
    for (size_t k = 0; k < subject->tensors; k++) {
        double sum = 0;
        for (size_t i = 0; i < subject->list[k].count; i++)
            sum += fabs((double)scene->whole.gradient[subject->list[k].offset + i]);
        ck_assert_msg(sum > 0, "%s", subject->list[k].name);
    }
}

/* Makes the pass with at most so much memory, and returns how it saved. */
static struct net_saving check_memory(struct scene *scene, size_t memory)
{
    struct result result;
    scene->pass.memory = memory;
    struct net_saving saving = net_find_saving(scene->subject.net, &scene->pass, &scene->microbatch);
    subject_run(&scene->subject, &scene->pass, &scene->microbatch, &result);
    const char *difference = result_find_difference(&scene->subject, &result, &scene->whole);
    ck_assert_msg(!difference, "%s: %zu bytes (%zu layers, %zu steps): another %s", name_of(scene), memory,
        saving.layers, saving.steps, difference);
    result_finish(&result);
    return saving;
}

static void check_team(struct scene *scene, size_t memory, size_t members)
{
    scene->pass.memory = memory;
    const char *difference =
        team_compare(&scene->subject, &scene->pass, &scene->microbatch, members, &scene->whole);
    ck_assert_msg(!difference, "%s: %zu members, %zu bytes each: another %s", name_of(scene), members, memory,
        difference);
}

/* Each workspace is a byte less than the one before would take. */
static void check_training(struct scene *scene, size_t members)
{
    size_t kinds = 0, memory = net_workspace_bytes(scene->subject.net, &scene->pass, &scene->microbatch);
    struct net_saving saving;
    for (int fits = 1; fits; kinds++) {
        saving = check_memory(scene, memory);
        fits = saving.bytes <= memory;
        memory = saving.bytes - 1;
    }
    ck_assert_msg(kinds > 4, "only %zu kinds of workspace", kinds);
    ck_assert_uint_eq(saving.layers, 3);
    ck_assert_msg(saving.steps < (size_t)scene_lengths[0], "%zu steps are no segment", saving.steps);
    check_team(scene, memory, members);
}

/* What is not learned from needs no more than what is. */
static void check_evaluation(struct scene *scene)
{
    struct result result, saved;
    scene->pass = (struct net_pass){.training = 1, .memory = 1};
    size_t learning = net_workspace_bytes(scene->subject.net, &scene->pass, &scene->microbatch);
    scene->pass = (struct net_pass){.training = 0};
    subject_run(&scene->subject, &scene->pass, &scene->microbatch, &result);
    size_t all = net_workspace_bytes(scene->subject.net, &scene->pass, &scene->microbatch);
    scene->pass.memory = 1;
    size_t least = net_workspace_bytes(scene->subject.net, &scene->pass, &scene->microbatch);
    subject_run(&scene->subject, &scene->pass, &scene->microbatch, &saved);
    ck_assert_ptr_null(result_find_difference(&scene->subject, &saved, &result));
    ck_assert_uint_lt(least, all);
    ck_assert_msg(least <= learning || net_get_config(scene->subject.net)->output == OUTPUT_DECODER,
        "%zu bytes where learning takes %zu", least, learning); /* a decoder also searches here */
    result_finish(&result);
    result_finish(&saved);
}

/* _i: a cell, options or none, one direction or two. */
START_TEST(memory_changes_no_bit)
{
    for (int output = _i % SCENE_STEP; output < SCENE_OUTPUTS; output += SCENE_STEP) {
        struct scene scene;
        scene_init(&scene, _i, (enum output)output);
        check_whole(&scene);
        check_training(&scene, 2 + (size_t)(_i + output) % 3);
        check_evaluation(&scene);
        scene_finish(&scene);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net memory");
    TCase *cases = tcase_create("net memory");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, memory_changes_no_bit, 0, SCENE_CELLS * SCENE_KINDS);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
