#include "model/onnx_text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NAMES = 8, MOST_NUMBERS = 8 };

static size_t measure_name(const char *at)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@";
    return strspn(at, letters);
}

/* Moves *at behind the character, which comes next but for blanks. */
static void pass(const char **at, char expected)
{
    *at += strspn(*at, " ");
    assert(**at == expected);
    (void)expected;
    (*at)++;
}

static int is_next(const char *at, char asked)
{
    return at[strspn(at, " ")] == asked;
}

/* Adds the tensor that a name with @ means, and returns its own name. */
static const char *add_tensor(
    struct onnx_network *network, const struct onnx_scope *scope, const char *name, size_t n)
{
    size_t before = strcspn(name, "@"), behind = n - before - 1;
    const char *own = graph_text(network->graph, "rnn.%.*s%zu%.*s%s", (int)before, name, scope->layer,
        (int)behind, name + before + 1, scope->suffix);
    const struct parameter *p = checkpoint_find_parameter(network->checkpoint, own);
    assert(p);
    return graph_add_floats(
        network->graph, own, (size_t)p->dimensions, p->size, network->checkpoint->weights + p->offset);
}

static const char *find_value(
    const struct onnx_network *network, const struct onnx_scope *scope, const char *name, size_t n)
{
    for (const struct onnx_name *from = scope->from; from && from->name; from++)
        if (strlen(from->name) == n && strncmp(from->name, name, n) == 0)
            return from->value;
    return graph_text(network->graph, "%s%.*s", scope->prefix, (int)n, name);
}

const char *onnx_name_value(
    const struct onnx_network *network, const struct onnx_scope *scope, const char *name)
{
    return find_value(network, scope, name, strlen(name));
}

/* Reads names, and the commas between them, into a list that ends with NULL. */
static void read_names(struct onnx_network *network, const struct onnx_scope *scope, const char **at,
    const char *names[MOST_NAMES + 1])
{
    size_t count = 0;
    for (size_t n; *at += strspn(*at, " ,"), (n = measure_name(*at)) > 0; *at += n) {
        assert(count < MOST_NAMES);
        names[count++] =
            memchr(*at, '@', n) ? add_tensor(network, scope, *at, n) : find_value(network, scope, *at, n);
    }
    names[count] = NULL;
}

static int64_t read_number(const char **at)
{
    char *end;
    int64_t number = strtoll(*at, &end, 10);
    assert(end != *at);
    *at = end;
    return number;
}

/* Reads "<NAME = NUMBER, NAME = [NUMBER, ...]>" and gives it to the node that was added last. */
static void read_attributes(struct graph *graph, const char *at)
{
    do {
        at += strspn(at, " <,");
        size_t n = measure_name(at);
        const char *name = graph_text(graph, "%.*s", (int)n, at);
        at += n;
        pass(&at, '=');
        if (is_next(at, '[')) {
            int64_t numbers[MOST_NUMBERS] = {0};
            size_t count = 0;
            pass(&at, '[');
            for (; !is_next(at, ']'); at += strspn(at, " ,"))
                numbers[count++] = read_number(&at);
            pass(&at, ']');
            graph_integers(graph, name, count, numbers);
        } else {
            graph_integer(graph, name, read_number(&at));
        }
    } while (is_next(at, ','));
    assert(is_next(at, '>'));
}

/* Adds the node of a line, and returns what is behind the line. */
static const char *add_line(struct onnx_network *network, const struct onnx_scope *scope, const char *at)
{
    const char *inputs[MOST_NAMES + 1], *outputs[MOST_NAMES + 1], *attributes = NULL;
    read_names(network, scope, &at, outputs);
    pass(&at, '=');
    at += strspn(at, " ");
    size_t n = measure_name(at);
    const char *op = graph_text(network->graph, "%.*s", (int)n, at);
    at += n;
    if (is_next(at, '<')) {
        attributes = at;
        at = strchr(at, '>') + 1;
    }
    pass(&at, '(');
    read_names(network, scope, &at, inputs);
    pass(&at, ')');
    pass(&at, '\n');
    graph_node(network->graph, op, inputs, outputs);
    if (attributes)
        read_attributes(network->graph, attributes);
    return at;
}

void onnx_add_text(struct onnx_network *network, const char *text, const struct onnx_scope *scope)
{
    while (*text)
        text = add_line(network, scope, text);
}
