/* inih asks for one line at a time. Each is judged here first; a faulty one is reported and inih gets an
 * empty line in its place, so inih only ever sees lines that it treats as people expect. Whether a line was
 * understood shows afterwards: the handler has been called for it or not. */
#include "config/ini.h"

#include "base/memory.h"
#include "config/value.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

_Static_assert(INI_MAX_LINE == 200, "INI_LONGEST_LINE, the man page and messages say 197");

enum { LARGEST_FILE = 1 << 20 };

struct scan {
    const char *rest; /* what has not been handed to inih yet */
    const char *name;
    int line;
    int awaited; /* the line just handed over must make a pair */
    char awaited_text[INI_LONGEST_LINE + 1];
    int lost;                           /* below a faulty section line */
    char section[INI_LONGEST_LINE + 1]; /* inih's own is cut after 49 bytes */
    const struct ini_listener *listener;
    struct faults *faults;
};

static void fault(struct scan *scan, const char *what)
{
    faults_add(scan->faults, EXIT_CODE_DATA, "%.400s:%d: %s", scan->name, scan->line, what);
}

static int is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int is_comment(const char *text)
{
    return *text == ';' || *text == '#';
}

/* Cuts the next line off, without its end. */
static const char *next_line(struct scan *scan, size_t *length)
{
    const char *line = scan->rest, *end = strchr(line, '\n');
    scan->rest = end ? end + 1 : line + strlen(line);
    *length = (size_t)((end ? end : scan->rest) - line);
    if (*length > 0 && line[*length - 1] == '\r')
        --*length;
    scan->line++;
    return line;
}

static int has_control_characters(const char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < ' ' && *text != '\t') || *text == 127)
            return 1;
    return 0;
}

/* "[section]", perhaps with a comment behind. Returns 1 where it is whole. */
static int enter_section(struct scan *scan, const char *line)
{
    const char *end = strchr(line, ']');
    const char *behind = end ? end + 1 : line;
    while (is_space(*behind))
        behind++;
    scan->lost = !end || (*behind && !is_comment(behind));
    if (!end) {
        fault(scan, "a section is written [name]: its ] is missing");
    } else if (scan->lost) {
        fault(scan, "something stands behind the ] of the section: only a comment may");
    } else {
        snprintf(scan->section, sizeof scan->section, "%.*s", (int)(end - line - 1), line + 1);
        scan->listener->section(scan->listener->context, scan->section, scan->line);
    }
    return !scan->lost;
}

/* Is this line one to hand over? Reports what is wrong with it where it is not. */
static int judge(struct scan *scan, const char *line)
{
    const char *start = line;
    while (is_space(*start))
        start++;
    if (!*start || is_comment(start))
        return 0;
    if (has_control_characters(line))
        fault(scan, "there is a control character in this line: is this a text file?");
    else if (start > line)
        fault(scan, "the line begins with a blank: begin sections and keys in the first column");
    else if (*line == '[')
        return enter_section(scan, line);
    else
        return scan->awaited = 1;
    return 0;
}

/* Did inih make something of the line it got last? */
static void settle(struct scan *scan)
{
    char shown[VALUE_SHOWN];
    if (scan->awaited)
        faults_add(scan->faults, EXIT_CODE_DATA,
            "%.400s:%d: '%s' is neither [section] nor key = value nor a comment (; or #)", scan->name,
            scan->line, value_show(scan->awaited_text, shown));
    scan->awaited = 0;
}

/* The reader that inih calls, in the manner of fgets. */
static char *read_line(char *buffer, int size, void *stream)
{
    struct scan *scan = stream;
    settle(scan);
    if (!*scan->rest || size < INI_LONGEST_LINE + 2)
        return NULL;
    size_t length;
    const char *line = next_line(scan, &length);
    buffer[0] = '\0';
    if (length > INI_LONGEST_LINE) {
        faults_add(scan->faults, EXIT_CODE_DATA,
            "%.400s:%d: the line has %zu bytes, more than the %d allowed", scan->name, scan->line, length,
            INI_LONGEST_LINE);
    } else {
        snprintf(buffer, (size_t)size, "%.*s", (int)length, line);
        if (judge(scan, buffer))
            memcpy(scan->awaited_text, buffer, length + 1);
        else
            buffer[0] = '\0';
    }
    return strcat(buffer, "\n");
}

static int take_pair(void *context, const char *section, const char *name, const char *value)
{
    struct scan *scan = context;
    scan->awaited = 0;
    if (!scan->lost)
        scan->listener->pair(scan->listener->context, scan->section, name, value, scan->line);
    return 1;
}

void ini_scan(const char *text, const char *name, const struct ini_listener *listener, struct faults *faults)
{
    if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3;
    struct scan scan = {.rest = text, .name = name, .listener = listener, .faults = faults};
    ini_parse_stream(read_line, &scan, take_pair, &scan);
}

/* Reads up to `size` bytes; -1 with errno. */
static ssize_t read_all(int file, char *bytes, size_t size)
{
    size_t got = 0;
    while (got < size) {
        ssize_t n = read(file, bytes + got, size - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

char *ini_load(const char *path, struct error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        error_set(error, EXIT_CODE_IO, "%.400s: cannot open the configuration: %s", path, strerror(errno));
        return NULL;
    }
    char *text = memory_create(LARGEST_FILE + 2, 1, error);
    ssize_t size = text ? read_all(file, text, LARGEST_FILE + 1) : 0;
    int failed = 1;
    if (!text)
        ;
    else if (size < 0)
        error_set(error, EXIT_CODE_IO, "%.400s: cannot read the configuration: %s", path, strerror(errno));
    else if (memchr(text, 0, (size_t)size))
        error_set(error, EXIT_CODE_DATA,
            "%.400s: this is not a text file: a configuration is, with [section] and key = value lines",
            path);
    else if (size > LARGEST_FILE)
        error_set(error, EXIT_CODE_DATA, "%.400s: more than 1 MiB: this is not a configuration", path);
    else
        failed = 0;
    close(file);
    if (failed) {
        memory_destroy(text);
        return NULL;
    }
    return text;
}

int ini_value_fits(const char *name, const char *value)
{
    size_t n = strlen(value);
    if (strlen(name) + 3 + n > INI_LONGEST_LINE || has_control_characters(value))
        return 0;
    if (n > 0 && (is_space(value[0]) || is_space(value[n - 1]) || value[0] == ';'))
        return 0;
    for (size_t i = 1; i < n; i++)
        if (value[i] == ';' && is_space(value[i - 1]))
            return 0;
    return 1;
}
