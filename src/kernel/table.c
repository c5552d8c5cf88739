/* The functions of one build as a struct kernel. */
#include "kernel/table.h"
#include "kernel/build.h"

static int runs(void)
{
    return isa_runs();
}

const struct kernel BUILD(kernel) = {
    .name = ISA_NAME,
    .runs = runs,
    .outer_floats = (size_t)OUTER_FRAMES * (OUTER_M + OUTER_COLUMNS),
#define FUNCTION(result, name, parameters) .name = BUILD(name),
#include "kernel/functions.h"
#undef FUNCTION
#define CELL(enumerator, text, kind, name, file)                                                             \
    .name##_forward = BUILD(name##_forward), .name##_backward = BUILD(name##_backward),
#include "kernel/cells/list.h"
#undef CELL
};
