/* The scanner works in a copy of the text, which it cuts into lines and these into names and values by
 * writing zero bytes into it. */
#include "config/ini.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { LARGEST_FILE = 1 << 20 };

struct ini_scan {
    const char *name;
    int line;
    const char *section;
    int lost; /* the last section line was faulty */
    const struct ini_listener *listener;
    struct faults *faults;
};

static void fault(struct ini_scan *scan, const char *what)
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

static int has_control_characters(const char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < ' ' && *text != '\t') || *text == 127)
            return 1;
    return 0;
}

static char *skip_spaces(char *text)
{
    while (is_space(*text))
        text++;
    return text;
}

static void cut_spaces(char *text)
{
    size_t n = strlen(text);
    while (n > 0 && is_space(text[n - 1]))
        n--;
    text[n] = '\0';
}

/* Finds where the first of `characters`, or a comment behind a blank, begins, or else the end of the text. */
static const char *find_or_comment(const char *text, const char *characters)
{
    for (int blank = 0; *text && !strchr(characters, *text) && !(blank && *text == ';'); text++)
        blank = is_space(*text);
    return text;
}

/* Takes "[section]", perhaps with a comment behind. */
static void take_section(struct ini_scan *scan, char *line)
{
    char *end = strchr(line, ']');
    const char *behind = end ? skip_spaces(end + 1) : line;
    scan->lost = !end || (*behind && !is_comment(behind));
    if (!end) {
        fault(scan, "a section is written [name]: its ] is missing");
    } else if (scan->lost) {
        fault(scan, "something stands behind the ] of the section: only a comment may");
    } else {
        *end = '\0';
        scan->section = line + 1;
        scan->listener->section(scan->listener->context, scan->section, scan->line);
    }
}

static void take_pair(struct ini_scan *scan, char *line)
{
    char shown[TEXT_SHOWN], *equals = line + (find_or_comment(line, "=:") - line);
    if (*equals != '=' && *equals != ':') {
        faults_add(scan->faults, EXIT_CODE_DATA,
            "%.400s:%d: '%s' is neither [section] nor key = value nor a comment (; or #)", scan->name,
            scan->line, text_show(line, shown));
        return;
    }
    char *value = equals + 1;
    *equals = '\0';
    value[find_or_comment(value, "") - value] = '\0';
    cut_spaces(line);
    cut_spaces(value);
    if (!scan->lost)
        scan->listener->pair(scan->listener->context, scan->section, line, skip_spaces(value), scan->line);
}

static void take_line(struct ini_scan *scan, char *line)
{
    const char *start = skip_spaces(line);
    if (!*start || is_comment(start))
        return;
    if (has_control_characters(line))
        fault(scan, "there is a control character in this line: is this a text file?");
    else if (start > line)
        fault(scan, "the line begins with a blank: begin sections and keys in the first column");
    else if (*line == '[')
        take_section(scan, line);
    else
        take_pair(scan, line);
}

void ini_scan(const char *text, const char *name, const struct ini_listener *listener, struct faults *faults)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    struct ini_scan scan = {.name = name, .section = "", .listener = listener, .faults = faults};
    struct error error;
    char *copy = memory_create(strlen(text) + 1, 1, &error);
    if (!copy) {
        faults_add(faults, (enum exit_code)error.code, "%.400s: %s", name, error.text);
        return;
    }
    strcpy(copy, text);
    char *rest = copy;
    if (strncmp(rest, byte_order_mark, strlen(byte_order_mark)) == 0)
        rest += strlen(byte_order_mark);
    while (*rest) {
        char *line = rest;
        size_t n = strcspn(line, "\n");
        rest += n + (line[n] == '\n');
        line[n > 0 && line[n - 1] == '\r' ? n - 1 : n] = '\0';
        scan.line++;
        take_line(&scan, line);
    }
    memory_destroy(copy);
}

/* Reads up to `size` bytes. Returns how many, or -1 with errno. */
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
    int file = file_open(path, "a configuration", error);
    if (file < 0)
        return NULL;
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

int ini_value_fits(const char *value)
{
    size_t n = strlen(value);
    if (has_control_characters(value) || value[0] == ';')
        return 0;
    if (n > 0 && (is_space(value[0]) || is_space(value[n - 1])))
        return 0;
    return find_or_comment(value, "") == value + n;
}
