#include "base/error.h"

#include "base/clean.h"
#include "base/machine.h"

#include <stdio.h>
#include <string.h>

int error_set(struct error *error, enum exit_code code, const char *format, ...)
{
    if (error) {
        va_list arguments;
        va_start(arguments, format);
        error->code = (int)code;
        vsnprintf(error->text, sizeof error->text, format, arguments);
        va_end(arguments);
        text_clean(error->text);
    }
    return -1;
}

int error_prefix(struct error *error, const char *format, ...)
{
    if (error) {
        char text[sizeof error->text];
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s", error->text);
        memcpy(error->text, text, sizeof text);
        text_clean(error->text);
    }
    return -1;
}

int error_explain_memory(struct error *error, const char *what, const char *remedy)
{
    static const char start[] = "out of memory";
    if (!error || error->code != EXIT_CODE_INTERNAL || strncmp(error->text, start, sizeof start - 1) != 0)
        return -1;
    size_t used = strlen(error->text);
    struct machine_memory memory;
    used += (size_t)snprintf(error->text + used, sizeof error->text - used, ": %s less", remedy);
    if (used < sizeof error->text && machine_find_memory("", &memory) == 0)
        snprintf(error->text + used, sizeof error->text - used,
            "; there are %.3g GiB for all processes here (the %s)", (double)memory.bytes / (1 << 30),
            memory.limit);
    return error_prefix(error, "%s: ", what);
}

void faults_init(
    struct faults *faults, size_t most, void (*say)(void *context, const char *text), void *context)
{
    *faults = (struct faults){.most = most, .say = say, .context = context};
}

static void tell(
    void (*say)(void *context, const char *line), void *context, const char *format, va_list arguments)
{
    char text[1024];
    vsnprintf(text, sizeof text, format, arguments);
    say(context, text_clean(text));
}

void faults_add(struct faults *faults, enum exit_code code, const char *format, ...)
{
    if (faults->count++ == 0)
        faults->code = (int)code;
    if (faults->count > faults->most)
        return;
    va_list arguments;
    va_start(arguments, format);
    tell(faults->say, faults->context, format, arguments);
    va_end(arguments);
}

void faults_warn(struct faults *faults, const char *format, ...)
{
    if (!faults->warn)
        return;
    va_list arguments;
    va_start(arguments, format);
    tell(faults->warn, faults->context, format, arguments);
    va_end(arguments);
}
