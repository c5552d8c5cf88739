/* Teams of two to four threads have the bits of one, for every cell and output, without and with all options.
 * The thread sanitizer sees here whether two members touch the same memory without a meeting between:
 * scripts/test builds this test with it. test_net_options holds the same networks, alone and in teams, to the
 * reference. */
#include "net/check.h"
#include "reference/net_options.h"
#include "reference/team.h"
#include "support/suite.h"

#include <stdlib.h>

enum { CELLS = 7, OUTPUTS = 3, KINDS = OUTPUTS * 2 * 2, ROWS = 5 };

static const int32_t lengths[ROWS] = {11, 7, 7, 2, 1};
static const int64_t in_order[ROWS] = {0, 1, 2, 3, 4};

static void check_team(const struct net_config *config, size_t members)
{
    struct problem problem;
    struct subject subject;
    struct result alone;
    struct microbatch microbatch;
    struct net_pass pass = {.training = 1, .seed = 1, .epoch = 1};
    problem_init(&problem, config, ROWS, lengths, members);
    subject_init(&subject, &problem);
    subject_run_chosen(&subject, &pass, ROWS, in_order, &alone);
    microbatch_init(&microbatch);
    problem_fill_microbatch(&problem, ROWS, in_order, &microbatch);
    const char *difference = team_compare(&subject, &pass, &microbatch, members, &alone);
    ck_assert_msg(!difference, "%s %s, %zu members: another %s", cell_names[config->cell],
        output_names[config->output], members, difference);
    microbatch_finish(&microbatch);
    result_finish(&alone);
    subject_finish(&subject);
    problem_finish(&problem);
}

/* _i: a cell, options or none, one direction or two, and an output. All options together leave members little
 * to share: a layer of transitions is its first member's. */
START_TEST(a_team_has_the_bits_of_one)
{
    const struct net_option **chosen = calloc(net_options_count, sizeof *chosen);
    ck_assert_ptr_nonnull(chosen);
    int kind = _i % KINDS, cell = _i / KINDS, both = kind / OUTPUTS % 2, all = kind / OUTPUTS / 2;
    int symbols = (cell + both) % 2, members = 2 + (cell + kind / OUTPUTS) % 3;
    struct net_config config = {.cell = (enum cell)cell,
        .output = (enum output)(kind % OUTPUTS),
        .layers = 3,
        .hidden = {34, 17, 5},
        .bidirectional = {both, 1, both},
        .inputs = 8,
        .symbols = symbols,
        .embedding = symbols ? 7 : 0,
        .outputs = 18};
    if (all)
        net_options_apply(&config, net_options_choose_all(config.cell, LOSS_SOFTMAX, chosen), chosen);
    if (config.output == OUTPUT_CTC) { /* which has no rows to weigh */
        config.class_weights = 0;
        config.label_smoothing = 0;
    }
    ck_assert_int_eq(net_config_check(&config, NULL, NULL), 0);
    check_team(&config, (size_t)members);
    free(chosen);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("teams");
    TCase *cases = tcase_create("teams");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, a_team_has_the_bits_of_one, 0, CELLS * KINDS);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
