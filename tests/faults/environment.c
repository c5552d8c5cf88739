/* The variable INJECT, read before main. */
#define _GNU_SOURCE /* MAP_ANONYMOUS, program_invocation_short_name */

#include "faults/inject.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const action_names[] = {
    "count", "fail", "short", "full", "kill-before", "kill-after", NULL};
static const char *const loss_names[] = {"data", "zero", "names", NULL};

static void refuse(const char *word)
{
    fprintf(stderr, "inject: %s: cannot be\n", word);
    _exit(99);
}

static int find(const char *const *names, const char *name, size_t n)
{
    for (int i = 0; names[i]; i++)
        if (strlen(names[i]) == n && strncmp(names[i], name, n) == 0)
            return i;
    return -1;
}

/* Bits of a list "one,other". */
static unsigned read_list(const char *const *names, const char *value, const char *word)
{
    unsigned bits = 0;
    while (*value) {
        size_t n = strcspn(value, ",");
        int i = find(names, value, n);
        if (i < 0)
            refuse(word);
        bits |= 1u << i;
        value += n + (value[n] == ',');
    }
    return bits;
}

static void read_word(struct inject_plan *plan, char *where, size_t size, const char *word)
{
    const char *names[INJECT_CALLS + 1] = {NULL};
    for (int i = 0; i < INJECT_CALLS; i++)
        names[i] = inject_call_name((enum inject_call)i);
    const char *equals = strchr(word, '=');
    if (!equals)
        refuse(word);
    const char *value = equals + 1;
    size_t n = (size_t)(equals - word);
    static const char *const keys[] = {"calls", "at", "action", "then", "errno", "lose", "below", "after",
        "program", "report", "caller", NULL};
    switch (find(keys, word, n)) {
    case 0:
        plan->calls = read_list(names, value, word);
        break;
    case 1:
        plan->at = atol(value);
        break;
    case 2:
        if (find(action_names, value, strlen(value)) < 0)
            refuse(word);
        plan->action = (enum inject_action)find(action_names, value, strlen(value));
        break;
    case 3:
        plan->always = strcmp(value, "always") == 0;
        break;
    case 4:
        plan->error = atoi(value);
        break;
    case 5:
        plan->loss = read_list(loss_names, value, word);
        break;
    case 6:
        snprintf(plan->below, sizeof plan->below, "%s", value);
        break;
    case 7:
        snprintf(plan->after, sizeof plan->after, "%s", value);
        break;
    case 8:
        snprintf(plan->program, sizeof plan->program, "%s", value);
        break;
    case 9:
        snprintf(where, size, "%s", value);
        break;
    case 10:
        snprintf(plan->caller, sizeof plan->caller, "%s", value);
        break;
    default:
        refuse(word);
    }
}

static struct inject_report *map_report(const char *where)
{
    int file = *where ? open(where, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;
    if (file >= 0 && ftruncate(file, sizeof(struct inject_report)) != 0)
        refuse(where);
    int flags = file >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
    void *block = mmap(NULL, sizeof(struct inject_report), PROT_READ | PROT_WRITE, flags, file, 0);
    if (file >= 0)
        close(file);
    if (block == MAP_FAILED)
        refuse(where);
    return block;
}

__attribute__((constructor)) static void take_environment(void)
{
    struct inject_plan plan = {0};
    char words[2048], where[512] = "";
    const char *variable = getenv("INJECT");
    if (!variable)
        return;
    snprintf(words, sizeof words, "%s", variable);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        read_word(&plan, where, sizeof where, word);
    if (!*plan.program || strcmp(plan.program, program_invocation_short_name) == 0)
        inject_arm(&plan, map_report(where));
}
