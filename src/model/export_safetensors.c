/* safetensors (huggingface/safetensors, README, "Format"): the length of the header in 8 bytes, a header in
 * JSON that says where each tensor lies, and the numbers. The tensors of a checkpoint follow each other in
 * one vector without gaps, which becomes the file's buffer as it is. */
#include "model/export.h"
#include "model/facts.h"
#include "model/json.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int write_fact(void *context, const char *name, const char *value, struct error *error)
{
    FILE *stream = context;
    fputs(", ", stream);
    json_write_text(stream, name);
    fputs(": ", stream);
    json_write_text(stream, value);
    return 0;
}

static void write_tensor(FILE *stream, const struct parameter *p)
{
    size_t begin = p->offset * sizeof(float);
    fputs(", ", stream);
    json_write_text(stream, p->name);
    fprintf(stream, ": {\"dtype\": \"F32\", \"shape\": [%zu", p->size[0]);
    if (p->dimensions == 2)
        fprintf(stream, ", %zu", p->size[1]);
    fprintf(stream, "], \"data_offsets\": [%zu, %zu]}", begin, begin + p->count * sizeof(float));
}

/* Makes the header, the caller's (free), whose size is a multiple of 8 as that of the library's own files. */
static char *make_header(const struct checkpoint *checkpoint, size_t *size, struct error *error)
{
    char *text = NULL;
    FILE *stream = open_memstream(&text, size);
    if (!stream) {
        error_set(error, EXIT_CODE_INTERNAL, "out of memory");
        return NULL;
    }
    fputs("{\"__metadata__\": {\"format\": \"pt\"", stream);
    int failed = facts_list(checkpoint, write_fact, stream, error);
    fputc('}', stream);
    for (size_t i = 0; i < checkpoint->parameters; i++)
        write_tensor(stream, &checkpoint->parameter[i]);
    fputc('}', stream);
    while (ftell(stream) % 8)
        fputc(' ', stream);
    if ((fclose(stream) != 0 || !text) && !failed)
        failed = error_set(error, EXIT_CODE_INTERNAL, "out of memory");
    if (!failed)
        return text;
    free(text);
    return NULL;
}

static int write_safetensors(const struct stored *stored, const char *path, struct error *error)
{
    const struct checkpoint *checkpoint = &stored->checkpoint;
    unsigned char length[8];
    size_t size;
    char *header = make_header(checkpoint, &size, error);
    if (!header)
        return -1;
    for (size_t i = 0; i < sizeof length; i++)
        length[i] = (unsigned char)((uint64_t)size >> 8 * i);
    const struct file_piece pieces[] = {{length, sizeof length}, {header, size},
        {checkpoint->weights, checkpoint->count * sizeof *checkpoint->weights}};
    int outcome = store_write_pieces(path, pieces, 3, error);
    free(header);
    return outcome;
}

const struct export_kind export_safetensors = {
    "weights for PyTorch and others (huggingface/safetensors)", write_safetensors};
