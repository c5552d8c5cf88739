/* What a trial has come to, for people: a line or two for each question that they have. */
#include "base/text.h"
#include "net/losses/loss.h"
#include "plan/trial.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum { DURATION = 40 };

/* "0.0312 s", "3 min 20 s", "2 h 5 min" or "3 days 4 h" */
static const char *write_duration(double seconds, char text[static DURATION])
{
    enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };
    if (seconds < 2 * MINUTE)
        snprintf(text, DURATION, "%.3g s", seconds);
    else if (seconds < 2 * HOUR)
        snprintf(text, DURATION, "%.0f min %.0f s", floor(seconds / MINUTE), fmod(floor(seconds), MINUTE));
    else if (seconds < 2.0 * DAY)
        snprintf(
            text, DURATION, "%.0f h %.0f min", floor(seconds / HOUR), floor(fmod(seconds, HOUR) / MINUTE));
    else
        snprintf(text, DURATION, "%.0f days %.0f h", floor(seconds / DAY), floor(fmod(seconds, DAY) / HOUR));
    return text;
}

/* Begins a line, which is about `what`; a line that goes on about the same has none. */
__attribute__((format(printf, 2, 3))) static void print_line(const char *what, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("  %-10s", what);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
}

/* What is wrong is told twice: here, and by how the last line advises. */
__attribute__((format(printf, 2, 3))) static void print_warning(int *warnings, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("  warning: ");
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
    ++*warnings;
}

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

static void print_head(const struct trial *trial)
{
    char shown[TEXT_SHOWN];
    const struct run *run = trial->run;
    printf("trial of %s on %d rank%s, of which nothing is kept: ", text_show(run->options->config, shown),
        run->comm->ranks, plural(run->comm->ranks));
    if (trial->before)
        printf("after step %" PRId64 " of %s\n", trial->before, text_show(run->directory, shown));
    else
        printf("from the start\n");
    print_line("network", "%zu parameters", run->learner.P);
}

static void print_step(const struct trial *trial, const struct trial_step *step)
{
    const struct outcome *outcome = &step->outcome;
    int pieces = trial->run->config->train.truncate > 0;
    print_line("step",
        "%" PRId64 " sequence%s%s, %" PRId64 " frame%s, the longest %" PRId64 "; %" PRId64
        " of %d rank%s had work",
        outcome->sequences, plural(outcome->sequences), pieces ? " (pieces of them)" : "", outcome->frames,
        plural(outcome->frames), step->longest, step->working, trial->run->comm->ranks,
        plural(trial->run->comm->ranks));
}

/* What is extrapolated goes by frames, since steps may have more or fewer. Validation takes the forward pass
 * alone, about a third of the work. */
static void print_time(const struct trial *trial, const struct trial_step *step)
{
    enum { VALIDATION = 3 };
    const struct run *run = trial->run;
    const struct dataset *valid = run->sets.valid;
    double seconds = step->outcome.seconds, speed = (double)step->outcome.frames / seconds;
    double epoch = (double)run->sets.train->frames / speed;
    double check = valid ? (double)valid->frames / speed / VALIDATION : 0;
    int64_t epochs = run->config->train.epochs;
    char one[DURATION], other[DURATION];
    if (trial->made == TRIAL_STEPS)
        print_line("time", "%s a step (the first, which warms up, took %s), %.4g frames/s",
            write_duration(seconds, one), write_duration(trial->step[0].outcome.seconds, other), speed);
    else
        print_line("time", "%s a step (the only one, which also warms up), %.4g frames/s",
            write_duration(seconds, one), speed);
    print_line("", "about %s an epoch (%" PRId64 " step%s%s), %s all %" PRId64 " epoch%s",
        write_duration(epoch + check, one), trial->steps_of_epoch, plural(trial->steps_of_epoch),
        valid ? " and validation" : "", write_duration((epoch + check) * (double)epochs, other), epochs,
        plural(epochs));
}

static void print_memory(const struct trial *trial, int *warnings)
{
    char one[MEMORY_WRITTEN], other[MEMORY_WRITTEN];
    const struct memory_need *need = &trial->need;
    struct machine_memory memory;
    if (trial->seen)
        print_line("memory", "%s seen of a rank, %s planned", memory_write((double)trial->seen, one),
            memory_write(need->rank, other));
    else
        print_line("memory", "%s planned of a rank", memory_write(need->rank, other));
    print_line(
        "", "%s planned of rank 0 at most, where it validates or saves", memory_write(need->most, one));
    print_line("", "%s planned of %zu rank%s of this machine together, with programs and libraries",
        memory_write(need->node, one), trial->ranks.node, plural((int64_t)trial->ranks.node));
    int lacks = trial_lacks_memory(trial, &memory);
    if (memory.bytes)
        print_line("", "%s are there (the %s)", memory_write((double)memory.bytes, one), memory.limit);
    if (lacks)
        print_warning(warnings, "there is no room for it: " TRIAL_MEMORY_ADVICE);
}

/* The loss of a step, or that there is none. */
static const char *write_loss(double loss, char text[static DURATION])
{
    if (isnan(loss))
        snprintf(text, DURATION, "no loss");
    else
        snprintf(text, DURATION, "%.9g", loss);
    return text;
}

static void print_loss(const struct trial *trial, int *warnings)
{
    const struct net_config *model = net_get_config(trial->run->learner.net);
    const struct outcome *first = &trial->step[0].outcome, *last = &trial->step[trial->made - 1].outcome;
    char one[DURATION], other[DURATION];
    if (trial->made == TRIAL_STEPS)
        print_line("loss", "%s in the first step, %s in the second", write_loss(first->loss, one),
            write_loss(last->loss, other));
    else
        print_line("loss", "%s in the step", write_loss(first->loss, one));
    if (!isnan(trial->guess))
        print_line("", "%.9g by guessing: %s", trial->guess,
            loss_of(model)->takes_classes ? "all classes alike" : "always the mean of the targets");
    if (trial->diverged)
        print_warning(warnings, "training diverged: %s",
            !isfinite(last->loss)                ? "the loss is not finite"
                : !isfinite(last->gradient_norm) ? "the norm of the gradient is not finite"
                                                 : "the loss or a weight became too large");
    else if (isnan(first->loss))
        print_warning(warnings, "nothing counts in the first step, so that nothing is learned from it");
}

static const char *describe_clipping(const struct trial *trial, double clip)
{
    int first = trial->step[0].outcome.gradient_norm > clip;
    int last = trial->step[trial->made - 1].outcome.gradient_norm > clip;
    if (trial->made == 1)
        return first ? "is clipped" : "is not clipped";
    return first && last ? "both are clipped"
        : first          ? "the first is clipped"
        : last           ? "the second is clipped"
                         : "neither is clipped";
}

/* A norm so far beyond the clipping means that next to nothing of the gradient is left. */
static void print_gradient(const struct trial *trial, int *warnings)
{
    static const double FAR = 100;
    double clip = trial->run->config->train.optim.clip;
    double first = trial->step[0].outcome.gradient_norm,
           last = trial->step[trial->made - 1].outcome.gradient_norm;
    double larger = first > last ? first : last;
    char norms[80], clipped[80] = "never clipped (train.clip = 0)";
    if (trial->made == TRIAL_STEPS)
        snprintf(norms, sizeof norms, "of norm %.4g and %.4g", first, last);
    else
        snprintf(norms, sizeof norms, "of norm %.4g", first);
    if (clip > 0)
        snprintf(clipped, sizeof clipped, "%s (train.clip = %g)", describe_clipping(trial, clip), clip);
    print_line("gradient", "%s: %s", norms, clipped);
    if (larger > FAR * (clip > 0 ? clip : 1))
        print_warning(warnings, "a gradient of norm %.4g is very large: %s", larger,
            clip > 0 ? "clipping leaves next to nothing of it: rnn-data info shows values that are too large"
                     : "train.clip = 1 would bound it");
}

static void print_next(const struct trial *trial, int warnings)
{
    const struct run *run = trial->run;
    const struct train_options *options = run->options;
    char shown[TEXT_SHOWN], launcher[40] = "";
    if (run->comm->ranks > 1)
        snprintf(launcher, sizeof launcher, "mpirun -np %d ", run->comm->ranks);
    print_line("next", "%s: %srnn-train %s%s", warnings ? "once that is mended" : "everything fits", launcher,
        text_show(options->config, shown),
        options->set.count || options->run || options->init ? ", with the same options" : "");
}

void trial_print(const struct trial *trial)
{
    int warnings = 0;
    print_head(trial);
    if (trial->made == 0) {
        print_line("next", "the run is finished: no step is left to try");
        return;
    }
    const struct trial_step *last = &trial->step[trial->made - 1];
    print_step(trial, last);
    if (!trial->diverged)
        print_time(trial, last);
    print_memory(trial, &warnings);
    print_loss(trial, &warnings);
    if (!trial->diverged)
        print_gradient(trial, &warnings);
    print_next(trial, warnings);
}
