#include "reference.h"

#include <stdlib.h>

double *reference_numbers(size_t n)
{
    double *block = calloc(n ? n : 1, sizeof *block);
    if (!block)
        abort();
    return block;
}
