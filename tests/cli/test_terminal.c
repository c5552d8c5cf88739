/* What rnn-train shows on a terminal: here a pseudo-terminal, and nobody started the program but the test. */
#include "support/job.h"
#include "support/suite.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char config[] = "[data]\ntrain = train.h5\n[model]\nhidden = 4\n"
                             "[train]\nbatch = 4\nmicrobatch = 2\nepochs = 100\n";

static void prepare(void)
{
    job_write_sample("train.h5",
        &(struct sample_shape){.sequences = 200,
            .shortest = 20,
            .longest = 40,
            .features = 3,
            .kind = SAMPLE_PER_SEQUENCE,
            .classes = 2},
        1);
    job_write_text("base.ini", config);
}

/* Runs rnn-train on a terminal of its own; what it shows into `text`. Returns the exit status. */
static int run_on_terminal(const char *progress, char *text, size_t size)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    ck_assert_int_ge(terminal, 0);
    ck_assert_int_eq(grantpt(terminal), 0);
    ck_assert_int_eq(unlockpt(terminal), 0);
    int slave = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    ck_assert_int_ge(slave, 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(slave, STDOUT_FILENO);
        close(terminal);
        execl(getenv("RNN_TRAIN"), "rnn-train", progress, "-o", job_path(progress), job_path("base.ini"),
            (char *)NULL);
        _exit(127);
    }
    close(slave);
    size_t used = 0;
    for (ssize_t n; used < size - 1 && (n = read(terminal, text + used, size - 1 - used)) > 0;)
        used += (size_t)n;
    text[used] = 0;
    close(terminal);
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

/* Does a percentage stand where the cursor was sent back to? The terminal's own line ends do not count. */
static int is_written_over(const char *text)
{
    for (const char *at = text; (at = strchr(at, '\r')); at++)
        if (at[1] != '\n' && memchr(at, '%', strcspn(at, "\n")))
            return 1;
    return 0;
}

START_TEST(a_terminal_without_a_launcher_gets_the_updating_line)
{
    char text[1 << 16];
    ck_assert_int_eq(run_on_terminal("--progress=auto", text, sizeof text), 0);
    ck_assert_ptr_nonnull(strstr(text, "finished:"));
    ck_assert(is_written_over(text));
}
END_TEST

START_TEST(log_lines_stay_lines_on_a_terminal)
{
    char text[1 << 16];
    ck_assert_int_eq(run_on_terminal("--progress=log", text, sizeof text), 0);
    ck_assert_ptr_nonnull(strstr(text, "finished:"));
    ck_assert(!is_written_over(text));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("terminal");
    TCase *cases = tcase_create("terminal");
    job_open();
    tcase_add_unchecked_fixture(cases, prepare, NULL);
    tcase_set_timeout(cases, JOB_SECONDS);
    tcase_add_test(cases, a_terminal_without_a_launcher_gets_the_updating_line);
    tcase_add_test(cases, log_lines_stay_lines_on_a_terminal);
    suite_add_tcase(suite, cases);
    int failed = suite_run(suite);
    job_close();
    return failed;
}
