/* Frozen tensors: what is trained has the gradient that it has without them, to the bit, and nothing is
 * computed below the lowest layer that is trained. Every cell and output, without options and with all of
 * them, alone and in teams, from a workspace that keeps all and from the smallest there is. */
#include "base/random.h"
#include "reference/scene.h"
#include "reference/team.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* What is frozen: all below the head, about half of the tensors below, all of a layer in the midst, anything.
 */
enum { BELOW_HEAD, BOTTOM, MIDDLE, ABOVE, ANY, FIRST_ALONE, CHOICES };

static int is_frozen(const struct subject *subject, int choice, size_t k)
{
    const char *name = subject->list[k].name;
    switch (choice) {
    case BELOW_HEAD:
        return strncmp(name, "head.", 5) != 0;
    case BOTTOM:
        return k < subject->tensors / 2;
    case MIDDLE:
        return strstr(name, "_l1") != NULL;
    case ABOVE:
        return k > subject->tensors / 3;
    case FIRST_ALONE:
        return k == 0;
    default:
        return random_below(2, subject->P, RANDOM_TEST, 3, k) == 0;
    }
}

static void freeze(struct subject *subject, int choice)
{
    unsigned char *frozen = calloc(subject->tensors, 1);
    size_t trained = 0;
    ck_assert_ptr_nonnull(frozen);
    for (size_t k = 0; k < subject->tensors; k++) {
        frozen[k] = choice != CHOICES && is_frozen(subject, choice, k);
        trained += frozen[k] ? 0 : subject->list[k].count;
    }
    net_freeze(subject->net, frozen);
    ck_assert_uint_eq(net_count_trained(subject->net), trained);
    free(frozen);
}

/* What stands below everything that is trained has no gradient, and what is frozen elsewhere any. */
static void forget_frozen(const struct subject *subject, struct result *result, const struct result *whole)
{
    for (size_t k = 0; k < subject->tensors; k++) {
        const struct parameter *p = &subject->list[k];
        if (p->frozen)
            memcpy(result->gradient + p->offset, whole->gradient + p->offset, p->count * sizeof(float));
    }
}

static void check_nothing_below(const struct subject *subject, const struct result *result)
{
    for (size_t i = 0; i < subject->tensors && strncmp(subject->list[i].name, "head.", 5) != 0; i++)
        for (size_t k = 0; k < subject->list[i].count; k++)
            ck_assert_msg(result->gradient[subject->list[i].offset + k] == 0, "%s", subject->list[i].name);
}

static void check_result(struct scene *scene, struct result *result, int choice, const char *how)
{
    const struct subject *subject = &scene->subject;
    if (choice == BELOW_HEAD)
        check_nothing_below(subject, result);
    forget_frozen(subject, result, &scene->whole);
    const char *difference = result_find_difference(subject, result, &scene->whole);
    ck_assert_msg(!difference, "%s, choice %d, %s: another %s",
        output_names[net_get_config(subject->net)->output], choice, how, difference);
    result_finish(result);
}

static void check_choice(struct scene *scene, int choice, size_t members, size_t all)
{
    struct result result;
    freeze(&scene->subject, choice);
    scene->pass.memory = 0;
    ck_assert_uint_le(net_workspace_bytes(scene->subject.net, &scene->pass, &scene->microbatch), all);
    subject_run(&scene->subject, &scene->pass, &scene->microbatch, &result);
    check_result(scene, &result, choice, "alone");
    scene->pass.memory = 1;
    subject_run(&scene->subject, &scene->pass, &scene->microbatch, &result);
    check_result(scene, &result, choice, "with little memory");
    team_run(&scene->subject, &scene->pass, &scene->microbatch, members, &result);
    check_result(scene, &result, choice, "as a team");
}

/* _i: a cell, options or none, one direction or two. */
START_TEST(what_is_trained_has_its_gradient)
{
    for (int output = _i % SCENE_STEP; output < SCENE_OUTPUTS; output += SCENE_STEP) {
        struct scene scene;
        scene_init(&scene, _i, (enum output)output);
        size_t all = net_workspace_bytes(scene.subject.net, &scene.pass, &scene.microbatch);
        for (int choice = (_i + output) % 2; choice <= CHOICES; choice += 2)
            check_choice(&scene, choice, 2 + (size_t)(_i + output) % 3, all);
        scene_finish(&scene);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("freeze");
    TCase *cases = tcase_create("freeze");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, what_is_trained_has_its_gradient, 0, SCENE_CELLS * SCENE_KINDS);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
