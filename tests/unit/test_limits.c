/* When a run is over, stops or saves, as one rank judges it. */
#include "base/clock.h"
#include "pass/stop.h"
#include "run/limits.h"
#include "run/progress.h"

#include <check.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>

static const struct comm first = {.rank = 0, .ranks = 2}, second = {.rank = 1, .ranks = 2};

static struct config make_config(enum interval unit, int64_t every)
{
    struct config config = {.train = {.epochs = 9}};
    config.checkpoint.every[unit] = every;
    return config;
}

static struct limits make_limits(const struct comm *comm, enum interval unit)
{
    struct limits limits;
    const struct config config = make_config(unit, 1);
    limits_init(&limits, &config, comm, 1000);
    return limits;
}

START_TEST(without_a_limit_there_is_time_for_ever)
{
    struct limits limits = make_limits(&first, INTERVAL_EPOCHS);
    unsetenv("SLURM_JOB_ID");
    limits_find_deadline(&limits, 0, clock_now());
    limits.longest_step = limits.longest_save = 1e9;
    ck_assert(!limits_are_near(&limits));
}
END_TEST

/* A second, and half as much again as two steps and two saves take. */
START_TEST(the_end_is_near_when_two_steps_and_two_saves_may_not_fit)
{
    struct limits limits = make_limits(&first, INTERVAL_EPOCHS);
    double start = clock_now(), needed = 1 + 1.5 * 2 * (20 + 30);
    limits_note_step(&limits, start - 20);
    limits_note_batch(&limits, start - 10);
    limits_note_save(&limits, start - 30);
    limits_find_deadline(&limits, (int64_t)needed + 20, start);
    ck_assert(!limits_are_near(&limits));
    limits_find_deadline(&limits, (int64_t)needed - 20, start);
    ck_assert(limits_are_near(&limits));
}
END_TEST

START_TEST(the_longest_of_each_counts)
{
    struct limits limits = make_limits(&first, INTERVAL_EPOCHS);
    double now = clock_now();
    limits_note_step(&limits, now - 50);
    limits_note_step(&limits, now - 1);
    limits_note_batch(&limits, now - 40);
    limits_note_batch(&limits, now - 2);
    ck_assert(limits.longest_step >= 50 && limits.longest_step < 60);
    ck_assert(limits.longest_batch >= 40 && limits.longest_batch < 50);
}
END_TEST

START_TEST(a_save_by_the_clock_is_rank_0s_to_ask_for)
{
    struct limits mine = make_limits(&first, INTERVAL_MINUTES),
                  others = make_limits(&second, INTERVAL_MINUTES);
    struct limits by_steps = make_limits(&first, INTERVAL_STEPS);
    struct ballot ballot = {0};
    limits_vote(&mine, &ballot);
    ck_assert(!ballot.save);
    mine.saved = others.saved = by_steps.saved = clock_now() - 61;
    limits_vote(&others, &ballot);
    ck_assert(!ballot.save);
    limits_vote(&by_steps, &ballot);
    ck_assert(!ballot.save);
    limits_vote(&mine, &ballot);
    ck_assert(ballot.save);
    limits_note_save(&mine, clock_now());
    limits_vote(&mine, &ballot);
    ck_assert(!ballot.save);
}
END_TEST

START_TEST(a_signal_goes_before_time)
{
    ck_assert_int_eq(limits_read(&(struct ballot){0}), STOP_NOT);
    ck_assert_int_eq(limits_read(&(struct ballot){.late = 1}), STOP_TIME);
    ck_assert_int_eq(limits_read(&(struct ballot){.signal = 1, .late = 1}), STOP_SIGNAL);
    ck_assert_int_eq(limits_read(&(struct ballot){.failed = 1, .save = 1}), STOP_NOT);
}
END_TEST

START_TEST(a_signal_once_caught_is_told_every_time)
{
    const struct limits limits = make_limits(&second, INTERVAL_EPOCHS);
    struct ballot ballot = {0};
    stop_catch_signals();
    limits_vote(&limits, &ballot);
    ck_assert(!ballot.signal);
    raise(SIGUSR1);
    for (int i = 0; i < 2; i++) {
        ballot.signal = 0;
        limits_vote(&limits, &ballot);
        ck_assert(ballot.signal && !ballot.late && !ballot.save);
    }
}
END_TEST

/* Each runs in a process of its own, as Check forks. */
START_TEST(every_signal_that_asks_for_an_end_is_taken_note_of_by_name)
{
    static const struct {
        int number;
        const char *name;
    } asks[] = {{SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"}, {SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"},
        {SIGHUP, "SIGHUP"}, {SIGXCPU, "SIGXCPU"}};
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++)
        signal(asks[i].number, SIG_DFL); /* the tests may run under nohup */
    stop_catch_signals();
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        raise(asks[i].number);
        ck_assert_int_eq(stop_signal(), asks[i].number);
        ck_assert_int_eq(*stop_flag(), asks[i].number);
        ck_assert_str_eq(stop_signal_name(stop_signal()), asks[i].name);
    }
}
END_TEST

START_TEST(a_signal_that_is_ignored_at_the_start_stays_so)
{
    signal(SIGHUP, SIG_IGN);
    stop_catch_signals();
    raise(SIGHUP);
    ck_assert_int_eq(stop_signal(), 0);
    raise(SIGTERM);
    ck_assert_int_eq(stop_signal(), SIGTERM);
}
END_TEST

START_TEST(a_run_is_over_after_its_last_epoch_or_when_patience_is)
{
    struct config config = make_config(INTERVAL_EPOCHS, 1);
    struct progress progress;
    progress_init(&progress);
    for (int64_t epoch = 1; epoch <= 9; epoch++) {
        ck_assert(!progress_is_over(&progress, &config));
        progress_note_epoch(&progress, &config, 1, NAN);
        progress_begin_epoch(&progress);
    }
    ck_assert(progress_is_over(&progress, &config));
    config.train.epochs = 100;
    ck_assert(!progress_is_over(&progress, &config));
    config.train.patience = 8; /* the first of the nine epochs was the best */
    ck_assert(progress_is_over(&progress, &config));
    progress_count_step(&progress, (struct net_score){0}); /* within an epoch none is over */
    ck_assert(!progress_is_over(&progress, &config));
}
END_TEST

START_TEST(the_best_epoch_is_by_loss_or_by_error_and_never_one_of_no_number)
{
    struct config config = make_config(INTERVAL_EPOCHS, 1);
    struct progress progress;
    progress_init(&progress);
    ck_assert(progress_note_epoch(&progress, &config, 3, 0.2));
    ck_assert(!progress_note_epoch(&progress, &config, NAN, 0.1) && progress.waited == 1);
    ck_assert(progress_note_epoch(&progress, &config, 2, 0.3) && progress.waited == 0);
    config.checkpoint.best = BEST_ERROR;
    ck_assert(progress_note_epoch(&progress, &config, 4, 0.1) && progress.best == 0.1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("limits");
    TCase *cases = tcase_create("limits");
    tcase_add_test(cases, without_a_limit_there_is_time_for_ever);
    tcase_add_test(cases, the_end_is_near_when_two_steps_and_two_saves_may_not_fit);
    tcase_add_test(cases, the_longest_of_each_counts);
    tcase_add_test(cases, a_save_by_the_clock_is_rank_0s_to_ask_for);
    tcase_add_test(cases, a_signal_goes_before_time);
    tcase_add_test(cases, a_signal_once_caught_is_told_every_time);
    tcase_add_test(cases, every_signal_that_asks_for_an_end_is_taken_note_of_by_name);
    tcase_add_test(cases, a_signal_that_is_ignored_at_the_start_stays_so);
    tcase_add_test(cases, a_run_is_over_after_its_last_epoch_or_when_patience_is);
    tcase_add_test(cases, the_best_epoch_is_by_loss_or_by_error_and_never_one_of_no_number);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
