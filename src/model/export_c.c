/* A network as a header in C99: its weights as hexadecimal floats, which keep every bit, and a plain forward
 * pass of one sequence, which needs nothing but <math.h> and calls no allocator. The arithmetic of cells and
 * losses stands with their kinds; here stands what all networks have in common, and the order in which the
 * layers run, which is written out call by call. */
#include "model/export_c.h"
#include "model/export.h"

#include "net/outputs/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PER_LINE = 5 /* numbers */ };

/* Writes a text as a literal of C. */
static void write_string(FILE *stream, const char *text)
{
    fputc('"', stream);
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\' || byte == '?')
            fprintf(stream, "\\%03o", byte);
        else
            fputc(byte, stream);
    }
    fputc('"', stream);
}

static void write_numbers(FILE *stream, const char *name, const float *numbers, size_t n)
{
    fprintf(stream, "static const float %s[] = {", name);
    for (size_t i = 0; i < n; i++)
        fprintf(stream, "%s%af", i == 0 ? "\n    " : i % PER_LINE ? ", " : ",\n    ", (double)numbers[i]);
    fputs("};\n", stream);
}

static void write_tensors(FILE *stream, const struct checkpoint *checkpoint)
{
    for (size_t i = 0; i < checkpoint->parameters; i++) {
        const struct parameter *p = &checkpoint->parameter[i];
        char name[32];
        fprintf(stream, "\n/* %s [%zu", p->name, p->size[0]);
        if (p->dimensions == 2)
            fprintf(stream, "][%zu", p->size[1]);
        fputs("] */\n", stream);
        snprintf(name, sizeof name, "rnn_w%zu", i);
        write_numbers(stream, name, checkpoint->weights + p->offset, p->count);
    }
}

/* What inputs are standardized by, as floats, in which prediction computes too. */
static int write_moments(FILE *stream, const struct checkpoint *checkpoint, struct error *error)
{
    size_t n = checkpoint->features;
    float *numbers = n ? malloc(n * sizeof *numbers) : NULL;
    if (n && !numbers)
        return error_set(error, EXIT_CODE_INTERNAL, "out of memory");
    if (n)
        fputs("\n/* Inputs are standardized: (x - mean) / deviation. */\n", stream);
    for (size_t i = 0; i < n; i++)
        numbers[i] = (float)checkpoint->mean[i];
    if (n)
        write_numbers(stream, "rnn_mean", numbers, n);
    for (size_t i = 0; i < n; i++)
        numbers[i] = (float)checkpoint->deviation[i];
    if (n)
        write_numbers(stream, "rnn_deviation", numbers, n);
    free(numbers);
    return 0;
}

static void write_names(FILE *stream, const char *name, const struct name_list *list)
{
    if (!list->text)
        return;
    fprintf(stream, "\nstatic const char *const rnn_%s[] = {", name);
    for (size_t i = 0; i < list->n; i++) {
        fputs(i ? ",\n    " : "\n    ", stream);
        write_string(stream, list->text[i]);
    }
    fputs("};\n", stream);
}

/* The widest row that stands between layers, and units of the largest layer. */
static void find_sizes(const struct net_config *c, size_t *width, size_t *units)
{
    *width = c->embedding ? c->embedding : c->inputs;
    *units = 0;
    for (size_t k = 0; k < c->input_layers; k++)
        *width = c->input_size[k] > *width ? c->input_size[k] : *width;
    for (size_t l = 0; l < c->layers; l++) {
        size_t outputs = c->hidden[l] * (c->bidirectional[l] ? 2 : 1);
        *width = outputs > *width ? outputs : *width;
        *units = c->hidden[l] > *units ? c->hidden[l] : *units;
    }
    for (size_t k = 0; k < c->output_layers; k++)
        *width = c->output_size[k] > *width ? c->output_size[k] : *width;
    if (net_count_head(c) > *width)
        *width = net_count_head(c);
}

static void write_opening(FILE *stream, const struct stored *stored)
{
    const struct net_config *c = &stored->checkpoint.model;
    size_t width, units;
    find_sizes(c, &width, &units);
    fprintf(stream,
        "/* A recurrent network that rnn-train %s has trained, weights_hash=%016" PRIx64 ".\n"
        " *\n"
        " * rnn_run runs one sequence: %s.\n"
        " * It needs <math.h>, and work of rnn_work(frames) floats. A file includes one such header. */\n"
        "#ifndef RNN_NETWORK_H\n#define RNN_NETWORK_H\n\n"
        "#include <math.h>\n#include <stddef.h>\n#include <string.h>\n\n"
        "enum {\n    RNN_INPUTS = %zu, /* %s */\n    RNN_OUTPUTS = %zu, /* numbers in a row of outputs */\n"
        "    RNN_PER_SEQUENCE = %d, /* 1: one row of outputs a sequence; 0: one a frame */\n"
        "    RNN_WIDTH = %zu,\n    RNN_UNITS = %zu\n};\n\n"
        "static inline size_t rnn_work(size_t frames)\n{\n"
        "    return 3 * frames * RNN_WIDTH + 12 * RNN_UNITS + RNN_WIDTH;\n}\n",
        RNN_VERSION, stored->checkpoint.weights_hash,
        c->symbols ? "inputs are a symbol a frame" : "inputs are [frames][RNN_INPUTS]", c->inputs,
        c->symbols ? "symbols, from 0 on" : "features", net_count_head(c), output_of(c)->rows == PER_SEQUENCE,
        width, units);
}

/* Writes the whole header. */
static int write_header(FILE *stream, const struct stored *stored, struct error *error)
{
    const struct checkpoint *checkpoint = &stored->checkpoint;
    write_opening(stream, stored);
    write_tensors(stream, checkpoint);
    if (write_moments(stream, checkpoint, error) != 0)
        return -1;
    for (size_t i = 0; i < NAMES_LISTS; i++)
        write_names(stream, names_lists[i], &checkpoint->names.list[i]);
    c_write_functions(stream, &checkpoint->model);
    c_write_run(stream, checkpoint);
    fputs("\n#endif\n", stream);
    return 0;
}

static int write_c(const struct stored *stored, const char *path, struct error *error)
{
    const struct output_kind *output = output_of(&stored->checkpoint.model);
    char *text = NULL;
    size_t size = 0;
    if (output->has_decoder)
        return error_set(error, EXIT_CODE_USAGE,
            "%s: output = %s has no form in C: export a network whose outputs are those of frames or "
            "sequences",
            stored->path, output->name);
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return error_set(error, EXIT_CODE_INTERNAL, "out of memory");
    int failed = write_header(stream, stored, error) != 0;
    if (fclose(stream) != 0 && !failed)
        failed = error_set(error, EXIT_CODE_INTERNAL, "out of memory");
    if (!failed)
        failed = store_write_pieces(path, &(struct file_piece){text, size}, 1, error);
    free(text);
    return failed ? -1 : 0;
}

const struct export_kind export_c = {"a header in C with weights and a plain forward pass", write_c};
