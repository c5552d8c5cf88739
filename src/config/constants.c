#include "config/constants.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "config/ini.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

const size_t constants_widths[CONSTANTS_WIDTHS] = {32, 64, 128, 256, 512};

/* A number of the file. `optional`: one rank or one node cannot measure it. */
struct constant {
    const char *name;
    size_t offset;
    int optional;
};

#define AT(member) offsetof(struct constants, member)

static const struct constant table[] = {
    {"ranks", AT(ranks), 0},
    {"nodes", AT(nodes), 0},
    {"peak_alone", AT(peak_alone), 0},
    {"peak_all", AT(peak_all), 0},
    {"memory_alone", AT(memory_alone), 0},
    {"memory_all", AT(memory_all), 0},
    {"meeting", AT(meeting), 1},
    {"meeting_all", AT(meeting_all), 1},
    {"latency_inside", AT(latency_inside), 1},
    {"bandwidth_inside", AT(bandwidth_inside), 1},
    {"latency_between", AT(latency_between), 1},
    {"bandwidth_between", AT(bandwidth_between), 1},
};
enum { PLAIN = sizeof table / sizeof *table, ALL = PLAIN + CONSTANTS_CELLS * CONSTANTS_WIDTHS, NAME = 64 };

/* Describes number i of ALL: those of the table, and then the fractions, "lstm_64". */
static struct constant get_constant(size_t i, char name[static NAME])
{
    if (i < PLAIN)
        return table[i];
    size_t cell = (i - PLAIN) / CONSTANTS_WIDTHS, width = (i - PLAIN) % CONSTANTS_WIDTHS;
    snprintf(name, NAME, "%s_%zu", cell_names[cell], constants_widths[width]);
    return (struct constant){name, AT(fraction) + (i - PLAIN) * sizeof(double), 0};
}

int constants_write(const struct constants *constants, const char *path, struct error *error)
{
    char text[8192] =
        "; A machine as rnn-bench --machine has measured it, for rnn-train --plan N --machine: seconds,\n"
        "; bytes or operations a second, fractions of peak_all\n[machine]\n";
    for (size_t i = 0; i < ALL; i++) {
        char name[NAME];
        size_t used = strlen(text);
        struct constant constant = get_constant(i, name);
        double value;
        memcpy(&value, (const char *)constants + constant.offset, sizeof value);
        snprintf(text + used, sizeof text - used, "%s = %.6g\n", constant.name, value);
    }
    return file_replace(path, text, strlen(text), error);
}

struct constants_reading {
    struct constants *constants;
    const char *path;
    struct error *error;
    unsigned char seen[ALL];
};

static void take_section(void *context, const char *section, int line)
{
    struct constants_reading *reading = context;
    if (reading->error->code == 0 && strcmp(section, "machine") != 0)
        error_set(reading->error, EXIT_CODE_DATA,
            "%s:%d: [%.60s]: allowed is [machine], as rnn-bench writes it", reading->path, line, section);
}

static void take_pair(void *context, const char *section, const char *name, const char *value, int line)
{
    struct constants_reading *reading = context;
    double number;
    (void)section;
    for (size_t i = 0; i < ALL && reading->error->code == 0; i++) {
        char room[NAME];
        struct constant constant = get_constant(i, room);
        if (strcmp(name, constant.name) != 0)
            continue;
        int bad = number_read_real(value, &number) != NUMBER_OK || number < 0;
        if (bad || (number == 0 && !constant.optional)) {
            error_set(reading->error, EXIT_CODE_DATA, "%s:%d: %s = %.60s: allowed is a number above 0",
                reading->path, line, name, value);
            return;
        }
        memcpy((char *)reading->constants + constant.offset, &number, sizeof number);
        reading->seen[i] = 1;
        return;
    }
    if (reading->error->code == 0)
        error_set(reading->error, EXIT_CODE_DATA,
            "%s:%d: %.60s: no number that rnn-bench --machine writes: write the file anew", reading->path,
            line, name);
}

static void take_fault(void *context, const char *text)
{
    error_set(context, EXIT_CODE_DATA, "%s", text);
}

int constants_read(struct constants *constants, const char *path, struct error *error)
{
    char *text = ini_load(path, error);
    if (!text)
        return -1;
    struct constants read = {.ranks = 0};
    struct constants_reading reading = {.constants = &read, .path = path, .error = error};
    struct faults faults;
    faults_init(&faults, 1, take_fault, error);
    ini_scan(text, path, &(struct ini_listener){take_section, take_pair, &reading}, &faults);
    memory_destroy(text);
    for (size_t i = 0; i < ALL && error->code == 0; i++) {
        char name[NAME];
        struct constant constant = get_constant(i, name);
        if (!reading.seen[i])
            error_set(error, EXIT_CODE_DATA, "%s: has no %s: write it anew with rnn-bench --machine", path,
                constant.name);
    }
    if (error->code)
        return -1;
    *constants = read;
    return 0;
}

double constants_fraction(const struct constants *constants, enum cell cell, size_t units)
{
    const double *fraction = constants->fraction[cell];
    size_t i = 0;
    if (units <= constants_widths[0]) /* a narrow layer has blocks that are not full */
        return fraction[0] * (double)units / (double)constants_widths[0];
    while (i + 2 < CONSTANTS_WIDTHS && units > constants_widths[i + 1])
        i++;
    double share = log((double)units / (double)constants_widths[i]) /
        log((double)constants_widths[i + 1] / (double)constants_widths[i]);
    return fraction[i] + fmin(share, 1) * (fraction[i + 1] - fraction[i]);
}
