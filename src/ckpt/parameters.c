/* The table of parameters is made from the sets of /model: their names and shapes, and the attribute that
 * says where each begins in the flat vector. */
#include "ckpt/parameters.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_PARAMETERS = 1 << 16 };

struct parameter_table {
    struct section *section;
    struct parameter *parameter;
    size_t count, room;
};

static int grow_table(struct parameter_table *table)
{
    struct parameter *wider = array_grow(table->parameter, &table->room, table->count, sizeof *wider);
    if (!wider) {
        table->section->failed = 1;
        return error_set(table->section->error, EXIT_CODE_INTERNAL, "out of memory");
    }
    table->parameter = wider;
    return 0;
}

/* Takes shape and offset of one set; nothing is trusted yet but that its values fit the file. */
static int take_parameter(void *context, const char *name)
{
    struct parameter_table *table = context;
    struct section *s = table->section;
    struct parameter p = {.size = {1, 1}};
    struct h5_shape shape;
    char path[256];
    int64_t offset;
    if (strlen(name) >= sizeof p.name || table->count >= MOST_PARAMETERS)
        return section_fail(s, "has a set %.80s, no parameter of ours", name);
    strcpy(p.name, name);
    section_path(s, name, path, sizeof path);
    s->failed |= h5_look(s->file, path, &shape, s->error) != 0;
    if (s->failed)
        return -1;
    if (shape.kind != H5_FLOAT || shape.bytes != 4 || shape.dimensions < 1 || shape.dimensions > 2)
        return section_fail(s, "has a set %s, not a vector or matrix of 32-bit floats", name);
    p.dimensions = shape.dimensions;
    for (int d = 0; d < p.dimensions; d++)
        p.size[d] = (size_t)shape.size[d];
    if (!p.size[0] || !p.size[1] || p.size[0] > s->most / 4 / p.size[1])
        return section_fail(s, "has a set %s of an impossible size", name);
    p.count = p.size[0] * p.size[1];
    int there = h5_attribute_integer(s->file, path, "offset", &offset, s->error);
    s->failed |= there < 0;
    if (there <= 0)
        return there ? -1 : section_fail(s, "has a set %s without its offset", name);
    p.offset = (size_t)offset;
    if (grow_table(table) != 0)
        return -1;
    table->parameter[table->count++] = p;
    return 0;
}

static int compare_offsets(const void *a, const void *b)
{
    const struct parameter *p = a, *q = b;
    return p->offset < q->offset ? -1 : p->offset > q->offset;
}

int parameters_read(struct section *section, struct checkpoint *checkpoint)
{
    struct parameter_table table = {.section = section};
    if (h5_list(section->file, section->group, take_parameter, &table, section->error) != 0)
        section->failed = 1;
    size_t P = 0;
    if (table.count)
        qsort(table.parameter, table.count, sizeof *table.parameter, compare_offsets);
    for (size_t i = 0; i < table.count && !section->failed; i++) {
        if (table.parameter[i].offset != P || table.parameter[i].count > section->most / 4 - P)
            section_fail(
                section, "has a set %s that is not where the one before ends", table.parameter[i].name);
        P += table.parameter[i].count;
    }
    if (!section->failed && !table.count)
        section_fail(section, "holds no parameters");
    if (section->failed) {
        free(table.parameter);
        return -1;
    }
    checkpoint->parameter = table.parameter;
    checkpoint->parameters = table.count;
    checkpoint->count = P;
    return 0;
}
